"""Short ways to write the messages that tests send."""

from collections.abc import Mapping, Sequence

from headwater.v1 import collections_pb2, common_pb2, filter_pb2, payload_pb2, query_pb2
from server.convert.payload import payload_message

VECTORS = Mapping[str, Sequence[float]]


def point_id(value: int | str) -> common_pb2.PointId:
    return common_pb2.PointId(number=value) if isinstance(value, int) else common_pb2.PointId(key=value)


def ids(*values: int | str) -> common_pb2.PointIdList:
    return common_pb2.PointIdList(ids=[point_id(value) for value in values])


def vector(values: Sequence[float]) -> common_pb2.Vector:
    return common_pb2.Vector(dense=common_pb2.DenseVector(values=values))


def vectors(by_space: VECTORS) -> dict[str, common_pb2.Vector]:
    return {space: vector(values) for space, values in by_space.items()}


def point(
    value: int | str, by_space: VECTORS | None = None, payload: dict[str, object] | None = None
) -> common_pb2.PointStruct:
    message = None if payload is None else payload_message(payload)
    return common_pb2.PointStruct(id=point_id(value), vectors=vectors(by_space or {}), payload=message)


def nearest(values: Sequence[float]) -> query_pb2.Query:
    return query_pb2.Query(nearest=query_pb2.VectorInput(vector=vector(values)))


def value(python: object) -> payload_pb2.Value:
    return payload_message({"": python}).fields[""]


def equal(path: str, python: object) -> filter_pb2.Condition:
    return filter_pb2.Condition(field=filter_pb2.FieldCondition(path=path, equal=value(python)))


def must(*conditions: filter_pb2.Condition) -> filter_pb2.Filter:
    return filter_pb2.Filter(must=conditions)


def space(size: int, distance: common_pb2.Distance = common_pb2.DISTANCE_COSINE) -> collections_pb2.VectorParams:
    return collections_pb2.VectorParams(size=size, distance=distance)
