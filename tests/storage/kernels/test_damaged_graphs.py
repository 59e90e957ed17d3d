"""Walks through files that say what cannot be, or what is dear to follow: nothing outside of a file is read, distances
have an order, and the deadline holds."""

import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from storage.errors import DeadlineExceeded
from storage.index.hnsw import build
from storage.kernels import Asking, KernelFailed, NativeGraph, Scoring
from storage.kernels.graph import GraphCodes
from storage.kernels.library import has_kernels, paths, using
from storage.kernels.metric import Form, Metric
from storage.schema import Datatype, DenseSpace, Distance, HnswConfig
from storage.vectors import encode_queries

pytestmark = pytest.mark.skipif(not has_kernels(), reason="there are no native kernels here")

ROWS, SIZE, HEAD = 300, 8, 64
NUMBERS = (0, 1, 2, ROWS - 1, ROWS, ROWS + 1, 2**12, 2**12 + 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1)


@dataclass(frozen=True)
class Saved:
    """A graph as usearch saved it, and what it is asked."""

    data: bytes
    form: Form
    metric: Metric
    rows: NDArray[np.float32]
    queries: NDArray[np.generic]

    def altered(self, data: bytes | bytearray, path: Path) -> NativeGraph:
        path.write_bytes(data)
        return NativeGraph(path, self.metric, self.form, SIZE, positions=ROWS)

    @property
    def head(self) -> int:
        """Where the head is, behind the vectors."""
        rows, row_bytes = struct.unpack_from("<II", self.data)
        return 8 + int(rows) * int(row_bytes)


def _saved(datatype: Datatype, folder: Path) -> Saved:
    distance = Distance.HAMMING if datatype is Datatype.BINARY else Distance.EUCLID
    space = DenseSpace(size=SIZE, distance=distance, datatype=datatype, hnsw=HnswConfig(m=8, ef_construct=60))
    rows = np.random.default_rng(SIZE).standard_normal((ROWS, SIZE)).astype(np.float32)
    if distance.is_binary:
        rows = (rows > 0).astype(np.float32)
    chosen = build(space, rows, np.arange(ROWS), folder / "graph")
    form = Form.BITS if datatype is Datatype.BINARY else Form[datatype.name]
    queries = encode_queries(distance, datatype, chosen, rows[:5])
    return Saved((folder / "graph").read_bytes(), form, Metric[distance.name], rows, queries)


def _altered(saved: Saved, random: Random) -> bytearray:
    """The file with some bits, bytes or numbers changed, or with some bytes more or less."""
    data, head = bytearray(saved.data), saved.head
    for _ in range(random.choice([1, 1, 2, 5])):
        match random.choice(["bit", "byte", "links", "count", "size"]):
            case "bit":
                data[random.randrange(len(data))] ^= 1 << random.randrange(8)
            case "byte":
                data[random.randrange(len(data))] = random.choice([0, 1, 127, 128, 255])
            case "links":
                struct.pack_into("<I", data, random.randrange(head, len(data) - 4), random.choice(NUMBERS) % 2**32)
            case "count":
                struct.pack_into("<Q", data, head + HEAD + 8 * random.randrange(5), random.choice(NUMBERS))
            case _:
                struct.pack_into("<I", data, 4 * random.randrange(2), random.choice(NUMBERS) % 2**32)
    match random.randrange(10):
        case 0:
            del data[random.randrange(len(data)) :]
        case 1:
            data += bytes(random.choice([1, 4, 10_000]))
    return data


def _search(saved: Saved, graph: NativeGraph) -> None:
    """Whatever is found is a row."""
    for width in (1, 50, 1_000):
        keys, found, _ = graph.walk(Asking(queries=saved.queries, width=width))
        for row, count in zip(keys, found, strict=True):
            assert ((row[:count] >= 0) & (row[:count] < ROWS)).all()
    scoring = Scoring(
        metric=saved.metric, queries=saved.rows[:5], vectors=saved.rows, usable=None, nominated=9, limit=3
    )
    scored = graph.find(Asking(queries=saved.queries, width=50), scoring)
    assert (scored.kept <= scored.usable).all()
    assert (scored.place < scored.usable).all()


@pytest.mark.slow
@pytest.mark.parametrize("datatype", list(Datatype))
def test_an_altered_file_is_refused_or_searched_within_its_bounds(datatype: Datatype, tmp_path: Path) -> None:
    saved, random = _saved(datatype, tmp_path), Random(5)
    refused = walked = 0
    for number in range(1_500):
        path = tmp_path / f"altered{number}"  # a mapped file must not change
        try:
            graph = saved.altered(_altered(saved, random), path)
        except KernelFailed:
            refused += 1
            continue
        finally:
            path.unlink()
        walked += 1
        for instructions in paths():
            with using(instructions):
                _search(saved, graph)
    assert refused > 200
    assert walked > 200


@pytest.mark.parametrize("datatype", [Datatype.BFLOAT16, Datatype.FLOAT16])
def test_damaged_codes_are_walked_within_their_bounds(datatype: Datatype, tmp_path: Path) -> None:
    saved, random = _saved(datatype, tmp_path), np.random.default_rng(3)
    for number in range(20):
        graph = saved.altered(saved.data, tmp_path / f"graph{number}")
        scales, squares = random.integers(0, 2**32, (2, ROWS), np.uint32).view(np.float32)
        graph.use_codes(GraphCodes(random.integers(-128, 128, (ROWS, 64), np.int8), scales, squares))
        for path in paths():
            with using(path):
                _search(saved, graph)


def test_every_cut_of_a_file_is_refused(tmp_path: Path) -> None:
    saved = _saved(Datatype.BINARY, tmp_path)
    for length in [*range(400), *range(400, len(saved.data), 97)]:
        with pytest.raises(KernelFailed):
            saved.altered(saved.data[:length], tmp_path / f"cut{length}")


def test_an_empty_graph_has_nothing(tmp_path: Path) -> None:
    saved = _saved(Datatype.FLOAT32, tmp_path)
    _, links, base_links, _, _ = struct.unpack_from("<5Q", saved.data, saved.head + HEAD)
    head = saved.data[saved.head : saved.head + HEAD]
    empty = struct.pack("<II", 0, 4 * SIZE) + head + struct.pack("<5Q", 0, links, base_links, 0, 0)
    graph = saved.altered(empty, tmp_path / "empty")
    for path in paths():
        with using(path):
            _, found, computed = graph.walk(Asking(queries=saved.queries, width=3))
            assert not found.any()
            assert not computed.any()


def test_walks_that_are_0_wide_find_nothing(tmp_path: Path) -> None:
    saved = _saved(Datatype.FLOAT32, tmp_path)
    keys, found, _ = saved.altered(saved.data, tmp_path / "whole").walk(Asking(queries=saved.queries, width=0))
    assert keys.shape == (5, 0)
    assert not found.any()


def test_vectors_that_are_no_numbers_hide_no_others(tmp_path: Path) -> None:
    """Every seventh vector has a NaN. The rest is found nearest first as before, but for what only these led to."""
    saved = _saved(Datatype.FLOAT32, tmp_path)
    data, damaged = bytearray(saved.data), np.arange(0, ROWS, 7)
    for row in damaged.tolist():
        data[8 + 4 * SIZE * row : 12 + 4 * SIZE * row] = b"\xff" * 4
    graph = saved.altered(data, tmp_path / "numbers")
    stored = np.frombuffer(saved.data, np.float32, ROWS * SIZE, 8).reshape(ROWS, SIZE)
    queries = stored[:60]
    apart = ((stored[None] - queries[:, None]) ** 2).sum(axis=2)
    apart[:, damaged] = np.inf
    nearest = np.argsort(apart, axis=1)[:, :10]
    for path in paths():
        with using(path):
            keys, found, _ = graph.walk(Asking(queries=queries, width=20))
            assert (found == 20).all()
            shares = [len(np.intersect1d(*each)) / 10 for each in zip(keys, nearest, strict=True)]
            assert np.mean(shares) > 0.95
            found_apart = np.take_along_axis(apart, keys, 1)
            assert (found_apart[:, 1:] >= found_apart[:, :-1] - 1e-5).all()


def _chain(saved: Saved, nodes: int, size: int) -> bytes:
    """A graph with one upper level, where each node leads to the next one only, which is nearer to zero."""
    vectors = np.zeros((nodes, size), "<f4")
    vectors[:, 0] = np.arange(nodes, 0, -1)
    head = saved.data[saved.head : saved.head + HEAD]
    tape = b"".join(struct.pack("<QhIIIIII", node, 1, *(1, min(node + 1, nodes - 1), 0) * 2) for node in range(nodes))
    about = struct.pack("<5Q", nodes, 2, 2, 1, 0) + np.ones(nodes, "<i2").tobytes()
    return struct.pack("<II", nodes, 4 * size) + vectors.tobytes() + head + about + tape


def test_a_deadline_holds_on_upper_levels(tmp_path: Path) -> None:
    """On the way down every vector is compared."""
    size, nodes = 64, 20_000
    (tmp_path / "chain").write_bytes(_chain(_saved(Datatype.FLOAT32, tmp_path), nodes, size))
    graph = NativeGraph(tmp_path / "chain", Metric.EUCLID, Form.FLOAT32, size)
    query = np.zeros((1, size), np.float32)
    keys, _, computed = graph.walk(Asking(queries=query, width=1))
    assert keys.tolist() == [[nodes - 1]]
    assert computed[0] >= nodes
    with pytest.raises(DeadlineExceeded):
        graph.walk(Asking(queries=query, width=1, deadline=time.monotonic() - 1))


@pytest.mark.parametrize("shape", [(5, SIZE - 1), (5, SIZE + 1), (5, 0), (5, 2, SIZE)])
def test_queries_of_another_size_are_refused(shape: Sequence[int], tmp_path: Path) -> None:
    saved = _saved(Datatype.FLOAT32, tmp_path)
    graph = saved.altered(saved.data, tmp_path / "whole")
    with pytest.raises(KernelFailed, match="do not fit"):
        graph.walk(Asking(queries=np.zeros(shape, np.float32), width=3))


def test_what_is_scored_must_fit_the_graph(tmp_path: Path) -> None:
    saved = _saved(Datatype.FLOAT32, tmp_path)
    graph, rows = saved.altered(saved.data, tmp_path / "whole"), saved.rows
    for queries, vectors, usable in (
        (rows[:4], rows, None),
        (rows[:5, :7], rows, None),
        (rows[:5], rows[:, :7], None),
        (rows[:5], rows, np.ones(ROWS - 1, np.bool_)),
    ):
        scoring = Scoring(metric=saved.metric, queries=queries, vectors=vectors, usable=usable, nominated=9, limit=3)
        with pytest.raises(KernelFailed, match="do not fit"):
            graph.find(Asking(queries=saved.queries, width=20), scoring)
