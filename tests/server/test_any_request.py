"""Whatever a request holds, it is answered or refused with a reason; it never meets a bug of ours."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.v1 import collections_pb2, common_pb2, indexes_pb2, indexes_pb2_grpc
from headwater.v1 import points_pb2 as wire
from server.app import COLLECTIONS, INDEXES, POINTS, VDE
from tests.server.conftest import Service
from tests.server.messages import point, space

NAME = "any-request"
METHODS = [method for service in (COLLECTIONS, POINTS, VDE, INDEXES) for method in service.methods]
DEEPEST = 4

NUMBERS = st.sampled_from([0, 1, 2, 3, 10, 255, 10_000, 10_001, 2**31 - 1])
FLOATS = st.sampled_from([0.0, 1.0, -1.0, 0.5, 60.0, 1e30, -1e30, float("nan"), float("inf")])
TEXTS = st.sampled_from(["", "a", "a.b", "a[].b", "a..b", "text", "é", "x" * 600, "\x00"])
SCALARS = {
    FieldDescriptor.CPPTYPE_INT32: NUMBERS,
    FieldDescriptor.CPPTYPE_INT64: NUMBERS | st.sampled_from([-(2**63), 2**63 - 1]),
    FieldDescriptor.CPPTYPE_UINT32: NUMBERS,
    FieldDescriptor.CPPTYPE_UINT64: NUMBERS | st.just(2**64 - 1),
    FieldDescriptor.CPPTYPE_FLOAT: FLOATS,
    FieldDescriptor.CPPTYPE_DOUBLE: FLOATS,
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_ENUM: st.integers(0, 4) | st.just(99),
    FieldDescriptor.CPPTYPE_STRING: TEXTS,
}
# What a message that is not random enough would never be: valid.
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "headwater.v1.DenseVector": st.sampled_from([[1, 0], [0, 1], [1, 2, 3]]).map(
        lambda values: common_pb2.DenseVector(values=values)
    ),
    "headwater.v1.PointId": st.integers(0, 5).map(lambda number: common_pb2.PointId(number=number)),
}


def messages(descriptor: Descriptor, depth: int = 0) -> st.SearchStrategy[Message]:
    """Messages of this type, valid now and then."""

    @st.composite
    def build(draw: st.DrawFn) -> Any:
        message: Any = GetMessageClass(descriptor)()
        for field in descriptor.fields:
            if field.name == "collection_name" and depth == 0:
                message.collection_name = draw(st.sampled_from([NAME, NAME, NAME, "absent"]))
            elif field.name in ("label", "labels") and depth == 0:
                label = draw(st.sampled_from([NAME, NAME, NAME, "absent"]))
                message.MergeFrom(GetMessageClass(descriptor)(**{field.name: [label] if field.is_repeated else label}))
            elif draw(st.integers(0, 2)) and (field.message_type is None or depth < DEEPEST):
                fill(message, field, draw, depth)
        return message

    exact = LIKELY.get(descriptor.full_name)
    return build() if exact is None else exact | build()


def fill(message: Any, field: FieldDescriptor, draw: st.DrawFn, depth: int) -> None:
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        for key in draw(st.lists(st.sampled_from(["", "text", "flat", "a"]), max_size=2)):
            element = entry.fields_by_name["value"]
            if element.message_type is None:
                getattr(message, field.name)[key] = draw(scalars(element))
            else:
                getattr(message, field.name)[key].CopyFrom(draw(messages(element.message_type, depth + 1)))
    elif field.is_repeated:
        values = messages(entry, depth + 1) if entry is not None else scalars(field)
        getattr(message, field.name).extend(draw(st.lists(values, max_size=3)))
    elif entry is not None:
        getattr(message, field.name).CopyFrom(draw(messages(entry, depth + 1)))
    else:
        setattr(message, field.name, draw(scalars(field)))


def scalars(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    return st.binary(max_size=50) if field.type == FieldDescriptor.TYPE_BYTES else SCALARS[field.cpp_type]


@pytest.fixture(scope="module")
def filled(service: Service) -> Iterator[Service]:
    spaces = {"": space(2), "text": space(3, common_pb2.DISTANCE_DOT), "flat": space(2, common_pb2.DISTANCE_EUCLID)}
    create = collections_pb2.CollectionsCreateRequest(collection_name=NAME, vectors=spaces)
    service.collections.Create(create)
    points = [point(number, {"": [1, number], "text": [1, 2, 3]}, {"a": {"b": number}}) for number in range(5)]
    service.points.Upsert(wire.PointsUpsertRequest(collection_name=NAME, points=points))
    indexes = indexes_pb2_grpc.IndexesStub(service.channel)
    for similarity in (common_pb2.DISTANCE_COSINE, common_pb2.DISTANCE_EUCLID):
        indexes.Create(
            indexes_pb2.IndexesCreateRequest(label=NAME, property_name="a", dimensions=2, similarity=similarity)
        )
    yield service
    service.collections.Delete(collections_pb2.CollectionsDeleteRequest(collection_name=NAME))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: f"{method.containing_service.name}.{method.name}")
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_request_meets_a_bug(filled: Service, method: MethodDescriptor, data: st.DataObject) -> None:
    request: Any = data.draw(messages(method.input_type))
    if method.name in ("Close", "Delete") and method.containing_service.name in ("Collections", "VDE"):
        request.collection_name = "absent"
    assert outcome(filled.channel, method, request) not in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN), request


def outcome(channel: grpc.Channel, method: MethodDescriptor, request: Message) -> grpc.StatusCode:
    """How the server answers a request, which is all that is sent where it takes a stream."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    raw = request.SerializeToString()
    try:
        if method.server_streaming:
            list(channel.unary_stream(path, None, None)(raw, timeout=30))
        elif method.client_streaming:
            channel.stream_unary(path, None, None)(iter([raw]), timeout=30)
        else:
            channel.unary_unary(path, None, None)(raw, timeout=30)
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK
