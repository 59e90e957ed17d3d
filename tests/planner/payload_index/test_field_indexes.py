"""Filters match the same points with indexes of payload fields as without, at every commit, and use them."""

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.filtering.match import matching_slots
from planner.payload_index.indexes import SCANS_BEFORE_INDEX, FieldIndexes
from planner.query.filter import AnyOf, Equal, ExceptOf, Filter, IsEmpty, IsNull, Range, TextOperator, TextTest
from planner.resolve.filters import derived_filter
from server.convert.payload import ProtobufPayloadCodec
from storage.budget import UNLIMITED
from storage.collection import Collection
from storage.database import Database
from storage.mvcc.snapshot import Snapshot
from storage.schema import CollectionSchema
from storage.tables.recent_changes import MAX_REMEMBERED, ChangeLog
from storage.write.operations import ByIds, DeletePoints, Operation, Upsert

CODEC = ProtobufPayloadCodec()
LARGE = 2**30

SCALARS = st.sampled_from([0, 1, 1.0, True, False, 2**53 + 1, float(2**53), -1, 0.5, "a", "b", "", "1", None])
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.just({"a": 1}) | st.just([["a"]])
PAYLOADS = st.dictionaries(st.sampled_from(["x", "y"]), VALUES)
OPERANDS = SCALARS.filter(lambda value: value is not None)
NUMBERS = OPERANDS.filter(lambda value: isinstance(value, int | float) and not isinstance(value, bool))
PATHS = st.sampled_from(["x", "y", "x[]", "x.a"])
CONDITIONS = st.one_of(
    st.builds(Equal, PATHS, OPERANDS),
    st.builds(AnyOf, PATHS, st.lists(OPERANDS, max_size=3).map(tuple)),
    st.builds(ExceptOf, PATHS, st.lists(OPERANDS, max_size=3).map(tuple)),
    st.builds(Range, path=PATHS, gte=NUMBERS, lt=NUMBERS | st.none()),
    st.builds(Range, path=PATHS, gt=st.sampled_from(["", "a"])),
    st.builds(TextTest, PATHS, st.just(TextOperator.CONTAINS), st.sampled_from(["a", "1"])),
    st.builds(IsNull, PATHS),
    st.builds(IsEmpty, PATHS),
)
CLAUSE = st.lists(CONDITIONS, max_size=2).map(tuple)
FILTERS = st.builds(Filter, must=CLAUSE, should=CLAUSE, must_not=CLAUSE)
CHANGES = st.dictionaries(st.integers(0, 30), PAYLOADS | st.none(), max_size=6)
"""New payloads by id; None deletes."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(tmp_path / "data", codec=CODEC)
    yield database
    database.close()


_names = (f"c{number}" for number in itertools.count())


def _write(collection: Collection, changes: dict[int, dict[str, object] | None]) -> None:
    ids = tuple(point_id for point_id, payload in changes.items() if payload is not None)
    payloads = tuple(CODEC.encode(payload) for payload in changes.values() if payload is not None)
    gone = tuple(point_id for point_id, payload in changes.items() if payload is None)
    operations: list[Operation] = [DeletePoints(selector=ByIds(gone))]
    if ids:
        operations.append(Upsert(ids=ids, payloads=payloads, vectors={}))
    collection.write(operations).result(timeout=30)


def _matching(reader: Snapshot, filter: Filter, fields: FieldIndexes | None) -> list[int]:
    slots: list[int] = matching_slots(reader, derived_filter(filter), UNLIMITED, fields).tolist()
    return slots


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(CHANGES, st.lists(FILTERS, max_size=3)), min_size=1, max_size=8),
    first=st.dictionaries(st.integers(0, 30), PAYLOADS, min_size=10),
    capacity=st.sampled_from([LARGE, LARGE, 3_000]),
)
def test_the_same_points_match_with_indexes_and_without(
    database: Database,
    steps: list[tuple[dict[int, dict[str, object] | None], list[Filter]]],
    first: dict[int, dict[str, object] | None],
    capacity: int,
) -> None:
    collection = database.create_collection(next(_names), CollectionSchema(spaces={}))
    fields = FieldIndexes(capacity)
    _write(collection, first)
    with collection.snapshot() as old:
        _warm(old, fields)
        for changes, filters in steps:
            _write(collection, changes)
            with collection.snapshot() as new:
                for reader in (new, old):
                    for filter in filters:
                        assert _matching(reader, filter, fields) == _matching(reader, filter, None)


def _warm(reader: Snapshot, fields: FieldIndexes) -> None:
    """Filters on x and y until both have an index, if it fits."""
    for value in range(SCANS_BEFORE_INDEX + 1):
        _matching(reader, Filter(must=(Equal("x", value), Equal("y", value))), fields)


def _filled(database: Database, payloads: Sequence[dict[str, object]]) -> Collection:
    collection = database.create_collection(next(_names), CollectionSchema(spaces={}))
    _write(collection, dict(enumerate(payloads)))
    return collection


def test_a_field_that_is_filtered_often_gets_an_index(database: Database) -> None:
    collection = _filled(database, [{"x": number % 3} for number in range(30)])
    fields, off = FieldIndexes(LARGE), FieldIndexes(0)
    with collection.snapshot() as reader:
        for value in range(SCANS_BEFORE_INDEX):
            _matching(reader, Filter(must=(Equal("x", value),)), fields)
        assert not fields.has(collection.uid, "x")
        _warm(reader, off)
        _warm(reader, fields)
    assert fields.has(collection.uid, "x")
    assert fields.used > 0
    assert (off.used, off.has(collection.uid, "x")) == (0, False)


def test_what_an_index_serves_reads_no_payload(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    collection = _filled(database, [{"x": number % 3, "z": number} for number in range(30)])
    fields = FieldIndexes(LARGE)
    with collection.snapshot() as reader:
        _warm(reader, fields)
        monkeypatch.delattr("storage.tables.reader.Reader.payloads")
        assert len(_matching(reader, Filter(must=(Equal("x", 1),)), fields)) == 10
        assert len(_matching(reader, Filter(must_not=(Equal("x", 1),)), fields)) == 20
        selective = Filter(must=(Equal("x", 7), Range(path="z", gte=5)))
        assert _matching(reader, selective, fields) == []
    _write(collection, {0: {"x": 1}, 40: {"x": 1}, 1: None})
    with collection.snapshot() as reader:
        assert len(_matching(reader, Filter(must=(Equal("x", 1),)), fields)) == 11


def test_an_index_that_does_not_fit_goes(database: Database) -> None:
    collection = _filled(database, [{"x": str(number), "y": number % 2} for number in range(100)])
    fields = FieldIndexes(3_000)
    with collection.snapshot() as reader:
        _warm(reader, fields)
    assert not fields.has(collection.uid, "x")
    assert fields.has(collection.uid, "y")
    assert fields.used <= 3_000


def test_readers_and_writers_at_once(database: Database) -> None:
    collection = _filled(database, [{"x": 0} for _ in range(200)])
    fields = FieldIndexes(LARGE)

    def read(number: int) -> None:
        with collection.snapshot() as reader:
            for value in range(4):
                filter = Filter(must=(Equal("x", value),))
                assert _matching(reader, filter, fields) == _matching(reader, filter, None)

    def change(number: int) -> None:
        _write(collection, {number % 200: {"x": number % 4}})

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(read if number % 3 else change, number) for number in range(300)]:
            done.result()
    assert fields.has(collection.uid, "x")


def test_the_log_of_changes_forgets_the_oldest() -> None:
    log = ChangeLog(5)
    log.add(6, [3, 1, 3])
    log.add(7, [])
    log.add(8, [2])
    assert [log.between(*pair) for pair in ((4, 8), (5, 9))] == [None, None]
    assert [
        found.tolist() for pair in ((5, 8), (6, 8), (5, 6), (8, 8)) if (found := log.between(*pair)) is not None
    ] == [
        [1, 2, 3],
        [2],
        [1, 3],
        [],
    ]
    log.add(9, np.arange(MAX_REMEMBERED).tolist())
    assert log.between(8, 9) is None
