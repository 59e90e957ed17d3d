"""Declared indexes: filters and orders mean the same with them as without, whatever is declared or written when."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.bind.stages import bind
from planner.engine import Engine
from planner.filtering.match import matching_slots
from planner.payload_index.answers import serve
from planner.payload_index.columns import column_of
from planner.payload_index.index import build_index
from planner.payload_index.indexes import FieldIndexes, IndexState
from planner.predicate.instants import instant_of
from planner.predicate.reports import ServedBy
from planner.query.filter import Equal, ExceptOf, Exists, Filter, PayloadCondition, Range, TextOperator, TextTest
from planner.query.query import OrderBy, Query, Rrf, Stage
from planner.rank.by_field import ByField, order_by_field
from planner.resolve.filters import derived_filter
from planner.resolve.stored_vectors import VectorSource
from server.convert.payload import ProtobufPayloadCodec
from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.database import Database
from storage.errors import Cancelled, DeadlineExceeded, FieldIndexAlreadyExists, InvalidRequest, LimitExceeded
from storage.mvcc.snapshot import Snapshot
from storage.schema import CollectionSchema, PointId, SchemaChange
from storage.schema.payload_schema import MAX_FIELD_INDEXES, FieldIndexParams, FieldType
from storage.write.operations import ByIds, DeletePoints, Upsert
from tests.planner.payload_index.dense_values import DENSE_CONDITIONS, DENSE_VALUES, NUMBERS, STRINGS
from tests.support.ids import id_order
from tests.support.oracle.query import Point, World, matching
from tests.support.strategies import FILTERS, IDS, PATHS, random_world

CODEC = ProtobufPayloadCodec()
KEYWORD = FieldIndexParams(FieldType.KEYWORD)
FLOAT = FieldIndexParams(FieldType.FLOAT)

Payloads = dict[PointId, dict[str, object]]
Step = tuple[str, object, object]
"""What is done, and with what."""
STEPS = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 2**32), st.integers(1, 30)),
    st.tuples(st.just("delete"), st.integers(0, 2**32), st.integers(1, 10)),
    st.tuples(st.just("declare"), PATHS, st.sampled_from(FieldType)),
    st.tuples(st.just("undeclare"), PATHS, st.none()),
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(tmp_path / "data", codec=CODEC)
    yield database
    database.close()


@pytest.fixture
def make(database: Database) -> Callable[..., Collection]:
    def make(payloads: Mapping[PointId, dict[str, object]], **fields: FieldType) -> Collection:
        number = len(database.names.collections())
        declared = {path: FieldIndexParams(kind) for path, kind in fields.items()}
        collection = database.create_collection(f"c{number}", CollectionSchema(spaces={}, field_indexes=declared))
        write(collection, payloads)
        return collection

    return make


def write(collection: Collection, payloads: Mapping[PointId, dict[str, object]]) -> None:
    if payloads:
        encoded = tuple(CODEC.encode(payload) for payload in payloads.values())
        collection.write([Upsert(ids=tuple(payloads), payloads=encoded, vectors={})]).result(timeout=30)


def delete(collection: Collection, *ids: PointId) -> None:
    collection.write([DeletePoints(selector=ByIds(ids))]).result(timeout=30)


def declare(collection: Collection, path: str, params: FieldIndexParams) -> None:
    collection.change_schema(SchemaChange(create_fields={path: params}))


def found(reader: Snapshot, filter: Filter, fields: FieldIndexes | None) -> list[PointId]:
    return sorted(reader.point_ids(matching_slots(reader, derived_filter(filter), UNLIMITED, fields)), key=id_order)


def apply_step(collection: Collection, fields: FieldIndexes, stored: Payloads, step: Step) -> None:
    kind, what, more = step
    if kind in ("declare", "undeclare"):
        path = str(what)
        collection.change_schema(SchemaChange(delete_fields=(path,)))
        fields.forget(collection.uid, path)
        if isinstance(more, FieldType):
            declare(collection, path, FieldIndexParams(more))
        return
    assert isinstance(what, int)
    assert isinstance(more, int)
    if kind == "write":
        fresh = {key: point.payload for key, point in list(random_world(what).points.items())[:more]}
        write(collection, fresh)
        stored.update(fresh)
    else:
        gone = Random(what).sample(IDS, more)
        delete(collection, *gone)
        for key in gone:
            stored.pop(key, None)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.dictionaries(PATHS, st.sampled_from(FieldType), max_size=3),
    seed=st.integers(0, 2**32),
    steps=st.lists(st.tuples(STEPS, st.lists(FILTERS, min_size=1, max_size=3)), min_size=1, max_size=6),
)
def test_filters_mean_the_same_whatever_is_declared_and_when(
    make: Callable[..., Collection],
    first: dict[str, FieldType],
    seed: int,
    steps: list[tuple[Step, list[Filter]]],
) -> None:
    stored: Payloads = {key: point.payload for key, point in random_world(seed).points.items()}
    collection, fields = make(stored, **first), FieldIndexes(0)
    with collection.snapshot() as old:
        before = World({key: Point(payload, {}) for key, payload in stored.items()}, {})
        for step, filters in steps:
            apply_step(collection, fields, stored, step)
            now = World({key: Point(payload, {}) for key, payload in stored.items()}, {})
            with collection.snapshot() as new:
                for filter in filters:
                    assert found(new, filter, fields) == matching(now, filter)
                    assert found(old, filter, fields) == matching(before, filter)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(DENSE_VALUES | st.lists(DENSE_VALUES, max_size=3), min_size=1, max_size=25),
    kind=st.sampled_from(FieldType),
    conditions=st.lists(DENSE_CONDITIONS, min_size=1, max_size=5),
)
def test_rounding_and_bounds_never_show(
    make: Callable[..., Collection], values: list[object], kind: FieldType, conditions: list[PayloadCondition]
) -> None:
    collection, fields = make({number: {"x": value} for number, value in enumerate(values)}, x=kind), FieldIndexes(0)
    with collection.snapshot() as reader:
        for condition in conditions:
            filter = derived_filter(Filter(must=(condition,)))
            served = serve(fields, reader, [condition], UNLIMITED)
            assert served[condition].by is ServedBy.DECLARED
            assert served[condition].slots.tolist() == matching_slots(reader, filter).tolist()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(DENSE_VALUES, min_size=12, max_size=25),
    kind=st.sampled_from(FieldType),
    changes=st.lists(st.tuples(st.integers(0, 30), st.just({}) | DENSE_VALUES), min_size=1, max_size=4),
    conditions=st.lists(DENSE_CONDITIONS, min_size=1, max_size=4),
)
def test_an_index_follows_commits_and_older_readers_see_theirs(
    make: Callable[..., Collection],
    values: list[object],
    kind: FieldType,
    changes: list[tuple[int, object]],
    conditions: list[PayloadCondition],
) -> None:
    collection, fields = make({number: {"x": value} for number, value in enumerate(values)}, x=kind), FieldIndexes(0)
    filters = [Filter(must_not=(Exists("x"),)), *(Filter(must=(condition,)) for condition in conditions)]
    with collection.snapshot() as old:
        fields.build(old, ["x"], UNLIMITED)
        for number, value in changes:
            if value == {}:
                delete(collection, number)
            else:
                write(collection, {number: {"x": value}})
            with collection.snapshot() as new:
                for reader in (new, old):
                    for filter in filters:
                        assert found(reader, filter, fields) == found(reader, filter, None)


def test_values_that_one_float_stands_for_are_in_order(make: Callable[..., Collection]) -> None:
    numbers: list[object] = [2**53 + 1, 2**53, 2**53 + 2, 2.0**53, 2**63 - 1, 2**63 - 2]
    moments: list[object] = [f"2026-03-01T12:00:00.00000000{digit}Z" for digit in (3, 1, 2, 1)]
    for values, kind, expected in (
        (numbers, FieldType.INTEGER, [1, 3, 0, 2, 5, 4]),
        (moments, FieldType.DATETIME, [1, 3, 2, 0]),
    ):
        collection = make({number: {"x": value} for number, value in enumerate(values)}, x=kind)
        with collection.snapshot() as reader:
            slots = order_by_field(
                by_field(OrderBy("x"), reader), reader.all_slots(), reader, UNLIMITED, FieldIndexes(0)
            )
            assert reader.point_ids(slots) == expected


def test_many_strings_are_found_as_they_are_added(make: Callable[..., Collection]) -> None:
    """Strings are sorted now and then, and those that are not sorted yet are found too."""
    collection, fields = make({}, x=FieldType.KEYWORD), FieldIndexes(0)
    prefix, between = TextTest("x", TextOperator.STARTS_WITH, "v1"), Range(path="x", gt="v10", lte="v2")
    for start in (0, 40, 50, 60):
        write(collection, {number: {"x": f"v{number}"} for number in range(start, start + 10)})
        with collection.snapshot() as reader:
            for condition in (prefix, between):
                filter = Filter(must=(condition,))
                assert found(reader, filter, fields) == found(reader, filter, None)


def by_field(order: OrderBy, reader: Snapshot) -> ByField:
    """The order as the binder makes it."""
    with ExitStack() as others:
        nowhere: dict[str, Collection] = {}
        source = VectorSource("", reader, nowhere.__getitem__, others)
        rank = bind([Query(root=Stage(query=order))], source)[0].root.ranked.rank
    assert isinstance(rank, ByField)
    return rank


ORDERS = st.builds(
    OrderBy,
    st.just("x"),
    st.booleans(),
    st.none() | NUMBERS | STRINGS,
)


def oracle_order(order: OrderBy, values: Mapping[PointId, object], *, instants: bool) -> list[PointId]:
    """The order that docs/queries.md states, by plain sorting."""

    def key(value: object) -> tuple[int, object] | None:
        if instants:
            moment = instant_of(value) if isinstance(value, str) else None
            return None if moment is None else (0, moment)
        if isinstance(value, str):
            return 1, value.encode()
        return (0, value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def own(value: object) -> tuple[int, object] | None:
        keys = [k for one in (value if isinstance(value, list) else [value]) if (k := key(one)) is not None]
        return None if not keys else (max(keys) if order.descending else min(keys))

    keys = {point: own(value) for point, value in sorted(values.items(), key=lambda pair: id_order(pair[0]))}
    start = None if order.start_from is None else key(order.start_from)
    having = [point for point, k in keys.items() if k is not None]
    if start is not None:
        having = [p for p in having if (keys[p] <= start if order.descending else keys[p] >= start)]  # type: ignore[operator]
    having.sort(key=lambda point: keys[point], reverse=order.descending)  # type: ignore[arg-type,return-value]
    return having + [point for point, k in keys.items() if k is None]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(DENSE_VALUES | st.lists(DENSE_VALUES, max_size=3), min_size=1, max_size=25),
    kind=st.sampled_from([FieldType.FLOAT, FieldType.DATETIME]),
    order=ORDERS,
    limit=st.none() | st.integers(1, 30),
    some=st.booleans(),
)
def test_orders_are_the_same_by_index_and_by_payloads(
    make: Callable[..., Collection],
    values: list[object],
    kind: FieldType,
    order: OrderBy,
    limit: int | None,
    some: bool,
) -> None:
    instants = kind is FieldType.DATETIME
    if instants and order.start_from is not None:
        order = OrderBy("x", order.descending, "2026-03-01T12:00:00.000000001Z")
    stored: dict[PointId, object] = {IDS[number]: value for number, value in enumerate(values)}
    collection = make({point: {"x": value} for point, value in stored.items()}, x=kind)
    with collection.snapshot() as reader:
        slots = reader.all_slots()[::2] if some else reader.all_slots()
        asked = {point: stored[point] for point in reader.point_ids(slots)}
        expected = oracle_order(order, asked, instants=instants)
        plain = reader.point_ids(order_by_field(by_field(order, reader), slots, reader, UNLIMITED))
        indexed = reader.point_ids(
            order_by_field(by_field(order, reader), slots, reader, UNLIMITED, FieldIndexes(0), limit)
        )
    assert plain == expected
    assert indexed[: limit or None] == expected[: limit or None]


def test_what_is_indexed_is_not_decoded(make: Callable[..., Collection], monkeypatch: pytest.MonkeyPatch) -> None:
    collection = make({number: {"x": number % 7} for number in range(50)}, x=FieldType.INTEGER)
    fields = FieldIndexes(0)
    with collection.snapshot() as reader:
        fields.build(reader, ["x"], UNLIMITED)
        monkeypatch.delattr(ProtobufPayloadCodec, "decode")
        assert len(found(reader, Filter(must=(ExceptOf("x", (1, 2)),)), fields)) == 36
        ordered = order_by_field(
            by_field(OrderBy("x", descending=True), reader), reader.all_slots(), reader, UNLIMITED, fields
        )
        assert reader.point_ids(ordered)[:8] == [6, 13, 20, 27, 34, 41, 48, 5]


def test_declaring_and_deleting(database: Database, make: Callable[..., Collection]) -> None:
    engine = Engine(database.collection)
    collection = make({1: {"x": 1.5, "y": "a"}, 2: {"x": "no number"}, 3: {}})
    status = engine.field_indexes.create(collection, '"x"', FLOAT)
    assert (status.params, status.points, status.state) == (FLOAT, 1, IndexState.READY)
    seq = collection.seq
    assert engine.field_indexes.create(collection, "x", FLOAT) == status
    assert collection.seq == seq, "the same again writes nothing"
    with pytest.raises(FieldIndexAlreadyExists) as caught:
        engine.field_indexes.create(collection, "x", KEYWORD)
    assert caught.value.metadata == {"path": "x", "type": "float", "lazy": "False"}
    write(collection, {4: {"x": 2}, 5: {"x": [3, "a"]}, 1: {}})
    assert engine.field_indexes.status(collection)["x"].points == 2
    assert engine.field_indexes.delete(collection, "x")
    assert not engine.field_indexes.delete(collection, "x")
    assert engine.field_indexes.status(collection) == {}
    assert engine.field_indexes.create(collection, "x", KEYWORD).points == 2


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        (FieldType.KEYWORD, 4),
        (FieldType.TEXT, 4),
        (FieldType.INTEGER, 3),
        (FieldType.FLOAT, 4),
        (FieldType.BOOL, 1),
        (FieldType.DATETIME, 1),
        (FieldType.UUID, 1),
        (FieldType.GEO, 2),
    ],
)
def test_points_are_those_with_a_value_of_the_type(
    database: Database, make: Callable[..., Collection], kind: FieldType, points: int
) -> None:
    values = [
        *(1, 2.0, 2.5, [3, 3, "x"], True, "word", "2026-03-01T12:00:00Z", "67e55044-10b1-426f-9247-bb680e5fe0c8"),
        *(None, [], {}, {"lat": 1, "lon": 2}, [{"lat": 1, "lon": 2}, {"lat": 91, "lon": 2}]),
    ]
    collection = make({number: {"x": value} for number, value in enumerate(values)})
    assert Engine(database.collection).field_indexes.create(collection, "x", FieldIndexParams(kind)).points == points


@pytest.mark.parametrize(
    ("value", "points"),
    [
        ("67e5504410b1426f9247bb680e5fe0c8", 1),
        ("{67E55044-10b1-426f-9247-bb680e5fe0c8}", 1),
        ("urn:uuid:67e55044-10b1-426f-9247-bb680e5fe0c8", 1),
        ("٦7e55044-10b1-426f-9247-bb680e5fe0c8", 0),
        ("0x" + "1" * 30, 0),
        ("1_" * 15 + "11", 0),
        (" " + "1" * 31, 0),
    ],
)
def test_a_uuid_has_32_digits_in_ascii(
    database: Database, make: Callable[..., Collection], value: str, points: int
) -> None:
    collection = make({1: {"x": value}})
    params = FieldIndexParams(FieldType.UUID)
    assert Engine(database.collection).field_indexes.create(collection, "x", params).points == points


@pytest.mark.parametrize("path", ["", "a.", ".a", "a[", 'a"b', "x" * 1_025, "é" * 513])
def test_paths_that_cannot_be_are_refused(database: Database, make: Callable[..., Collection], path: str) -> None:
    collection = make({})
    with pytest.raises(InvalidRequest) as caught:
        Engine(database.collection).field_indexes.create(collection, path, KEYWORD)
    assert caught.value.field == "path"
    assert collection.schema.field_indexes == {}


def test_declarations_are_bounded(database: Database, make: Callable[..., Collection]) -> None:
    collection = make({}, **{f"x{number}": FieldType.BOOL for number in range(MAX_FIELD_INDEXES)})
    with pytest.raises(LimitExceeded) as caught:
        declare(collection, "one more", KEYWORD)
    assert caught.value.metadata["limit"] == "MAX_FIELD_INDEXES"
    declare(collection, "x0", FieldIndexParams(FieldType.BOOL))


def test_whoever_cannot_wait_leaves_it_to_the_background(database: Database, make: Callable[..., Collection]) -> None:
    engine = Engine(database.collection)
    collection = make({number: {"x": number} for number in range(3_000)})
    budget = Budget(is_cancelled=lambda: "x" in collection.schema.field_indexes)
    with pytest.raises(Exception, match="cancelled"):
        engine.field_indexes.create(collection, "x", FLOAT, budget=budget)
    wait_until_ready(engine, collection, "x")
    assert engine.field_indexes.status(collection)["x"].points == 3_000


def wait_until_ready(engine: Engine, collection: Collection, path: str) -> None:
    budget = Budget.of_seconds(20)
    while engine.field_indexes.status(collection)[path].state is not IndexState.READY:
        budget.check()


def test_lazy_ones_wait_for_a_filter(database: Database, make: Callable[..., Collection]) -> None:
    engine = Engine(database.collection)
    collection = make({1: {"x": "a"}})
    lazy = FieldIndexParams(FieldType.KEYWORD, lazy=True)
    assert engine.field_indexes.create(collection, "x", lazy, wait=False).state is IndexState.PENDING
    assert engine.reads.count(collection, Filter(must=(Equal("x", "a"),)))[0] == 1
    assert engine.field_indexes.status(collection)["x"].state is IndexState.READY


def test_declarations_outlive_the_process_and_indexes_follow(tmp_path: Path) -> None:
    first = Database.open(tmp_path / "data", codec=CODEC)
    collection = first.create_collection("c", CollectionSchema(spaces={}, field_indexes={"y": KEYWORD}))
    write(collection, {number: {"x": number, "y": "a"} for number in range(100)})
    Engine(first.collection).field_indexes.create(collection, "x", FLOAT, wait=False)
    first.clone_collection("c", "clone", UNLIMITED)
    first.close()
    again = Database.open(tmp_path / "data", codec=CODEC)
    engine = Engine(again.collection)
    again.followers.opened, again.followers.closed = engine.derived.opened, engine.derived.closed
    for name in ("c", "clone"):
        collection = again.collection(name)
        assert collection.schema.field_indexes == {"y": KEYWORD, "x": FLOAT}
        wait_until_ready(engine, collection, "x")
        wait_until_ready(engine, collection, "y")
    again.close_collection("c")
    collection = again.collection("clone")
    assert engine.field_indexes.status(collection)["x"].points == 100
    again.close()


def test_a_closing_collection_does_not_wait_for_its_indexes(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "data", codec=CODEC)
    engine = Engine(database.collection)
    database.followers.opened, database.followers.closed = engine.derived.opened, engine.derived.closed
    collection = database.create_collection("c", CollectionSchema(spaces={}))
    write(collection, {number: {"x": number} for number in range(2_000)})
    for number in range(20):
        engine.field_indexes.create(collection, f"x{number}", FLOAT, wait=False)
    database.close()
    with pytest.raises(Exception, match="closed"):
        engine.field_indexes.status(collection)


def test_a_budget_ends_a_long_test(make: Callable[..., Collection]) -> None:
    collection, fields = (
        make({number: {"x": f"{number}"} for number in range(100)}, x=FieldType.KEYWORD),
        FieldIndexes(0),
    )
    with collection.snapshot() as reader:
        fields.build(reader, ["x"], UNLIMITED)
        with pytest.raises(DeadlineExceeded):
            serve(fields, reader, [TextTest("x", TextOperator.REGEX, "1")], Budget.of_seconds(0))


HAS_A = derived_filter(Filter(must=(TextTest("x", TextOperator.TEXT, "a"),)))


@pytest.mark.parametrize(
    "read",
    [
        lambda reader, budget: matching_slots(reader, HAS_A, budget),
        lambda reader, budget: build_index(reader, "x", budget),
        lambda reader, budget: column_of(reader, "x", FieldIndexes(0), budget),
        lambda reader, budget: order_by_field(by_field(OrderBy("x"), reader), reader.all_slots(), reader, budget),
    ],
    ids=["match", "build", "column", "order"],
)
def test_a_few_large_payloads_do_not_keep_a_caller_who_left(
    make: Callable[..., Collection], read: Callable[[Snapshot, Budget], object]
) -> None:
    collection = make({number: {"x": f"{number}"} for number in range(100)})
    asked = iter((False, False, False, True))
    with collection.snapshot() as reader, pytest.raises(Cancelled):
        read(reader, Budget(is_cancelled=lambda: next(asked)))


def test_an_index_takes_no_more_than_it_says(make: Callable[..., Collection]) -> None:
    collection, fields = make({number: {"x": number} for number in range(1_000)}, x=FieldType.FLOAT), FieldIndexes(0)
    with collection.snapshot() as reader:
        fields.build(reader, ["x"], UNLIMITED)
        index = fields.get(reader, "x", UNLIMITED)
        assert index is not None
        assert index.entries.bytes == 1_000 * (4 + 4 + 4 + 4 + 1)
        assert np.array_equal(index.slots, reader.all_slots())
    assert fields.used == 0, "declared ones do not count"


def test_pages_counts_and_gates_ask_the_index(
    database: Database, make: Callable[..., Collection], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(database.collection)
    collection = make({number: {"x": number % 7} for number in range(50)})
    engine.field_indexes.create(collection, "x", FieldIndexParams(FieldType.INTEGER))
    monkeypatch.delattr(ProtobufPayloadCodec, "decode")
    filter = Filter(must_not=(Equal("x", 3),), must=(Exists("x"),))
    page = engine.reads.scroll(collection, filter, limit=4)
    assert ([point.id for point in page.points], page.next_id) == ([0, 1, 2, 4], 5)
    assert engine.reads.count(collection, Filter(must=(Range(path="x", gte=5),)))[0] == 14
    gate = Stage(prefetch=(Stage(limit=50),), query=Rrf(), filter=Filter(must=(Equal("x", 6),)), limit=50)
    [answer] = engine.queries.query(collection, [Query(root=gate, with_payload=None, explain=True)])
    assert [hit.id for hit in answer.hits] == [6, 13, 20, 27, 34, 41, 48]
    assert answer.explanation is not None
    assert "conditions: x = 6: declared index, 7 points" in answer.explanation.text
    foreseen = engine.queries.explain(collection, Query(root=gate)).text
    assert "conditions: x = 6: declared index\n" in foreseen + "\n"
