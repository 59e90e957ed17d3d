"""Clones and snapshots beside work that replaces files: a copy has every index that its manifest names."""

import threading
from pathlib import Path

import numpy as np
import pytest

from storage.backup.streams import open_files
from storage.budget import UNLIMITED
from storage.check import check
from storage.collection import Collection
from storage.database import Database
from storage.mvcc.snapshot import Snapshot
from storage.schema import CollectionSchema, DenseSpace, Distance, SchemaChange
from storage.settings import StorageSettings
from storage.write.operations import ByIds, DeletePoints
from tests.storage.model import Point, upsert, write
from tests.support.directories import CODEC

SCHEMA = CollectionSchema(spaces={"v": DenseSpace(size=4, distance=Distance.EUCLID)}, indexing_threshold=50)


def _fill(database: Database) -> Collection:
    collection = database.create_collection("c", SCHEMA)
    _add(collection, 0, 130)
    database.maintenance.wait_until_idle(collection, UNLIMITED)
    return collection


def _add(collection: Collection, start: int, stop: int) -> None:
    vectors = np.random.default_rng(start).standard_normal((stop - start, 4), np.float32)
    write(collection, upsert([(n, Point({}, {"v": row})) for n, row in zip(range(start, stop), vectors, strict=True)]))


def _rebuild(database: Database, collection: Collection) -> None:
    database.maintenance.tasks.wait(database.maintenance.rebuild(collection), UNLIMITED)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database.open(tmp_path / "data", codec=CODEC, settings=StorageSettings(background=True))


def _named(collection: Collection) -> list[str]:
    """The indexes that the manifest names, all of which must be there."""
    with collection.snapshot() as snapshot:
        space = snapshot.spaces["v"]
        folder = space.blocks[0].block.path.parent
        names = [entry.index.name for entry in space.manifest.blocks if entry.index is not None]
    assert all((folder / name).exists() for name in names)
    return names


def test_a_copy_begins_again_when_a_file_was_replaced(database: Database) -> None:
    """Between pinning a commit and opening its files, the index that it names is replaced."""
    collection = _fill(database)
    begun: list[tuple[int, int]] = []

    def begin() -> Snapshot:
        snapshot = collection.snapshot()
        begun.append((snapshot.seq, snapshot.generation))
        if len(begun) == 1:
            _rebuild(database, collection)
        return snapshot

    with open_files(begin, UNLIMITED) as files:
        assert files.missing == []
        assert (
            len([stream for stream in files.streams if stream.name.endswith(".index")]) == len(_named(collection)) > 0
        )
        assert begun[-1] > begun[0]
    database.close()


@pytest.mark.parametrize("how", ["clone", "snapshot"])
def test_an_index_that_is_missing_is_not_named(how: str, database: Database) -> None:
    collection = _fill(database)
    assert _named(collection)
    with collection.snapshot() as snapshot:
        folder = snapshot.spaces["v"].blocks[0].block.path.parent
    for path in folder.glob("*.index"):
        path.unlink()
    collection.change_schema(SchemaChange(auto_index=False))
    if how == "clone":
        copy = database.clone_collection("c", "copy", UNLIMITED)
    else:
        database.snapshots.create(collection, "s", UNLIMITED)
        copy = database.restore_snapshot("c", "s", "copy", UNLIMITED)
    assert _named(copy) == []
    root, uid = database.path, copy.uid
    database.close()
    problems = check(root).problems
    assert problems
    assert not [problem for problem in problems if uid in str(problem.file)]


@pytest.mark.parametrize("rounds", [6, pytest.param(60, marks=pytest.mark.slow)])
def test_copies_beside_rebuilds_merges_and_vacuums(
    rounds: int, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    collection = _fill(database)
    stopping = threading.Event()

    def change() -> None:
        number = 200
        while not stopping.is_set():
            _add(collection, number, number + 40)
            write(collection, DeletePoints(selector=ByIds(tuple(range(number - 60, number)))))
            _rebuild(database, collection)
            number += 40

    worker = threading.Thread(target=change)
    worker.start()
    try:
        for number in range(rounds):
            _named(database.clone_collection("c", f"clone {number}", UNLIMITED))
            database.snapshots.create(collection, f"s{number}", UNLIMITED)
            _named(database.restore_snapshot("c", f"s{number}", f"restored {number}", UNLIMITED))
    finally:
        stopping.set()
        worker.join()
    root = database.path
    database.close()
    assert [str(problem) for problem in check(root).problems] == []
    assert "cannot be read" not in caplog.text
