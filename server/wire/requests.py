"""Requests as they reach handlers: a message of protobuf, or a columnar request, whose points are columns."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from google.protobuf.message import DecodeError, Message

from headwater.v1.points_pb2 import PointsUpdateVectorsRequest, PointsUpsertRequest
from server.wire.columns import PointColumns, read_columns

M = TypeVar("M", PointsUpsertRequest, PointsUpdateVectorsRequest)

_WITH_PAYLOADS = {PointsUpsertRequest: True, PointsUpdateVectorsRequest: False}


@dataclass(frozen=True, slots=True)
class ColumnarRequest(Generic[M]):
    """A request whose points are columns. `message` has all its other fields, `raw` is what was sent."""

    message: M
    points: PointColumns
    raw: bytes

    @property
    def collection_name(self) -> str:
        return self.message.collection_name

    def whole(self) -> M:
        """The request as one message, with its points."""
        return type(self.message).FromString(self.raw)


def reader_of(request_type: type[Message]) -> Callable[[bytes], Any]:
    """What reads requests of this type from their bytes. It raises DecodeError of protobuf."""
    if request_type in _WITH_PAYLOADS:
        return partial(_read, request_type)
    return request_type.FromString


def message_of(request: Any) -> Any:
    """The message of a request, without its points if these are columns."""
    return request.message if isinstance(request, ColumnarRequest) else request


def size_of(request: Any) -> int:
    """Bytes of a request as it was sent, about."""
    if isinstance(request, Message):
        return int(request.ByteSize())
    return len(request.raw) if isinstance(request, ColumnarRequest) else int(request.size)


def _read(request_type: Any, raw: bytes) -> Any:
    columns = read_columns(raw, with_payloads=_WITH_PAYLOADS[request_type])
    if columns is not None:
        points, rest = columns
        try:
            return ColumnarRequest(request_type.FromString(rest), points, raw)
        except DecodeError:
            pass  # of the whole request the error is raised below
    return request_type.FromString(raw)
