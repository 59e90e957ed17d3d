"""What a person types works: dicts for models, strings for enums, tuples and columns for points, JSON for filters."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pyarrow
import pytest

import headwater
from headwater import Client, Datatype, Distance, Field, Filter, IndexKind, has_id
from headwater._wire.filters import filter_message
from headwater._wire.values import payload_message, payload_of
from tests.support.server_process import running_server

ID = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running_server(tmp_path_factory.mktemp("plain") / "data") as address, Client(address) as client:
        client.collections.create("shop", {"size": 2, "distance": "dot"})
        client.upload_points(
            "shop",
            [
                (1, [1, 0], {"kind": "shoe", "price": 10, "when": datetime(2026, 3, 1, 12)}),
                {"id": 2, "vector": [0, 1], "payload": {"kind": "hat", "price": 20.5, "when": date(2026, 3, 2)}},
                {"id": ID, "vectors": {"": [1, 1]}, "payload": {"kind": "shoe", "tags": [], "none": None}},
            ],
        )
        yield client


@pytest.fixture
def name(client: Client) -> str:
    return f"c{uuid4().hex}"


def found(client: Client, filter: Any) -> list[int | str]:
    return [record.id for record in client.points.scroll("shop", filter=filter).points]


def test_settings_are_dicts_and_strings(client: Client, name: str) -> None:
    info = client.collections.create(
        name,
        {"text": {"size": 4, "distance": "Cosine", "datatype": "FLOAT16", "hnsw_config": {"m": 8}, "index": "Hnsw"}},
        sparse_vectors={"words": {"modifier": "IDF"}},
        optimizers_config={"indexing_threshold": 5_000},
        payload_schema={"price": {"type": "Float", "lazy": True}},
        text_indexes={"title": {"tokenizer": "pre-tokenized"}},
    )
    params = info.vectors["text"].params
    assert (params.distance, params.datatype, params.index) == (Distance.COSINE, Datatype.FLOAT16, IndexKind.HNSW)
    assert params.hnsw_config is not None
    assert params.hnsw_config.m == 8
    assert info.text_indexes["title"].tokenizer is headwater.TextTokenizer.PRE_TOKENIZED


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"vectors_config": {"text": {"size": 4, "distance": "cosin"}}},
            ValueError,
            r'vectors_config\["text"\].distance: \'cosin\' is not a Distance; it is one of cosine, dot, euclid',
        ),
        ({"vectors_config": {"size": 4, "distnce": "dot"}}, TypeError, "vectors_config has no 'distnce'; .* distance"),
        ({"vectors_config": {"distance": "dot"}}, TypeError, "vectors_config.size is missing"),
        ({"vectors_config": {"size": 4, "hnsw_config": {"m": "x"}}}, TypeError, "hnsw_config.m takes an integer"),
        ({"payload_schema": {"a": "flaot"}}, ValueError, r'payload_schema\["a"\]: .* is not a FieldType'),
    ],
)
def test_what_cannot_work_says_where_and_what_would(
    client: Client, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        client.collections.create("never", **arguments)


def test_queries_are_dicts_and_strings(client: Client) -> None:
    points = client.points
    prefetch: list[dict[str, Any]] = [
        {"query": [1, 0], "limit": 2, "params": {"exact": True}},
        {"query": [0, 1], "limit": 2},
    ]
    fused = points.query("shop", headwater.Fusion.RRF, prefetch=[headwater.PrefetchQuery(**each) for each in prefetch])
    for query in ("rrf", "RRF", {"fusion": "rrf"}, {"rrf": {"k": 60}}):
        assert points.query("shop", query, prefetch=prefetch) == fused
    ordered = [hit.id for hit in points.query("shop", {"order_by": {"key": "price", "direction": "desc"}}, limit=2)]
    assert ordered == [2, 1]
    [last] = points.query("shop", [1, 0], limit=1)
    after = points.query("shop", [1, 0], search_after={"score": last.score, "id": last.id})
    assert [hit.id for hit in after] == [hit.id for hit in points.query("shop", [1, 0], offset=1)]
    batch = points.query_batch("shop", [{"query": [1, 0], "limit": 1}, {"query": 1, "limit": 1}])
    assert [len(hits) for hits in batch] == [1, 1]


@pytest.mark.parametrize(
    ("plain", "same"),
    [
        ({"must": [{"key": "kind", "match": {"value": "shoe"}}]}, Field("kind").eq("shoe")),
        ({"must": {"key": "kind", "match": {"any": ["hat"]}}}, Field("kind").any_of(["hat"])),
        ({"must": [{"key": "kind", "match": {"except": ["hat"]}}]}, Field("kind").except_of(["hat"])),
        ({"must": [{"key": "kind", "match": {"text": "shoe"}}]}, Field("kind").text("shoe")),
        ({"must": [{"key": "price", "range": {"gte": 10, "lt": 20}}]}, Field("price").range(gte=10, lt=20)),
        ({"must_not": [{"is_empty": {"key": "price"}}]}, ~Field("price").is_empty()),
        ({"must": [{"is_null": {"key": "none"}}]}, Field("none").is_null()),
        ({"must": [{"has_id": [1, str(ID)]}]}, has_id([1, ID])),
        ({"should": [{"has_id": [1]}, {"filter": {"must": [{"has_id": [2]}]}}]}, has_id([1, 2])),
        (
            {
                "min_should": {
                    "conditions": [{"key": "kind", "match": {"value": "shoe"}}, {"has_id": [1]}],
                    "min_count": 2,
                }
            },
            has_id([1]),
        ),
        ({"key": "price", "range": {"gt": 15}}, Field("price") > 15),
        ({"must": [{"key": "when", "range": {"gte": date(2026, 3, 2)}}]}, Field("when") >= date(2026, 3, 2)),
        ({}, Filter()),
    ],
)
def test_filters_are_those_of_other_clients(client: Client, plain: Any, same: Any) -> None:
    assert found(client, plain) == found(client, same) != []


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"must": [{"key": "a", "match": {"valu": 1}}]}, r"filter.must\[0\].match has no 'valu'; it may have value"),
        ({"must": [{"key": "a", "rnge": {}}]}, r"filter.must\[0\] has 'rnge'"),
        ({"mst": []}, "filter has 'mst'"),
        ({"must": [{"key": "a", "range": {"gt": [1]}}]}, r"filter.must\[0\].gt is a string, a number"),
        ({"must": [{"key": "a", "match": {"any": "ab"}}]}, r"match.any takes a list, not str"),
    ],
)
def test_filters_that_are_none_say_where(client: Client, plain: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        found(client, plain)


def test_operators_make_conditions(client: Client) -> None:
    field = Field("price")
    assert (field == 1, field != 1) == (Field("price").eq(1), Field("price").ne(1))
    assert found(client, field == 20.5) == [2]
    assert found(client, (field >= 10) & (field < 20)) == [1]
    assert found(client, Field("when") == datetime(2026, 3, 1, 12)) == [1]
    assert found(client, Field("when") > np.datetime64("2026-03-01")) == [1, 2]
    assert found(client, Field("none") == None) == [str(ID)]  # noqa: E711
    with pytest.raises(TypeError, match="no truth value"):
        bool(field == 1)
    assert len({Field("a"), Field("b")}) == 2


def test_instants_are_of_many_types(client: Client) -> None:
    for bound in (
        datetime(2026, 3, 1, 12, 30),
        datetime(2026, 3, 1, 13, 30, tzinfo=timezone(timedelta(hours=1))),
        date(2026, 3, 2),
        np.datetime64("2026-03-01T12:30"),
        "2026-03-01 12:30",
    ):
        assert found(client, Field("when").datetime_gte(bound)) == [2], bound
    with pytest.raises(TypeError, match=r"filter.*takes a datetime.*; datetime.fromtimestamp"):
        found(client, Field("when").datetime_gte(1772366400))  # type: ignore[arg-type]


def test_columns_are_points(client: Client, name: str) -> None:
    vectors = np.arange(8, dtype=np.float32).reshape(4, 2)
    client.collections.create(name, {"size": 2, "distance": "dot"})
    payloads = {"n": [0, 1, 2, 3], "even": np.array([True, False, True, False])}
    assert client.upload_points(name, ids=np.arange(4), vectors=vectors, payloads=payloads) == 4
    by_columns = client.points.get(name, range(4), with_vectors=True)
    assert [each.payload["n"] for each in by_columns] == [0, 1, 2, 3]
    assert np.array_equal([each.vector for each in by_columns], vectors)
    table = pyarrow.table(
        {"id": range(4), "vector": vectors.tolist(), **{k: pyarrow.array(v) for k, v in payloads.items()}}
    )
    for given in (table, table.to_batches()[0]):
        client.points.clear_payload(name, range(4))
        assert client.upload_points(name, given) == 4
        again = client.points.get(name, range(4), with_vectors=True)
        assert [(each.id, each.payload, each.vector.tolist()) for each in again] == [
            (each.id, each.payload, each.vector.tolist()) for each in by_columns
        ]
    with pytest.raises(ValueError, match="vectors has 4 rows, but ids has 3"):
        client.upload_points(name, ids=[1, 2, 3], vectors=vectors)
    with pytest.raises(TypeError, match="points are missing"):
        client.upload_points(name)
    with pytest.raises(ValueError, match="no column 'id'"):
        client.upload_points(name, pyarrow.table({"ids": [1]}))


def test_vectors_that_were_not_asked_for_are_none(client: Client) -> None:
    assert client.points.get("shop", [1])[0].vectors is None
    assert client.points.get("shop", [1], with_vectors=True)[0].vector.tolist() == [1, 0]
    assert client.points.search("shop", [1, 0])[0].vector is None
    two = headwater.Record(1, vectors={"a": [1], "b": [2]})
    with pytest.raises(ValueError, match="'a', 'b'"):
        _ = two.vector


def test_a_string_as_a_query_says_what_it_was_taken_for(client: Client) -> None:
    with pytest.raises(headwater.PointNotFoundError, match=r"taken for the id of a point: Text\('temporary file'\)"):
        client.points.query("shop", "temporary file")
    with pytest.raises(headwater.PointNotFoundError, match=r"Fusion\.RRF, needs prefetches"):
        client.points.query("shop", "rrf")
    with pytest.raises(headwater.InvalidFilterError, match="double quotes"):
        found(client, "kind == 'shoe'")


def test_ids_that_the_client_makes_are_uuids_as_usual(client: Client, name: str) -> None:
    client.collections.create(name, {"size": 2})
    made = client.records.create(name, {"a": 1}, vectors=[{"using": "", "vector": [1, 2]}])
    assert str(UUID(str(made.id))) == made.id


class Color(Enum):
    RED = "red"


class Level(Enum):
    LOW = 1


@dataclass
class Money:
    cents: int

    def to_payload(self) -> dict[str, Any]:
        return {"cents": self.cents, "at": date(2026, 1, 1)}


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00+00:00"),
        (datetime(2026, 3, 1, 12), "2026-03-01T12:00:00Z"),
        (datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(seconds=3599))), "2026-03-01T11:00:01+00:00"),
        (date(2026, 3, 1), "2026-03-01"),
        (time(12, 30), "12:30:00"),
        (ID, str(ID)),
        (Decimal("19.99"), 19.99),
        (Decimal("20.00"), 20),
        (Color.RED, "red"),
        (Level.LOW, 1),
        (np.datetime64("2026-03-01"), "2026-03-01"),
        (np.datetime64("2026-03-01T12:00:00.5"), "2026-03-01T12:00:00.500Z"),
        (np.datetime64("NaT"), None),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array(["2026-03-01"], "datetime64[D]"), ["2026-03-01"]),
        (np.array(5), 5),
        (np.timedelta64("NaT"), None),
        (np.ma.masked, None),
        (np.ma.array([1, 2], mask=[True, False]), [None, 2]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset(["b", "a", 1]), [1, "a", "b"]),
        (range(3), [0, 1, 2]),
        (Money(5), {"cents": 5, "at": "2026-01-01"}),
        (pyarrow.scalar(5), 5),
    ],
)
def test_payload_values(value: Any, read: Any) -> None:
    back = payload_of(payload_message({"a": [value]}))["a"][0]
    assert (type(back), back) == (type(read), read)
    if isinstance(read, str | int | float):
        message = filter_message(Field("a").eq(read))
        assert message is not None
        assert message.must[0].field.equal == payload_message({"a": read}).fields["a"]


@pytest.mark.parametrize(
    ("value", "error", "hint"),
    [
        (float("nan"), headwater.NotFiniteError, "finite"),
        (np.float32("inf"), headwater.NotFiniteError, "finite"),
        (b"x", TypeError, "base64"),
        (timedelta(1), TypeError, "total_seconds"),
        (np.timedelta64(1, "s"), TypeError, "total_seconds"),
        (1j, TypeError, "complex"),
        ("\ud800", headwater.InvalidPayloadError, "surrogate"),
        ({"\ud800": 1}, headwater.InvalidPayloadError, "surrogate"),
        (2**63, headwater.InvalidPayloadError, "64 bits"),
        ({1: 2}, TypeError, "keys are strings"),
        (Decimal("0.1234567890123456789"), ValueError, "float"),
        (Decimal("NaN"), ValueError, "NaN"),
        ((each for each in [1]), TypeError, "list"),
        (object(), TypeError, "object"),
    ],
)
def test_payload_values_that_are_refused_name_their_path(value: Any, error: type[Exception], hint: str) -> None:
    with Client("localhost:1") as client, pytest.raises(error, match=hint) as caught:
        client.points.upsert("c", [(0, [1]), (1, [1], {"a": [0, 0, value]})])
    assert 'points[1].payload["a"][2]' in str(caught.value)


def test_members_have_two_names() -> None:
    assert Distance["Cosine"] is Distance["COSINE"] is Distance.COSINE
    for kind in vars(headwater).values():
        if isinstance(kind, type) and issubclass(kind, Enum):
            assert all(member.name.isupper() for member in kind), kind


def test_files_come_back(client: Client, tmp_path: Path) -> None:
    assert client.export_jsonl("shop", str(tmp_path / "shop.jsonl")) == 3
