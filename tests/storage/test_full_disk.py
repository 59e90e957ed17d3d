"""A disk that fills up: writes are refused, nothing acknowledged is lost, reads go on, and it recovers with room.

The disk is a small file system in memory, which only root may mount; elsewhere these tests are skipped.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import storage.maintenance.attempts
from storage.check import check
from storage.collection import Collection
from storage.database import Database
from storage.errors import StorageFull
from storage.maintenance.attempts import MAX_ATTEMPTS
from storage.maintenance.tasks import Task
from storage.phases import Phase
from storage.schema import CollectionSchema, DenseSpace, Distance, SchemaChange
from storage.schema.stats import SpaceState
from storage.settings import StorageSettings
from storage.write.operations import ByIds, DeletePoints, Upsert
from tests.storage.builds import builds, wait_until
from tests.storage.model import Model, Point, applied, assert_holds, upsert, write
from tests.support.directories import CODEC, QUIET
from tests.support.held import held_writer

DISK_BYTES = 5 * 2**19
SIZE = 512
SCHEMA = CollectionSchema(spaces={"v": DenseSpace(size=SIZE, distance=Distance.EUCLID)}, indexing_threshold=150)
QUERIES = {"v": [np.ones(SIZE, np.float32)]}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of DISK_BYTES; the data directory in it is verified at the end."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a file system is not permitted here")
    try:
        yield folder
        assert [str(problem) for problem in check(folder / "data").problems] == []
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def ballast(disk: Path) -> Path:
    """A file that takes half of the disk; removing it makes room."""
    path = disk / "ballast"
    path.write_bytes(bytes(DISK_BYTES // 2))
    return path


def _open(disk: Path, *, background: bool = False) -> Database:
    return Database.open(disk / "data", codec=CODEC, settings=StorageSettings(background=True) if background else QUIET)


def _batch(first: int, count: int, payload_bytes: int) -> Upsert:
    random = np.random.default_rng(first)
    return upsert(
        [
            (number, Point({"text": "x" * payload_bytes}, {"v": random.integers(-9, 10, SIZE).astype(np.float32)}))
            for number in range(first, first + count)
        ]
    )


def _fill(collection: Collection, model: Model, *, payload_bytes: int) -> int:
    """Writes until the disk is full, in ever smaller batches; returns the next free id. Adds to `model`."""
    first = 0 if not model else 1 + max(key for key in model if isinstance(key, int))
    for count in (40, 5, 1):
        while True:
            batch = _batch(first, count, payload_bytes)
            try:
                write(collection, batch)
            except StorageFull:
                break
            model.update(applied({}, [batch]))
            first += count
    return first


def _take_all_room(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def _assert_holds(collection: Collection, model: Model) -> None:
    with collection.snapshot() as snapshot:
        assert_holds(snapshot, model, QUERIES)


@pytest.mark.parametrize("payload_bytes", [10, 4000], ids=["of vectors", "of payloads"])
def test_a_full_disk_refuses_writes_and_loses_nothing(payload_bytes: int, disk: Path, ballast: Path) -> None:
    database = _open(disk)
    collection = database.create_collection("c", SCHEMA)
    model: Model = {}
    first = _fill(collection, model, payload_bytes=payload_bytes)
    assert len(model) > 50
    for attempt in range(5):
        with pytest.raises(StorageFull, match="no space left"):
            write(collection, _batch(first, 50 + attempt, 50_000))
        _assert_holds(collection, model)
    ballast.unlink()
    more = _batch(first, 60, payload_bytes)
    write(collection, more, DeletePoints(selector=ByIds((3,))))
    model = applied(model, [more, DeletePoints(selector=ByIds((3,)))])
    _assert_holds(collection, model)
    _fill(collection, model, payload_bytes=payload_bytes)
    _assert_holds(collection, model)
    database.close()
    database = _open(disk)  # while it is full
    _assert_holds(database.collection("c"), model)
    database.close()


def test_a_large_write_that_does_not_fit_takes_no_small_one_with_it(disk: Path) -> None:
    database = _open(disk)
    collection = database.create_collection("c", SCHEMA)
    small = [_batch(number, 1, 10) for number in range(3)]
    with held_writer(collection):
        futures = [collection.write([small[0]]), collection.write([small[1]])]
        large = collection.write([_batch(100, 100, 2 * DISK_BYTES // 100)])
        futures.append(collection.write([small[2]]))
    with pytest.raises(StorageFull):
        large.result(timeout=60)
    for future in futures:
        future.result(timeout=60)
    _assert_holds(collection, applied({}, small))
    database.close()


def test_a_collection_that_finds_no_room_is_not_there(disk: Path, ballast: Path) -> None:
    database = _open(disk)
    model: Model = {}
    collection = database.create_collection("c", SCHEMA)
    _fill(collection, model, payload_bytes=2000)
    _take_all_room(disk / "filler")
    with pytest.raises(StorageFull):
        database.create_collection("new", SCHEMA)
    assert database.names.collections() == ["c"]
    assert len(list((disk / "data" / "collections").iterdir())) == 1
    _assert_holds(collection, model)
    ballast.unlink()
    write(database.create_collection("new", SCHEMA), _batch(0, 10, 10))
    assert database.names.collections() == ["c", "new"]
    database.close()


@pytest.mark.parametrize("kind", ["build", pytest.param("vacuum", marks=pytest.mark.slow)])
def test_work_that_finds_no_room_waits_for_it(kind: str, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long: these failures are not counted."""
    monkeypatch.setattr(storage.maintenance.attempts, "FULL_RETRY_SECONDS", 0.1)
    database = _open(disk, background=True)
    collection = database.create_collection("c", CollectionSchema(spaces=SCHEMA.spaces))
    model: Model = {}
    for first in range(0, 300, 100):
        batch = _batch(first, 100, 10)
        write(collection, batch)
        model.update(applied({}, [batch]))
    if kind == "vacuum":
        collection.change_schema(SchemaChange(indexing_threshold=300))
        wait_until(lambda: collection.stats().spaces["v"].segments == 1)
    ballast = disk / "ballast"
    _take_all_room(ballast)
    with ballast.open("r+b") as file:
        file.truncate(ballast.stat().st_size - 200_000)  # room for commits, and for no file
    if kind == "vacuum":
        deletion = DeletePoints(selector=ByIds(tuple(range(100))))
        write(collection, deletion)
        model = applied(model, [deletion])
    else:
        collection.change_schema(SchemaChange(indexing_threshold=300))
    wait_until(lambda: collection.stats().spaces["v"].state is SpaceState.ERROR)
    assert "no space left" in collection.work.failures[1]
    wait_until(lambda: len(_failed(database)) > MAX_ATTEMPTS)
    assert all(task.kind.value == kind and "no space left" in task.error for task in _failed(database))
    folder = disk / "data" / "collections" / collection.uid / "spaces" / "1"
    wait_until(lambda: not builds())
    assert len(list(folder.iterdir())) <= 3, "what failed takes no room"
    _assert_holds(collection, model)
    ballast.unlink()
    wait_until(lambda: collection.stats().spaces["v"].state is SpaceState.READY)
    stats = collection.stats().spaces["v"]
    assert (stats.segments, stats.deleted_vectors) == (1, 0)
    _assert_holds(collection, model)
    database.close()


def _failed(database: Database) -> list[Task]:
    return [task for task in database.maintenance.tasks.all(database.names.uid("c")) if task.phase is Phase.FAILED]
