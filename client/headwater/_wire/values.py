"""Converts payloads, ids and names between Python and the contract. Knows neither vectors nor queries."""

import math
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import numpy as np

from headwater._plain import makes_payload, plain_of
from headwater._wire.limits import check_depth, refused
from headwater.errors import InvalidPayloadError, InvalidPointIdError, NotFiniteError
from headwater.models import PointId, PointIdLike, PointIds
from headwater.v1 import common_pb2, payload_pb2


def name_list(given: Iterable[str], what: str) -> list[str]:
    """The names as a list. Raises TypeError for a string, since a list of its characters is never meant."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"{what} takes a list of strings, not {'one string' if isinstance(given, str) else given!r}")
    listed = list(given)
    for position, name in enumerate(listed):
        if not isinstance(name, str):
            raise TypeError(f"{what}[{position}] is a string, not {type(name).__name__}")
    return listed


def write_id(given: PointIdLike, message: common_pb2.PointId, path: str) -> None:
    """Raises TypeError for a value that is not an id, InvalidPointIdError for a number below 0 or beyond 64 bits."""
    match given:
        case str():
            try:
                message.key = given
            except UnicodeEncodeError as error:
                description = f"a lone surrogate at character {error.start} is not valid text"
                raise refused(InvalidPointIdError, path, description) from None
        case UUID():
            message.key = str(given)
        case int() | np.integer() if not isinstance(given, bool):
            if not 0 <= given < 2**64:
                raise refused(InvalidPointIdError, path, f"{given} is not an unsigned 64-bit number")
            message.number = int(given)
        case _:
            raise TypeError(f"{path} is an int, a str or a UUID, not {type(given).__name__}")


def id_message(given: PointIdLike, path: str = "id") -> common_pb2.PointId:
    message = common_pb2.PointId()
    write_id(given, message, path)
    return message


def id_messages(given: PointIds, path: str = "ids") -> list[common_pb2.PointId]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"{path} takes a list of ids, not {'one string' if isinstance(given, str) else given!r}")
    return [id_message(point_id, f"{path}[{position}]") for position, point_id in enumerate(given)]


def id_of(message: common_pb2.PointId) -> PointId:
    return message.key if message.WhichOneof("kind") == "key" else message.number


def write_payload(payload: Mapping[str, Any], message: payload_pb2.Payload, path: str, depth: int = 1) -> None:
    """Raises InvalidPayloadError, NotFiniteError, LimitExceededError, TypeError or ValueError, which names the
    value."""
    check_depth(depth, path)
    if not isinstance(payload, Mapping):
        if not makes_payload(payload):
            raise TypeError(f"{path} is a dict, not {type(payload).__name__}")
        return write_payload(payload.to_payload(), message, path, depth + 1)
    message.SetInParent()  # so that an empty object is sent too
    for key, value in payload.items():
        if not isinstance(key, str):
            raise TypeError(f"{path} has a key of type {type(key).__name__}; keys are strings, such as {str(key)!r}")
        try:
            field = message.fields[key]
        except UnicodeEncodeError as error:
            raise _no_text(f"a key of {path}", error) from None
        write_value(value, field, f'{path}["{key}"]', depth)


def _no_text(path: str, error: UnicodeEncodeError) -> InvalidPayloadError:
    return refused(InvalidPayloadError, path, f"a lone surrogate at character {error.start} is not valid text")


def payload_message(payload: Mapping[str, Any], path: str = "payload") -> payload_pb2.Payload:
    message = payload_pb2.Payload()
    write_payload(payload, message, path)
    return message


def write_value(value: Any, message: payload_pb2.Value, path: str, depth: int = 0) -> None:
    """Raises InvalidPayloadError, NotFiniteError, LimitExceededError, TypeError or ValueError, which names the
    value."""
    match value:
        case None:
            message.null_value = payload_pb2.NULL_VALUE_UNSPECIFIED
        case bool() | np.bool_():  # before int: a bool is an int
            message.bool_value = bool(value)
        case int() | np.integer() if not isinstance(value, np.timedelta64):
            if not -(2**63) <= value < 2**63:
                raise refused(InvalidPayloadError, path, f"the integer {value} needs more than 64 bits")
            message.integer_value = int(value)
        case float() | np.floating():
            if not math.isfinite(value):
                raise refused(NotFiniteError, path, f"{value} is not finite")
            message.double_value = float(value)
        case str():
            try:
                message.string_value = value
            except UnicodeEncodeError as error:
                raise _no_text(path, error) from None
        case Mapping():
            write_payload(value, message.struct_value, path, depth + 1)
        case list() | tuple():
            _write_list(value, message.list_value, path, depth + 1)
        case _:
            check_depth(depth + 1, path)
            write_value(plain_of(value, path), message, path, depth + 1)


def _write_list(values: list[Any] | tuple[Any, ...], message: payload_pb2.ListValue, path: str, depth: int) -> None:
    check_depth(depth, path)
    message.SetInParent()
    for position, value in enumerate(values):
        write_value(value, message.values.add(), f"{path}[{position}]", depth)


def value_message(value: Any, path: str) -> payload_pb2.Value:
    message = payload_pb2.Value()
    write_value(value, message, path)
    return message


def payload_of(message: payload_pb2.Payload) -> dict[str, Any]:
    """The payload with sorted keys: maps on the wire have no order, and equal answers should look equal."""
    fields = message.fields
    return {key: value_of(fields[key]) for key in sorted(fields)}


def value_of(value: payload_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "integer_value":
            return value.integer_value
        case "double_value":
            return value.double_value
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [value_of(element) for element in value.list_value.values]
        case "struct_value":
            return payload_of(value.struct_value)
        case _:
            return None
