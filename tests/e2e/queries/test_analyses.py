"""Groups, facets, aggregations and distance matrices through client and server: the oracle's, and users' stories."""

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headwater
from headwater import (
    Aggregation,
    Client,
    Distance,
    Field,
    Fusion,
    NearestWithMmr,
    OrderBy,
    PointStruct,
    PrefetchQuery,
    Recommend,
    RecommendStrategy,
    Sample,
    SearchParams,
    VectorParams,
    WithLookup,
    has_id,
)
from headwater.v1 import payload_pb2
from headwater.v1 import points_pb2 as points
from planner.analyze.aggregation import AggregateQuery
from tests.support.analysis_strategies import AGGREGATE_QUERIES, group_queries
from tests.support.client_queries import DISTANCES, filter_of, points_of, query_of, text_indexes_of
from tests.support.messages import field, must
from tests.support.oracle import values as oracle
from tests.support.refusals import NAN, PLAIN, REFUSAL, Error, check_refused, refusal
from tests.support.strategies import SIZES, random_world
from tests.support.wire import Wire

WORLD = random_world(11)
COUNT = 1_200
EXACT = SearchParams(exact=True)


@pytest.fixture(scope="module")
def world(client: Client) -> Iterator[str]:
    name = "analyses of a world"
    spaces = {space: VectorParams(SIZES[space], DISTANCES[metric]) for space, metric in WORLD.distances.items()}
    client.collections.create(name, spaces, text_indexes=text_indexes_of(WORLD))
    client.points.upsert(name, points_of(WORLD))
    yield name
    client.collections.delete(name)


@given(st.data())
@settings(max_examples=15)
def test_groups_are_the_oracles(client: Client, world: str, data: st.DataObject) -> None:
    asked = data.draw(group_queries(WORLD))
    request = query_of(asked.query)
    arguments = {slot: getattr(request, slot) for slot in type(request).__slots__ if slot != "search_after"}
    groups = client.points.query_groups(world, **arguments, group_by=asked.path, group_size=asked.size)
    found = [(oracle.key(group.value), [(hit.id, hit.score) for hit in group.points]) for group in groups]
    wanted = oracle.groups(WORLD, asked)
    assert found == [(value, [(key, float(score)) for key, score in hits]) for value, hits in wanted]


@given(AGGREGATE_QUERIES)
@settings(max_examples=40)
def test_aggregations_are_the_oracles(client: Client, world: str, asked: AggregateQuery) -> None:
    named = {
        str(number): each.kind.value if each.path is None else (each.kind.value, each.path)
        for number, each in enumerate(asked.aggregations)
    }
    groups = client.points.aggregate(
        world, named, group_by=asked.group_by, filter=filter_of(asked.filter), limit=asked.limit
    )
    found = [(oracle.key(group.value), group.count, list(map(oracle.key, group.results.values()))) for group in groups]
    assert found == oracle.aggregate(WORLD, asked)


@pytest.fixture(scope="module")
def shop(client: Client) -> Iterator[str]:
    """Points of 40 documents of unequal sizes; two tags each; some lack a document. Indexed by a graph."""
    name = "chunks of documents"
    random = np.random.default_rng(5)
    client.collections.create(name, VectorParams(8, Distance.Dot), optimizers_config={"indexing_threshold": 500})
    vectors = random.standard_normal((COUNT, 8)).astype(np.float32)
    client.points.upsert(
        name,
        [
            PointStruct(
                number,
                vectors[number],
                {
                    "doc": {"id": int(np.sqrt(number * 1.3)) if number % 7 else f"doc {number % 3}"},
                    "tags": [f"t{number % 4}", f"t{number % 5}", f"t{number % 4}"],
                    "price": number / 4 if number % 2 else number,
                    "big": 2**62,
                    "quad": number // 4,
                }
                if number % 11
                else {"price": None},
            )
            for number in range(COUNT)
        ],
    )
    client.vde.optimize(name)
    yield name
    client.collections.delete(name)


def everyone(client: Client, name: str, vector: list[float]) -> list[headwater.ScoredPoint]:
    return client.points.query(name, vector, limit=COUNT, params=EXACT)


def grouped_by_hand(
    hits: list[headwater.ScoredPoint], limit: int, size: int
) -> list[tuple[object, list[tuple[object, float]]]]:
    found: dict[object, list[tuple[object, float]]] = {}
    for hit in hits:
        if hit.payload and "doc" in hit.payload:
            found.setdefault(hit.payload["doc"]["id"], []).append((hit.id, hit.score))
    return [(value, members[:size]) for value, members in list(found.items())[:limit]]


VECTOR = [1.0, -0.5, 0.25, 2.0, 0.0, 1.0, -1.0, 0.5]


@pytest.mark.parametrize(("limit", "size"), [(1, 1), (5, 3), (30, 2), (60, 40), (10, 900)])
def test_every_group_has_its_true_best_points(client: Client, shop: str, limit: int, size: int) -> None:
    groups = client.points.query_groups(
        shop, VECTOR, group_by="doc.id", limit=limit, group_size=size, params=EXACT, with_payload=["doc"]
    )
    found = [(group.value, [(hit.id, hit.score) for hit in group.points]) for group in groups]
    assert found == grouped_by_hand(everyone(client, shop, VECTOR), limit, size)
    assert all(hit.payload == {"doc": {"id": group.value}} for group in groups for hit in group.points)
    # Pages of groups continue each other.
    if size * limit <= 2_000:
        second = client.points.query_groups(
            shop, VECTOR, group_by="doc.id", limit=limit, offset=limit, group_size=size, params=EXACT
        )
        assert [group.value for group in second] == [
            value for value, _ in grouped_by_hand(everyone(client, shop, VECTOR), 2 * limit, size)[limit:]
        ]


@pytest.mark.parametrize(("limit", "size"), [(20, 3), (100, 3), (400, 2)])
def test_many_small_groups_are_filled(client: Client, shop: str, limit: int, size: int) -> None:
    groups = client.points.query_groups(
        shop, VECTOR, group_by="quad", limit=limit, group_size=size, params=EXACT, filter=Field("price").gt(20)
    )
    by_hand: dict[int, list[object]] = {}
    for hit in everyone(client, shop, VECTOR):
        if hit.payload and "quad" in hit.payload and hit.payload["price"] > 20:
            by_hand.setdefault(hit.payload["quad"], []).append(hit.id)
    assert [(group.value, [hit.id for hit in group.points]) for group in groups] == [
        (value, ids[:size]) for value, ids in list(by_hand.items())[:limit]
    ]


def test_graphs_find_nearly_the_same_groups(client: Client, shop: str) -> None:
    groups = client.points.query_groups(shop, VECTOR, group_by="doc.id", limit=12, group_size=4, explain=True)
    wanted = dict(grouped_by_hand(everyone(client, shop, VECTOR), 12, 4))
    assert len(groups) == 12
    shared = sum(len({hit.id for hit in g.points} & {key for key, _ in wanted.get(g.value, [])}) for g in groups)
    assert shared >= 0.95 * sum(map(len, wanted.values()))
    assert groups.explanation is not None
    assert groups.explanation.root.operator == "group"
    assert groups.explanation.root.strategy
    assert "search" in str(groups.explanation)


@pytest.mark.parametrize(
    "query",
    [
        VECTOR,
        5,
        None,
        OrderBy("price"),
        Sample(3),
        NearestWithMmr(VECTOR, candidates=200),
        Recommend(positive=[1, 2], strategy=RecommendStrategy.BestScore),
        Recommend(positive=[1], negative=[9]),
    ],
    ids=lambda query: type(query).__name__,
)
def test_every_kind_of_leaf_is_grouped(client: Client, shop: str, query: headwater.QueryLike) -> None:
    filter = Field("price").gte(100)
    groups = client.points.query_groups(
        shop, query, group_by="tags", limit=9, group_size=2, filter=filter, params=EXACT
    )
    limit = 200 if isinstance(query, NearestWithMmr) else COUNT
    by_hand: dict[str, list[object]] = {}
    for hit in client.points.query(shop, query, filter=filter, limit=limit, params=EXACT):
        for tag in sorted(set((hit.payload or {}).get("tags", []))):
            by_hand.setdefault(tag, []).append(hit.id)
    assert [(group.value, [hit.id for hit in group.points]) for group in groups] == [
        (tag, ids[:2]) for tag, ids in by_hand.items()
    ]


def test_groups_of_a_tree_are_made_of_its_candidates(client: Client, shop: str) -> None:
    prefetch = [PrefetchQuery(VECTOR, limit=30), PrefetchQuery([-x for x in VECTOR], limit=30)]
    groups = client.points.query_groups(shop, Fusion.RRF, prefetch=prefetch, group_by="doc.id", limit=50, group_size=9)
    fused = client.points.query(shop, Fusion.RRF, prefetch=prefetch, limit=100)
    found = [(group.value, [(hit.id, hit.score) for hit in group.points]) for group in groups]
    assert found == grouped_by_hand(fused, 50, 9)


def test_groups_are_looked_up_elsewhere(client: Client, shop: str, name: str) -> None:
    client.collections.create(name, VectorParams(2))
    client.points.upsert(name, [PointStruct(7, [1, 0], {"title": "seven"}), PointStruct("doc 1", [0, 1], {"t": 1})])
    lookup = WithLookup(name, with_payload=["title"], with_vectors=True)
    groups = client.points.query_groups(
        shop, None, group_by="doc.id", limit=60, group_size=1, with_lookup=lookup, with_payload=False
    )
    by_value = {group.value: group.lookup for group in groups}
    assert by_value[7] is not None
    assert by_value[7].payload == {"title": "seven"}
    assert by_value[7].vectors[""].tolist() == [1, 0]
    assert by_value["doc 1"] is not None
    assert by_value["doc 1"].payload == {}
    assert by_value["doc 2"] is None
    # The searched collection may be looked into, too, and a name is enough.
    same = client.points.query_groups(shop, None, group_by="doc.id", limit=60, group_size=1, with_lookup=shop)
    assert {group.value: group.lookup.id for group in same if group.lookup} == {
        n: n for n in by_value if type(n) is int
    }
    with pytest.raises(headwater.CollectionNotFoundError):
        client.points.query_groups(shop, None, group_by="doc.id", with_lookup="nowhere")


def test_groups_follow_writes(client: Client, name: str) -> None:
    client.collections.create(name, VectorParams(1, Distance.Dot))
    assert client.points.query_groups(name, [1], group_by="g") == []
    client.points.upsert(name, [PointStruct(n, [n], {"g": n % 2 == 0}) for n in range(1, 7)])
    client.points.upsert(name, [PointStruct(9, [100], {"g": [None, {}, [1]]})])

    def found() -> list[tuple[object, list[int | str]]]:
        groups = client.points.query_groups(name, [1], group_by="g", group_size=2)
        return [(group.value, [hit.id for hit in group.points]) for group in groups]

    assert found() == [(True, [6, 4]), (False, [5, 3])]
    client.points.delete(name, [6, 5])
    client.points.set_payload(name, {"g": 1.0}, [1])
    assert found() == [(True, [4, 2]), (False, [3]), (1, [1])]
    client.points.set_payload(name, {"g": [1, True, 1.0, "1"]}, [4])
    assert found() == [(True, [4, 2]), (1, [4, 1]), ("1", [4]), (False, [3])]
    assert [hit.value for hit in client.points.facet(name, "g")] == [True, 1, False, "1"]


def test_facets_count_points(client: Client, shop: str) -> None:
    ids = [n for n in range(COUNT) if n % 11]
    facets = client.points.facet(shop, "tags")
    counts = {f"t{t}": sum(t in (n % 4, n % 5) for n in ids) for t in range(5)}
    assert [(hit.value, hit.count) for hit in facets] == sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    assert facets.value_count == 5
    few = client.points.facet(shop, "tags", filter=has_id([1, 2, 12]), limit=2)
    assert [(hit.value, hit.count) for hit in few] == [("t2", 2), ("t0", 1)]
    assert few.value_count == 3
    assert client.points.facet(shop, "nowhere") == []
    assert client.points.facet(shop, "tags", filter=Field("price").lt(-1)) == []


def test_a_declared_index_changes_no_answer(client: Client, shop: str) -> None:
    def answers() -> list[object]:
        return [
            client.points.facet(shop, "doc.id", limit=100),
            client.points.facet(shop, "tags", filter=Field("price").lt(50)),
            client.points.query_groups(shop, VECTOR, group_by="doc.id", limit=20, group_size=5, params=EXACT),
            client.points.aggregate(shop, {"sum": ("sum", "price"), "last": ("max", "tags")}, group_by="doc.id"),
        ]

    before = answers()
    for path, kind in (("doc.id", "integer"), ("tags", "keyword"), ("price", "float")):
        client.points.create_field_index(shop, path, kind)
    assert answers() == before


def test_the_async_client_answers_the_same(client: Client, address: str, shop: str) -> None:
    async def ask() -> list[object]:
        async with headwater.AsyncClient(address) as other:
            return [
                await other.points.query_groups(shop, VECTOR, group_by="tags", params=EXACT),
                await other.points.facet(shop, "tags"),
                await other.points.aggregate(shop, {"n": "count"}),
                await other.points.search_matrix_pairs(shop, seed=1),
                await other.points.search_matrix_offsets(shop, seed=1),
            ]

    assert asyncio.run(ask()) == [
        client.points.query_groups(shop, VECTOR, group_by="tags", params=EXACT),
        client.points.facet(shop, "tags"),
        client.points.aggregate(shop, {"n": "count"}),
        client.points.search_matrix_pairs(shop, seed=1),
        client.points.search_matrix_offsets(shop, seed=1),
    ]


def test_sums_of_integers_are_exact(client: Client, shop: str, name: str) -> None:
    aggregations: dict[str, headwater.AggregationLike] = {
        "n": "count",
        "prices": Aggregation.count("price"),
        "sum": ("sum", "price"),
        "big": Aggregation.sum("big"),
        "low": Aggregation.min("price"),
        "high": Aggregation.max("tags"),
        "mean": Aggregation.avg("price"),
        "none": Aggregation.avg("nowhere"),
    }
    [total] = client.points.aggregate(shop, aggregations)
    prices = [n / 4 if n % 2 else n for n in range(COUNT) if n % 11]
    assert total.value is None
    assert total.count == total["n"] == COUNT
    assert total["prices"] == len(prices)
    assert total["sum"] == sum(prices)
    assert total["big"] == float(2**62 * len(prices))
    assert (total["low"], total["high"], total["none"]) == (0.25, "t4", None)
    assert total["mean"] == sum(prices) / len(prices)
    client.collections.create(name, VectorParams(1))
    client.points.upsert(
        name, [PointStruct(n, [1], {"g": n % 2, "v": 2**53 + 1, "e": 1e308, "m": [0.1, n, True]}) for n in range(6)]
    )
    values = ("v", "e", "m")
    groups = client.points.aggregate(
        name, {f"{kind} {path}": (kind, path) for kind in ("sum", "avg") for path in values}, group_by="g"
    )
    assert [(group.value, group["sum v"], group["avg v"]) for group in groups] == [
        (n, 3 * (2**53 + 1), float(2**53)) for n in (0, 1)
    ]
    assert [(group["sum e"], group["avg e"]) for group in groups] == [(float("inf"), 1e308)] * 2
    assert [group["sum m"] for group in groups] == [6.3, 9.3]
    assert client.points.aggregate(name, {"n": "count"}, group_by="g", limit=1).group_count == 2
    assert client.points.aggregate(name, {"n": "count"}, group_by="nowhere") == []
    [nothing] = client.points.aggregate(name, {"n": "count", "s": ("sum", "v")}, filter=Field("g").eq(5))
    assert (nothing.count, nothing["n"], nothing["s"]) == (0, 0, None)


def test_matrices_have_two_forms(client: Client, shop: str) -> None:
    pairs = client.points.search_matrix_pairs(shop, sample=20, limit=4, seed=1)
    offsets = client.points.search_matrix_offsets(shop, sample=20, limit=4, seed=1)
    assert len(offsets.ids) == 20
    assert len(pairs) == 80
    assert [(pair.a, pair.b, pair.score) for pair in pairs] == [
        (offsets.ids[row], offsets.ids[column], score)
        for row, column, score in zip(offsets.offsets_row, offsets.offsets_col, offsets.scores, strict=True)
    ]
    assert pairs.seq == offsets.seq
    one = offsets.ids[0]
    best = client.points.query(shop, one, filter=has_id(offsets.ids), limit=4, params=EXACT)
    assert [(hit.id, hit.score) for hit in best] == [(pair.b, pair.score) for pair in pairs[:4]]
    few = client.points.search_matrix_pairs(shop, filter=has_id([1, 2]), sample=1_000, limit=9)
    assert [(pair.a, pair.b) for pair in few] == [(1, 2), (2, 1)]
    assert client.points.search_matrix_pairs(shop, filter=has_id([1])) == []
    assert client.points.search_matrix_offsets(shop, filter=has_id([])).ids == []
    assert len(client.points.search_matrix_offsets(shop).ids) == 10


def groups(group_by: str = "a", size: int | None = None, **fields: object) -> points.PointsQueryGroupsRequest:
    query = points.PointsQueryRequest(**fields)  # type: ignore[arg-type]
    return points.PointsQueryGroupsRequest(query=query, group_by=group_by, group_size=size)


def aggregate(*aggregations: points.Aggregation, **fields: object) -> points.PointsAggregateRequest:
    return points.PointsAggregateRequest(aggregations=aggregations, **fields)  # type: ignore[arg-type]


COUNT_ALL = points.Aggregation(kind=points.AGGREGATION_KIND_COUNT)
BAD_FILTER = must(field("a b..c", equal=payload_pb2.Value(integer_value=1)))
REFUSALS = [
    refusal("no field", points.PointsQueryGroupsRequest(), headwater.InvalidQueryError, "group_by"),
    refusal("no path", groups("a..b"), headwater.InvalidQueryError, "group_by"),
    refusal("no group", groups(limit=0), headwater.InvalidLimitError, "query.limit"),
    refusal("no points", groups(size=0), headwater.InvalidLimitError, "group_size"),
    refusal("too many", groups(size=5, limit=2_001), headwater.InvalidLimitError, "query.limit", actual="10005"),
    refusal("huge", groups(size=2**32 - 1, limit=2**32 - 1), headwater.InvalidLimitError, "query.limit"),
    refusal("too far", groups(size=5, limit=1, offset=2_000), headwater.InvalidLimitError, "query.limit"),
    refusal("threshold", groups(score_threshold=NAN), headwater.InvalidQueryError, "query.score_threshold"),
    refusal("filter", groups(filter=BAD_FILTER), headwater.InvalidFilterError, "query.filter.must[0].field.path"),
    refusal("space", groups(query={"nearest": {"id": {"number": 1}}}), headwater.AmbiguousSpaceError, "query.using"),
    refusal(
        "lookup of a bad path",
        points.PointsQueryGroupsRequest(
            group_by="a", with_lookup={"collection_name": "bad input", "with_payload": {"include": {"names": ["a["]}}}
        ),
        headwater.InvalidQueryError,
        "with_lookup.with_payload.include[0]",
    ),
    refusal("facet of nothing", points.PointsFacetRequest(), headwater.InvalidQueryError, "key"),
    refusal("facet 0", points.PointsFacetRequest(key="a", limit=0), headwater.InvalidLimitError, "limit"),
    refusal("facets", points.PointsFacetRequest(key="a", limit=10_001), headwater.InvalidLimitError, "limit"),
    refusal(
        "facet filter",
        points.PointsFacetRequest(key="a", filter=BAD_FILTER),
        headwater.InvalidFilterError,
        "filter.must[0].field.path",
    ),
    refusal("no aggregation", aggregate(), PLAIN, "aggregations"),
    refusal("65 of them", aggregate(*[COUNT_ALL] * 65), headwater.LimitExceededError, "aggregations", maximum="64"),
    refusal("no kind", aggregate(COUNT_ALL, points.Aggregation(path="a")), PLAIN, "aggregations[1].kind"),
    refusal("odd kind", aggregate(points.Aggregation(kind=77, path="a")), PLAIN, "aggregations[0].kind"),  # type: ignore[arg-type]
    refusal(
        "sum of nothing",
        aggregate(points.Aggregation(kind=points.AGGREGATION_KIND_SUM)),
        headwater.InvalidQueryError,
        "aggregations[0].path",
    ),
    refusal(
        "sum of no path",
        aggregate(points.Aggregation(kind=points.AGGREGATION_KIND_SUM, path="")),
        headwater.InvalidQueryError,
        "aggregations[0].path",
    ),
    refusal("group by no path", aggregate(COUNT_ALL, group_by="."), headwater.InvalidQueryError, "group_by"),
    refusal("0 groups", aggregate(COUNT_ALL, limit=0), headwater.InvalidLimitError, "limit"),
    refusal(
        "sample of 1",
        points.PointsSearchMatrixPairsRequest(sample=1, using="text"),
        headwater.InvalidQueryError,
        "sample",
    ),
    refusal(
        "sample of 1,001",
        points.PointsSearchMatrixOffsetsRequest(sample=1_001, using="text"),
        headwater.InvalidQueryError,
        "sample",
    ),
    refusal("no space named", points.PointsSearchMatrixPairsRequest(), headwater.AmbiguousSpaceError, "using"),
    refusal(
        "no such space",
        points.PointsSearchMatrixOffsetsRequest(using="audio"),
        headwater.SpaceNotFoundError,
        "using",
    ),
    refusal(
        "no neighbours",
        points.PointsSearchMatrixPairsRequest(using="text", limit=0),
        headwater.InvalidLimitError,
        "limit",
    ),
]


@pytest.mark.parametrize(REFUSAL, REFUSALS)
def test_what_cannot_be_is_refused(
    wire: Wire, bad_input: str, asked: points.PointsFacetRequest, kind: Error, where: str, facts: dict[str, str]
) -> None:
    check_refused(wire, bad_input, asked, kind, where, facts)


def test_the_client_refuses_what_is_no_aggregation(client: Client, bad_input: str) -> None:
    for wrong, error in (("median", ValueError), (("sum",), TypeError), (7, TypeError)):
        with pytest.raises(error, match='aggregations\\["x"\\]'):
            client.points.aggregate(bad_input, {"x": wrong})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="dict"):
        client.points.aggregate(bad_input, [Aggregation.count()])  # type: ignore[arg-type]
    with pytest.raises(headwater.CollectionNotFoundError):
        client.points.facet("nowhere", "a")
