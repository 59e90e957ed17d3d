"""Sparse spaces through the client: searches against plain Python, every write, files, copies, restart and SIGKILL."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
    NearestWithMmr,
    PointStruct,
    PointVectors,
    PrefetchQuery,
    QueryRequest,
    Recommend,
    ScoreMode,
    SearchParams,
    SparseMetric,
    SparseModifier,
    SparseSpaceInfo,
    SparseVector,
    SparseVectorParams,
    UpdateVectors,
    Upsert,
    VectorParams,
    has_vector,
)
from storage.schema import SparseModifier as StoredModifier
from storage.vectors import sparse as stored_sparse
from tests.support.oracle.sparse import Sparse, ranking
from tests.support.server_process import doomed_server, running_server

SPACES: dict[str, Any] = {"plain": SparseVectorParams(), "idf": SparseVectorParams(modifier="idf")}
MODIFIERS = {"plain": StoredModifier.NONE, "idf": StoredModifier.IDF}
METRICS = {"dot": SparseMetric.Dot, "cosine": SparseMetric.Cosine, "jaccard": SparseMetric.Jaccard}
COUNT = 300


def sparse(generator: np.random.Generator, most: int = 12) -> dict[int, float]:
    """Few indices and few values, so that many are shared and many scores tie."""
    indices = generator.choice(40, generator.integers(1, most), replace=False)
    return {int(index): float(generator.integers(-2, 5) / 2) for index in indices}


def documents(count: int = COUNT, seed: int = 3) -> dict[int, dict[str, dict[int, float]]]:
    """Every seventh lacks the first space."""
    generator = np.random.default_rng(seed)
    return {
        number: {space: sparse(generator) for space in SPACES if space == "idf" or number % 7}
        for number in range(count)
    }


def struct(number: int, vectors: dict[str, dict[int, float]]) -> PointStruct:
    return PointStruct(number, {"dense": [number + 1, 1], **vectors}, {"n": number})


@pytest.fixture(scope="module")
def library(client: Client) -> Iterator[str]:
    name = "sparse library"
    client.collections.create(name, {"dense": VectorParams(2, Distance.Euclid)}, sparse_vectors=SPACES)
    client.points.upsert(name, [struct(number, vectors) for number, vectors in documents().items()])
    yield name
    client.collections.delete(name)


def expected(
    query: Sparse, space: str, metric: str = "dot", allowed: set[int] | None = None, held: Any = None
) -> list[tuple[int, float]]:
    points = {number: vectors[space] for number, vectors in (held or documents()).items() if space in vectors}
    found = ranking(
        query, points, metric=stored_sparse.SparseMetric(metric), modifier=MODIFIERS[space], allowed=allowed
    )
    return [(point_id, float(score)) for point_id, score in found]


def pairs(hits: Any) -> list[tuple[Any, float]]:
    return [(hit.id, hit.score) for hit in hits]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("space", SPACES)
def test_searches_are_plain_pythons(space: str, metric: str, client: Client, library: str) -> None:
    generator = np.random.default_rng(4)
    params = SearchParams(sparse_metric=METRICS[metric])
    for _ in range(6):
        query = {**sparse(generator), 999: 1.0}
        want = expected(query, space, metric)
        assert pairs(client.points.query(library, query, using=space, limit=COUNT, params=params)) == want
        assert pairs(client.points.search(library, query, using=space, limit=7, offset=3, params=params)) == want[3:10]
        some = {number for number in range(COUNT) if number % 3 == 0 and number < 100}
        filter = Field("n").any_of(sorted(some))
        filtered = client.points.query(library, query, using=space, filter=filter, limit=9, params=params)
        assert pairs(filtered) == expected(query, space, metric, some)[:9]
        threshold = want[len(want) // 2][1]
        above = client.points.query(library, query, using=space, score_threshold=threshold, limit=COUNT, params=params)
        assert pairs(above) == [hit for hit in want if hit[1] >= threshold]


def test_a_batch_is_its_queries_one_by_one(client: Client, library: str) -> None:
    generator = np.random.default_rng(5)
    queries = [sparse(generator) for _ in range(20)]
    requests = [QueryRequest(query, using=["plain", "idf"][number % 2]) for number, query in enumerate(queries)]
    answers = client.points.query_batch(library, requests + requests[:3])
    single = [client.points.query(library, request.query, using=request.using) for request in requests]
    assert [pairs(hits) for hits in answers] == [pairs(hits) for hits in single + single[:3]]


def test_it_fuses_gates_and_re_ranks(client: Client, library: str) -> None:
    query: Sparse = {1: 1.0, 5: 2.0, 17: 0.5}
    leaves = [PrefetchQuery(query, using="plain", limit=40), PrefetchQuery([9, 1], using="dense", limit=40)]
    lists = [[point_id for point_id, _ in expected(query, "plain")[:40]]]
    lists.append([hit.id for hit in client.points.query(library, [9, 1], using="dense", limit=40)])  # type: ignore[misc]
    union = {point_id for each in lists for point_id in each}
    fused = {
        point_id: sum(1 / (60 + each.index(point_id) + 1) for each in lists if point_id in each) for point_id in union
    }
    hits = client.points.query(library, Fusion.RRF, prefetch=leaves, limit=100)
    assert [hit.id for hit in hits] == sorted(fused, key=lambda key: (-np.float32(fused[key]), key))
    reranked = client.points.query(library, query, using="idf", prefetch=leaves, limit=100)
    assert pairs(reranked) == expected(query, "idf", allowed=union)
    params = SearchParams(sparse_metric="jaccard")
    gated = client.points.query(
        library, query, using="plain", prefetch=leaves, limit=100, filter=Field("n").lt(50), params=params
    )
    allowed = {point_id for point_id in union if point_id < 50}
    assert pairs(gated) == expected(query, "plain", "jaccard", allowed)
    by_dense = client.points.query(library, [3, 1], using="dense", prefetch=leaves[:1], limit=100)
    assert {hit.id for hit in by_dense} == {*lists[0]}


def test_scores_can_be_distances(client: Client, library: str) -> None:
    for metric, sign, constant in (("dot", -1, 0), ("cosine", -1, 1)):
        params = SearchParams(sparse_metric=metric)
        hits = client.points.query(library, {1: 1.0}, using="plain", params=params, score_mode=ScoreMode.Distance)
        want = expected({1: 1.0}, "plain", metric)[:10]
        assert [hit.id for hit in hits] == [point_id for point_id, _ in want]
        assert [hit.score for hit in hits] == pytest.approx([constant + sign * score for _, score in want])
        raw = client.points.query(library, {1: 1.0}, using="plain", params=params, score_mode=ScoreMode.Similarity)
        assert pairs(raw) == want


def test_a_stored_point_is_a_query_and_no_hit(client: Client, library: str) -> None:
    vectors = documents()[8]
    hits = client.points.query(library, 8, using="plain", limit=COUNT)
    assert pairs(hits) == [hit for hit in expected(vectors["plain"], "plain") if hit[0] != 8]
    other = client.points.query(library, 8, using="plain", lookup_from=LookupFrom(using="idf"), limit=5)
    assert pairs(other) == [hit for hit in expected(vectors["idf"], "plain") if hit[0] != 8][:5]
    with pytest.raises(headwater.VectorNotFoundError):
        client.points.query(library, 7, using="plain")


def test_vectors_come_back_sorted_as_they_were_written(client: Client, library: str) -> None:
    [record] = client.points.get(library, [8], with_vectors=["plain"])
    assert list(record.vectors) == ["plain"]
    stored = record.vectors["plain"]
    assert stored == SparseVector(list(documents()[8]["plain"]), list(documents()[8]["plain"].values()))
    assert stored.indices.dtype == np.uint32
    assert stored.values.dtype == np.float32
    assert list(stored.indices) == sorted(documents()[8]["plain"])
    assert stored.to_dict() == documents()[8]["plain"]
    [point] = client.points.scroll(library, offset=9, limit=1, with_vectors=True).points
    assert set(point.vectors) == {"dense", "plain", "idf"}
    hits = client.points.query(library, {1: 1.0}, using="idf", limit=1, with_vectors=True)
    assert hits[0].vectors["idf"].to_dict() == documents()[int(hits[0].id)]["idf"]


def test_explain_tells_how(client: Client, library: str) -> None:
    explanation = client.points.explain(library, {1: 1.0, 2: 1.0}, using="idf", analyze=True)
    node = explanation.root.children[0]
    assert (node.operator, node.strategy) == ("sparse", "inverted index")
    assert node.attributes == {"using": "idf", "metric": "dot", "indices": "2", "limit": "10"}
    assert node.rows_in == COUNT
    assert node.rows_out == 10


def test_the_collection_knows_its_sparse_spaces(client: Client, library: str) -> None:
    info = client.collections.get_info(library)
    assert set(info.vectors) == {"dense"}
    held = sum("plain" in vectors for vectors in documents().values())
    assert info.sparse_vectors == {
        "plain": SparseSpaceInfo(SparseVectorParams(), held),
        "idf": SparseSpaceInfo(SparseVectorParams(SparseModifier.Idf), COUNT),
    }
    stats = client.vde.get_stats(library)
    assert (stats.spaces["plain"].vectors, stats.spaces["plain"].index) == (held, "inverted")
    assert client.vde.get_vector_count(library).spaces["plain"] == held
    assert client.points.count(library, filter=has_vector("plain")) == held
    assert client.points.count(library, filter=~has_vector("plain")) == COUNT - held


def test_every_write_is_followed(client: Client, name: str) -> None:
    client.collections.create(name, sparse_vectors=SPACES)
    held = documents(40)
    client.points.upsert(name, [PointStruct(number, vectors) for number, vectors in held.items()])

    def check() -> None:
        query: Sparse = {3: 1.0, 8: -0.5, 21: 2.0}
        for space in SPACES:
            hits = client.points.query(name, query, using=space, limit=100)
            assert pairs(hits) == expected(query, space, held=held)

    check()
    client.points.update_vectors(name, [PointVectors(4, {"plain": {3: 9.0}}), PointVectors(7, {"plain": {8: 1.0}})])
    held[4]["plain"], held[7]["plain"] = {3: 9.0}, {8: 1.0}
    check()
    client.points.delete_vectors(name, ["plain"], ids=[4, 5])
    del held[4]["plain"], held[5]["plain"]
    check()
    client.points.delete(name, [1, 2, 99])
    del held[1], held[2]
    check()
    client.points.upsert(name, [PointStruct(3, {"idf": {3: 1.0}}), PointStruct(50, {"plain": {21: 3.0}})])
    held[3], held[50] = {"idf": {3: 1.0}}, {"plain": {21: 3.0}}
    check()
    both: list[Upsert | UpdateVectors] = [
        Upsert([PointStruct(60, {"plain": {3: 1.0}})]),
        UpdateVectors([PointVectors(60, {"plain": {8: 1.0}})]),
    ]
    client.points.update_batch(name, both)
    held[60] = {"plain": {8: 1.0}}
    check()
    with pytest.raises(headwater.PointNotFoundError):
        client.points.update_batch(name, [both[0], UpdateVectors([PointVectors(61, {"plain": {8: 1.0}})])])
    check()
    client.points.set_payload(name, {"x": 1}, ids=[6])
    check()


def test_spaces_come_and_go(client: Client, name: str) -> None:
    client.collections.create(name, VectorParams(2))
    client.points.upsert(name, [PointStruct(1, [1, 0])])
    client.collections.update(name, add_sparse_vectors={"late": SparseVectorParams()})
    client.points.update_vectors(name, [PointVectors(1, {"late": {5: 2.0}})])
    assert pairs(client.points.query(name, {5: 1.0}, using="late")) == [(1, 2.0)]
    with pytest.raises(headwater.SpaceAlreadyExistsError):
        client.collections.update(name, add_sparse_vectors={"late": SparseVectorParams()})
    with pytest.raises(headwater.SpaceAlreadyExistsError):
        client.collections.update(name, add_vectors={"late": VectorParams(3)})
    with pytest.raises(headwater.SpaceNotFoundError):
        client.collections.update(name, drop_sparse_vectors=[""])  # that one is dense
    client.collections.update(
        name, drop_sparse_vectors=["late"], add_sparse_vectors={"late": SparseVectorParams("idf")}
    )
    assert client.points.query(name, {5: 1.0}, using="late") == []
    assert not client.collections.update(name, drop_vectors=["late"]).sparse_vectors
    with pytest.raises(headwater.SpaceNotFoundError):
        client.points.query(name, {5: 1.0}, using="late")


def test_an_unnamed_sparse_space(client: Client, name: str) -> None:
    client.collections.create(name, sparse_vectors=SparseVectorParams())
    client.points.upsert(name, [PointStruct("a", SparseVector(np.array([7]), np.array([0.5]))), PointStruct("b")])
    assert pairs(client.points.query(name, SparseVector([7, 8], [2, 2]))) == [("a", 1.0)]
    assert pairs(client.points.query(name, {"indices": [7], "values": [1]})) == [("a", 0.5)]
    assert client.points.query(name, {9: 1.0}) == []


def test_an_empty_space_has_no_hits(client: Client, name: str) -> None:
    client.collections.create(name, sparse_vectors=SPACES)
    for space in SPACES:
        assert client.points.query(name, {1: 1.0}, using=space) == []


BAD_VECTORS = [
    (SparseVector([1, 1], [1, 2]), headwater.InvalidArgumentError, ".indices"),
    (SparseVector([], []), headwater.EmptyVectorError, ""),
    (SparseVector([1], [float("nan")]), headwater.NotFiniteError, ".values"),
    (SparseVector([1], [1e39]), headwater.NotFiniteError, ".values"),
    (SparseVector([1, 2], [1]), headwater.InvalidArgumentError, ""),
    (SparseVector(range(65_537), [1.0] * 65_537), headwater.LimitExceededError, ""),
]


@pytest.mark.parametrize(("bad", "error", "where"), BAD_VECTORS)
def test_bad_vectors_are_refused(
    bad: SparseVector, error: type[headwater.HeadwaterError], where: str, client: Client, library: str
) -> None:
    before = client.collections.get_info(library).seq
    good = PointStruct(1_000, {"plain": {1: 1.0}})
    with pytest.raises(headwater.HeadwaterError) as caught:
        client.points.upsert(library, [good, PointStruct(1_001, {"plain": bad})])
    assert (type(caught.value), caught.value.field) == (error, f'points[1].vectors["plain"]{where}')
    with pytest.raises(headwater.HeadwaterError) as caught:
        client.points.query(library, bad, using="plain")
    assert (type(caught.value), caught.value.field) == (error, f"query.nearest{where}")
    assert client.collections.get_info(library).seq == before
    assert client.points.get(library, [1_000]) == []


def test_kinds_do_not_mix(client: Client, library: str) -> None:
    for vectors, field in (({"plain": [1.0, 2.0]}, "plain"), ({"dense": {1: 1.0, 2: 2.0}}, "dense")):
        with pytest.raises(headwater.InvalidArgumentError) as caught:
            client.points.upsert(library, [PointStruct(1_000, vectors)])
        assert caught.value.field == f'points[0].vectors["{field}"]'
    cosine = SearchParams(sparse_metric="cosine")
    asked: list[tuple[QueryRequest, type[headwater.HeadwaterError], str]] = [
        (QueryRequest([1.0, 2.0], using="plain"), headwater.InvalidQueryError, "query.nearest"),
        (QueryRequest({1: 1.0}, using="dense"), headwater.InvalidQueryError, "query.nearest"),
        (QueryRequest({1: 1.0}), headwater.AmbiguousSpaceError, "using"),
        (QueryRequest({1: 1.0}, using="none"), headwater.SpaceNotFoundError, "using"),
        (QueryRequest([1.0, 2.0], using="dense", params=cosine), headwater.InvalidQueryError, "params.sparse_metric"),
        (QueryRequest({1: 0.0}, using="plain", params=cosine), headwater.ZeroVectorError, "query.nearest"),
        (QueryRequest(Recommend([1]), using="plain"), headwater.InvalidQueryError, "using"),
        (
            QueryRequest(Recommend([{1: 1.0}]), using="dense"),
            headwater.InvalidQueryError,
            "query.recommend.positive[0]",
        ),
        (QueryRequest(NearestWithMmr({1: 1.0}), using="plain"), headwater.InvalidQueryError, "query.nearest_with_mmr"),
        (
            QueryRequest(8, using="plain", lookup_from=LookupFrom(using="dense")),
            headwater.InvalidQueryError,
            "query.nearest",
        ),
        (
            QueryRequest(8, using="dense", lookup_from=LookupFrom(using="idf")),
            headwater.InvalidQueryError,
            "query.nearest",
        ),
    ]
    for request, error, field in asked:
        with pytest.raises(headwater.HeadwaterError) as refused:
            client.points.query_batch(library, [request])
        assert (type(refused.value), refused.value.field) == (error, f"queries[0].{field}"), refused.value
    with pytest.raises(headwater.InvalidQueryError):
        client.vde.evaluate_recall(library, using="plain")


def test_the_client_refuses_what_it_cannot_send(client: Client, library: str) -> None:
    cases: list[tuple[Any, type[Exception]]] = [
        ({-1: 1.0}, ValueError),
        ({2**32: 1.0}, ValueError),
        ({"a": 1.0}, TypeError),
        (SparseVector(np.array([1.5]), [1]), TypeError),
        (SparseVector(np.array([[1]]), [1]), ValueError),
    ]
    for bad, error in cases:
        with pytest.raises(error):
            client.points.query(library, bad, using="plain")


def test_a_name_is_of_one_kind(client: Client, name: str) -> None:
    with pytest.raises(headwater.InvalidArgumentError) as caught:
        client.collections.create(name, {"a": VectorParams(2)}, sparse_vectors={"a": SparseVectorParams()})
    assert caught.value.field == 'sparse_vectors["a"]'
    assert not client.collections.exists(name)
    with pytest.raises(ValueError, match="SparseModifier"):
        client.collections.create(name, sparse_vectors={"a": SparseVectorParams("tfidf")})


@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "parquet"])
def test_files_hold_it_exactly(form: str, client: Client, library: str, name: str, tmp_path: Path) -> None:
    kind = form.split(".")[0]
    getattr(client, f"export_{kind}")(library, tmp_path / f"x.{form}")
    assert getattr(client, f"import_{kind}")(name, tmp_path / f"x.{form}") == COUNT
    check_copy(client, library, name)


def check_copy(client: Client, name: str, copy: str) -> None:
    one, other = (client.points.scroll(each, limit=1_000, with_vectors=True).points for each in (name, copy))
    assert [record.id for record in one] == [record.id for record in other]
    for mine, theirs in zip(one, other, strict=True):
        assert mine.payload == theirs.payload
        assert set(mine.vectors) == set(theirs.vectors)
        assert all(mine.vectors[space] == theirs.vectors[space] for space in SPACES if space in mine.vectors)
    spaces = [client.collections.get_info(each).sparse_vectors for each in (name, copy)]
    assert spaces[0] == spaces[1]
    for space in SPACES:
        hits = [client.points.query(each, {1: 1.0, 4: 2.0}, using=space, limit=100) for each in (name, copy)]
        assert pairs(hits[0]) == pairs(hits[1]) != []


def test_snapshots_and_clones_hold_it(client: Client, library: str, name: str, tmp_path: Path) -> None:
    client.vde.clone_collection(library, name)
    check_copy(client, library, name)
    snapshot = client.vde.create_snapshot(library)
    client.vde.restore_snapshot(library, snapshot.name, f"{name} restored")
    check_copy(client, library, f"{name} restored")
    for each in (name, f"{name} restored"):
        client.points.upsert(each, [PointStruct(1_000, {"plain": {39: 99.0}})])
        assert client.points.query(each, {39: 1.0}, using="plain", limit=1)[0].id == 1_000
    assert client.points.query(library, {39: 1.0}, using="plain", limit=1)[0].id != 1_000


def test_it_is_there_after_a_restart_and_a_kill(tmp_path: Path) -> None:
    held = documents(60)
    query: Sparse = {3: 1.0, 8: 0.5}
    with running_server(tmp_path / "data") as address, Client(address) as client:
        client.collections.create("c", sparse_vectors=SPACES)
        client.points.upsert("c", [PointStruct(number, vectors) for number, vectors in held.items()])
        first = client.points.query("c", query, using="idf", limit=100)
    with doomed_server(tmp_path / "data") as (process, address), Client(address) as client:
        assert pairs(client.points.query("c", query, using="idf", limit=100)) == pairs(first)
        client.points.upsert("c", [PointStruct(100, {"idf": {3: 7.0}})])
        client.points.delete("c", [0, 1, 2])
        process.send_signal(signal.SIGKILL)
        process.wait()
    held = {number: vectors for number, vectors in held.items() if number > 2} | {100: {"idf": {3: 7.0}}}
    with running_server(tmp_path / "data") as address, Client(address) as client:
        for space in SPACES:
            assert pairs(client.points.query("c", query, using=space, limit=100)) == expected(query, space, held=held)


def test_answers_are_of_one_commit_while_others_write(address: str, client: Client, name: str) -> None:
    """Every score is that of the vector that comes with it."""
    client.collections.create(name, sparse_vectors={"plain": SparseVectorParams()})
    ended = time.monotonic() + 1.5

    def write(seed: int) -> int:
        generator, writes = np.random.default_rng(seed), 0
        with Client(address) as own:
            while time.monotonic() < ended:
                points = {int(key): sparse(generator) for key in generator.integers(0, 200, 15)}
                own.points.upsert(name, [PointStruct(key, {"plain": vector}) for key, vector in points.items()])
                own.points.delete(name, generator.integers(0, 200, 4).tolist())
                writes += 1
        return writes

    def read(seed: int) -> int:
        generator, hits = np.random.default_rng(seed), 0
        with Client(address) as own:
            while time.monotonic() < ended:
                query = dict.fromkeys(generator.integers(0, 40, 4).tolist(), 1.0)
                for hit in own.points.query(name, query, using="plain", limit=20, with_vectors=True):
                    held = hit.vectors["plain"].to_dict()
                    assert hit.score == sum(held[index] for index in query if index in held)
                    hits += 1
        return hits

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(job, seed) for seed in (1, 2) for job in (write, read)]
        assert all(job.result() > 0 for job in jobs)
    held = {
        int(point.id): {"plain": point.vectors["plain"].to_dict()}
        for point in client.points.scroll(name, limit=500, with_vectors=True).points
    }
    query: Sparse = dict.fromkeys(range(40), 1.0)
    assert pairs(client.points.query(name, query, using="plain", limit=500)) == expected(query, "plain", held=held)
