"""No argument of any public method can provoke an error of the client's insides, whatever it is given.

Each argument of each method is given all of a zoo of values, the other arguments being sound. What comes out is a
HeadwaterError (the server refuses all that arrives), or a TypeError or ValueError that names the argument.
"""

import asyncio
import dataclasses
import inspect
import math
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

import headwater
from headwater import AsyncClient, Client, Field, HeadwaterError, PointStruct, VectorParams
from tests.client.scripted_server import Received, Refusal, ScriptedServer

NAMESPACES = ["collections", "points", "vde", "indexes", "records"]
OF_CLIENT = ["upload_points", "export_jsonl", "import_jsonl", "export_parquet", "import_parquet"]
METHODS = [
    f"{namespace}.{name}"
    for namespace in NAMESPACES
    for name in dir(getattr(Client(), namespace))
    if not name.startswith("_")
] + OF_CLIENT

SOUND: dict[str, Any] = {
    "name": "a",
    "collection": "a",
    "label": "a",
    "target": "b",
    "old": "a",
    "new": "b",
    "alias": "b",
    "vector": [1.0, 2.0],
    "points": [(1, [1.0, 2.0])],
    "ids": [1],
    "id": 1,
    "payload": {"a": 1},
    "data": [{"a": 1}],
    "keys": ["a"],
    "using": ["a"],
    "operations": [],
    "group_by": "a",
    "key": "a",
    "path": "a",
    "aggregations": {"n": "count"},
    "rows": [(1, None, [1.0])],
    "cursor": "a",
    "searches": [{"vector": [1.0]}],
    "queries": [{"query": [1.0]}],
    "task_id": "a",
    "count": 1,
    "index": "a",
    "items": [(1, [1.0])],
}


NEEDED: dict[str, dict[str, Any]] = {
    "points.create_field_index": {"field_type": "keyword"},
    "records.create": {"data": {"a": 1}},
    "records.upsert": {"data": {"a": 1}},
    "records.import_json": {"label": "a"},
    "vde.import_partition": {"rows": [(1, None, [1.0])]},
    "vde.upload_snapshot": {"collection": "a"},
}
"""What a method needs besides, or has another type of."""
ALSO_NAMED = {
    "payloads": "points[",
    "data": "records[",
    "field_type": "the type of the index",
    "params": "the type of the index",
}
"""How messages name an argument otherwise."""


class Plain:
    """An object of no meaning."""


class Odd:
    """An object whose members are of no use."""

    def __len__(self) -> int:
        return -1

    def __iter__(self) -> Iterator[Any]:
        return iter([Plain()])


def endless() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


def endless_dict() -> dict[str, Any]:
    loop: dict[str, Any] = {}
    loop["must"] = loop
    loop["prefetch"] = loop
    return loop


ZOO: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "true": lambda: True,
    "minus one": lambda: -1,
    "zero": lambda: 0,
    "40 bits": lambda: 2**40,
    "64 bits": lambda: 2**64,
    "huge": lambda: 10**400,
    "half": lambda: 0.5,
    "nan": lambda: math.nan,
    "infinite": lambda: math.inf,
    "complex": lambda: 1j,
    "empty text": lambda: "",
    "text": lambda: "what",
    "surrogate": lambda: "a\ud800",
    "null character": lambda: "a\0b",
    "bytes": lambda: b"what",
    "list": list,
    "list of none": lambda: [None],
    "list of ints": lambda: [1, 2],
    "list of huge": lambda: [10**400],
    "list of texts": lambda: ["a", "b\udfff"],
    "list of dicts": lambda: [{}, {"a": 1}],
    "list of lists": lambda: [[], [[1], [2, 3]]],
    "ragged": lambda: [[[1.0]], [[1.0, 2.0], 3]],
    "list of objects": lambda: [Plain()],
    "list of points": lambda: [{"id": 1, "vector": "cosin", "payload": 3}, {"id": None}, (1,)],
    "odd points": lambda: [(object(), object(), object())],
    "endless": endless,
    "pair": lambda: (1, 2),
    "pair of texts": lambda: ("a", "b"),
    "triple": lambda: (1, object(), 3),
    "dict": dict,
    "dict of none": lambda: {"a": None},
    "dict of ints": lambda: {"a": 1, "b": -1},
    "dict of dicts": lambda: {"a": {"b": {}}},
    "dict by ints": lambda: {1: "a"},
    "dict by objects": lambda: {Plain(): 1},
    "dict by surrogate": lambda: {"\ud800": 1},
    "filter": lambda: {"must": [{"key": 1, "match": 2}]},
    "odd filter": lambda: {"must": {"key": "a", "match": {"value": object()}}, "must_not": 5},
    "endless dict": endless_dict,
    "sparse": lambda: {"indices": 5, "values": object()},
    "sparse of texts": lambda: {"indices": ["a"], "values": ["b"]},
    "params": lambda: {"size": "a", "distance": 5},
    "type": lambda: Plain,
    "object": Plain,
    "odd": Odd,
    "function": lambda: len,
    "generator": lambda: (each for each in [1, "a", None]),
    "set": lambda: {1, "a"},
    "date": lambda: datetime(2026, 3, 1),
    "array of objects": lambda: np.array([Plain(), None], dtype=object),
    "array of texts": lambda: np.array(["a", "b"]),
    "array of bytes": lambda: np.array([b"a"]),
    "array of dates": lambda: np.array(["2026-03-01"], dtype="datetime64[D]"),
    "array of bools": lambda: np.array([True]),
    "array of complex": lambda: np.array([1j]),
    "array without dimensions": lambda: np.array(5.0),
    "cube": lambda: np.zeros((2, 2, 2)),
    "empty array": lambda: np.zeros((0, 3)),
    "numpy nan": lambda: np.float32("nan"),
    "numpy int": lambda: np.uint64(2**64 - 1),
    "record array": lambda: np.zeros(2, dtype=[("a", "i4")]),
    "condition": lambda: Field(5).eq(Plain()),  # type: ignore[arg-type]
    "odd condition": lambda: headwater.Filter(must=5),  # type: ignore[arg-type]
    "model": lambda: VectorParams("a", 5, hnsw_config=3),  # type: ignore[arg-type]
    "query": lambda: headwater.Recommend(positive=5, strategy=object()),  # type: ignore[arg-type]
    "formula": lambda: headwater.Formula(headwater.Sum(object()), defaults=5),  # type: ignore[arg-type]
    "text query": lambda: headwater.Bm25(5, fields={1: "a"}, highlight=7),  # type: ignore[arg-type, dict-item]
    "request": lambda: headwater.QueryRequest(prefetch=5, with_payload=object()),  # type: ignore[arg-type]
    "point": lambda: PointStruct(None, object(), 5),  # type: ignore[arg-type]
    "text object": lambda: headwater.Text(5),  # type: ignore[arg-type]
    "sparse vector": lambda: headwater.SparseVector("a", None),  # type: ignore[arg-type]
    "multi-vector": lambda: headwater.MultiVector(5),  # type: ignore[arg-type]
    "enum": lambda: headwater.UpdateStatus.COMPLETED,
    "write": lambda: [headwater.Upsert(5, "what", object())],  # type: ignore[arg-type]
}


def refuse_all(received: Received) -> Any:
    raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "the server was asked")


def method_of(client: Any, name: str) -> Callable[..., Any]:
    for part in name.split("."):
        client = getattr(client, part)
    found: Callable[..., Any] = client
    return found


def sound(name: str, method: Callable[..., Any], tmp_path: Path, *, but: str) -> dict[str, Any]:
    """Values for the arguments that must be given, and for those that the argument needs."""
    parameters = inspect.signature(method).parameters
    given = {each: SOUND[each] for each, parameter in parameters.items() if parameter.default is parameter.empty}
    if ({"ids", "filter"} <= set(parameters) and "explain" not in name) or name == "records.delete":
        given["ids"] = [1]
    for each, value in NEEDED.get(name, {}).items():
        given[each] = value
    if "upload_points" in name:
        given |= {"points": SOUND["points"]} if but not in ("ids", "vectors", "payloads") else {"ids": [1]}
    if "path" in given and ("port" in name or "load" in name):
        given["path"] = tmp_path / "file"
    if name == "vde.upload_snapshot" and but == "collection":
        given["path"] = tmp_path / "missing"  # the file names the collection otherwise
    if but in ("filter", "where", "from_using") and "explain" not in name:
        given.pop("ids", given.pop("rows", None))
    if but == "from_using":
        given["from_collection"] = "a"
    given.pop(but, None)
    return given


def named_by(error: Exception, argument: str) -> bool:
    return argument in str(error) or ALSO_NAMED.get(argument, argument) in str(error)


def outcome(run: Callable[[], Any], argument: str) -> str:
    """Empty when what came out is as it should be."""
    try:
        result = run()
        if inspect.isgenerator(result):
            list(result)
    except HeadwaterError:
        return ""
    except (TypeError, ValueError) as error:
        if type(error) not in (TypeError, ValueError):
            return f"{type(error).__name__}: {error}"
        return "" if named_by(error, argument) else f"does not name {argument}: {type(error).__name__}: {error}"
    except OSError:
        return ""
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.parametrize("name", METHODS)
def test_no_argument_reaches_the_insides(
    client: Client, server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b'{"id":1}\n')
    if "parquet" in name:
        parquet.write_table(pyarrow.table({"id_number": [1]}), tmp_path / "file")
    server.answer = refuse_all
    method = method_of(client, name)
    wrong = []
    for argument in inspect.signature(method).parameters:
        given = sound(name, method, tmp_path, but=argument)
        for kind, make in ZOO.items():
            if argument == "progress" and kind in ("type", "function"):
                continue  # it is called, and what it raises comes out
            value = make()
            found = outcome(partial(method, **given, **{argument: value}), argument)
            if found:
                wrong.append(f"{argument}, {kind}: {found[:300]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["points.upsert", "collections.create", "points.query"])
def test_nor_that_of_an_async_client(server: ScriptedServer, name: str, tmp_path: Path) -> None:
    server.answer = refuse_all

    def asyncio_run(*args: Any) -> None:
        asyncio.run(call(*args))

    async def call(argument: str, value: Any, given: dict[str, Any]) -> None:
        async with AsyncClient(server.address) as client:
            await method_of(client, name)(**given, **{argument: value})

    method = method_of(Client(), name)
    for argument in inspect.signature(method).parameters:
        given = sound(name, method, tmp_path, but=argument)
        for kind in ("object", "surrogate", "endless"):
            value = ZOO[kind]()
            found = outcome(partial(asyncio_run, argument, value, given), argument)
            assert not found, f"{argument}, {kind}: {found}"


MODELS: dict[str, tuple[type, dict[str, Any], str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "vectors_config": (
        VectorParams,
        {"size": 4},
        "collections.create",
        lambda given: {"vectors_config": {"text": given}},
    ),
    "hnsw_config": (
        headwater.HnswConfigDiff,
        {},
        "collections.create",
        lambda given: {"vectors_config": {"size": 4, "hnsw_config": given}},
    ),
    "ivf_config": (
        headwater.IvfConfig,
        {},
        "collections.create",
        lambda given: {"vectors_config": {"size": 4, "ivf_config": given}},
    ),
    "multivector_config": (
        headwater.MultiVectorParams,
        {},
        "collections.create",
        lambda given: {"vectors_config": {"size": 4, "multivector_config": given}},
    ),
    "optimizers_config": (
        headwater.OptimizersConfig,
        {},
        "collections.create",
        lambda given: {"optimizers_config": given},
    ),
    "update_vectors": (
        headwater.VectorParamsDiff,
        {},
        "collections.update",
        lambda given: {"update_vectors": {"text": given}},
    ),
    "text_indexes": (
        headwater.TextIndexParams,
        {},
        "collections.create",
        lambda given: {"text_indexes": {"a": given}},
    ),
    "payload_schema": (
        headwater.FieldIndexParams,
        {"type": "keyword"},
        "collections.create",
        lambda given: {"payload_schema": {"a": given}},
    ),
    "points": (PointStruct, {"id": 1}, "points.upsert", lambda given: {"points": [given]}),
    "compare": (
        headwater.StoredComparison,
        {"path": "a", "comparison": "less"},
        "points.upsert",
        lambda given: {"compare": [given]},
    ),
    "params": (headwater.SearchParams, {}, "points.query", lambda given: {"params": given}),
    "quantization": (
        headwater.QuantizationSearchParams,
        {},
        "points.query",
        lambda given: {"params": {"quantization": given}},
    ),
    "prefetch": (headwater.PrefetchQuery, {}, "points.query", lambda given: {"prefetch": given}),
    "lookup_from": (headwater.LookupFrom, {}, "points.query", lambda given: {"lookup_from": given}),
    "search_after": (
        headwater.SearchAfter,
        {"score": 1.0, "id": 1},
        "points.query",
        lambda given: {"search_after": given},
    ),
    "with_lookup": (
        headwater.WithLookup,
        {"collection": "a"},
        "points.query_groups",
        lambda given: {"with_lookup": given},
    ),
    "searches": (
        headwater.SearchRequest,
        {"vector": [1.0]},
        "points.search_batch",
        lambda given: {"searches": [given]},
    ),
    "queries": (headwater.QueryRequest, {}, "points.query_batch", lambda given: {"queries": [given]}),
    "aggregations": (
        headwater.Aggregation,
        {"kind": "sum", "path": "a"},
        "points.aggregate",
        lambda given: {"aggregations": {"n": given}},
    ),
    "order_by": (headwater.OrderBy, {"path": "a"}, "points.query", lambda given: {"query": {"order_by": given}}),
    "sample": (headwater.Sample, {}, "points.query", lambda given: {"query": {"sample": given}}),
    "recommend": (headwater.Recommend, {}, "points.query", lambda given: {"query": {"recommend": given}}),
    "discover": (
        headwater.Discover,
        {"target": [1.0], "context": []},
        "points.query",
        lambda given: {"query": {"discover": given}},
    ),
    "context": (
        headwater.ContextPair,
        {"positive": 1, "negative": 2},
        "points.query",
        lambda given: {"query": {"context": {"pairs": [given]}}},
    ),
    "nearest_with_mmr": (
        headwater.NearestWithMmr,
        {"nearest": 1},
        "points.query",
        lambda given: {"query": {"nearest_with_mmr": given}},
    ),
    "formula": (headwater.Formula, {"expression": 1}, "points.query", lambda given: {"query": {"formula": given}}),
    "rescore": (headwater.Rescore, {}, "points.query", lambda given: {"query": {"rescore": given}}),
    "weighted": (
        headwater.WeightedMetric,
        {"metric": "dot"},
        "points.query",
        lambda given: {"query": {"rescore": {"metric": [given]}}},
    ),
    "bm25": (headwater.Bm25, {"text": "a"}, "points.query", lambda given: {"query": {"bm25": given}}),
    "highlight": (
        headwater.HighlightParams,
        {},
        "points.query",
        lambda given: {"query": {"bm25": {"text": "a", "highlight": given}}},
    ),
    "rrf": (headwater.Rrf, {}, "points.query", lambda given: {"query": {"rrf": given}}),
    "dbsf": (headwater.Dbsf, {}, "points.query", lambda given: {"query": {"fusion": headwater.Dbsf(**given)}}),
    "vectors": (
        headwater.PropertyVector,
        {"property_name": "a", "vector": [1.0]},
        "records.create",
        lambda given: {"vectors": [given]},
    ),
}
"""Models as dicts: their class, what they need, and where they go."""


@pytest.mark.parametrize("kind", MODELS)
def test_no_field_of_a_dict_reaches_the_insides(
    client: Client, server: ScriptedServer, tmp_path: Path, kind: str
) -> None:
    server.answer = refuse_all
    model, needed, name, place = MODELS[kind]
    method = method_of(client, name)
    wrong = []
    for field in dataclasses.fields(model):
        for each, make in ZOO.items():
            try:
                named = place({**needed, field.name: make()})
            except (TypeError, ValueError):  # an object that its own class refuses
                continue
            given = {**sound(name, method, tmp_path, but=next(iter(named))), **named}
            found = outcome(partial(method, **given), field.name)
            if found:
                wrong.append(f"{field.name}, {each}: {found[:300]}")
    keys: list[dict[Any, Any]] = [] if kind == "dbsf" else [{"nonsense": 1}, {5: 1}]
    for each_key in keys:
        given = {**sound(name, method, tmp_path, but=""), **place({**needed, **each_key})}
        found = outcome(partial(method, **given), *map(str, each_key))
        if found:
            wrong.append(f"another key: {found}")
    assert not wrong, "\n".join(wrong)
