"""Declared indexes over the wire: made on live data, kept for ever, shown, explained, and never seen in an answer."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import headwater
from headwater import (
    AsyncClient,
    Client,
    Direction,
    Field,
    FieldIndexInfo,
    FieldIndexParams,
    FieldIndexState,
    FieldType,
    OrderBy,
    PointStruct,
    VectorParams,
    exists,
    is_empty,
    nested,
)
from headwater.filters import FilterLike
from headwater.v1 import collections_pb2, points_pb2
from tests.support.refusals import PLAIN, REFUSAL, Error, check_refused, refusal
from tests.support.server_process import running_server
from tests.support.wire import Wire

READY = FieldIndexState.READY
COUNT = 300

TYPES = {
    "price": FieldType.FLOAT,
    "count": FieldType.INTEGER,
    "color": FieldType.KEYWORD,
    "sold": FieldType.BOOL,
    "when": FieldType.DATETIME,
    "key": FieldType.UUID,
    "where": FieldType.GEO,
    "text": FieldType.TEXT,
    "parts[].size": FieldType.INTEGER,
    "maker.name": FieldType.KEYWORD,
}


def payload(number: int) -> dict[str, object]:
    return {
        "price": number / 4 if number % 5 else "on request",
        "count": number % 7 if number % 11 else None,
        "color": ["red", "green"] if number % 3 else "blue",
        "sold": number % 2 == 0,
        "when": f"2026-03-{1 + number % 28:02d}T12:00:00{'Z' if number % 2 else '+02:00'}",
        "key": f"67e55044-10b1-426f-9247-{number:012x}",
        "where": {"lat": number % 90, "lon": number % 180 - 90},
        "text": "A red Shoe" if number % 4 else "blue boots",
        "parts": [{"size": number % 10}, {"size": -1}, {}],
        "maker": {"name": f"maker {number % 6}"} if number % 8 else {},
    }


FILTERS: list[FilterLike] = [
    Field("price").gt(20) & Field("price").lte(60.25),
    Field("price").eq("on request"),
    ~Field("price").lt(30),
    Field("count").any_of([1, 2.0, "x"]),
    Field("count").except_of([1, 2]),
    Field("color").eq("red") | Field("sold").eq(True),
    Field("color").values_count(gte=2),
    Field("color").starts_with("b"),
    Field("sold").ne(True),
    Field("when").datetime_between(lower="2026-03-05T10:00:00Z", upper="2026-03-09T12:00:00Z"),
    Field("key").eq("67e55044-10b1-426f-9247-00000000000a"),
    Field("key").gte("67e55044-10b1-426f-9247-0000000000a0"),
    Field("where").geo_radius(lat=10, lon=-80, radius=400_000),
    Field("where").geo_bounding_box(top_left=(50, -60), bottom_right=(20, 0)),
    Field("where").geo_polygon(exterior=[(0, -90), (60, -90), (60, 0), (0, 0)]),
    Field("text").text("SHOE red") & Field("text").phrase("red shoe"),
    Field("text").contains("boot") | Field("text").regex("^a"),
    Field("parts[].size").gte(7),
    Field("maker.name").iglob("MAKER [2-4]"),
    exists("maker.name") & ~is_empty("price"),
    nested("parts", Field("size").eq(3)),
]


@pytest.fixture
def plain(client: Client, name: str) -> Iterator[str]:
    client.collections.create(name, VectorParams(2))
    client.points.upsert(name, [PointStruct(n, [1, n], payload(n)) for n in range(COUNT)])
    yield name
    client.collections.delete(name)


def answers(client: Client, name: str) -> list[list[object]]:
    """Ids that each filter lets through, in id order."""
    return [[record.id for record in client.points.scroll(name, filter=each, limit=1_000)[0]] for each in FILTERS]


def test_every_type_on_live_data(client: Client, plain: str) -> None:
    before = answers(client, plain)
    counts = [client.points.count(plain, filter=each) for each in FILTERS]
    assert [len(ids) for ids in before] == counts
    assert [count for count in counts if not 0 < count < COUNT] == [], counts
    for path, kind in TYPES.items():
        made = client.points.create_field_index(plain, path, kind.name.lower(), params=None)
        assert (made.type, made.state) == (kind, READY)
    schema = client.collections.get_info(plain).payload_schema
    assert {path: info.type for path, info in schema.items()} == TYPES
    priced = sum(1 for number in range(COUNT) if number % 5)
    assert schema["price"] == FieldIndexInfo(FieldType.FLOAT, False, priced, READY)
    assert schema["count"].points == sum(1 for number in range(COUNT) if number % 11)
    client.points.upsert(plain, [PointStruct(COUNT, [1, 1], {"price": 30, "color": "blue"})])
    client.points.delete(plain, [COUNT])
    assert answers(client, plain) == before
    assert [client.points.count(plain, filter=each) for each in FILTERS] == counts


def test_writes_are_in_the_index_at_once(client: Client, name: str) -> None:
    client.collections.create(
        name, payload_schema={"n": "integer", "tag": FieldIndexParams(FieldType.KEYWORD, lazy=True)}
    )
    for number in range(20):
        client.points.upsert(name, [PointStruct(number, payload={"n": number, "tag": "a"})])
        assert client.points.count(name, filter=Field("n").gte(0)) == number + 1
    client.points.set_payload(name, {"n": -1}, filter=Field("n").lt(5))
    client.points.delete(name, filter=Field("n").gte(15))
    client.points.delete_payload(name, ["n"], [5])
    client.points.clear_payload(name, [6])
    assert client.points.count(name, filter=Field("n").gte(0)) == 8
    schema = client.collections.get_info(name).payload_schema
    assert (schema["n"].points, schema["tag"].state) == (13, FieldIndexState.PENDING)
    assert client.points.count(name, filter=Field("tag").eq("a")) == 14
    assert client.collections.get_info(name).payload_schema["tag"] == FieldIndexInfo(FieldType.KEYWORD, True, 14, READY)


def test_the_same_again_and_another(client: Client, plain: str) -> None:
    made = client.points.create_field_index(plain, "price", FieldType.FLOAT)
    assert client.points.create_field_index(plain, '"price"', params=FieldIndexParams("float")) == made
    for other in (FieldType.KEYWORD, FieldIndexParams("float", lazy=True)):
        with pytest.raises(headwater.FieldIndexAlreadyExistsError) as caught:
            client.points.create_field_index(plain, "price", other)
        assert caught.value.metadata == {"path": "price", "type": "float", "lazy": "False"}
    assert client.points.delete_field_index(plain, '"price"')
    assert not client.points.delete_field_index(plain, "price")
    assert client.collections.get_info(plain).payload_schema == {}
    assert client.points.create_field_index(plain, "price", "keyword").points == COUNT // 5


BAD = [
    refusal("no type", points_pb2.PointsCreateFieldIndexRequest(path="a"), PLAIN, "params.type"),
    refusal(
        "unknown type", points_pb2.PointsCreateFieldIndexRequest(path="a", params={"type": 99}), PLAIN, "params.type"
    ),
    refusal("no path", points_pb2.PointsCreateFieldIndexRequest(params={"type": 1}), PLAIN, "path"),
    refusal("bad path", points_pb2.PointsCreateFieldIndexRequest(path="a..b", params={"type": 1}), PLAIN, "path"),
    refusal("long path", points_pb2.PointsCreateFieldIndexRequest(path="a" * 1_025, params={"type": 1}), PLAIN, "path"),
    refusal("no path to delete", points_pb2.PointsDeleteFieldIndexRequest(), PLAIN, "path"),
]


@pytest.mark.parametrize(REFUSAL, BAD)
def test_what_cannot_be_declared(
    wire: Wire, client: Client, bad_input: str, asked: object, kind: Error, where: str, facts: dict[str, str]
) -> None:
    check_refused(wire, bad_input, asked, kind, where, facts)  # type: ignore[arg-type]
    assert client.collections.get_info(bad_input).payload_schema == {}


@pytest.mark.parametrize(
    ("schema", "where"),
    [
        ({"a[": {"type": 1}}, 'payload_schema["a["]'),
        ({"a": {}}, 'payload_schema["a"].type'),
        ({"a": {"type": 1}, '"a"': {"type": 1}}, "payload_schema"),
        ({f"a{number}": {"type": 1} for number in range(257)}, "payload_schema"),
    ],
)
def test_what_a_new_collection_cannot_declare(
    wire: Wire, client: Client, name: str, schema: object, where: str
) -> None:
    with pytest.raises(headwater.InvalidArgumentError) as caught:
        wire.send(collections_pb2.CollectionsCreateRequest(collection_name=name, payload_schema=schema))  # type: ignore[arg-type]
    assert caught.value.field.startswith(where)
    assert not client.collections.exists(name)


def test_wrong_arguments_make_no_call(client: Client, plain: str) -> None:
    for arguments in [(), ("number",), (None, FieldIndexParams()), ("float", FieldIndexParams("float"))]:
        with pytest.raises(ValueError, match=r"type|FieldType"):
            client.points.create_field_index(plain, "price", *arguments)  # type: ignore[arg-type]
    with pytest.raises(headwater.CollectionNotFoundError):
        client.points.create_field_index("no such collection", "price", "float")


def test_an_explanation_says_what_tested_each_condition(client: Client, plain: str) -> None:
    client.points.create_field_index(plain, "price", "float")
    filter = Field("price").gt(20) & Field("sold").eq(True)
    explanation = client.points.search(plain, [1, 2], filter=filter, limit=3, explain=True).explanation
    assert explanation is not None
    conditions = explanation.root.children[0].attributes["conditions"]
    priced = client.points.count(plain, filter=Field("price").gt(20))
    both = client.points.count(plain, filter=filter)
    assert f"price > 20: declared index, {priced} points" in conditions
    assert "sold = true: payloads" in conditions
    assert explanation.root.children[0].rows_in == both
    assert "conditions: " in explanation.text


def test_an_order_by_instants(client: Client, name: str) -> None:
    moments = ["2026-03-01T12:00:00+02:00", "2026-03-01T11:00:00Z", "2026-03-01T12:30:00+02:00", "later", 7, None]
    client.collections.create(name)
    client.points.upsert(name, [PointStruct(n, payload={"when": moment}) for n, moment in enumerate(moments)])
    order = OrderBy("when", Direction.Descending)

    def ids(order: OrderBy) -> list[object]:
        return [hit.id for hit in client.points.query(name, query=order)]

    assert ids(order) == [3, 2, 0, 1, 4, 5]
    client.points.create_field_index(name, "when", "datetime")
    assert ids(order) == [1, 2, 0, 3, 4, 5]
    assert ids(OrderBy("when", start_from="2026-03-01T10:30:00Z")) == [2, 1, 3, 4, 5]
    with pytest.raises(headwater.InvalidQueryError) as caught:
        ids(OrderBy("when", start_from=7))
    assert caught.value.field == "query.order_by.start_from"
    client.points.delete_field_index(name, "when")
    assert ids(order) == [3, 2, 0, 1, 4, 5]


def test_copies_and_restarts_keep_declarations(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as address, Client(address) as client:
        client.collections.create("c", payload_schema={"price": "float"})
        client.points.upsert("c", [PointStruct(n, payload=payload(n)) for n in range(COUNT)])
        client.points.create_field_index("c", "when", "datetime")
        snapshot = client.vde.create_snapshot("c").name
        client.vde.clone_collection("c", "clone")
        client.export_jsonl("c", tmp_path / "c.jsonl")
        client.points.delete_field_index("c", "when")
        client.vde.restore_snapshot("c", snapshot, "restored")
        client.import_jsonl("imported", tmp_path / "c.jsonl")
    with running_server(tmp_path / "data") as address, Client(address) as client:
        for name, paths in {
            "c": ["price"],
            **{copy: ["price", "when"] for copy in ("clone", "restored", "imported")},
        }.items():
            schema = ready(client, name)
            assert sorted(schema) == paths
            assert schema["price"].points == sum(1 for number in range(COUNT) if number % 5)
            assert client.points.count(name, filter=Field("price").gt(20)) == 176


def ready(client: Client, name: str) -> dict[str, FieldIndexInfo]:
    """The payload schema once every index is READY."""
    for _ in range(1_000):
        schema = client.collections.get_info(name).payload_schema
        if all(info.state is READY for info in schema.values()):
            return dict(schema)
    raise AssertionError(f"not ready: {schema}")


def test_async_and_in_the_background(address: str, name: str) -> None:
    async def run() -> None:
        async with AsyncClient(address) as client:
            await client.collections.create(name)
            await client.points.upsert(name, [PointStruct(n, payload=payload(n)) for n in range(COUNT)])
            made = await asyncio.gather(
                *(client.points.create_field_index(name, path, kind, wait=False) for path, kind in TYPES.items())
            )
            assert [info.type for info in made] == list(TYPES.values())
            while any(i.state is not READY for i in (await client.collections.get_info(name)).payload_schema.values()):
                await asyncio.sleep(0.01)
            named = sum(1 for number in range(COUNT) if number % 6 == 2 and number % 8)
            assert await client.points.count(name, filter=Field("maker.name").eq("maker 2")) == named

    asyncio.run(asyncio.wait_for(run(), 60))


def test_filters_are_right_while_indexes_come_and_go(client: Client, plain: str) -> None:
    stop = threading.Event()
    wrong: list[str] = []

    def read() -> None:
        for number in range(10_000):
            if stop.is_set():
                return
            count = client.points.count(plain, filter=Field("price").gt(20) & Field("count").gte(number % 3 - 3))
            if count != expected:
                wrong.append(f"{count} is not {expected}")

    expected = sum(1 for n in range(COUNT) if n % 5 and n / 4 > 20 and n % 11)
    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for round_number in range(6):
        client.points.create_field_index(plain, "price", "float" if round_number % 2 else "keyword")
        client.points.create_field_index(plain, "count", "integer", wait=False)
        client.points.upsert(plain, [PointStruct(1, [1, 1], payload(1))])
        client.points.delete_field_index(plain, "price")
        client.points.delete_field_index(plain, "count")
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []
