"""Multi-vectors through the client: MaxSim as a leaf and as a second stage, every write, files, copies, restart."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headwater
from headwater import (
    Client,
    Distance,
    Field,
    Fusion,
    LookupFrom,
    MultiVector,
    MultiVectorComparator,
    MultiVectorParams,
    NearestWithMmr,
    PointStruct,
    PointVectors,
    PrefetchQuery,
    QueryRequest,
    Recommend,
    ScoreMode,
    SearchParams,
    SparseVectorParams,
    VectorParams,
    VectorParamsDiff,
    has_vector,
)
from storage.schema import Distance as StoredDistance
from tests.support.oracle.multi import ranking
from tests.support.server_process import doomed_server, running_server

SIZE, COUNT = 4, 120
METRICS = {"cos": Distance.Cosine, "dot": Distance.Dot, "l2": Distance.Euclid, "l1": Distance.Manhattan}
MAX_SIM = MultiVectorParams(comparator="MaxSim")
SPACES = {space: VectorParams(SIZE, metric, multivector_config=MAX_SIM) for space, metric in METRICS.items()}
QUERY = np.random.default_rng(9).standard_normal((3, SIZE)).astype(np.float32)
Matrix = np.ndarray[Any, np.dtype[np.float32]]


def documents(count: int = COUNT, seed: int = 8) -> dict[int, Matrix]:
    generator = np.random.default_rng(seed)
    return {key: generator.standard_normal((key % 5 + 1, SIZE)).astype(np.float32) for key in range(count)}


def struct(key: int, matrix: Matrix) -> PointStruct:
    """Every seventh lacks the space `dot`."""
    spaces = {space: matrix for space in SPACES if space != "dot" or key % 7}
    return PointStruct(key, {"plain": [key + 1, 1], **spaces}, {"n": key})


@pytest.fixture(scope="module")
def library(client: Client) -> Iterator[str]:
    name = "multi library"
    client.collections.create(
        name, {"plain": VectorParams(2), **SPACES}, sparse_vectors={"sparse": SparseVectorParams()}
    )
    client.points.upsert(name, [struct(key, matrix) for key, matrix in documents().items()])
    yield name
    client.collections.delete(name)


def expected(
    space: str, query: Any = QUERY, held: Any = None, allowed: set[int] | None = None
) -> list[tuple[int, float]]:
    metric = StoredDistance[METRICS[space].name.upper()]
    points = {key: matrix for key, matrix in (held or documents()).items() if held or space != "dot" or key % 7}
    found = ranking(metric, np.asarray(query).tolist(), {key: value.tolist() for key, value in points.items()}, allowed)
    return [(key, float(score)) for key, score in found]


def assert_same(hits: Any, want: list[tuple[int, float]]) -> None:
    assert [hit.id for hit in hits] == [key for key, _ in want]
    assert [hit.score for hit in hits] == pytest.approx([score for _, score in want], rel=1e-6)


@pytest.mark.parametrize("space", SPACES)
def test_searches_are_plain_pythons(space: str, client: Client, library: str) -> None:
    want = expected(space)
    assert_same(client.points.query(library, QUERY, using=space, limit=COUNT), want)
    assert_same(client.points.search(library, QUERY.tolist(), using=space, limit=7, offset=3), want[3:10])
    assert_same(
        client.points.query(library, MultiVector(QUERY), using=space, params=SearchParams(exact=True)), want[:10]
    )
    some = {key for key in range(COUNT) if key % 3 == 0}
    filtered = client.points.query(library, QUERY, using=space, filter=Field("n").any_of(sorted(some)), limit=9)
    assert_same(filtered, expected(space, allowed=some)[:9])
    above = client.points.query(library, QUERY, using=space, score_threshold=want[20][1], limit=COUNT)
    assert len(above) in (20, 21)
    assert [hit.id for hit in above[:20]] == [key for key, _ in want[:20]]
    one = client.points.query(library, QUERY[0], using=space, limit=5)  # one row
    assert_same(one, expected(space, QUERY[:1])[:5])


def test_it_re_ranks_any_prefetch(client: Client, library: str) -> None:
    leaves = [
        PrefetchQuery([5, 1], using="plain", limit=30),
        PrefetchQuery(QUERY[:1], using="l2", limit=30),
    ]
    ids = {hit.id for leaf in leaves for hit in client.points.query(library, leaf.query, using=leaf.using, limit=30)}
    want = expected("cos", allowed=ids)  # type: ignore[arg-type]
    assert_same(client.points.query(library, QUERY, using="cos", prefetch=leaves, limit=COUNT), want)
    nested = PrefetchQuery(Fusion.RRF, prefetch=leaves, limit=60)
    assert_same(client.points.query(library, QUERY, using="cos", prefetch=nested, limit=COUNT), want)
    gated = client.points.query(library, QUERY, using="cos", prefetch=leaves, limit=COUNT, filter=Field("n").lt(40))
    assert_same(gated, [hit for hit in want if hit[0] < 40])
    fused = client.points.query(library, Fusion.DBSF, prefetch=[*leaves, PrefetchQuery(QUERY, using="dot", limit=9)])
    assert len(fused) == 10
    lacking = client.points.query(library, QUERY, using="dot", prefetch=leaves, limit=COUNT)
    assert {hit.id for hit in lacking} == {key for key in ids if int(key) % 7}


def test_a_score_has_the_same_bytes_everywhere(client: Client, library: str) -> None:
    """As a leaf, as a second stage, in a batch, and alone behind a filter."""
    requests = [QueryRequest(QUERY[:rows], using=space, limit=COUNT) for space in SPACES for rows in (1, 2, 3)]
    for request, hits in zip(requests, client.points.query_batch(library, requests), strict=True):
        single = client.points.query(library, request.query, using=request.using, limit=COUNT)
        again = client.points.query(
            library, request.query, using=request.using, prefetch=PrefetchQuery(limit=COUNT), limit=COUNT
        )
        want = [(hit.id, hit.score) for hit in hits]
        assert [(hit.id, hit.score) for hit in single] == [(hit.id, hit.score) for hit in again] == want
        [alone] = client.points.query(library, request.query, using=request.using, filter=Field("n").eq(hits[3].id))
        assert (alone.id, alone.score) == want[3]


def test_score_modes(client: Client, library: str) -> None:
    want = expected("l2")[:10]
    assert_same(client.points.query(library, QUERY, using="l2", score_mode=ScoreMode.Similarity), want)
    distances = client.points.query(library, QUERY, using="l2", score_mode=ScoreMode.Distance)
    assert_same(distances, [(key, -score) for key, score in want])


def test_a_stored_point_is_a_query_and_no_hit(client: Client, library: str) -> None:
    want = [hit for hit in expected("cos", documents()[9]) if hit[0] != 9]
    assert_same(client.points.query(library, 9, using="cos", limit=5), want[:5])
    other = client.points.query(library, 9, using="l1", lookup_from=LookupFrom(using="dot"), limit=5)
    assert_same(other, [hit for hit in expected("l1", documents()[9]) if hit[0] != 9][:5])
    with pytest.raises(headwater.VectorNotFoundError):
        client.points.query(library, 7, using="dot")


def test_vectors_come_back_as_they_were_written(client: Client, library: str) -> None:
    [record] = client.points.get(library, [9], with_vectors=["cos", "plain"])
    assert record.vectors["cos"].dtype == np.float32
    assert record.vectors["cos"].tobytes() == documents()[9].tobytes()
    assert record.vectors["cos"].shape == (5, SIZE)
    hit = client.points.query(library, QUERY, using="cos", limit=1, with_vectors=True)[0]
    assert np.array_equal(hit.vectors["l1"], documents()[int(hit.id)])


def test_the_collection_knows_its_spaces(client: Client, library: str) -> None:
    info = client.collections.get_info(library)
    held = sum(bool(key % 7) for key in range(COUNT))
    assert info.vectors["dot"].vectors_count == held
    assert info.vectors["dot"].params.multivector_config == MultiVectorParams(MultiVectorComparator.MaxSim)
    assert info.vectors["plain"].params.multivector_config is None
    rows = sum(len(matrix) for matrix in documents().values())
    assert client.vde.get_stats(library).spaces["cos"].vectors == rows
    assert client.vde.get_vector_count(library).spaces["dot"] == held
    assert client.points.count(library, filter=has_vector("dot")) == held
    explanation = client.points.explain(library, QUERY, using="cos", analyze=True)
    node = explanation.root.children[0]
    assert (node.operator, node.strategy, node.attributes["rows"]) == ("max_sim", "exact", "3")


def test_every_write_is_followed(client: Client, name: str) -> None:
    client.collections.create(name, {"cos": SPACES["cos"]})
    held = documents(30)
    client.points.upsert(name, [PointStruct(key, {"cos": matrix}) for key, matrix in held.items()])

    def check() -> None:
        assert_same(client.points.query(name, QUERY, limit=100), expected("cos", held=held))

    check()
    held[4] = np.array([[1, 2, 3, 4]], np.float32)
    client.points.update_vectors(name, [PointVectors(4, {"cos": [[1, 2, 3, 4]]})])
    check()
    client.points.delete_vectors(name, ["cos"], ids=[5, 6])
    client.points.delete(name, [7, 8, 99])
    for key in (5, 6, 7, 8):
        del held[key]
    check()
    held[50] = QUERY
    client.points.upsert(name, [PointStruct(50, {"cos": QUERY.tolist()}), PointStruct(3, {})])
    del held[3]
    check()
    client.collections.update(name, update_vectors={"cos": VectorParamsDiff(index="flat")})
    check()
    client.collections.update(name, add_vectors={"late": VectorParams(2, multivector_config=MAX_SIM)})
    client.points.update_vectors(name, [PointVectors(50, {"late": [[1, 0], [0, 1]]})])
    [hit] = client.points.query(name, [[1, 0], [0, 2]], using="late")
    assert (hit.id, hit.score) == (50, 2.0)
    client.collections.update(name, drop_vectors=["late"])
    with pytest.raises(headwater.SpaceNotFoundError):
        client.points.query(name, [[1, 0]], using="late")
    check()


BAD: list[tuple[Any, type[headwater.HeadwaterError], str]] = [
    ([[1, 0, 0, 0], [1, 0, 0]], headwater.DimensionMismatchError, ".vectors[1]"),
    ([[1, 0, 0], [1, 0, 0]], headwater.DimensionMismatchError, ".vectors[0]"),
    ([[1, 0, 0, 0], [1, float("nan"), 0, 0]], headwater.NotFiniteError, ".vectors[1]"),
    (MultiVector([]), headwater.EmptyVectorError, ""),
    (np.ones((1_025, SIZE)), headwater.LimitExceededError, ""),
    ([1.0, 0.0], headwater.DimensionMismatchError, ""),
]


@pytest.mark.parametrize(("bad", "error", "where"), BAD)
def test_bad_vectors_are_refused(
    bad: Any, error: type[headwater.HeadwaterError], where: str, client: Client, library: str
) -> None:
    before = client.collections.get_info(library).seq
    with pytest.raises(headwater.HeadwaterError) as caught:
        client.points.upsert(library, [PointStruct(1_000, {"cos": QUERY}), PointStruct(1_001, {"cos": bad})])
    assert (type(caught.value), caught.value.field) == (error, f'points[1].vectors["cos"]{where}')
    with pytest.raises(headwater.HeadwaterError) as caught:
        client.points.query(library, bad, using="cos")
    assert (type(caught.value), caught.value.field) == (error, f"query.nearest{where}")
    assert client.collections.get_info(library).seq == before
    assert client.points.get(library, [1_000]) == []


def test_kinds_do_not_mix(client: Client, library: str) -> None:
    for vectors in ({"plain": [[1.0, 2.0]]}, {"sparse": [[1.0, 2.0]]}, {"cos": {1: 2.0}}):
        with pytest.raises(headwater.InvalidArgumentError) as caught:
            client.points.upsert(library, [PointStruct(1_000, vectors)])
        assert caught.value.field == f'points[0].vectors["{next(iter(vectors))}"]'
    jaccard = SearchParams(sparse_metric="jaccard")
    for request, error, field in (
        (QueryRequest([[1.0, 2.0]], using="plain"), headwater.InvalidQueryError, "query.nearest"),
        (QueryRequest([[1.0, 2.0]], using="sparse"), headwater.InvalidQueryError, "query.nearest"),
        (QueryRequest({1: 1.0}, using="cos"), headwater.InvalidQueryError, "query.nearest"),
        (QueryRequest([[0, 0, 0, 0.0]], using="cos"), headwater.ZeroVectorError, "query.nearest.vectors[0]"),
        (QueryRequest(QUERY, using="cos", params=jaccard), headwater.InvalidQueryError, "params.sparse_metric"),
        (QueryRequest(Recommend([9]), using="cos"), headwater.InvalidQueryError, "using"),
        (QueryRequest(NearestWithMmr(QUERY), using="cos"), headwater.InvalidQueryError, "query.nearest_with_mmr"),
    ):
        with pytest.raises(headwater.HeadwaterError) as refused:
            client.points.query_batch(library, [request])
        assert (type(refused.value), refused.value.field) == (error, f"queries[0].{field}"), refused.value


def test_bad_spaces_are_refused(client: Client, name: str) -> None:
    with pytest.raises(headwater.InvalidArgumentError) as caught:
        client.collections.create(name, {"a": VectorParams(8, Distance.Hamming, multivector_config=MAX_SIM)})
    assert caught.value.field == 'vectors["a"].distance'
    with pytest.raises(headwater.InvalidArgumentError) as caught:
        client.collections.create(name, {"a": SPACES["cos"]}, sparse_vectors={"a": SparseVectorParams()})
    assert caught.value.field == 'sparse_vectors["a"]'
    with pytest.raises(ValueError, match="MultiVectorComparator"):
        client.collections.create(name, VectorParams(2, multivector_config=MultiVectorParams("sum")))
    assert not client.collections.exists(name)


def test_an_empty_space_has_no_hits(client: Client, name: str) -> None:
    client.collections.create(name, SPACES)
    client.points.upsert(name, [PointStruct(1)])
    for space in SPACES:
        assert client.points.query(name, QUERY, using=space) == []


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_files_and_copies_hold_it_exactly(form: str, client: Client, library: str, name: str, tmp_path: Path) -> None:
    getattr(client, f"export_{form}")(library, tmp_path / f"x.{form}")
    assert getattr(client, f"import_{form}")(name, tmp_path / f"x.{form}") == COUNT
    client.vde.clone_collection(library, f"{name} clone")
    snapshot = client.vde.create_snapshot(library)
    client.vde.restore_snapshot(library, snapshot.name, f"{name} restored")
    one = client.points.scroll(library, limit=1_000, with_vectors=True).points
    for copy in (name, f"{name} clone", f"{name} restored"):
        other = client.points.scroll(copy, limit=1_000, with_vectors=True).points
        for mine, theirs in zip(one, other, strict=True):
            assert mine.id == theirs.id
            assert set(mine.vectors) == set(theirs.vectors)
            assert all(np.array_equal(mine.vectors[space], theirs.vectors[space]) for space in mine.vectors)
        assert_same(client.points.query(copy, QUERY, using="cos", limit=COUNT), expected("cos"))
        client.points.upsert(copy, [PointStruct(1_000, {"cos": QUERY})])
        assert client.points.query(copy, QUERY, using="cos", limit=1)[0].id == 1_000


def test_graphs_serve_it_and_survive_restart_and_kill(tmp_path: Path) -> None:
    generator = np.random.default_rng(11)
    held = {key: generator.standard_normal((6, 16)).astype(np.float32) for key in range(500)}
    query = (held[77][:4] + 0.2 * generator.standard_normal((4, 16))).astype(np.float32)
    params = VectorParams(16, Distance.Cosine, multivector_config=MAX_SIM, index="hnsw")
    with running_server(tmp_path / "data") as address, Client(address) as client:
        client.collections.create("c", params)
        for start in range(0, 500, 100):
            points = [PointStruct(key, held[key].tolist()) for key in range(start, start + 100)]
            client.points.upsert("c", points)
        client.vde.optimize("c", wait=True)
        exact = client.points.query("c", query, params=SearchParams(exact=True))
        found = client.points.query("c", query, explain=True)
        assert found.explanation
        assert "tokens by hnsw" in found.explanation.text
        assert found[0].id == 77
        assert found[0].score == exact[0].score
        assert client.collections.get_info("c").vectors[""].indexed_vectors_count > 0
    with doomed_server(tmp_path / "data") as (process, address), Client(address) as client:
        assert client.points.query("c", query)[0].score == exact[0].score
        client.points.upsert("c", [PointStruct(1_000, query)])
        client.points.delete("c", [77])
        process.send_signal(signal.SIGKILL)
        process.wait()
    with running_server(tmp_path / "data") as address, Client(address) as client:
        hits = client.points.query("c", query)
        assert hits[0].id == 1_000
        assert 77 not in [hit.id for hit in hits]
        assert client.points.count("c") == 500
