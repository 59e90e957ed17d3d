"""Codes of graphs: what walks by them find, and files that are missing, damaged, of another graph, or of no use."""

import logging
import os
import struct
from pathlib import Path
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from storage.index import Graph, GraphSearch, build, codes_file
from storage.index.graph_codes import CodesOf, read_codes
from storage.kernels import KernelFailed
from storage.kernels.library import has_kernels, paths, using
from storage.schema import Datatype, DenseSpace, Distance, HnswConfig, IndexFile
from storage.segments import file_checksum, open_with_codes
from storage.vectors import Encoding

pytestmark = pytest.mark.skipif(not has_kernels(), reason="there are no native kernels here")

SIZE, ROWS, K = 96, 6_000, 10
Rows = NDArray[np.float32]


def rows_of(seed: int = 1, count: int = ROWS) -> Rows:
    random = np.random.default_rng(seed)
    centres = random.standard_normal((60, SIZE))
    return (centres[random.integers(60, size=count)] + random.standard_normal((count, SIZE))).astype(np.float32)


class World:
    """A graph in a file, and the manifest's entry of it."""

    def __init__(
        self, folder: Path, distance: Distance = Distance.COSINE, datatype: Datatype = Datatype.BFLOAT16
    ) -> None:
        self.folder, self.rows = folder, rows_of()
        self.space = DenseSpace(size=SIZE, distance=distance, datatype=datatype, hnsw=HnswConfig(m=12, ef_construct=60))
        encoding = build(self.space, self.rows, np.arange(ROWS), folder / "1.index")
        self.index = IndexFile(
            name="1.index",
            checksum=file_checksum(folder / "1.index"),
            rows=ROWS,
            datatype=datatype.value,
            scale=encoding.scale,
            centre=encoding.centre_text(),
        )

    @property
    def file(self) -> Path:
        return codes_file(self.folder / "1.index")

    def open(self) -> Graph:
        graph = open_with_codes(self.space, self.folder, self.index, self.rows, lambda: None)
        assert isinstance(graph, Graph)
        return graph

    def plain(self) -> Graph:
        return Graph(self.space, self.folder / "1.index", Encoding.of(self.index.scale, self.index.centre))

    def found(self, graph: Graph, queries: Rows) -> list[set[int]]:
        walks = graph.find(GraphSearch(queries=queries, width=100, limit=K, nominated=100), self.rows, None)
        sign = -1 if self.space.distance.higher_is_better else 1
        best = np.argsort(sign * walks.scores, axis=1, kind="stable")[:, :K]
        return [set(each) for each in np.take_along_axis(walks.positions, best, axis=1).tolist()]


@pytest.mark.parametrize("path", paths())
@pytest.mark.parametrize("datatype", [Datatype.BFLOAT16, Datatype.FLOAT16])
@pytest.mark.parametrize("distance", [Distance.COSINE, Distance.DOT, Distance.EUCLID])
def test_walks_by_codes_find_what_walks_by_vectors_find(
    path: str, distance: Distance, datatype: Datatype, tmp_path: Path
) -> None:
    world, queries = World(tmp_path, distance, datatype), rows_of(2, 100)
    with using(path):
        coded, plain = world.open(), world.plain()
        assert coded.verified
        assert world.file.exists()
        alike = [
            len(one & two) for one, two in zip(*(world.found(graph, queries) for graph in (coded, plain)), strict=True)
        ]
        assert np.mean(alike) >= 0.98 * K


def test_codes_are_made_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.open()
    made = world.file.stat().st_mtime_ns
    world.open()
    assert world.file.stat().st_mtime_ns == made


def test_every_damage_is_noticed_and_mended(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.open()
    good, random = world.file.read_bytes(), Random(3)
    of = CodesOf(checksum=world.index.checksum, nodes=ROWS, size=SIZE)
    places = [*range(64), *(random.randrange(64, len(good)) for _ in range(100))]
    for number, place in enumerate(places):
        file = tmp_path / f"altered{number}"  # a mapped file must not change
        file.write_bytes(good[:place] + bytes([good[place] ^ 1 << random.randrange(8)]) + good[place + 1 :])
        assert read_codes(file, of, verify=True) is None
    for number, length in enumerate([0, 1, 63, 64, 65, len(good) - 1]):
        file = tmp_path / f"short{number}"
        file.write_bytes(good[:length])
        assert read_codes(file, of, verify=False) is None
    world.file.unlink()
    world.file.write_bytes(good[:-1] + b"!")
    assert world.open().verified
    assert world.file.read_bytes() == good


@pytest.mark.parametrize("other", [{"checksum": 1}, {"size": SIZE - 1}, {"nodes": ROWS - 1}])
def test_codes_of_another_graph_are_not_used(other: dict[str, int], tmp_path: Path) -> None:
    world = World(tmp_path)
    world.open()
    of = CodesOf(**{"checksum": world.index.checksum, "nodes": ROWS, "size": SIZE, **other})
    assert read_codes(world.file, of, verify=True) is None


def test_wrong_codes_give_no_wrong_score(tmp_path: Path) -> None:
    """Codes nominate: scores are those of the vectors."""
    world = World(tmp_path)
    coded = world.open()
    walks = coded.find(GraphSearch(queries=world.rows[:3], width=50, limit=K, nominated=50), world.rows, None)
    assert (walks.scores[:, 0] == 1.0).all()


def test_codes_that_tell_too_little_apart_are_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One component is a thousand times as large as the others, which alone tell the rows apart."""
    world = World(tmp_path)
    rows = rows_of()
    rows[:, 0] = np.random.default_rng(5).choice([-3_000.0, 3_000.0], ROWS)
    world.rows = rows
    encoding = build(world.space, rows, np.arange(ROWS), tmp_path / "2.index")
    world.index = IndexFile(
        name="2.index",
        checksum=file_checksum(tmp_path / "2.index"),
        rows=ROWS,
        datatype=Datatype.BFLOAT16.value,
        scale=encoding.scale,
        centre=encoding.centre_text(),
    )
    with caplog.at_level(logging.INFO):
        graph = world.open()
    assert "is walked without codes" in caplog.text
    assert graph.verified
    file = codes_file(tmp_path / "2.index")
    assert file.stat().st_size == 64
    made = file.stat().st_mtime_ns
    assert world.open().verified
    assert file.stat().st_mtime_ns == made


def test_without_room_a_graph_serves_without_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    graph = world.open()
    assert graph.verified
    assert [path.name for path in tmp_path.iterdir()] == ["1.index"]
    assert world.found(graph, world.rows[:5])


def test_small_graphs_have_no_codes(tmp_path: Path) -> None:
    space = DenseSpace(size=8)
    rows = rows_of()[:, :8].copy()
    build(space, rows, np.arange(ROWS), tmp_path / "3.index")
    assert not Graph(space, tmp_path / "3.index").may_have_codes


def test_codes_of_a_wrong_shape_are_refused_by_the_kernels(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.open()
    data = bytearray(world.file.read_bytes())
    assert struct.unpack_from("<Q", data, 16) == (ROWS,)
    stored = read_codes(world.file, CodesOf(checksum=world.index.checksum, nodes=ROWS, size=SIZE), verify=True)
    assert stored is not None
    assert stored.codes is not None
    walker = world.plain()._walker
    part = type(stored.codes)(stored.codes.codes[1:], stored.codes.scales[1:], stored.codes.squares[1:])
    with pytest.raises(KernelFailed):
        walker.use_codes(part)  # type: ignore[union-attr]
