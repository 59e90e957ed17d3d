"""Pages over the wire: of graphs and fusions by offset, on by `search_after`, of one commit by a cursor; totals."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

import headwater
from headwater import (
    Bm25,
    Client,
    Distance,
    Field,
    Fusion,
    HnswConfigDiff,
    MultiVectorParams,
    NearestWithMmr,
    OrderBy,
    PointStruct,
    PrefetchQuery,
    Recommend,
    RecommendStrategy,
    Sample,
    SearchAfter,
    SearchParams,
    SparseVectorParams,
    TextIndexParams,
    VectorParams,
)

COUNT, SIZE = 3_000, 48
RANDOM = np.random.default_rng(5)
VECTORS = RANDOM.standard_normal((COUNT, SIZE)).astype(np.float32)
QUERIES = RANDOM.standard_normal((5, SIZE)).astype(np.float32)
POOR = SearchParams(hnsw_ef=10)
"""A first page this narrow misses much."""


@pytest.fixture(scope="module")
def graph(client: Client) -> Iterator[str]:
    """Rows without any structure, which narrow walks find badly."""
    name = "pages"
    config = HnswConfigDiff(m=16, ef_construct=64)
    client.collections.create(name, VectorParams(SIZE, Distance.Euclid, config, index="hnsw"))
    client.upload_points(name, [PointStruct(n, row, {"even": n % 2 == 0}) for n, row in enumerate(VECTORS)])
    client.vde.optimize(name)
    assert "hnsw" in str(client.points.explain(name, QUERIES[0], params=POOR, analyze=True))
    yield name
    client.collections.delete(name)


def pages(client: Client, name: str, query: Sequence[float], size: int, count: int, **rest: object) -> list[list[int]]:
    found = [
        client.points.query(name, query, limit=size, offset=number * size, with_payload=False, **rest)  # type: ignore[arg-type]
        for number in range(count)
    ]
    return [[int(hit.id) for hit in hits] for hits in found]


@pytest.mark.parametrize("filter", [None, Field("even").eq(True)], ids=["all", "half"])
def test_pages_of_a_graph_after_the_first_are_of_one_ranking(client: Client, graph: str, filter: object) -> None:
    for query in QUERIES:
        first, *rest = pages(client, graph, query.tolist(), 10, 20, params=POOR, filter=filter)
        later = [point_id for page in rest for point_id in page]
        assert len(later) == len(set(later)) == 190
        again, *others = pages(client, graph, query.tolist(), 19, 11, params=POOR, filter=filter)
        wider = [point_id for page in others for point_id in page]
        assert later[9:] == wider[: len(later) - 9], "whatever the size of a page, it is a part of the same ranking"
        assert len(first) == 10
        assert len(again) == 19


def test_a_whole_ranking_goes_on_after_its_hits(client: Client, graph: str) -> None:
    query = QUERIES[0].tolist()
    exact = client.points.query(graph, query, limit=COUNT, params=SearchParams(exact=True), with_payload=False)
    everything = [(hit.id, hit.score) for hit in exact]
    found = list(client.points.query_all(graph, query, batch_size=700, params=SearchParams(exact=True)))
    assert [(hit.id, hit.score) for hit in found] == everything
    poor = client.points.query_all(graph, query, batch_size=20, params=POOR, with_payload=False)
    assert [(hit.id, hit.score) for hit in poor] == everything, "what a narrow walk misses is not left out for good"
    after = client.points.query(graph, query, limit=50, search_after=exact[1_000])
    assert [(hit.id, hit.score) for hit in after] == everything[1_001:1_051]
    assert after.total == exact.total == COUNT
    half = Field("even").eq(True)
    wanted = [(point_id, score) for point_id, score in everything if int(point_id) % 2 == 0]
    some = client.points.query(
        graph, query, filter=half, limit=50, search_after=SearchAfter(wanted[99][1], wanted[99][0])
    )
    assert [(hit.id, hit.score) for hit in some] == wanted[100:150]
    assert some.total == COUNT // 2


def test_going_on_after_equal_scores_misses_none(client: Client, name: str) -> None:
    client.collections.create(name, VectorParams(2, Distance.Dot))
    client.points.upsert(name, [PointStruct(n if n % 2 else f"p{n:03}", [1, n // 50]) for n in range(200)])
    for size in (1, 7, 64):
        found = [hit.id for hit in client.points.query_all(name, [1, 1], batch_size=size)]
        assert found == [hit.id for hit in client.points.query(name, [1, 1], limit=200)]
    client.collections.delete(name)


def test_pages_of_a_fusion_hold_the_best(client: Client, name: str) -> None:
    """A prefetch without a limit is as deep for every page."""
    client.collections.create(name, {"a": VectorParams(1, Distance.Dot), "b": VectorParams(1, Distance.Dot)})
    a, b = [1, 2, 9, 3, 4], [6, 7, 9, 8, 10]
    points = [
        PointStruct(n, {space: [10.0 - order.index(n)] for space, order in (("a", a), ("b", b)) if n in order})
        for n in {*a, *b}
    ]
    client.points.upsert(name, points)
    both = [PrefetchQuery([1], "a"), PrefetchQuery([1], "b")]
    for fusion in Fusion:
        found = [client.points.query(name, fusion, prefetch=both, limit=2, offset=offset) for offset in range(0, 10, 2)]
        listed = [hit.id for hits in found for hit in hits]
        assert sorted(listed) == sorted({*a, *b})
        assert listed == [hit.id for hit in client.points.query(name, fusion, prefetch=both, limit=100)]
        assert listed == [hit.id for hit in client.points.query_all(name, fusion, prefetch=both, batch_size=2)]
        assert {hits.total for hits in found} == {9}
    assert client.points.query(name, Fusion.RRF, prefetch=both, limit=1)[0].id == 9
    client.collections.delete(name)


def test_rankings_of_every_kind_go_on(client: Client, name: str) -> None:
    """Multi-vectors, sparse vectors, texts, orders, samples, diverse picks, and ids alone."""
    many = MultiVectorParams(comparator="MaxSim")
    client.collections.create(
        name,
        {"m": VectorParams(3, multivector_config=many), "d": VectorParams(2)},
        sparse_vectors={"s": SparseVectorParams()},
    )
    client.points.create_text_index(name, "body", TextIndexParams())
    rows = RANDOM.standard_normal((90, 2, 3))
    client.points.upsert(
        name,
        [
            PointStruct(
                n,
                {"m": rows[n], "d": rows[n, 0, :2], "s": {n % 5: 1.0 + n % 7, 9: 0.5}},
                {"n": n % 11, "body": "fox " * (1 + n % 4)},
            )
            for n in range(90)
        ],
    )
    kinds: dict[str, dict[str, object]] = {
        "max_sim": {"query": rows[0], "using": "m"},
        "sparse": {"query": {1: 1.0, 9: 1.0}, "using": "s"},
        "bm25": {"query": Bm25("fox")},
        "order": {"query": OrderBy("n")},
        "sample": {"query": Sample(seed=4)},
        "mmr": {"query": NearestWithMmr([1, 0], 0.5, 80), "using": "d"},
        "by id": {"query": 5, "using": "d"},
        "ids": {"query": None},
        "recommend": {"query": Recommend([1, 2], [3], RecommendStrategy.BestScore), "using": "d"},
        "re-rank": {"query": [0, 1], "using": "d", "prefetch": PrefetchQuery(rows[1], "m", 60)},
    }
    for kind, asked in kinds.items():
        whole = client.points.query(name, limit=80, **asked)  # type: ignore[arg-type]
        for size in (7, 80):
            found = [hit.id for hit in client.points.query_all(name, batch_size=size, **asked)]  # type: ignore[arg-type]
            assert found[:80] == [hit.id for hit in whole], kind
            assert len(found) == len(set(found)), kind
            assert whole.total in (None, len(found)), kind
        paged = [
            hit.id
            for offset in range(0, 84, 7)
            for hit in client.points.query(name, limit=7, offset=offset, **asked)  # type: ignore[arg-type]
        ]
        assert paged[:80] == [hit.id for hit in whole], kind
    client.collections.delete(name)


def test_pages_of_a_cursor_are_of_one_commit(client: Client, name: str) -> None:
    client.collections.create(name, VectorParams(1, Distance.Dot))
    client.points.upsert(name, [PointStruct(n, [float(n)]) for n in range(100)])
    first = client.points.query(name, [1], limit=10, cursor_ttl=60)
    assert first.cursor is not None
    client.points.upsert(name, [PointStruct(n, [1000.0 + n]) for n in range(200, 300)])
    client.points.delete(name, range(50))
    found, page = list(first), first
    while page.cursor is not None:
        page = client.points.query(name, [1], limit=10, cursor=page.cursor, search_after=page[-1])
        assert page.seq == first.seq
        found += page
    assert [hit.id for hit in found] == list(range(99, -1, -1))
    assert client.points.query(name, [1], limit=1)[0].id == 299
    alone = client.points.query(name, [1], limit=1_000, cursor_ttl=60)
    assert (len(alone), alone.cursor) == (150, None), "a ranking that has ended keeps no cursor"
    with pytest.raises(headwater.CursorExpiredError):
        client.points.query(name, [1], cursor="no such cursor")
    client.collections.delete(name)
