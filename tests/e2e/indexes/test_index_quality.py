"""What indexes say of themselves: recall measured against exact answers, warnings, and which answers are equal."""

import uuid

import numpy as np
import pytest
from numpy.typing import NDArray

from headwater import Client, Datatype, Distance, HnswConfigDiff, PointStruct, Sample, SearchParams, VectorParams

COUNT, SIZE = 1_200, 24
ROWS = np.random.default_rng(21).standard_normal((COUNT, SIZE)).astype(np.float32)
QUERIES = np.random.default_rng(22).standard_normal((30, SIZE)).astype(np.float32)
EXACT = SearchParams(exact=True)


def _filled(client: Client, rows: NDArray[np.float32], params: VectorParams) -> str:
    name = f"q{uuid.uuid4().hex}"
    client.collections.create(name, params, optimizers_config={"indexing_threshold": 100_000})
    client.upload_points(name, [PointStruct(n, row) for n, row in enumerate(rows)], batch_size=600)
    return name


def _recall(client: Client, name: str, queries: NDArray[np.float32], params: SearchParams | None) -> float:
    shares = []
    for query in queries:
        found = client.points.query(name, query, limit=10, params=params)
        best = client.points.query(name, query, limit=10, params=EXACT)
        shares.append(np.mean([hit.score >= best[-1].score for hit in found]))
    return float(np.mean(shares))


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_vectors_of_any_length_are_found(client: Client, scale: float) -> None:
    rows = ROWS * np.float32(scale)
    name = _filled(client, rows, VectorParams(SIZE, Distance.Cosine))
    client.vde.optimize(name, wait=True)
    stats = client.vde.get_stats(name).spaces[""]
    assert (stats.index, stats.warning) == ("hnsw", "")
    assert stats.recall is not None
    assert stats.recall >= 0.95
    assert client.vde.get_state(name).warnings == {}
    assert _recall(client, name, QUERIES * np.float32(scale), None) >= 0.95


def test_a_poor_index_serves_and_says_so(client: Client) -> None:
    hnsw = HnswConfigDiff(m=2, ef_construct=4, ef=10)
    name = _filled(client, ROWS, VectorParams(SIZE, Distance.Cosine, hnsw, datatype=Datatype.Int8))
    assert client.vde.get_stats(name).spaces[""].recall is None
    client.vde.optimize(name, wait=True)
    stats = client.vde.get_stats(name).spaces[""]
    assert (stats.index, stats.datatype) == ("hnsw", "int8")
    assert stats.recall is not None
    assert stats.recall < 0.95
    assert f"recall at 10 of {stats.recall:.2f}" in stats.warning
    assert client.vde.get_state(name).warnings == {"": stats.warning}
    explanation = client.points.query(name, QUERIES[0], limit=10, explain=True).explanation
    assert explanation is not None
    assert f"recall at 10 of {stats.recall:.2f}" in explanation.text
    narrow = _recall(client, name, QUERIES, None)
    assert narrow < 0.95
    assert _recall(client, name, QUERIES, SearchParams(hnsw_ef=1_000)) > narrow


def test_equal_numbers_mean_equal_answers(client: Client) -> None:
    name = _filled(client, ROWS, VectorParams(SIZE, Distance.Cosine, datatype=Datatype.Int8))
    seen: dict[tuple[int, int], list[object]] = {}
    sequences, samples = set(), set()
    for build in (False, True, True, False):
        if build:
            client.vde.rebuild_index(name, wait=True) if seen else client.vde.optimize(name, wait=True)
        for _ in range(2):
            hits = client.points.query(name, QUERIES[1], limit=50, explain=True)
            assert hits.explanation is not None
            stats = client.vde.get_stats(name)
            numbers = (hits.explanation.seq, hits.explanation.generation)
            assert numbers == (stats.seq, stats.generation)
            sequences.add(hits.seq)
            samples.add(tuple(hit.id for hit in client.points.query(name, Sample(), limit=20)))
            answer: list[object] = [(hit.id, hit.score) for hit in hits]
            assert seen.setdefault(numbers, answer) == answer
        if not build and len(seen) == 1:
            client.vde.optimize(name, wait=True)
    assert len(seen) > 2
    assert len(sequences) == 1
    assert sequences == {client.collections.get_info(name).seq}
    assert len(samples) == 1
    client.points.upsert(name, [PointStruct(COUNT, ROWS[0])])
    assert client.collections.get_info(name).seq == sequences.pop() + 1
