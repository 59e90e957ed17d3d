"""The writer: shared commits, failures that stay alone, bounds on what waits, and what a lack of room does."""

import resource
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from storage.budget import Budget
from storage.collection import Collection
from storage.errors import (
    CollectionClosed,
    DeadlineExceeded,
    DimensionMismatch,
    PointNotFound,
    ShuttingDown,
    SpaceAlreadyExists,
    SpaceNotFound,
    StorageFailed,
    StorageFull,
    TooManyWrites,
)
from storage.schema import CollectionSchema, DenseSpace, Distance, SchemaChange
from storage.settings import StorageSettings
from storage.tables.reader import Reader
from storage.write import wait_for
from storage.write.operations import ByIds, BySlots, ChangePayload, DeletePoints, DeleteVectors, Upsert
from tests.storage.model import Model, Payload, Point, applied, assert_holds, update_vectors, upsert, write
from tests.support.directories import Directories
from tests.support.held import held_writer

SCHEMA = CollectionSchema(spaces={"v": DenseSpace(size=4, distance=Distance.EUCLID)})
QUERIES = {"v": [np.array([1, 2, 3, 4], np.float32)]}


def _point(number: int, text: str = "") -> Point:
    return Point({"number": number, "text": text}, {"v": np.array([number, 1, 2, -number], np.float32)})


def _assert_holds(collection: Collection, model: Model) -> None:
    with collection.snapshot() as snapshot:
        assert_holds(snapshot, model, QUERIES)


def test_concurrent_writers_share_commits(directories: Directories) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    with held_writer(collection):
        threads = [threading.Thread(target=write, args=(collection, upsert([(n, _point(n))]))) for n in range(40)]
        for thread in threads:
            thread.start()
        while collection.waiting_writes < len(threads):
            pass
    for thread in threads:
        thread.join()
    assert collection.seq == 2  # the one that held the writer, and one more
    _assert_holds(collection, {number: _point(number) for number in range(40)})


def test_results_tell_the_commit_and_what_changed(directories: Directories) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    first = write(collection, upsert([(1, _point(1)), (2, _point(2)), (1, _point(3))]))
    assert (first.seq, first.affected) == (1, (2,))
    second = write(
        collection,
        DeletePoints(selector=ByIds((2, 2, 99))),
        update_vectors([(1, {"v": np.zeros(4, np.float32)}), (1, {"v": np.ones(4, np.float32)})]),
        ChangePayload(selector=ByIds((1, 1)), change=lambda payload: {**payload, "new": True}),
        DeleteVectors(selector=ByIds((1,)), spaces=("v", "v")),
        DeleteVectors(selector=ByIds((1,)), spaces=("v",)),
    )
    assert (second.seq, second.affected) == (2, (1, 1, 1, 1, 0))
    assert collection.flush() == 2
    _assert_holds(collection, {1: Point({"number": 3, "text": "", "new": True})})


def test_a_failing_write_disturbs_no_other(directories: Directories) -> None:
    """Of writes that share a commit some fail after they have changed much; they leave nothing."""
    collection = directories.open().create_collection("c", SCHEMA)
    write(collection, upsert([(0, _point(0)), (1, _point(1))]))
    missing = ChangePayload(selector=ByIds((404,)), change=lambda payload: payload)
    with held_writer(collection):
        good = [collection.write([upsert([(number, _point(number))])]) for number in (2, 3)]
        bad = collection.write(
            [
                upsert([(number, _point(70)) for number in range(1, 60)]),
                DeletePoints(selector=ByIds((0, 2))),
                update_vectors([(1, {"v": np.zeros(4, np.float32)})]),
                missing,
            ]
        )
        good.append(collection.write([DeletePoints(selector=ByIds((2,))), upsert([(4, _point(4)), (1, _point(8))])]))
    assert [future.result(30).seq for future in good] == [3, 3, 3]
    error = bad.exception(30)
    assert isinstance(error, PointNotFound)
    assert error.ids == (404,)
    model: Model = {0: _point(0), 1: _point(8), 3: _point(3), 4: _point(4)}
    _assert_holds(collection, model)
    alone = collection.write([upsert([(9, _point(9))]), missing])
    assert isinstance(alone.exception(30), PointNotFound)
    assert collection.seq == 3
    _assert_holds(collection, model)


def _explode(reader: Reader) -> NDArray[np.uint32]:
    raise ValueError("a bug")


def _explode_too(payload: Payload) -> Payload:
    raise KeyError("another bug")


@pytest.mark.parametrize("together", [False, True])
def test_a_bug_in_a_callback_fails_its_write_only(together: bool, directories: Directories) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    write(collection, upsert([(1, _point(1))]))
    with held_writer(collection):
        first = collection.write([upsert([(5, _point(5))]), DeletePoints(selector=BySlots(_explode))])
        others = [collection.write([upsert([(2, _point(2))])]) for _ in range(3 if together else 0)]
        second = collection.write([ChangePayload(selector=ByIds((1,)), change=_explode_too)])
    assert isinstance(first.exception(30), ValueError)
    assert isinstance(second.exception(30), KeyError)
    for future in others:
        future.result(30)
    write(collection, upsert([(2, _point(2))]))
    _assert_holds(collection, {1: _point(1), 2: _point(2)})


def test_a_cancelled_write_is_not_applied(directories: Directories) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    with held_writer(collection):
        given_up = collection.write([upsert([(1, _point(1))])])
        kept = collection.write([upsert([(2, _point(2))])])
        assert given_up.cancel()
        late = collection.write([upsert([(3, _point(3))])])
        with pytest.raises(DeadlineExceeded):
            wait_for(late, Budget.of_seconds(0.01))
        with pytest.raises(DeadlineExceeded):
            collection.flush(Budget.of_seconds(0.01))
        with pytest.raises(DeadlineExceeded):
            collection.change_schema(SchemaChange(drop=("v",)), Budget.of_seconds(0.01))
    kept.result(30)
    _assert_holds(collection, {2: _point(2)})


def test_a_passed_deadline_queues_nothing(directories: Directories) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    with pytest.raises(DeadlineExceeded):
        collection.write([upsert([(1, _point(1))])], Budget.of_seconds(0))
    assert collection.flush() == 0


@pytest.mark.parametrize(
    "settings",
    [
        StorageSettings(background=False, max_pending_writes=3),
        StorageSettings(background=False, max_pending_bytes=3 * 600),
    ],
    ids=["writes", "bytes"],
)
def test_too_many_writes(settings: StorageSettings, directories: Directories) -> None:
    collection = directories.open(settings=settings).create_collection("c", SCHEMA)
    text = "x" * 512
    with held_writer(collection):
        futures = [collection.write([upsert([(number, _point(number, text))])]) for number in range(3)]
        for _ in range(2):
            with pytest.raises(TooManyWrites):
                collection.write([upsert([(9, _point(9, text))])])
        with pytest.raises(DeadlineExceeded):  # a barrier is taken, it only waits
            collection.flush(Budget.of_seconds(0.01))
    for future in futures:
        future.result(30)
    write(collection, upsert([(3, _point(3, text))]))
    _assert_holds(collection, {number: _point(number, text) for number in range(4)})


def test_a_write_larger_than_the_queue_is_taken_alone(directories: Directories) -> None:
    settings = StorageSettings(background=False, max_pending_bytes=100)
    collection = directories.open(settings=settings).create_collection("c", SCHEMA)
    write(collection, upsert([(1, _point(1, "x" * 5000))]))
    _assert_holds(collection, {1: _point(1, "x" * 5000)})


def test_changes_of_the_schema_take_their_turn(directories: Directories) -> None:
    """A write that waits behind a change that makes it impossible fails, and the rest goes on."""
    collection = directories.open().create_collection("c", SCHEMA)
    write(collection, upsert([(1, _point(1))]))
    drops: list[object] = []
    with held_writer(collection):
        before = collection.write([upsert([(2, _point(2))])])
        changing = threading.Thread(
            target=lambda: drops.append(collection.change_schema(SchemaChange(drop=("v",))).spaces)
        )
        changing.start()
        while collection.waiting_writes < 2:
            pass
        after = collection.write([DeletePoints(selector=ByIds((1,))), upsert([(3, _point(3))])])
        payload_only = collection.write([upsert([(4, Point({"number": 4}))])])
    changing.join(30)
    assert drops == [{}]
    assert before.result(30).seq == 3
    assert isinstance(after.exception(30), SpaceNotFound)
    assert payload_only.result(30).seq == 5
    collection.change_schema(SchemaChange(add={"v": DenseSpace(size=2)}))
    with held_writer(collection):
        wrong_size = collection.write([upsert([(3, _point(3))])])
    assert isinstance(wrong_size.exception(30), DimensionMismatch)
    with collection.snapshot() as snapshot:
        assert [record.id for record in snapshot.scan()] == [1, 2, 4]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (SchemaChange(drop=("v", "nothing")), SpaceNotFound),
        (SchemaChange(add={"new": DenseSpace(size=1), "v": DenseSpace(size=1)}), SpaceAlreadyExists),
    ],
    ids=["drop", "add"],
)
def test_a_change_of_the_schema_is_all_or_nothing(
    change: SchemaChange, error: type[Exception], directories: Directories
) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    write(collection, upsert([(1, _point(1))]))
    with pytest.raises(error):
        collection.change_schema(change)
    assert set(collection.schema.dense) == {"v"}
    _assert_holds(collection, {1: _point(1)})


def test_closing_commits_what_waits(directories: Directories) -> None:
    database = directories.open()
    collection = database.create_collection("c", SCHEMA)
    with held_writer(collection):
        futures = [collection.write([upsert([(number, _point(number))])]) for number in range(5)]
        closing = threading.Thread(target=database.close)
        closing.start()
    closing.join(30)
    assert [future.result(0).seq for future in futures] == [2] * 5
    with pytest.raises(CollectionClosed):
        collection.write([upsert([(9, _point(9))])])
    with pytest.raises(ShuttingDown):
        database.collection("c")
    _assert_holds(directories.open().collection("c"), {number: _point(number) for number in range(5)})


TINY = StorageSettings(background=False, map_size=2**20)
LARGE_TEXT = "x" * 5000


def _fill(collection: Collection, model: Model) -> None:
    """Writes until there is no room; the model then holds what was acknowledged."""
    for number in range(10_000):
        change = upsert([(number, _point(number, LARGE_TEXT))])
        try:
            write(collection, change)
        except StorageFull:
            return
        model.update(applied({}, [change]))
    pytest.fail("the map is never full")


def test_a_full_map_loses_nothing(directories: Directories) -> None:
    collection = directories.open(settings=TINY).create_collection("c", SCHEMA)
    model: Model = {}
    _fill(collection, model)
    assert len(model) > 50
    _assert_holds(collection, model)
    directories.crash("data", "crashed")
    directories.close()
    for folder in ("data", "crashed"):
        collection = directories.open(folder, StorageSettings(background=False, map_size=2**24)).collection("c")
        _assert_holds(collection, model)
        write(collection, upsert([(10**6, _point(1, LARGE_TEXT))]))
        _assert_holds(collection, {**model, 10**6: _point(1, LARGE_TEXT)})


def test_a_full_map_still_takes_small_writes_and_deletes(directories: Directories) -> None:
    """Deleting must be possible without room, and makes room."""
    collection = directories.open(settings=TINY).create_collection("c", SCHEMA)
    model: Model = {}
    _fill(collection, model)
    with held_writer(collection):
        large = collection.write([upsert([(10**6 + n, _point(n, LARGE_TEXT)) for n in range(50)])])
        small = collection.write([DeletePoints(selector=ByIds((0,)))])
        change = ChangePayload(selector=ByIds((1,)), change=lambda payload: {"number": -1})
        change_small = collection.write([change])
    assert isinstance(large.exception(30), StorageFull)
    small.result(30)
    change_small.result(30)
    model = applied(model, [DeletePoints(selector=ByIds((0,))), change])
    _assert_holds(collection, model)
    ids = tuple(range(len(model) // 2, len(model)))
    for point_id in ids:
        write(collection, DeletePoints(selector=ByIds((point_id,))))
    model = applied(model, [DeletePoints(selector=ByIds(ids))])
    for number in range(10):
        write(collection, upsert([(10**6 + number, _point(number, LARGE_TEXT))]))
    model |= {10**6 + number: _point(number, LARGE_TEXT) for number in range(10)}
    _assert_holds(collection, model)


@pytest.mark.slow
def test_a_full_map_takes_no_half_change_of_the_schema(directories: Directories) -> None:
    collection = directories.open(settings=TINY).create_collection("c", SCHEMA)
    model: Model = {}
    _fill(collection, model)
    many = {f"space {number}": DenseSpace(size=3) for number in range(200)}
    with pytest.raises(StorageFull):
        collection.change_schema(SchemaChange(add=many, drop=("v",), indexing_threshold=1))
    assert collection.schema.indexing_threshold == SCHEMA.indexing_threshold
    _assert_holds(collection, model)
    collection.change_schema(SchemaChange(add={"w": DenseSpace(size=1)}))
    change = update_vectors([(30, {"w": np.array([7], np.float32)})])
    write(collection, change)
    model = applied(model, [change])
    directories.close()
    collection = directories.open(settings=TINY).collection("c")
    assert set(collection.schema.dense) == {"v", "w"}
    with collection.snapshot() as snapshot:
        assert_holds(snapshot, model, {**QUERIES, "w": [np.array([1], np.float32)]})


@contextmanager
def _files_bounded(limit: int) -> Iterator[None]:
    """No file of this process can grow beyond `limit` bytes: writes fail as on a broken device."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def _wide(numbers: Sequence[int], size: int) -> Upsert:
    vectors = {"v": np.full(size, 1, np.float32)}
    return upsert([(number, Point({}, {"v": vectors["v"] * number})) for number in numbers])


def test_a_failing_disk_stops_writes_and_not_reads(directories: Directories, tmp_path: Path) -> None:
    size = 1024
    schema = CollectionSchema(spaces={"v": DenseSpace(size=size, distance=Distance.DOT)})
    queries = {"v": [np.full(size, 1, np.float32)]}
    database = directories.open()
    collection = database.create_collection("c", schema)
    other = database.create_collection("other", SCHEMA)
    write(collection, _wide(range(100), size))
    model = applied({}, [_wide(range(100), size)])
    with _files_bounded(256 * size * 4 + 1000), pytest.raises(StorageFailed):
        write(collection, DeletePoints(selector=ByIds((1,))), _wide(range(50, 400), size))
    with pytest.raises(StorageFailed):
        write(collection, DeletePoints(selector=ByIds((2,))))
    write(other, upsert([(1, _point(1))]))
    with collection.snapshot() as snapshot:
        assert_holds(snapshot, model, queries)
    database.close_collection("c")
    database.open_collection("c")
    collection = database.collection("c")
    write(collection, _wide(range(90, 300), size))
    with collection.snapshot() as snapshot:
        assert_holds(snapshot, applied(model, [_wide(range(90, 300), size)]), queries)
