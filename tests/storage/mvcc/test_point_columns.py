"""Ids and versions that are remembered are those that LMDB has, in every snapshot, whatever is written meanwhile."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from storage.collection import Collection
from storage.errors import PointNotFound
from storage.mvcc import Snapshot
from storage.mvcc.point_columns import PointColumns
from storage.schema import CollectionSchema, DenseSpace, Distance, PointId
from storage.tables import Reader
from storage.write import ByIds, BySlots, DeletePoints, Operation, SpaceVectors, UpdateVectors, Upsert, WriteResult
from tests.support.directories import CODEC
from tests.support.worlds import open_database

SCHEMA = CollectionSchema(spaces={"": DenseSpace(size=2, distance=Distance.DOT)})
NUMBERS = st.lists(st.integers(0, 30), min_size=1, max_size=6, unique=True)
STEP = st.tuples(st.sampled_from(["put", "put numbers", "update", "delete", "undo", "begin", "end", "read"]), NUMBERS)


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    with open_database(tmp_path_factory.mktemp("columns")) as database:
        yield database.create_collection("points", SCHEMA)


def _ids(numbers: Sequence[int]) -> tuple[PointId, ...]:
    return tuple(number if number % 5 else f"point {number}" for number in numbers)


def _put(ids: Sequence[PointId]) -> Upsert:
    return Upsert(ids=tuple(ids), payloads=[CODEC.encode({})] * len(ids), vectors={"": _vectors(len(ids))})


def _vectors(count: int) -> SpaceVectors:
    return SpaceVectors(np.arange(count), np.ones((count, 2), np.float32))


def _write(collection: Collection, *operations: Operation) -> WriteResult:
    return collection.write(list(operations)).result(timeout=60)


def _step(collection: Collection, what: str, numbers: list[int]) -> None:
    match what:
        case "put":
            _write(collection, _put(_ids(numbers)))
        case "put numbers":
            _write(collection, _put(numbers))
        case "update":  # also writes points that are deleted in the same commit
            _write(collection, _put(numbers), DeletePoints(selector=ByIds(tuple(numbers[:1]))), _put(numbers[1:2]))
        case "delete":
            _write(collection, DeletePoints(selector=ByIds(_ids(numbers))))
        case "undo":
            _undo(collection, numbers)


def _undo(collection: Collection, numbers: list[int]) -> None:
    """Writes in one commit, of which one fails after it changed points."""
    goes_on = threading.Event()

    def nobody(_: Reader) -> NDArray[np.uint32]:
        assert goes_on.wait(timeout=60)
        return np.empty(0, np.uint32)

    lacking = UpdateVectors(ids=("none",), vectors={"": _vectors(1)})
    writes: list[list[Operation]] = [
        [DeletePoints(selector=BySlots(nobody))],
        [_put([93])],
        [_put([*numbers, 90, 91]), lacking],
        [_put([92])],
    ]
    pending = [collection.write(operations) for operations in writes]
    goes_on.set()
    with pytest.raises(PointNotFound):
        pending[2].result(timeout=60)
    assert pending[1].result(timeout=60).seq == pending[3].result(timeout=60).seq


def _is_right(snapshot: Snapshot, slots: NDArray[np.uint32]) -> bool:
    """Whether what is remembered, or read where it is not, is what LMDB has."""
    found = list(snapshot.ids_and_versions(slots))
    expected = list(snapshot.points.columns(slots))
    return _told(found) == _told(expected)


def _told(parts: Sequence[object]) -> list[tuple[PointId, int]]:
    return [pair for part in parts for pair in zip(part.ids(), part.versions.tolist(), strict=True)]  # type: ignore[attr-defined]


@settings(max_examples=40)
@given(st.lists(STEP, max_size=14))
def test_every_snapshot_has_its_versions(collection: Collection, steps: list[tuple[str, list[int]]]) -> None:
    with ExitStack() as opened:
        snapshots: list[Snapshot] = []
        for what, numbers in steps:
            if what == "begin":
                snapshots.append(opened.enter_context(collection.snapshot()))
            elif what == "end" and snapshots:
                snapshots.pop(numbers[0] % len(snapshots)).close()
            else:
                _step(collection, what, numbers)
            with collection.snapshot() as newest:
                for snapshot in (*snapshots, newest, *snapshots):
                    slots = snapshot.all_slots()
                    assert all(_is_right(snapshot, slots[chosen::7]) for chosen in range(7))
                    assert _is_right(snapshot, slots[::-1])


def test_what_was_undone_is_not_remembered(collection: Collection) -> None:
    _write(collection, _put(range(40, 50)))
    _undo(collection, list(range(40, 50)))
    with collection.snapshot() as snapshot:
        assert _is_right(snapshot, snapshot.slots_of(range(40, 50)).astype(np.uint32))


def test_reads_while_points_are_written(collection: Collection) -> None:
    _write(collection, _put(range(1_000, 1_300)))
    stop, wrong = threading.Event(), list[int]()

    def read(seed: int) -> None:
        random = np.random.default_rng(seed)
        while not stop.is_set():
            with collection.snapshot() as snapshot:
                slots = snapshot.all_slots()
                for _ in range(5):
                    if not _is_right(snapshot, random.choice(slots, 20)):
                        wrong.append(snapshot.seq)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    random = np.random.default_rng(9)
    try:
        for _ in range(60):
            _write(collection, _put(random.integers(1_000, 1_400, 30).tolist()))
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=60)
    assert wrong == []


def test_what_a_write_stored_is_remembered(collection: Collection) -> None:
    ids = list(range(5_000, 5_050))
    seq = _write(collection, _put(ids)).seq
    with collection.snapshot() as snapshot:
        slots = snapshot.slots_of(ids).astype(np.uint32)
        [columns] = snapshot.ids_and_versions(slots)
        assert (columns.records, columns.ids()) == (b"", ids), "no record was read"
        assert set(columns.versions.tolist()) == {seq}
        assert snapshot.id_keys(slots[:3]) == [b"\1" + number.to_bytes(8, "big") for number in ids[:3]]


def test_a_snapshot_of_an_older_commit_enters_nothing() -> None:
    columns, slots = PointColumns(), np.arange(3, dtype=np.uint32)
    ids = np.array([7, 8, 9], np.uint64)
    assert columns.find(slots, 9) is None
    columns.enter(slots, np.full(3, 4, np.uint64), ids, 4)
    assert columns.find(slots, 3) is None
    found = columns.find(slots, 4)
    assert found is not None
    assert (found.ids(), found.versions.tolist()) == ([7, 8, 9], [4, 4, 4])
    columns.begin(5, slots[:1])
    for seq in (4, 5):
        assert columns.find(slots, seq) is None
        assert columns.find(slots[1:], seq) is not None
    columns.enter(slots, np.full(3, 4, np.uint64), ids, 4)
    assert columns.find(slots, 5) is None, "the commit has another version of the first"
    columns.enter(slots[:1], np.array([5], np.uint64), ids[:1], 5)
    assert columns.find(slots, 4) is None
    found = columns.find(slots[::-1], 6)
    assert found is not None
    assert found.versions.tolist() == [4, 4, 5]
    assert columns.find(np.array([0, 4_000_000_000], np.uint32), 6) is None
    assert columns.nbytes == 2 * 8 * 1024
