"""Searches and queries through the client: stored vectors, thresholds, scopes, modes, paging, explanations.

What trees of stages mean in general is the oracle's test; here are the cases that a reader would ask about.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import headwater
from headwater import (
    Client,
    Dbsf,
    Distance,
    Field,
    FilterScope,
    Fusion,
    Hits,
    LookupFrom,
    PointStruct,
    PrefetchQuery,
    QueryRequest,
    Rrf,
    ScoreMode,
    SearchParams,
    SearchRequest,
    VectorParams,
    has_id,
)
from headwater.v1.points_pb2 import PointsQueryBatchRequest, PointsQueryRequest
from tests.support.wire import Wire, submessages

COUNT = 60


@pytest.fixture(scope="module")
def shop(client: Client) -> Iterator[str]:
    """Sixty points on a line: `dot` and `euclid` hold (n, 0), two in three an angle in `cosine`."""
    name = "queries"
    client.collections.create(
        name,
        {
            "dot": VectorParams(2, Distance.Dot),
            "euclid": VectorParams(2, Distance.Euclid),
            "manhattan": VectorParams(2, Distance.Manhattan),
            "cosine": VectorParams(2),
        },
    )
    client.points.upsert(name, [_point(n) for n in range(COUNT)])
    yield name
    client.collections.delete(name)


def _point(n: int) -> PointStruct:
    line = np.array([n, 0], np.float32)
    angle = n / COUNT
    turned = np.array([np.cos(angle), np.sin(angle)], np.float32)
    vectors = {"dot": line, "euclid": line, "manhattan": line}
    return PointStruct(n, vectors | ({"cosine": turned} if n % 3 else {}), {"n": n, "even": n % 2 == 0})


def ids(hits: Any) -> list[int | str]:
    return [hit.id for hit in hits]


def scores(hits: Hits) -> list[float]:
    return [hit.score for hit in hits]


def test_each_metric_has_its_scores_and_its_direction(client: Client, shop: str) -> None:
    def best(using: str, vector: list[float]) -> tuple[list[int | str], list[float]]:
        hits = client.points.search(shop, vector, using=using, limit=3)
        return ids(hits), scores(hits)

    assert best("dot", [2, 9]) == ([59, 58, 57], [118, 116, 114])
    assert best("euclid", [10, 3]) == ([10, 9, 11], [3, pytest.approx(10**0.5), pytest.approx(10**0.5)])
    assert best("manhattan", [10, 3]) == ([10, 9, 11], [3, 4, 4])
    found, near = best("cosine", [5, 0])
    assert found == [1, 2, 4]
    assert near == [pytest.approx(np.cos(n / COUNT), abs=1e-7) for n in (1, 2, 4)]


def test_thresholds_keep_the_better_side_and_the_score_itself(client: Client, shop: str) -> None:
    def kept(using: str, threshold: float) -> list[int | str]:
        return ids(client.points.search(shop, [10, 0], using=using, limit=COUNT, score_threshold=threshold))

    assert kept("dot", 570) == [59, 58, 57]
    assert kept("euclid", 1) == [10, 9, 11]
    assert kept("manhattan", 0) == [10]
    hits = client.points.search(shop, [1, 2], using="cosine", limit=7)
    again = client.points.search(shop, [1, 2], using="cosine", limit=COUNT, score_threshold=hits[-1].score)
    assert again == hits
    fused = client.points.query(shop, Fusion.RRF, prefetch=PrefetchQuery([1, 0], "dot"), score_threshold=1 / 63)
    assert ids(fused) == [59, 58, 57]


@pytest.mark.parametrize(
    ("using", "similarity", "distance"),
    [
        ("dot", lambda s: s, lambda s: -s),
        ("cosine", lambda s: s, lambda s: 1 - s),
        ("euclid", lambda s: 1 / (1 + s), lambda s: s * s),
        ("manhattan", lambda s: 1 / (1 + s), lambda s: s),
    ],
)
def test_score_modes_change_scores_and_not_the_order(
    client: Client, shop: str, using: str, similarity: Any, distance: Any
) -> None:
    raw, similar, distant = (
        client.points.search(shop, [7, 2], using=using, limit=20, score_mode=mode)
        for mode in (ScoreMode.Raw, ScoreMode.Similarity, ScoreMode.Distance)
    )
    assert ids(raw) == ids(similar) == ids(distant)
    np.testing.assert_allclose(scores(similar), [similarity(score) for score in scores(raw)], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(scores(distant), [distance(score) for score in scores(raw)], rtol=1e-6, atol=1e-7)
    assert scores(similar) == sorted(scores(similar), reverse=True)
    assert scores(distant) == sorted(scores(distant))


def test_ties_go_by_id(client: Client, shop: str, name: str) -> None:
    client.collections.create(name, VectorParams(1, Distance.Dot))
    keys: list[int | str] = ["10", "9", "é", 10, 9, 2**64 - 1, "Z", "a"]
    client.points.upsert(name, [PointStruct(key, [1.0]) for key in keys])
    order = [9, 10, 2**64 - 1, "10", "9", "Z", "a", "é"]
    assert ids(client.points.search(name, [1.0])) == order
    assert ids(client.points.search(name, [1.0], limit=3, offset=2)) == order[2:5]
    assert ids(client.points.query(name)) == order
    client.collections.delete(name)


def test_a_stored_point_as_the_query_is_left_out(client: Client, shop: str) -> None:
    assert ids(client.points.search(shop, 10, using="euclid", limit=4)) == [9, 11, 8, 12]
    assert ids(client.points.query(shop, 10, using="euclid", limit=4)) == [9, 11, 8, 12]
    nested = client.points.query(shop, 10, using="euclid", limit=4, prefetch=PrefetchQuery([10, 0], "euclid", limit=4))
    assert ids(nested) == [9, 11, 8], "the prefetch is what it is without the root"
    restricted = client.points.search(shop, 10, using="euclid", filter=has_id([10, 30]))
    assert ids(restricted) == [30]


def test_the_vector_may_come_from_elsewhere(client: Client, shop: str, name: str) -> None:
    client.collections.create(name, {"a": VectorParams(2), "b": VectorParams(2)})
    client.points.upsert(name, [PointStruct(10, {"a": [20, 0], "b": [40, 0]}), PointStruct(2, {"a": [1, 1]})])
    client.collections.create_alias(f"{name} alias", name)
    client.collections.create_alias(f"{name} self", shop)

    def found(point: int, collection: str | None, using: str | None) -> list[int | str]:
        return ids(client.points.query(shop, point, using="euclid", limit=3, lookup_from=LookupFrom(collection, using)))

    assert found(10, name, "a") == [20, 19, 21]
    assert found(10, f"{name} alias", "b") == [40, 39, 41]
    assert found(10, None, "manhattan") == [9, 11, 8], "the same collection: the point is left out"
    assert found(10, f"{name} self", "manhattan") == [9, 11, 8], "also when an alias names it"
    searched = client.points.search(shop, 2, using="dot", limit=1, lookup_from=LookupFrom(name, "a"))
    assert ids(searched) == [59]
    with pytest.raises(headwater.SpaceNotFoundError) as unknown:
        found(10, name, "euclid")
    assert unknown.value.field == "lookup_from.using"
    with pytest.raises(headwater.VectorNotFoundError):
        found(2, name, "b")
    with pytest.raises(headwater.PointNotFoundError):
        found(3, name, "a")
    client.collections.delete(name)


def test_a_filter_gates_or_is_pushed_down(client: Client, shop: str) -> None:
    leaves = [PrefetchQuery([1, 0], "dot", limit=10), PrefetchQuery([59, 0], "euclid", limit=10)]
    early = Field("n").lt(55)
    gated = client.points.query(shop, Fusion.RRF, prefetch=leaves, filter=early)
    assert ids(gated) == [54, 53, 52, 51, 50]
    ungated = client.points.query(shop, Fusion.RRF, prefetch=leaves)
    assert scores(gated) == scores(ungated)[5:], "a gate changes no score"
    pushed = client.points.query(shop, Fusion.RRF, prefetch=leaves, filter=early, filter_scope=FilterScope.PushDown)
    assert ids(pushed) == list(range(54, 44, -1))
    inside = [PrefetchQuery(leaf.query, leaf.using, limit=10, filter=early) for leaf in leaves]
    assert client.points.query(shop, Fusion.RRF, prefetch=inside) == pushed


def test_three_stages(client: Client, shop: str) -> None:
    fused = PrefetchQuery(
        Rrf(k=1, weights=[1, 3]),
        limit=12,
        prefetch=[PrefetchQuery([1, 0], "dot", limit=20), PrefetchQuery([50, 0], "euclid", limit=5)],
    )
    hits = client.points.query(shop, [0, 1], using="cosine", prefetch=fused, limit=3)
    assert ids(hits) == [59, 58, 56], "a point that lacks the space of the re-ranking drops out"
    assert scores(hits) == [pytest.approx(np.sin(n / COUNT), abs=1e-6) for n in (59, 58, 56)]
    by_fusion = client.points.query(shop, fused.query, prefetch=fused.prefetch, limit=12)
    assert ids(by_fusion)[:6] == [50, 49, 51, 48, 52, 59], "both lists count, the second three times"


def test_a_prefetch_takes_its_limit_from_above(client: Client, shop: str) -> None:
    hits = client.points.query(shop, Fusion.RRF, prefetch=PrefetchQuery([1, 0], "dot"), limit=4, offset=3)
    assert ids(hits) == [56, 55, 54, 53]
    few = client.points.query(shop, Fusion.RRF, prefetch=PrefetchQuery([1, 0], "dot", limit=5), limit=4, offset=3)
    assert ids(few) == [56, 55]


@pytest.mark.parametrize("using", ["dot", "euclid", "cosine"])
def test_pages_by_offset_are_one_long_list(client: Client, shop: str, using: str) -> None:
    whole = client.points.search(shop, [9, 4], using=using, limit=1_000)
    pages = [client.points.search(shop, [9, 4], using=using, limit=7, offset=at) for at in range(0, COUNT + 7, 7)]
    assert [hit for page in pages for hit in page] == list(whole)
    deep = client.points.query(
        shop, Dbsf(), prefetch=[PrefetchQuery([9, 4], each, limit=COUNT) for each in ("dot", using)], limit=1_000
    )
    parts = [
        client.points.query(
            shop,
            Dbsf(),
            prefetch=[PrefetchQuery([9, 4], each, limit=COUNT) for each in ("dot", using)],
            limit=11,
            offset=at,
        )
        for at in range(0, COUNT, 11)
    ]
    assert [hit for part in parts for hit in part] == list(deep)
    assert all((-a.score, a.id) < (-b.score, b.id) for a, b in pairwise(deep))


def test_a_query_without_a_vector_lists_points(client: Client, shop: str) -> None:
    hits = client.points.query(shop, filter=Field("even").eq(True), limit=3, offset=1)
    assert (ids(hits), scores(hits)) == ([2, 4, 6], [0, 0, 0])


def test_the_only_space_needs_no_name(client: Client, name: str) -> None:
    client.collections.create(name, {"only": VectorParams(1, Distance.Dot)})
    client.points.upsert(name, [PointStruct(1, {"only": [3]})])
    assert scores(client.points.search(name, [2.0])) == [6]
    client.collections.update(name, add_vectors={"": VectorParams(2)})
    client.points.upsert(name, [PointStruct(2, [1, 1])])
    assert ids(client.points.search(name, [1.0, 1.0])) == [2]
    client.collections.delete(name)


@pytest.mark.parametrize("params", [None, SearchParams(exact=True), SearchParams(hnsw_ef=7, indexed_only=False)])
def test_batches_are_lists_of_single_answers(client: Client, shop: str, params: SearchParams | None) -> None:
    searches: list[SearchRequest | dict[str, Any]] = [
        SearchRequest([n, 1], using="euclid", limit=4, params=params) for n in range(250)
    ]
    searches += [
        {"vector": 3, "using": "dot", "with_payload": False},
        {"vector": [1, 1], "using": "cosine", "filter": Field("n").gt(50), "with_vectors": ["dot"]},
    ]
    answers = client.points.search_batch(shop, searches)
    assert len({answer.seq for answer in answers}) == 1
    for search, answer in zip(searches, answers, strict=True):
        fields = search if isinstance(search, dict) else {each: getattr(search, each) for each in search.__slots__}
        assert client.points.search(shop, **fields) == answer
    queries: list[QueryRequest | dict[str, Any]] = [{"query": [1, 1], "using": "dot"}, QueryRequest(limit=2)]
    assert [ids(answer) for answer in client.points.query_batch(shop, queries)] == [list(range(59, 49, -1)), [0, 1]]


def test_a_batch_may_name_its_collection_again(client: Client, wire: Wire, shop: str, name: str) -> None:
    client.collections.create_alias(name, shop)
    queries = [PointsQueryRequest(collection_name=each, limit=1) for each in ("", shop, name)]
    answers = submessages(wire.send(PointsQueryBatchRequest(collection_name=name, queries=queries)), 1)
    assert len(answers) == 3
    assert len(set(answers)) == 1
    client.collections.delete_alias(name)


def test_an_empty_collection_answers(client: Client, name: str) -> None:
    client.collections.create(name, VectorParams(2))
    assert client.points.search(name, [1, 1]) == []
    fused = client.points.query(name, Fusion.DBSF, prefetch=[PrefetchQuery([1, 1]), PrefetchQuery()])
    assert fused == []
    assert client.points.query(name) == []
    assert client.points.scroll(name) == ([], None)
    assert client.points.count(name) == 0
    assert client.points.get(name, [1]) == []
    client.collections.delete(name)


def test_explanations_tell_the_plan_and_where_hits_came_from(client: Client, shop: str) -> None:
    prefetch = [
        PrefetchQuery([1, 0], "dot", limit=4),
        PrefetchQuery([58, 0], "euclid", limit=4, filter=Field("n").gt(5)),
    ]
    plan = client.points.explain(shop, Fusion.RRF, prefetch=prefetch, limit=3)
    operators = [node.operator for node in plan.root]
    assert operators.count("search") == 2
    assert "rrf" in operators
    assert not plan.analyzed
    assert (plan.hits, plan.microseconds) == ((), 0)
    assert "rrf" in str(plan)
    assert str(plan) == str(client.points.explain(shop, Fusion.RRF, prefetch=prefetch, limit=3)), "a plan is stable"

    analyzed = client.points.explain(shop, Fusion.RRF, prefetch=prefetch, limit=3, analyze=True)
    hits = client.points.query(shop, Fusion.RRF, prefetch=prefetch, limit=3, explain=True)
    assert hits.explanation is not None
    assert [hit.id for hit in analyzed.hits] == ids(hits) == [hit.id for hit in hits.explanation.hits]
    for hit, origin in zip(hits, analyzed.hits, strict=True):
        root, *below = origin.stages
        assert (root.stage, root.rank, root.score) == ("root", ids(hits).index(hit.id) + 1, hit.score)
        assert sum(1 / (60 + place.rank) for place in below) == pytest.approx(hit.score, abs=1e-7)
    searches = [node for node in analyzed.root if node.operator == "search"]
    assert [(node.rows_in, node.rows_out) for node in searches] == [(60, 4), (54, 4)]
    assert all(node.distance_computations for node in searches)
    assert analyzed.seq == hits.seq == client.collections.get_info(shop).seq
