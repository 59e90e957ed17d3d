"""Converts points and selectors of their parts between the client's models and the contract."""

from collections.abc import Iterable, Sequence

from headwater._wire.text import highlight_of
from headwater._wire.values import id_of, name_list, payload_of, write_id, write_payload
from headwater._wire.vectors import vectors_of, write_vectors
from headwater.models import (
    Page,
    PayloadNotAskedFor,
    PointStruct,
    PointVectors,
    Record,
    ScoredPoint,
    WithPayload,
    WithPayloadSelector,
    WithVectors,
    WithVectorsSelector,
)
from headwater.v1 import common_pb2, points_pb2


def payload_selector(given: WithPayload) -> common_pb2.WithPayloadSelector:
    match given:
        case bool():
            return common_pb2.WithPayloadSelector(enable=given)
        case WithPayloadSelector(include=None):
            return common_pb2.WithPayloadSelector(exclude=_name_list(given.exclude or (), "exclude"))
        case WithPayloadSelector():
            return common_pb2.WithPayloadSelector(include=_name_list(given.include or (), "include"))
        case _:
            return common_pb2.WithPayloadSelector(include=_name_list(given, "with_payload"))


def vectors_selector(given: WithVectors) -> common_pb2.WithVectorsSelector:
    match given:
        case bool():
            return common_pb2.WithVectorsSelector(enable=given)
        case WithVectorsSelector():
            return common_pb2.WithVectorsSelector(include=_name_list(given.include, "include"))
        case _:
            return common_pb2.WithVectorsSelector(include=_name_list(given, "with_vectors"))


def _name_list(given: Sequence[str], what: str) -> common_pb2.NameList:
    return common_pb2.NameList(names=name_list(given, what))


def asks_vectors(selector: common_pb2.WithVectorsSelector) -> bool:
    """Whether the selector asks for vectors."""
    return selector.enable or selector.WhichOneof("kind") == "include"


def record_of(message: common_pb2.RetrievedPoint, vectors: bool) -> Record:
    """`vectors`: whether the request asked for vectors."""
    return Record(
        id=id_of(message.id),
        payload=payload_of(message.payload) if message.HasField("payload") else PayloadNotAskedFor(),
        vectors=vectors_of(message.vectors) if vectors else None,
        version=message.version,
    )


def page_of(message: points_pb2.PointsScrollResponse, vectors: bool) -> Page:
    return Page(
        [record_of(point, vectors) for point in message.points],
        id_of(message.next_offset) if message.HasField("next_offset") else None,
        cursor=message.cursor if message.HasField("cursor") else None,
        seq=message.seq,
    )


def scored_point_of(message: common_pb2.ScoredPoint, vectors: bool) -> ScoredPoint:
    return ScoredPoint(
        id=id_of(message.id),
        score=message.score,
        payload=payload_of(message.payload) if message.HasField("payload") else PayloadNotAskedFor(),
        vectors=vectors_of(message.vectors) if vectors else None,
        version=message.version,
        highlights=tuple(map(highlight_of, message.highlights)),
    )


def point_message(point: PointStruct, position: int) -> common_pb2.PointStruct:
    """`position` is the point's position in the call; errors name it."""
    message = common_pb2.PointStruct()
    path = f"points[{position}]"
    write_id(point.id, message.id, f"{path}.id")
    write_vectors(point.vector, message.vectors, f"{path}.vectors")
    if point.payload is not None:
        write_payload(point.payload, message.payload, f"{path}.payload")
    return message


def point_messages(points: Iterable[PointStruct]) -> list[common_pb2.PointStruct]:
    return [point_message(point, position) for position, point in enumerate(points)]


def point_vectors_messages(points: Iterable[PointVectors | PointStruct]) -> list[points_pb2.PointVectors]:
    messages = []
    for position, point in enumerate(points):
        message = points_pb2.PointVectors()
        write_id(point.id, message.id, f"points[{position}].id")
        write_vectors(point.vector, message.vectors, f"points[{position}].vectors")
        messages.append(message)
    return messages
