"""Points that are read as columns are those that are read one by one, also where the reply has no room for all."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from planner.execute import POINT_OVERHEAD, Fetched, FetchedColumns, are_columns, fetch, fetch_repeated, fetch_some
from planner.execute.fetched_columns import read_columns, read_repeated_columns, read_some_columns
from planner.query import PayloadSelector, VectorsSelector
from storage.budget import Budget
from storage.collection import Collection
from storage.errors import Cancelled, CorruptStore, ReplyTooLarge
from storage.meter import Meter
from storage.mvcc import Snapshot
from storage.schema import CollectionSchema, DenseSpace, Distance, PointId
from storage.tables import point_table
from storage.write import ByIds, DeletePoints, SpaceVectors, Upsert
from tests.support.worlds import CODEC, open_database

COUNT = 600
WHOLE = PayloadSelector()
SLOTS = st.lists(st.integers(0, COUNT - 1), max_size=300).map(lambda slots: np.array(slots, np.uint32))
ROOM = st.none() | st.integers(0, 40_000)


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    with open_database(tmp_path_factory.mktemp("columns")) as database:
        schema = CollectionSchema(spaces={"": DenseSpace(size=2, distance=Distance.DOT)})
        collection = database.create_collection("points", schema)
        _write(collection, range(COUNT), 1)
        _write(collection, range(0, COUNT, 7), 2)
        yield collection


def _id(number: int) -> PointId:
    return (number, f"point {number}", f"{number:0>512}")[number % 3]


def _write(collection: Collection, numbers: Sequence[int], times: int) -> None:
    payloads = [CODEC.encode({"text": "long " * (number % 50) * times, "times": times}) for number in numbers]
    vectors = SpaceVectors(np.arange(len(numbers)), np.ones((len(numbers), 2), np.float32))
    ids = tuple(map(_id, numbers))
    collection.write([Upsert(ids=ids, payloads=payloads, vectors={"": vectors})]).result(timeout=60)


def _outcome(read: Callable[[Budget], Sequence[Fetched]], room: int | None) -> object:
    """What was read and counted, or the error."""
    budget = Budget(meter=Meter(max_reply=room))
    try:
        return list(read(budget)), budget.meter.reply
    except ReplyTooLarge as error:
        return str(error)


@settings(max_examples=40)
@given(SLOTS, ROOM, st.booleans())
def test_columns_are_the_points(
    collection: Collection, slots: NDArray[np.uint32], room: int | None, whole: bool
) -> None:
    payload = WHOLE if whole else None
    with collection.snapshot() as reader, pytest.MonkeyPatch.context() as patch:
        patch.setattr(point_table, "BYTES_PER_PART", 9_000)

        def columns(read: Callable[..., object], budget: Budget) -> FetchedColumns:
            return FetchedColumns(read(reader, slots, payloads=whole, budget=budget), whole)  # type: ignore[arg-type]

        def plain(budget: Budget) -> list[Fetched]:
            return fetch(reader, slots, payload, None, budget)

        def repeated(budget: Budget) -> list[Fetched]:
            read = partial(fetch, reader, payload=payload, vectors=None, budget=budget)
            return fetch_repeated(slots, read, budget)

        def some(budget: Budget) -> Sequence[Fetched]:
            return fetch_some(reader, slots, payload, None, budget)

        for by_columns, one_by_one in (
            (read_columns, plain),
            (read_repeated_columns, repeated),
            (read_some_columns, some),
        ):
            assert _outcome(partial(columns, by_columns), room) == _outcome(one_by_one, room)
        assert reader.point_ids(slots) == [reader.record(slot).id for slot in slots.tolist()]


@pytest.mark.parametrize("by", [-1, 0, 1])
def test_a_reply_is_full_to_the_byte(collection: Collection, by: int) -> None:
    slots = np.arange(301, 308, dtype=np.uint32)
    with collection.snapshot() as reader:
        room = sum(POINT_OVERHEAD + len(reader.record(slot).payload) for slot in slots.tolist()[:4]) + by
        budget = Budget(meter=Meter(max_reply=room))
        found = read_some_columns(reader, slots, payloads=True, budget=budget)
        assert (len(found), budget.meter.reply <= room) == (3 if by < 0 else 4, True)


def test_a_snapshot_has_its_versions_and_payloads(collection: Collection) -> None:
    slots = np.arange(10, dtype=np.uint32)
    with collection.snapshot() as before:
        old = _all(before, slots)
        _write(collection, range(10), 3)
        collection.write([DeletePoints(selector=ByIds((_id(5),)))]).result(timeout=60)
        with collection.snapshot() as after:
            new = _all(after, np.delete(slots, 5))
        assert _all(before, slots) == old
        assert {point.version for point in new} == {before.seq + 1}
        assert max(point.version for point in old) <= before.seq
        with collection.snapshot() as after, pytest.raises(CorruptStore, match="slot 5: the record is missing"):
            read_columns(after, slots, payloads=True, budget=Budget())


def _all(reader: Snapshot, slots: NDArray[np.uint32]) -> list[Fetched]:
    return list(FetchedColumns(read_columns(reader, slots, payloads=True, budget=Budget()), True))


def test_reading_is_cancelled(collection: Collection) -> None:
    asked: list[bool] = []

    def is_cancelled() -> bool:
        asked.append(True)
        return len(asked) > 1

    slots = np.tile(np.arange(200, 300, dtype=np.uint32), 3)
    with collection.snapshot() as reader, pytest.raises(Cancelled):
        read_columns(reader, slots, payloads=False, budget=Budget(is_cancelled=is_cancelled))


def test_what_is_read_as_columns() -> None:
    assert are_columns(None, None)
    assert are_columns(WHOLE, None)
    assert not are_columns(PayloadSelector(include=("a",)), None)
    assert not are_columns(PayloadSelector(include=()), None)
    assert not are_columns(PayloadSelector(exclude=("a",)), None)
    assert not are_columns(WHOLE, VectorsSelector())


def test_columns_look_like_a_list(collection: Collection) -> None:
    with collection.snapshot() as reader:
        columns = read_columns(reader, np.arange(20, 24, dtype=np.uint32), payloads=False, budget=Budget())
    points = FetchedColumns(columns, False)
    assert points == list(points)
    assert points[1:] == list(points)[1:]
    assert points[-1].id == _id(23)
    assert repr(points) == repr(list(points))
    assert (len(points), points[0].payload) == (4, None)
