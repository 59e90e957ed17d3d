"""What opening a data directory makes of what a crash, a bad disk or a careless hand left there."""

import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import lmdb
import numpy as np
import pytest

from storage.check import check
from storage.collection import Collection
from storage.database import Database
from storage.errors import CorruptStore, EngineError, StorageFailed, UnknownFormat
from storage.schema import CollectionSchema, DenseSpace, Distance, SchemaChange
from storage.schema.stats import SpaceState
from storage.settings import StorageSettings
from storage.tables.catalog import CollectionState
from storage.tables.environment import FORMAT_VERSION
from storage.write.operations import ByIds, DeletePoints
from tests.storage.graphs import attach_graphs, blocks_without_graph
from tests.storage.model import Model, Point, applied, assert_holds, upsert, write
from tests.support.directories import CODEC, QUIET, Directories
from tests.support.root import ROOT
from tests.support.server_process import environment

SIZE = 3
SCHEMA = CollectionSchema(spaces={"v": DenseSpace(size=SIZE, distance=Distance.EUCLID)})
QUERIES = {"v": [np.array([1, 2, 3], np.float32)]}
ROW_BYTES = SIZE * 4


def _points(ids: range, seed: int = 0) -> Model:
    random = np.random.default_rng(seed)
    return {
        number: Point({"number": number}, {"v": random.integers(-9, 10, SIZE).astype(np.float32)}) for number in ids
    }


def _create(directories: Directories, *, graph: bool = False) -> tuple[Path, Model]:
    """A closed directory with equal collections `c` and `other`, some rows dead. Returns the folder of `c`'s space."""
    database = directories.open()
    model: Model = {}
    for name in ("c", "other"):
        collection = database.create_collection(name, SCHEMA)
        model = {}
        for ids in (range(50), range(40, 60)):
            points = _points(ids)
            write(collection, upsert(list(points.items())))
            model |= points
        write(collection, DeletePoints(selector=ByIds((7, 45))))
        model = applied(model, [DeletePoints(selector=ByIds((7, 45)))])
        if graph:
            collection.change_schema(SchemaChange(indexing_threshold=1))
            attach_graphs(collection)
            collection.change_schema(SchemaChange(indexing_threshold=20_000))
            write(collection, upsert(list(_points(range(100, 110)).items())))
            model |= _points(range(100, 110))
    folder = directories.root / "data" / "collections" / database.collection("c").uid / "spaces" / "1"
    directories.close()
    return folder, model


def _assert_serves(database: Database, name: str, model: Model) -> None:
    with database.collection(name).snapshot() as snapshot:
        assert_holds(snapshot, model, QUERIES)


def _flip(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x40]))


def _truncate(path: Path, size: int) -> None:
    os.truncate(path, size)


# -- what a crash leaves


@pytest.mark.parametrize("graph", [False, True])
def test_rows_without_a_commit_are_cut(graph: bool, directories: Directories) -> None:
    folder, model = _create(directories, graph=graph)
    sizes = {"1.vectors": 70 * ROW_BYTES, **({"2.vectors": 10 * ROW_BYTES} if graph else {})}
    for path in folder.glob("*.vectors"):
        _truncate(path, sizes[path.name])
        with path.open("ab") as file:
            file.write(b"\xff" * (5 * ROW_BYTES + 3))
    database = directories.open()
    _assert_serves(database, "c", model)
    assert {path.name: path.stat().st_size for path in folder.glob("*.vectors")} == sizes
    more = _points(range(200, 240), seed=3)
    write(database.collection("c"), upsert(list(more.items())))
    _assert_serves(database, "c", {**model, **more})


def test_a_kill_between_commits_loses_nothing(directories: Directories) -> None:
    database = directories.open()
    collection = database.create_collection("c", SCHEMA)
    model: Model = {}
    for step in range(6):
        points = _points(range(step * 10, step * 10 + 15), seed=step)
        write(collection, upsert(list(points.items())))
        model |= points
        if step == 2:
            collection.change_schema(SchemaChange(indexing_threshold=20))
            attach_graphs(collection)
        if step == 4:
            collection.change_schema(SchemaChange(add={"new": DenseSpace(size=1)}))
        directories.crash("data", f"crash {step}")
        _assert_serves(directories.open(f"crash {step}"), "c", model)


def test_leftovers_are_removed(directories: Directories) -> None:
    folder, model = _create(directories, graph=True)
    root = directories.root / "data"
    stray_collection = root / "collections" / ("0" * 32)
    (stray_collection / "lmdb").mkdir(parents=True)
    (stray_collection / "lmdb" / "data.mdb").write_bytes(b"half")
    stray_space = folder.parent / "99"
    stray_space.mkdir()
    (stray_space / "1.vectors").write_bytes(b"x")
    strays = [folder / "1.index.new", folder / "2.index", folder / "17.vectors", folder / "17.index", folder / "core"]
    for path in strays:
        path.write_bytes(b"garbage")
    database = directories.open()
    _assert_serves(database, "c", model)
    assert not stray_collection.exists()
    assert not stray_space.exists()
    assert sorted(path.name for path in folder.iterdir()) == ["1.index", "1.vectors", "2.vectors"]


def test_what_is_not_ours_keeps_no_store_from_opening(directories: Directories) -> None:
    _, model = _create(directories)
    collections = directories.root / "data" / "collections"
    os.mkfifo(collections / "pipe")
    (collections / "link").symlink_to("/")
    (collections / os.fsdecode(b"odd\n\xff")).write_text("mine")
    kept = sorted(path.name for path in collections.iterdir())
    _assert_serves(directories.open(), "c", model)
    assert sorted(path.name for path in collections.iterdir()) == kept


def test_a_half_made_directory_is_finished(directories: Directories) -> None:
    """Killed while it was being made: before or after its format was published."""
    (directories.root / "data").mkdir()
    (directories.root / "data" / "FORMAT.new").write_text("headwater")
    directories.open().create_collection("c", SCHEMA)
    directories.close()
    shutil.copytree(directories.root / "data", directories.root / "young")
    shutil.rmtree(directories.root / "young" / "catalog")
    shutil.rmtree(directories.root / "young" / "collections")
    assert directories.open("young").names.collections() == []


# -- damaged originals


def _assert_broken(directories: Directories, model: Model, part: str) -> None:
    """`c` is refused, naming `part`, `other` serves, and the check finds the damage, too."""
    directories.damage("data")
    report = check(directories.root / "data")
    assert any(part in str(problem) and not problem.derived for problem in report.problems)
    database = directories.open()
    for _ in range(2):
        with pytest.raises(CorruptStore) as caught:
            database.collection("c")
        assert part in caught.value.metadata["file"]
    status = database.usage.status("c")
    assert status.state is CollectionState.ERROR
    assert part in status.reason
    with pytest.raises(CorruptStore):
        database.open_collection("c")
    assert database.names.collections() == ["c", "other"]
    _assert_serves(database, "other", model)
    assert database.delete_collection("c")
    assert database.names.collections() == ["other"]


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("missing", ["file", "row", "byte"])
def test_vectors_that_end_early(graph: bool, missing: str, directories: Directories) -> None:
    folder, model = _create(directories, graph=graph)
    path = folder / "1.vectors"
    if missing == "file":
        path.unlink()
    else:
        _truncate(path, 70 * ROW_BYTES - (ROW_BYTES if missing == "row" else 1))
    _assert_broken(directories, model, "1.vectors")


@pytest.mark.parametrize(
    "damage",
    [lambda path: path.unlink(), lambda path: _truncate(path, 0), lambda path: _truncate(path, 5000)],
    ids=["missing", "empty", "short"],
)
def test_a_lost_payload_store(damage: Callable[[Path], None], directories: Directories) -> None:
    folder, model = _create(directories)
    damage(folder.parent.parent / "lmdb" / "data.mdb")
    _assert_broken(directories, model, "data.mdb")


def test_a_payload_store_of_noise(directories: Directories) -> None:
    folder, model = _create(directories)
    path = folder.parent.parent / "lmdb" / "data.mdb"
    path.write_bytes(np.random.default_rng(0).bytes(path.stat().st_size))
    _assert_broken(directories, model, "data.mdb")


def test_a_damaged_vector_is_never_returned(directories: Directories) -> None:
    folder, model = _create(directories, graph=True)
    row = 13
    _flip(folder / "1.vectors", row * ROW_BYTES + 6)
    directories.damage("data")
    report = check(directories.root / "data")
    assert [(problem.file.name, problem.derived) for problem in report.problems] == [("1.vectors", False)]
    assert f"byte {row * ROW_BYTES:,} " in report.problems[0].message
    database = directories.open()
    with database.collection("c").snapshot() as snapshot:
        slots = snapshot.slots_of([12, 13, 14]).astype(np.uint32)
        with pytest.raises(CorruptStore) as caught:
            snapshot.vectors("v", slots)
        assert caught.value.metadata["file"].endswith("1.vectors")
        assert caught.value.metadata["offset"] == str(row * ROW_BYTES)
        present, rows = snapshot.vectors("v", slots[[0, 2]])
        assert present.all()
        assert rows.tolist() == [model[12].vectors["v"].tolist(), model[14].vectors["v"].tolist()]
    _assert_serves(database, "other", model)


def test_a_damaged_payload_is_never_returned(directories: Directories) -> None:
    folder, model = _create(directories)
    path = folder.parent.parent / "lmdb" / "data.mdb"
    wanted = CODEC.encode({"number": 33})
    data = path.read_bytes()
    places = [start for start in range(len(data)) if data.startswith(wanted, start)]
    assert places
    for place in places:
        _flip(path, place + len(wanted) - 1)
    (path.parent / "data.seal").unlink()  # as if the process had been killed
    directories.damage("data")
    problems = check(directories.root / "data").problems
    assert ["checksum" in problem.message and problem.file == path for problem in problems] == [True]
    database = directories.open()
    with database.collection("c").snapshot() as snapshot:
        (slot,) = snapshot.slots_of([33]).tolist()
        with pytest.raises(CorruptStore, match=f"slot {slot}"):
            snapshot.record(slot)
        with pytest.raises(CorruptStore):
            list(snapshot.scan())
        with pytest.raises(CorruptStore):
            list(snapshot.payloads())
        assert snapshot.record(slot - 1).id == 32
    _assert_serves(database, "other", model)


@pytest.mark.parametrize("remains", ["nothing", "an empty file", "no folder"])
def test_a_lost_catalog_takes_no_collection_with_it(remains: str, directories: Directories) -> None:
    _create(directories)
    root = directories.damage("data")
    before = sorted(root.glob("collections/**/*"))
    (root / "catalog" / "data.mdb").unlink()
    if remains == "an empty file":
        (root / "catalog" / "data.mdb").touch()
    if remains == "no folder":
        shutil.rmtree(root / "catalog")
    with pytest.raises(EngineError, match="catalog"):
        check(root)
    with pytest.raises(CorruptStore, match="catalog"):
        Database.open(root, codec=CODEC, settings=QUIET)
    assert sorted(root.glob("collections/**/*")) == before


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "something else",
        *(f"headwater data directory, format {each}" for each in ("x", "0", "00", "-1", "٠", "")),
    ],
)
def test_a_directory_that_does_not_say_its_format(text: str | None, directories: Directories) -> None:
    _create(directories)
    root = directories.damage("data")
    (root / "FORMAT").unlink()
    if text is not None:
        (root / "FORMAT").write_text(text)
    with pytest.raises(CorruptStore, match="FORMAT"):
        Database.open(root, codec=CODEC, settings=QUIET)


# -- formats of the future


def test_a_newer_directory_is_refused(directories: Directories) -> None:
    _create(directories)
    root = directories.damage("data")
    (root / "FORMAT").write_text("headwater data directory, format 2\n")
    with pytest.raises(UnknownFormat):
        Database.open(root, codec=CODEC, settings=QUIET)
    with pytest.raises(UnknownFormat):
        check(root)


def test_a_newer_collection_is_refused(directories: Directories) -> None:
    folder, model = _create(directories)
    directories.damage("data")
    with lmdb.open(str(folder.parent.parent / "lmdb"), max_dbs=10) as env:
        meta = env.open_db(b"meta")
        with env.begin(write=True) as txn:
            txn.put(b"format", struct.pack(">Q", FORMAT_VERSION + 1), db=meta)
    database = directories.open()
    with pytest.raises(UnknownFormat):
        database.collection("c")
    assert database.usage.status("c").state is CollectionState.ERROR
    _assert_serves(database, "other", model)


@pytest.mark.parametrize("number", [0, 2**64 - 1])
def test_a_collection_of_a_format_that_never_was(number: int, directories: Directories) -> None:
    folder, model = _create(directories)
    directories.damage("data")
    with lmdb.open(str(folder.parent.parent / "lmdb"), max_dbs=10) as env:
        meta = env.open_db(b"meta")
        with env.begin(write=True) as txn:
            txn.put(b"format", struct.pack(">Q", number), db=meta)
    problems = check(directories.root / "data").problems
    assert len(problems) == 1
    assert "format version" in problems[0].message
    database = directories.open()
    with pytest.raises(UnknownFormat if number else CorruptStore, match="format version"):
        database.collection("c")
    _assert_serves(database, "other", model)


# -- derived files


def _noise(path: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(path.stat().st_size))


DAMAGES: list[Callable[[Path], None]] = [
    lambda path: path.unlink(),
    lambda path: _flip(path, path.stat().st_size - 30),
    lambda path: _flip(path, 2),
    lambda path: _truncate(path, path.stat().st_size - 1),
    lambda path: _truncate(path, 0),
    _noise,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=["missing", "flipped", "bad head", "short", "empty", "noise"])
def test_a_damaged_index_is_never_used(damage: Callable[[Path], None], directories: Directories) -> None:
    folder, model = _create(directories, graph=True)
    damage(folder / "1.index")
    report = check(directories.root / "data")
    assert [(problem.file.name, problem.derived) for problem in report.problems] == [("1.index", True)]
    database = directories.open()
    collection = database.collection("c")
    assert collection.stats().spaces["v"].segments == 0
    assert blocks_without_graph(collection) == [1]
    _assert_serves(database, "c", model)
    assert attach_graphs(collection) == 1
    _assert_serves(database, "c", model)


def test_a_lost_index_is_built_again_in_the_background(directories: Directories) -> None:
    folder, model = _create(directories, graph=True)
    (folder / "1.index").unlink()
    database = directories.open(settings=StorageSettings())
    collection = database.collection("c")
    wait_until(lambda: collection.stats().spaces["v"].segments == 1)
    wait_until(lambda: collection.stats().spaces["v"].state is SpaceState.READY)
    _assert_serves(database, "c", model)
    directories.close()
    assert directories.open().collection("c").stats().spaces["v"].segments == 1


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


# -- the operating system


def test_a_second_process_is_refused_at_once(directories: Directories) -> None:
    database = directories.open()
    _ = database.create_collection("c", SCHEMA)
    program = (
        "import sys; from pathlib import Path; from storage.database import Database; from storage.errors import *\n"
        "from server.convert.payload import ProtobufPayloadCodec\n"
        "try: Database.open(Path(sys.argv[1]), codec=ProtobufPayloadCodec())\n"
        "except StorageFailed as error: print(error.message)"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program, str(database.path)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert f"pid {os.getpid()}" in done.stdout
    assert time.monotonic() - started < 30
    for refused in (lambda: directories.open(), lambda: check(database.path)):
        with pytest.raises(StorageFailed, match="another process"):
            refused()
    directories.close()
    directories.open()


def test_a_path_that_is_no_folder(directories: Directories) -> None:
    (directories.root / "file").write_text("")
    with pytest.raises(StorageFailed):
        Database.open(directories.root / "file", codec=CODEC)


def test_a_block_that_cannot_be_sealed(directories: Directories) -> None:
    """The file of the next block cannot be made: the write fails whole, reads go on, and opening again repairs."""
    folder, model = _create(directories)
    database = directories.open()
    collection = database.collection("c")
    (folder / "2.vectors").mkdir()
    with pytest.raises(EngineError):
        collection.change_schema(SchemaChange(indexing_threshold=1))
    _assert_serves(database, "c", model)
    assert _entries(collection) == 1
    (folder / "2.vectors").rmdir()
    database.close_collection("c")
    database.open_collection("c")
    collection = database.collection("c")
    _assert_serves(database, "c", model)
    collection.change_schema(SchemaChange(indexing_threshold=1))
    assert _entries(collection) == 2
    _assert_serves(database, "c", model)


def _entries(collection: Collection) -> int:
    with collection.snapshot() as snapshot:
        space = snapshot.spaces["v"]
        assert len(space.manifest.blocks) == len(space.blocks)
        return len(space.blocks)
