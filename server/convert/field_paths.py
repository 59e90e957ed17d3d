"""Paths of fields in a request, as errors name them: `points[3].vectors["text"]`."""

from collections.abc import Mapping
from typing import TypeVar

from google.protobuf.message import Message

from storage.errors import InvalidRequest

Value = TypeVar("Value")


def join(path: str, name: str) -> str:
    """The path of field `name` of the message at `path`. An empty `path` is the request itself."""
    return f"{path}.{name}" if path else name


def kind_of(message: Message, path: str, error: type[InvalidRequest] = InvalidRequest) -> str:
    """The kind that `message` sets. Raises `error` if it sets none."""
    kind: str | None = message.WhichOneof("kind")
    if kind is None:
        names = ", ".join(field.name for field in message.DESCRIPTOR.oneofs_by_name["kind"].fields)
        raise error(path, f"nothing is set; set one of: {names}")
    return kind


def enum_value(table: Mapping[int, Value], number: int, path: str) -> Value:
    """The value for the `number` of an enum. Raises InvalidRequest for a number that this version does not know."""
    if number not in table:
        raise InvalidRequest(path, f"{number} is not a known value")
    return table[number]
