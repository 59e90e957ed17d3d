"""Graphs from outside: sound ones pass, and what is altered is either found or can be searched."""

import struct
from pathlib import Path
from random import Random

import numpy as np
import pytest

from storage.index.graph_file import UnsoundGraph, check_graph, remove_unsound_graphs
from storage.index.hnsw import Graph, build
from storage.schema import Datatype, DenseSpace, Distance, HnswConfig
from storage.vectors.encoding import Encoding

SIZE, ROWS = 8, 400


def _space(datatype: Datatype) -> DenseSpace:
    distance = Distance.HAMMING if datatype is Datatype.BINARY else Distance.EUCLID
    return DenseSpace(size=SIZE, distance=distance, datatype=datatype, hnsw=HnswConfig(m=4, ef_construct=40))


def _make(folder: Path, datatype: Datatype = Datatype.FLOAT32) -> tuple[Path, Encoding]:
    """A graph of two thirds of the rows of a block: the others are dead."""
    folder.mkdir(parents=True, exist_ok=True)
    vectors = np.random.default_rng(2).standard_normal((ROWS, SIZE)).astype(np.float32)
    if datatype is Datatype.BINARY:
        vectors = (vectors > 0).astype(np.float32)
    vectors.tofile(folder / "1.vectors")
    positions = np.flatnonzero(np.arange(ROWS) % 3).astype(np.int64)
    encoding = build(_space(datatype), vectors, positions, folder / "1.7.index", lambda done: None)
    return folder / "1.7.index", encoding


@pytest.mark.parametrize("datatype", list(Datatype))
def test_sound_graphs_pass(datatype: Datatype, tmp_path: Path) -> None:
    path, _ = _make(tmp_path / "spaces" / "1", datatype)
    check_graph(path, tmp_path / "spaces" / "1" / "1.vectors")
    remove_unsound_graphs(tmp_path)
    assert path.exists()


def test_altered_graphs_are_found_or_can_be_searched(tmp_path: Path) -> None:
    """usearch follows links without looking: had one passed that leads nowhere, this process would end."""
    path, encoding = _make(tmp_path)
    data, random = path.read_bytes(), Random(3)
    graph_from = 8 + ROWS * 2 // 3 * SIZE * 4
    queries = np.random.default_rng(4).standard_normal((20, SIZE)).astype(np.float32)
    found = 0
    for _ in range(400):
        altered = bytearray(data)
        place = random.randrange(graph_from, len(data))
        altered[place] = random.choice([altered[place] ^ 1 << random.randrange(8), 255])
        path.write_bytes(altered)
        try:
            check_graph(path, tmp_path / "1.vectors")
        except UnsoundGraph:
            found += 1
            continue
        try:
            keys, counts, _ = Graph(_space(Datatype.FLOAT32), path, encoding).search(queries, 50)
        except (RuntimeError, ValueError):
            continue  # usearch, or the graph, looked at its head
        assert all((row[:count] < ROWS).all() for row, count in zip(keys, counts, strict=True))
    assert found > 50


@pytest.mark.parametrize("length", [0, 4, 8, 100, -1])
def test_a_graph_that_ends_early_is_removed(length: int, tmp_path: Path) -> None:
    path, _ = _make(tmp_path / "spaces" / "1")
    path.write_bytes(path.read_bytes()[:length])
    remove_unsound_graphs(tmp_path)
    assert not path.exists()


def test_counts_that_ask_for_memory_are_refused(tmp_path: Path) -> None:
    path, _ = _make(tmp_path)
    data = bytearray(path.read_bytes())
    struct.pack_into("<II", data, 0, 2**32 - 1, 0)
    path.write_bytes(data)
    with pytest.raises(UnsoundGraph):
        check_graph(path, tmp_path / "1.vectors")
