"""Walks through graphs in their files: as usearch's own, by every form and metric, and safe whatever a file says."""

import struct
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import usearch
from numpy.typing import NDArray

from storage.errors import DeadlineExceeded
from storage.index.hnsw import Graph, GraphSearch, _UsearchGraph, build
from storage.kernels import Asking, KernelFailed, NativeGraph, Scoring, WalkFound
from storage.kernels.graph import WALKED_VERSIONS
from storage.kernels.library import has_kernels, paths, using
from storage.kernels.metric import Form, Metric
from storage.schema import Datatype, DenseSpace, Distance, HnswConfig
from storage.vectors import Encoding, decoded, encode_queries, encode_rows, encoding, score_rows

pytestmark = pytest.mark.skipif(not has_kernels(), reason="there are no native kernels here")

ROWS = 300
FORMS = [
    (distance, datatype) for distance in (Distance.COSINE, Distance.DOT, Distance.EUCLID) for datatype in Datatype
] + [(distance, Datatype.BINARY) for distance in (Distance.HAMMING, Distance.JACCARD)]


def _space(distance: Distance, datatype: Datatype, size: int) -> DenseSpace:
    return DenseSpace(size=size, distance=distance, datatype=datatype, hnsw=HnswConfig(m=8, ef_construct=60))


def _rows(distance: Distance, size: int, offset: float = 0.0) -> NDArray[np.float32]:
    rows = np.random.default_rng(size).standard_normal((ROWS, size)).astype(np.float32) + np.float32(offset)
    return (rows > 0).astype(np.float32) if distance.is_binary else rows


def _find(graph: Graph, rows: NDArray[np.float32], queries: NDArray[np.float32], **settings: Any) -> WalkFound:
    return graph.find(GraphSearch(queries=queries, width=ROWS, limit=5, nominated=15, **settings), rows, None)


def _distances(
    space: DenseSpace, chosen: Encoding, query: NDArray[np.float32], rows: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Distances of stored rows to a stored query, as they are compared, by numpy."""
    asked = encode_queries(space.distance, space.datatype, chosen, query[None])
    stored = encode_rows(space.distance, space.datatype, chosen, rows)
    x = decoded(space.datatype, asked, space.size).astype(np.float64)[0]
    y = decoded(space.datatype, stored, space.size).astype(np.float64)
    if space.datatype is Datatype.BINARY:
        if space.distance is Distance.JACCARD:
            both, either = ((x > 0) & (y > 0)).sum(1), ((x > 0) | (y > 0)).sum(1)
            return np.asarray(1 - both / np.maximum(either, 1))
        return np.asarray((x != y).sum(1).astype(np.float64))
    match encoding.compared_by(space.distance, chosen):
        case Distance.EUCLID:
            return np.asarray(((y - x) ** 2).sum(1))
        case Distance.DOT:
            return np.asarray(-(y @ x))
        case _:
            return np.asarray(-(y @ x) / np.maximum(np.linalg.norm(y, axis=1), 1e-30))


@pytest.mark.parametrize("size", [1, 3, 17, 32, 67, 130])
@pytest.mark.parametrize(("distance", "datatype"), FORMS)
def test_a_walk_as_wide_as_the_graph_finds_rows_in_order(
    size: int, distance: Distance, datatype: Datatype, tmp_path: Path
) -> None:
    space = _space(distance, datatype, size)
    least = 0.9 * ROWS if size > 8 and datatype is not Datatype.BINARY else 1  # equal vectors are out of reach
    for offset in (0.0, 3.0):
        rows = _rows(distance, size, offset)
        chosen = build(space, rows, np.arange(ROWS), tmp_path / f"graph{offset}")
        graph = Graph(space, tmp_path / f"graph{offset}", chosen)
        for path in paths():
            with using(path):
                keys, found, computed = graph.search(rows[:4], ROWS)
            for number in range(4):
                ours = keys[number, : found[number]]
                assert len(np.unique(ours)) == len(ours) >= least
                assert computed[number] >= found[number]
                distances = _distances(space, chosen, rows[number], rows)[ours]
                slack = 0.02 * np.abs(distances).max() + 1e-3  # bfloat16 is rounded, and cosines are products
                assert (np.diff(distances) >= -slack).all()


def test_walks_find_what_usearch_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space, rows = _space(Distance.COSINE, Datatype.BFLOAT16, 48), _rows(Distance.COSINE, 48)
    chosen = build(space, rows, np.arange(ROWS), tmp_path / "graph")
    native = Graph(space, tmp_path / "graph", chosen).search(rows, 20)
    monkeypatch.setattr("storage.index.hnsw.has_kernels", lambda: False)
    twin = Graph(space, tmp_path / "graph", chosen).search(rows, 20)
    same = [len(set(ours) & set(theirs)) / 20 for ours, theirs in zip(native[0], twin[0], strict=True)]
    assert np.mean(same) > 0.97


def test_a_batch_finds_what_single_walks_find(tmp_path: Path) -> None:
    space, rows = _space(Distance.EUCLID, Datatype.FLOAT32, 16), _rows(Distance.EUCLID, 16)
    graph = Graph(space, tmp_path / "graph", build(space, rows, np.arange(ROWS), tmp_path / "graph"))
    alone = [_find(graph, rows, row[None]) for row in rows]
    for threads in (1, 4):
        together = _find(graph, rows, rows, threads=threads)
        for number, single in enumerate(alone):
            for field in fields(WalkFound):
                assert np.array_equal(getattr(together, field.name)[number], getattr(single, field.name)[0])


@pytest.mark.parametrize("kind", [NativeGraph, _UsearchGraph])
def test_what_a_walk_finds_is_gated_counted_and_scored(kind: type, tmp_path: Path) -> None:
    space, rows = _space(Distance.EUCLID, Datatype.FLOAT32, 16), _rows(Distance.EUCLID, 16)
    chosen = build(space, rows, np.arange(ROWS), tmp_path / "graph")
    if kind is NativeGraph:
        walker: Any = NativeGraph(tmp_path / "graph", Metric.EUCLID, Form.FLOAT32, 16)
    else:
        walker = _UsearchGraph(space, tmp_path / "graph", chosen)
    asking = Asking(queries=encode_queries(space.distance, space.datatype, chosen, rows[:9]), width=200)
    keys, counts, computed = walker.walk(asking)
    random = np.random.default_rng(3)
    for share, limit in ((0.5, 3), (0.05, 40), (1.0, 10), (0.0, 5)):
        usable = random.random(ROWS) < share
        scoring = Scoring(
            metric=Metric.EUCLID, queries=rows[:9], vectors=rows, usable=usable, nominated=25, limit=limit
        )
        found = walker.find(asking, scoring)
        assert found.computed.tolist() == computed.tolist()
        for number in range(9):
            positions = keys[number, : counts[number]]
            places = np.flatnonzero(usable[positions])
            kept = positions[places[:25]]
            assert (found.usable[number], found.kept[number]) == (len(places), len(kept))
            assert found.place[number] == (places[min(limit, len(places)) - 1] if len(places) else -1)
            assert np.array_equal(found.positions[number, : len(kept)], kept)
            scores = score_rows(Distance.EUCLID, rows[number], rows[kept])
            assert found.scores[number, : len(kept)].tobytes() == scores.tobytes()


def test_a_walk_ends_at_the_deadline(tmp_path: Path) -> None:
    space, rows = _space(Distance.EUCLID, Datatype.FLOAT32, 16), _rows(Distance.EUCLID, 16)
    graph = Graph(space, tmp_path / "graph", build(space, rows, np.arange(ROWS), tmp_path / "graph"))
    with pytest.raises(DeadlineExceeded):
        _find(graph, rows, rows, deadline=time.monotonic() - 1)


def test_files_of_the_installed_usearch_are_walked() -> None:
    assert usearch.__version__.rpartition(".")[0] in WALKED_VERSIONS


@pytest.mark.parametrize("version", [(1, 26, 6), (2, 25, 0), (2, 27, 1), (3, 0, 0)])
def test_a_file_of_another_version_of_usearch_is_refused_by_name(version: tuple[int, int, int], tmp_path: Path) -> None:
    space, rows = _space(Distance.EUCLID, Datatype.FLOAT32, 8), _rows(Distance.EUCLID, 8)
    build(space, rows, np.arange(ROWS), tmp_path / "graph")
    data = bytearray((tmp_path / "graph").read_bytes())
    struct.pack_into("<3H", data, data.index(b"usearch") + 7, *version)
    (tmp_path / "other").write_bytes(data)
    with pytest.raises(KernelFailed, match=rf"usearch {'.'.join(map(str, version))} wrote it.* of usearch 2\.26"):
        NativeGraph(tmp_path / "other", Metric.EUCLID, Form.FLOAT32, 8)
