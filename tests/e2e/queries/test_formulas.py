"""Formulas and chosen metrics over the wire: as users write them, in batches, through restarts of data, and refused."""

import asyncio
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.message import Message

import headwater
from headwater import (
    AsyncClient,
    Client,
    DatetimeKey,
    Distance,
    Field,
    FieldValue,
    Formula,
    Fusion,
    GeoDistance,
    Hits,
    Ln,
    LookupFrom,
    Matches,
    PointStruct,
    PrefetchQuery,
    QueryRequest,
    Rescore,
    Score,
    ScoreMode,
    UndefinedScore,
    VectorParams,
    WeightedMetric,
    decay_exp,
    decay_gauss,
    decay_lin,
)
from headwater.v1 import formula_pb2, points_pb2, query_pb2
from tests.support.messages import vector
from tests.support.refusals import NAN, REFUSAL, Error, check_refused, refusal
from tests.support.wire import Wire

TEXT = PrefetchQuery(query=[1, 0], using="text", limit=3)
IMAGE = PrefetchQuery(query=[0, 0], using="image", limit=3)


@pytest.fixture(scope="module")
def shops(client: Client) -> Iterator[str]:
    name = "formulas"
    client.collections.create(name, {"text": VectorParams(2), "image": VectorParams(2, Distance.Euclid)})
    berlin, hamburg = {"lat": 52.52, "lon": 13.405}, {"lat": 53.551, "lon": 9.994}
    points = [
        PointStruct(1, {"text": [1, 0], "image": [3, 4]}, {"price": 10, "at": berlin, "made": "2026-01-01T00:00:00Z"}),
        PointStruct(
            2, {"text": [1, 1], "image": [0, 1]}, {"price": 20.5, "at": hamburg, "made": "2025-12-31T00:00:00Z"}
        ),
        PointStruct(3, {"text": [0, 1], "image": [1, 1]}, {"price": [None, True, 40, 1], "color": "red"}),
        PointStruct("x", {"image": [5, 5]}, {"price": True}),
    ]
    client.points.upsert(name, points)
    yield name
    client.collections.delete(name)


def scores(hits: Hits) -> dict[Any, Any]:
    return {hit.id: pytest.approx(hit.score, rel=1e-6) for hit in hits}


def test_boosting_the_scores_of_two_prefetches(client: Client, shops: str) -> None:
    formula = Formula(Score(0) * 2 - Score(1) * 0.1 + Matches(Field("color").eq("red")))
    hits = client.points.query(shops, formula, prefetch=[TEXT, IMAGE])
    assert scores(hits) == {1: 2 - 0.5, 2: 2 / math.sqrt(2) - 0.1, 3: 1 - 0.1 * math.sqrt(2)}
    assert [hit.id for hit in hits] == [1, 2, 3]
    assert hits[0].payload is not None


def test_formulas_as_text(client: Client, shops: str) -> None:
    boosted = Formula('$score * 2 - $score[1] * 0.1 + matches(color == "red")')
    built = Formula(Score(0) * 2 - Score(1) * 0.1 + Matches(Field("color").eq("red")))
    assert client.points.query(shops, boosted, prefetch=[TEXT, IMAGE]) == client.points.query(
        shops, built, prefetch=[TEXT, IMAGE]
    )
    hits = client.points.query(shops, Formula(headwater.Sum("$score", "price", Matches("price < 15"))), prefetch=TEXT)
    assert scores(hits) == {3: 41, 2: 20.5 + 1 / math.sqrt(2), 1: 12}, "an element of the price of 3 is below 15"


def test_decays_of_time_and_place(client: Client, shops: str) -> None:
    day = 24 * 3600
    new = decay_exp(DatetimeKey("made"), headwater.Datetime(datetime(2026, 1, 1, tzinfo=UTC)), scale=day)
    near = decay_gauss(GeoDistance((52.52, 13.405), "at"), scale=255_000)
    formula = Formula(new, defaults={"made": datetime(2025, 12, 29, tzinfo=UTC)})
    assert scores(client.points.query(shops, formula, prefetch=TEXT)) == {1: 1, 2: 0.5, 3: 0.125}
    hits = client.points.query(shops, Formula(near, undefined=UndefinedScore.Drop), prefetch=TEXT)
    assert [hit.id for hit in hits] == [1, 2]
    assert hits[0].score == 1
    assert 0.4 < hits[1].score < 0.6
    far = Formula(decay_lin(GeoDistance((52.52, 13.405), "at"), scale=2e5), defaults={"at": (0.0, 0.0)})
    assert scores(client.points.query(shops, far, prefetch=TEXT))[3] == 0


def test_a_leaf_ranks_all_that_match(client: Client, shops: str) -> None:
    hits = client.points.query(shops, Formula(-FieldValue("price"), {"price": 1e3}), limit=3)
    assert scores(hits) == {1: -10, 2: -20.5, 3: -40}
    assert [hit.id for hit in client.points.query(shops, Formula("price"), filter=Field("price").gt(15))] == [3, 2]
    client.collections.create("empty formulas", {"text": VectorParams(2)})
    assert list(client.points.query("empty formulas", Formula("price"))) == []
    assert list(client.points.query("empty formulas", Formula(Score()), prefetch=TEXT)) == []
    assert list(client.points.query("empty formulas", Rescore([1, 0], "Dot"))) == []
    client.collections.delete("empty formulas")


def test_a_missing_value_names_the_part_and_the_point(client: Client, shops: str) -> None:
    with pytest.raises(headwater.InvalidQueryError) as caught:
        client.points.query_batch(shops, [QueryRequest(Formula(1)), QueryRequest(Formula(Ln(1 + FieldValue("price"))))])
    [violation] = caught.value.field_violations
    assert violation.field == "queries[1].query.formula.expression.ln.sum.parts[1].field"
    assert violation.description == "point 'x' has no score: there is no number at 'price', and no default"


def test_batches_and_the_async_client_answer_the_same(client: Client, address: str, shops: str) -> None:
    formula = Formula(Score() + decay_exp("price", 10, scale=5), {"price": 0})
    composite = Rescore([1, 0], [("Cosine", 1), WeightedMetric("Manhattan", 0.1, [0, 0], "image")])
    requests = [
        QueryRequest(formula, [TEXT, IMAGE]),
        QueryRequest(composite, using="text"),
        QueryRequest(formula, IMAGE),
    ]
    single = [client.points.query(shops, each.query, prefetch=each.prefetch, using=each.using) for each in requests]

    async def ask() -> list[Hits]:
        async with AsyncClient(address) as other:
            return await other.points.query_batch(shops, requests)

    assert client.points.query_batch(shops, requests) == single == asyncio.run(ask())


def test_a_formula_below_a_fusion_below_a_rescore(client: Client, shops: str) -> None:
    boosted = PrefetchQuery(query=Formula("price"), filter=Field("price").gt(0), limit=2)
    fused = PrefetchQuery(query=Fusion.RRF, prefetch=[boosted, TEXT])
    hits = client.points.query(shops, Rescore([1, 0], "Chebyshev"), using="text", prefetch=fused, explain=True)
    assert scores(hits) == {1: 0, 2: 1, 3: 1}
    assert hits.explanation is not None
    for part in ("formula", "price", "metric=chebyshev"):
        assert part in hits.explanation.text


def test_rescore_as_users_write_it(client: Client, shops: str) -> None:
    hits = client.points.query(shops, Rescore([1, 0], "Manhattan"), using="text", prefetch=TEXT)
    assert list(scores(hits).items()) == [(1, 0), (2, 1), (3, 2)]
    by_id = client.points.query(shops, Rescore(1, metric=Distance.Euclid), using="text")
    assert list(scores(by_id).items()) == [(2, 1), (3, math.sqrt(2))]
    angular = client.points.query(shops, Rescore([0, 2], "Angular"), using="text", score_mode=ScoreMode.Similarity)
    assert scores(angular) == {3: 1, 2: 0.75, 1: 0.5}
    elsewhere = Rescore("x", "Dot")
    looked_up = client.points.query(shops, elsewhere, using="text", lookup_from=LookupFrom(using="image"))
    assert scores(looked_up) == {2: 10, 1: 5, 3: 5}


def test_deleted_and_changed_points_are_seen_at_once(client: Client, name: str) -> None:
    client.collections.create(name, VectorParams(2))
    client.points.upsert(name, [PointStruct(n, [n, 1], {"n": n}) for n in range(1, 6)])
    client.points.delete(name, [5])
    client.points.set_payload(name, {"n": 9}, [1])
    client.points.upsert(name, [PointStruct(2, [9, 9], {})])
    formula = Formula("n", undefined=UndefinedScore.Drop)
    assert scores(client.points.query(name, formula)) == {1: 9, 4: 4, 3: 3}
    assert client.points.query(name, Rescore([9, 9], "Chebyshev"))[0].id == 2
    client.collections.delete(name)


def ranked(**query: Any) -> points_pb2.PointsQueryRequest:
    return points_pb2.PointsQueryRequest(query=query_pb2.Query(**query), using=None if "formula" in query else "text")


def formula(**fields: Any) -> points_pb2.PointsQueryRequest:
    return ranked(formula=formula_pb2.Formula(**fields))


def deep(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {"constant": 1}
    for _ in range(levels - 1):
        found = {"neg": found}
    return found


ONE = {"constant": 1.0}
GIVEN = query_pb2.VectorInput(vector=vector([1, 0, 0]))
INVALID = headwater.InvalidQueryError
REFUSED = [
    refusal("no expression", formula(), INVALID, "query.formula.expression"),
    refusal(
        "an empty part",
        formula(expression={"sum": {"parts": [ONE, {}]}}),
        INVALID,
        "query.formula.expression.sum.parts[1]",
    ),
    refusal("no part", formula(expression={"mult": {}}), INVALID, "query.formula.expression.mult.parts"),
    refusal("no dividend", formula(expression={"div": {"right": ONE}}), INVALID, "query.formula.expression.div.left"),
    refusal("no x", formula(expression={"exp_decay": {}}), INVALID, "query.formula.expression.exp_decay.x"),
    refusal(
        "no origin",
        formula(expression={"geo_distance": {"path": "a"}}),
        INVALID,
        "query.formula.expression.geo_distance.origin",
    ),
    refusal(
        "nan", formula(expression={"constant": NAN}), headwater.NotFiniteError, "query.formula.expression.constant"
    ),
    refusal("score of a leaf", formula(expression={"score": 0}), INVALID, "query.formula.expression.score"),
    refusal("no path", formula(expression={"field": ""}), INVALID, "query.formula.expression.field"),
    refusal(
        "scale 0",
        formula(expression={"lin_decay": {"x": ONE, "scale": 0}}),
        INVALID,
        "query.formula.expression.lin_decay.scale",
    ),
    refusal(
        "bool as a default",
        formula(expression=ONE, defaults={"a": {"bool_value": True}}),
        INVALID,
        'query.formula.defaults["a"]',
    ),
    refusal("default not set", formula(expression=ONE, defaults={"a": {}}), INVALID, 'query.formula.defaults["a"]'),
    refusal(
        "half a place",
        formula(expression=ONE, defaults={"a": {"struct_value": {"fields": {"lat": {"double_value": 1}}}}}),
        INVALID,
        'query.formula.defaults["a"]',
    ),
    refusal(
        "unknown enum", formula(expression=ONE, undefined=9), headwater.InvalidArgumentError, "query.formula.undefined"
    ),
    refusal(
        "a text condition",
        formula(expression={"condition": {"expression": "a =="}}),
        headwater.InvalidFilterError,
        "query.formula.expression.condition.expression",
    ),
    refusal(
        "deep",
        formula(expression=deep(25)),
        headwater.LimitExceededError,
        "query.formula.expression",
        limit="MAX_FORMULA_DEPTH",
    ),
    refusal(
        "large",
        formula(expression={"sum": {"parts": [ONE] * 256}}),
        headwater.LimitExceededError,
        "query.formula.expression",
        limit="MAX_FORMULA_PARTS",
    ),
    refusal("text", formula(expression={"text": "1 +"}), INVALID, "query.formula.expression.text"),
    refusal("no text", formula(expression={"text": ""}), INVALID, "query.formula.expression.text"),
    refusal("score in a text", formula(expression={"text": "$score"}), INVALID, "query.formula.expression.text"),
    refusal("no metric", ranked(rescore={"vector": GIVEN}), INVALID, "query.rescore.metric"),
    refusal(
        "unknown metric",
        ranked(rescore={"vector": GIVEN, "metric": 77}),
        headwater.InvalidArgumentError,
        "query.rescore.metric",
    ),
    refusal("no vector", ranked(rescore={"metric": 1}), INVALID, "query.rescore.vector"),
    refusal("empty vector", ranked(rescore={"metric": 1, "vector": {}}), INVALID, "query.rescore.vector"),
    refusal(
        "both",
        ranked(rescore={"metric": 1, "vector": GIVEN, "composite": [{"metric": 1}]}),
        INVALID,
        "query.rescore.composite",
    ),
    refusal(
        "part without metric",
        ranked(rescore={"vector": GIVEN, "composite": [{}]}),
        INVALID,
        "query.rescore.composite[0].metric",
    ),
    refusal(
        "nan as a weight",
        ranked(rescore={"vector": GIVEN, "composite": [{"metric": 1, "weight": NAN}]}),
        headwater.NotFiniteError,
        "query.rescore.composite[0].weight",
    ),
    refusal(
        "no such space",
        ranked(rescore={"vector": GIVEN, "composite": [{"metric": 1, "using": "no"}]}),
        headwater.SpaceNotFoundError,
        "query.rescore.composite[0].using",
    ),
]


@pytest.mark.parametrize(REFUSAL, REFUSED)
def test_refused(wire: Wire, bad_input: str, asked: Message, kind: Error, where: str, facts: dict[str, str]) -> None:
    check_refused(wire, bad_input, asked, kind, where, facts)
