"""Requests read natively: the result, or the error, is that of protobuf and the conversion of messages.

Requests are compared as they are drawn, put together in unusual ways, and with bytes changed.
"""

import struct
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headwater.v1.common_pb2 import DenseVector, Document, MultiVector, PointId, PointStruct, SparseVector, Vector
from headwater.v1.filter_pb2 import Filter
from headwater.v1.payload_pb2 import Payload, Value
from headwater.v1.points_pb2 import (
    PointsUpdateVectorsRequest,
    PointsUpsertRequest,
    PointVectors,
    StoredComparison,
)
from server.convert import Target, update_vectors_of, upsert_of
from server.wire import ColumnarRequest, reader_of
from server.wire.library import MAX_SPACES, library
from storage.errors import EngineError
from storage.schema import CollectionSchema, DenseSpace, Distance, MultiSpace, SparseSpace
from storage.write import BySlots, SpaceVectors, UpdateVectors, Upsert
from tests.support.payload_messages import PAYLOADS, nested, object_of
from tests.support.vector_forms import FORMS, dense

pytestmark = pytest.mark.skipif(library() is None, reason="there is no wire library here")

SCHEMA = CollectionSchema(
    spaces={
        "": DenseSpace(size=3, distance=Distance.COSINE),
        "image": DenseSpace(size=2, distance=Distance.EUCLID),
        "bits": DenseSpace(size=2, distance=Distance.HAMMING),
        "words": SparseSpace(),
        "tokens": MultiSpace(tokens=DenseSpace(size=2, distance=Distance.COSINE)),
    }
)


def _in_some_form(values: list[float]) -> st.SearchStrategy[Vector]:
    return st.sampled_from(FORMS).map(lambda form: dense(values, form))


COMPONENTS = st.sampled_from([0.0, -0.0, 1.0, -2.5, 1e-40, 3e38]) | st.floats(width=32)
SOUND = st.fixed_dictionaries(
    {},
    optional={
        "": st.lists(COMPONENTS.filter(lambda each: abs(each) < 1e39), min_size=3, max_size=3),
        "image": st.lists(st.floats(-5, 5, width=32), min_size=2, max_size=2),
        "bits": st.lists(st.sampled_from([0.0, 1.0]), min_size=2, max_size=2),
    },
).flatmap(lambda given: st.fixed_dictionaries({name: _in_some_form(values) for name, values in given.items()}))
IDS = st.integers(0, 2**64 - 1).map(lambda number: PointId(number=number)) | st.text(min_size=1, max_size=4).map(
    lambda key: PointId(key=key)
)


ANY_VECTOR = st.one_of(
    st.lists(COMPONENTS, max_size=4).flatmap(_in_some_form),
    st.just(Vector()),
    st.binary(max_size=13).map(lambda raw: Vector(raw=raw)),
    st.just(Vector(values=[1, 2], sparse=SparseVector(indices=[1], values=[1]))),
    st.just(Vector(values=[1, 2], raw=bytes(8))),
    st.just(Vector(sparse=SparseVector(indices=[4, 1], values=[1, 2]))),
    st.just(Vector(multi=MultiVector(vectors=[DenseVector(values=[1, 0])]))),
    st.just(Vector(text=Document(text="a text"))),
)
NAMES = st.sampled_from(["", "image", "bits", "words", "tokens", "unknown"])
ANY_VECTORS = SOUND | st.dictionaries(NAMES, ANY_VECTOR, max_size=3)
ANY_IDS = st.one_of(
    IDS, st.just(PointId()), st.sampled_from(["", "x" * 512, "x" * 513, "é" * 256]).map(lambda key: PointId(key=key))
)
SOUND_PAYLOADS = st.dictionaries(
    st.text(min_size=1, max_size=3),
    st.one_of(st.text(max_size=5), st.integers(-(2**63), 2**63 - 1)).map(
        lambda value: Value(string_value=value) if isinstance(value, str) else Value(integer_value=value)
    ),
).map(object_of)


def _upserts(points: st.SearchStrategy[PointStruct]) -> st.SearchStrategy[PointsUpsertRequest]:
    return st.builds(
        PointsUpsertRequest,
        collection_name=st.sampled_from(["", "docs", "dökümente"]),
        points=st.lists(points, min_size=1, max_size=4),
        wait=st.none() | st.booleans(),
        mode=st.integers(0, 3),
        condition=st.none() | st.just(Filter()),
        compare=st.lists(st.just(StoredComparison(path="a", comparison="COMPARISON_LESS")), max_size=1),
    )


def _points(ids: Any, vectors: Any, payloads: Any) -> st.SearchStrategy[PointStruct]:
    return st.builds(PointStruct, id=ids, vectors=vectors, payload=payloads)


SOUND_UPSERTS = _upserts(_points(IDS, SOUND, st.none() | SOUND_PAYLOADS))
UPSERTS = SOUND_UPSERTS | _upserts(_points(ANY_IDS, ANY_VECTORS, st.none() | PAYLOADS))
UPDATES = st.builds(
    PointsUpdateVectorsRequest,
    collection_name=st.just("docs"),
    points=st.lists(st.builds(PointVectors, id=ANY_IDS, vectors=ANY_VECTORS), max_size=4),
)


def _result(request_type: Any, read: Callable[[bytes], Any], raw: bytes) -> object:
    """The operation that a request becomes, as values that can be compared, or the error and its field."""
    convert: Any = upsert_of if request_type is PointsUpsertRequest else update_vectors_of
    target = Target(SCHEMA, lambda filter, field: BySlots(lambda reader: np.empty(0, np.uint32)), _condition)
    try:
        request = read(raw)
    except DecodeError as error:
        return str(error)
    about = (request.collection_name,)
    try:
        operation: Upsert | UpdateVectors = convert(request, "", target)
    except EngineError as error:
        return about, type(error), str(error), getattr(error, "field", None), error.metadata
    vectors = {name: _values(each) for name, each in operation.vectors.items()}
    bodies = {name: (each.positions.tolist(), each.bodies) for name, each in operation.bodies.items()}
    others = (tuple(operation.payloads), operation.mode) if isinstance(operation, Upsert) else ()
    return about, operation.ids, vectors, bodies, operation.condition, others


def _values(vectors: SpaceVectors) -> object:
    matrix, positions = vectors.matrix, vectors.positions
    return positions.dtype, positions.tolist(), matrix.dtype, matrix.shape, matrix.tobytes()


def _condition(filter: Any, comparisons: Any, path: str) -> Any:
    return filter, tuple(comparisons), path


def _check_same(request_type: Any, raw: bytes) -> None:
    native = _result(request_type, reader_of(request_type), raw)
    assert native == _result(request_type, request_type.FromString, raw)


@given(UPSERTS)
@example(PointsUpsertRequest())
@example(PointsUpsertRequest(points=[PointStruct(id=PointId(number=1), payload=nested(25, Value(bool_value=True)))]))
def test_upserts_become_what_their_messages_become(request: PointsUpsertRequest) -> None:
    _check_same(PointsUpsertRequest, request.SerializeToString())
    _check_same(PointsUpsertRequest, request.SerializeToString(deterministic=True))


@given(UPDATES)
def test_updates_of_vectors_become_what_their_messages_become(request: PointsUpdateVectorsRequest) -> None:
    _check_same(PointsUpdateVectorsRequest, request.SerializeToString())


@given(SOUND_UPSERTS)
def test_sound_upserts_of_dense_vectors_are_read_natively(request: PointsUpsertRequest) -> None:
    read = reader_of(PointsUpsertRequest)(request.SerializeToString())
    assert isinstance(read, ColumnarRequest)
    assert len(read.points.ids) == len(request.points)
    del request.points[:]
    assert read.message == request


# Requests as bytes that no client of ours would make.


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


VALUE_PARTS = st.sampled_from(
    [
        b"",
        b"\x08\x00",
        b"\x08\x01",
        b"\x10\x01",
        b"\x10\x02",
        b"\x18\x80\x00",
        b"\x18" + b"\xff" * 9 + b"\x01",
        b"\x18" + b"\xff" * 9 + b"\x02",
        b"\x21" + struct.pack("<d", 1.5),
        b"\x21" + struct.pack("<d", float("nan")),
        _field(5, "é".encode()),
        _field(5, b"\xed\xa0\x80"),
        _field(5, b"\xc0\x80"),
        _field(6, b""),
        _field(6, _field(1, b"\x08\x00")),
        _field(6, _field(1, b"")),
        _field(7, b""),
        _field(7, _field(1, _field(1, b"b") + _field(2, b"\x10\x01"))),
        _field(9, b"unknown"),
    ]
)
ODD_VALUES = st.lists(VALUE_PARTS, max_size=2).map(b"".join)
ODD_ENTRIES = st.lists(
    st.sampled_from(
        [_field(1, b"a"), _field(1, b"b"), _field(1, b""), _field(1, b"\xff"), _field(1, b"k" * 513), b"\x18\x01"]
    )
    | ODD_VALUES.map(lambda value: _field(2, value)),
    max_size=3,
).map(b"".join)
ODD_PAYLOADS = st.lists(ODD_ENTRIES.map(lambda entry: _field(1, entry)), max_size=3).map(b"".join)
ODD_VECTORS = st.lists(
    st.sampled_from(
        [
            _field(1, b""),
            _field(1, b"image"),
            _field(1, b"\xff"),
            _field(2, dense([1, 2]).SerializeToString()),
            _field(2, dense([1, 2, 3]).SerializeToString()),
            _field(2, _field(1, b"\x0d" + struct.pack("<f", 1) + b"\x0d" + struct.pack("<f", 2))),
            _field(2, _field(1, _field(1, struct.pack("<f", 1)) + _field(1, struct.pack("<f", 2)))),
            _field(2, _field(1, _field(1, b"12345"))),
            _field(2, b""),
        ]
    ),
    max_size=3,
).map(b"".join)
ODD_POINTS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"\x08\x07",
                b"\x08\x00",
                b"\x08\x87\x00",
                b"\x12\x01a",
                b"\x12\x00",
                b"\x12\x01\xff",
                b"\x08\x07\x12\x01a",
                b"",
            ]
        ).map(lambda given: _field(1, given)),
        ODD_VECTORS.map(lambda given: _field(2, given)),
        ODD_PAYLOADS.map(lambda given: _field(3, given)),
        st.just(_field(4, b"unknown")),
        st.just(b"\x28\x05"),
    ),
    max_size=4,
).map(b"".join)
ODD_REQUESTS = st.lists(
    st.one_of(
        ODD_POINTS.map(lambda given: _field(2, given)),
        st.just(_field(2, b"\x0a\x02\x08\x07")),
        st.sampled_from(
            [
                _field(1, b"docs"),
                _field(1, b"\xff"),
                b"\x10\x01",
                b"\x18\x00",
                b"\x18\x81\x00",
                b"\x20\x02",
                b"\x20\x63",
                _field(5, b""),
                _field(6, b""),
                b"\x13\x14",
                b"\x7b\x7c",
                b"\x00",
                b"\xf8\xff\xff\xff\xff\x0f\x01",
            ]
        ),
    ),
    max_size=4,
).map(b"".join)


@settings(max_examples=400)
@given(ODD_REQUESTS)
def test_bytes_put_together_in_any_way_become_what_protobuf_reads(raw: bytes) -> None:
    _check_same(PointsUpsertRequest, raw)
    _check_same(PointsUpdateVectorsRequest, raw)


CHANGES = st.lists(
    st.tuples(st.integers(0, 2**16), st.sampled_from(["flip", "set", "delete", "insert", "cut"]), st.integers(0, 255)),
    min_size=1,
    max_size=3,
)


@settings(max_examples=400)
@given(UPSERTS, CHANGES)
def test_requests_with_changed_bytes_become_what_protobuf_reads(
    request: PointsUpsertRequest, changes: list[tuple[int, str, int]]
) -> None:
    raw = bytearray(request.SerializeToString())
    for place, kind, byte in changes:
        at = place % (len(raw) + 1)
        match kind:
            case "flip" if at < len(raw):
                raw[at] ^= 1 << byte % 8
            case "set" if at < len(raw):
                raw[at] = byte
            case "delete":
                del raw[at : at + 1]
            case "insert":
                raw.insert(at, byte)
            case "cut":
                del raw[at:]
    _check_same(PointsUpsertRequest, bytes(raw))


# Limits.


def _point(**fields: Any) -> PointsUpsertRequest:
    return PointsUpsertRequest(points=[PointStruct(**{"id": PointId(number=1), **fields})])


@pytest.mark.parametrize(
    ("request_", "is_native"),
    [
        (_point(id=PointId(number=2**64 - 1)), True),
        (_point(id=PointId(key="é" * 256)), True),
        (_point(id=PointId(key="é" * 256 + "x")), False),
        (_point(payload=object_of({"é" * 256: Value(bool_value=True)})), True),
        (_point(payload=object_of({"é" * 256 + "x": Value(bool_value=True)})), False),
        (_point(payload=nested(23, Value(bool_value=True))), True),
        (_point(payload=nested(24, Value(bool_value=True))), False),
        (_point(payload=object_of({"k": Value(string_value="x" * (2**20 - 16))})), True),
        (_point(payload=object_of({"k": Value(string_value="x" * 2**20)})), False),
        (_point(vectors={f"space {number}": dense([1]) for number in range(MAX_SPACES)}), True),
        (_point(vectors={f"space {number}": dense([1]) for number in range(MAX_SPACES + 1)}), False),
    ],
)
def test_what_is_within_limits_is_read_natively(request_: PointsUpsertRequest, is_native: bool) -> None:
    raw = request_.SerializeToString()
    assert isinstance(reader_of(PointsUpsertRequest)(raw), ColumnarRequest) is is_native
    _check_same(PointsUpsertRequest, raw)


def test_a_payload_is_stored_in_one_form_whatever_the_order_of_its_keys() -> None:
    keys = ["b", "a", "ab", "abc", "é", "B"]
    inner = object_of({"z": Value(integer_value=-1), "y": Value(bool_value=False), "yy": Value(double_value=-0.0)})
    values = {key: Value(struct_value=inner) for key in keys}
    stored = set()
    for first, second in [*pairwise(keys), (keys[-1], keys[0])]:
        order = [first, second, *(key for key in keys if key not in (first, second))]
        entries = [_field(1, _field(1, key.encode()) + _field(2, values[key].SerializeToString())) for key in order]
        point = _field(1, b"\x08\x01") + _field(3, b"".join(entries))
        read = reader_of(PointsUpsertRequest)(_field(2, point))
        assert isinstance(read, ColumnarRequest)
        stored.add(tuple(read.points.payloads))
    assert stored == {(object_of(values).SerializeToString(deterministic=True),)}


def test_without_the_library_messages_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.wire.columns.library", lambda: None)
    request = _point()
    assert reader_of(PointsUpsertRequest)(request.SerializeToString()) == request


def test_a_payload_and_its_bytes_are_kept_apart_from_those_of_other_points() -> None:
    payloads = [object_of({"n": Value(integer_value=number)}) for number in range(3)]
    points = [
        PointStruct(id=PointId(number=number), payload=payload if number != 1 else None)
        for number, payload in enumerate(payloads)
    ]
    read = reader_of(PointsUpsertRequest)(PointsUpsertRequest(points=points).SerializeToString())
    assert isinstance(read, ColumnarRequest)
    assert [Payload.FromString(data) for data in read.points.payloads] == [payloads[0], Payload(), payloads[2]]
