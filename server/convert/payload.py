"""Payloads on the wire and on disk: their codec and their rules. It knows nothing of paths inside them or of filters.

A stored payload is the deterministic serialisation of `headwater.v1.Payload`, so answers pass it on as it is.
"""

import re
from collections.abc import Collection
from math import isfinite

from google.protobuf.message import DecodeError

from headwater.v1.payload_pb2 import NULL_VALUE_UNSPECIFIED, Payload, Value
from storage.errors import InvalidPayload, LimitExceeded, NotFinite

MAX_PAYLOAD_BYTES = 2**20
"""Bytes of one stored payload. Points are not meant to hold files."""
MAX_PAYLOAD_DEPTH = 24
"""Levels of objects and lists, the payload included. Each object takes 3 of the 100 levels of a protobuf parser."""
MAX_KEY_BYTES = 512

# Bytes of a serialised payload. A tag is field number << 3 | wire type, and lengths are varints.
_EMPTY_ELEMENT = b"\x0a\x00"  # an empty key of Payload.fields, or an element of ListValue.values without a kind
_EMPTY_VALUE = b"\x12\x00"  # a value of Payload.fields without a kind
_OBJECT_TAG, _LIST_TAG, _DOUBLE_TAG = b"\x3a", b"\x32", b"\x21"
_LONG_KEY = re.compile(rb"\x0a[\x80-\xff][\x04-\xff]")  # a key whose length is 512 bytes or more
_NOT_FINITE = re.compile(rb"\x21.{6}[\xf0-\xff][\x7f\xff]", re.DOTALL)  # a double whose exponent bits are all ones

# Each payload that is written is checked, and most are sound. So a quick look at the bytes comes first.
_SURELY_SHORT = MAX_KEY_BYTES // 4  # in characters: one character has at most 4 bytes in UTF-8
_SOUND_KINDS = frozenset(("string_value", "integer_value", "bool_value", "null_value"))


class ProtobufPayloadCodec:
    """The `storage.tables.codec.PayloadCodec` of this server."""

    def encode(self, payload: dict[str, object]) -> bytes:
        """The only encoding of `payload`. Raises InvalidPayload, NotFinite or LimitExceeded, as a write of it does."""
        return stored_payload(payload_message(payload), "payload")

    def decode(self, data: bytes | memoryview, keys: Collection[str] | None = None) -> dict[str, object]:
        """The payload; with `keys`, only these top-level keys. Raises ValueError if `data` is no payload."""
        try:
            message = Payload.FromString(data)  # type: ignore[arg-type]  # the stubs know bytes only
        except DecodeError as error:
            raise ValueError(str(error)) from error
        if keys is None:
            return payload_of(message)
        fields = message.fields
        return {key: value_of(fields[key]) for key in keys if key in fields}


def stored_payload(message: Payload, path: str) -> bytes:
    """The bytes to store for the payload at `path` of a request. Raises what `check_payload` raises."""
    message.DiscardUnknownFields()
    data = message.SerializeToString(deterministic=True)
    if not is_surely_sound(data):
        check_payload(message, path)
    if len(data) > MAX_PAYLOAD_BYTES:
        raise LimitExceeded(path, limit="MAX_PAYLOAD_BYTES", maximum=MAX_PAYLOAD_BYTES, actual=len(data))
    return data


def check_payload(message: Payload, path: str) -> None:
    """Raises InvalidPayload, NotFinite or LimitExceeded, which name the value, unless the payload may be stored."""
    _check_object(message, path, 1)


def is_surely_sound(data: bytes) -> bool:
    """Whether the serialised payload is certainly sound. Requires: it has no unknown fields.

    False means that it is unknown. The function looks for bytes that every unsound payload has: those of an empty key
    or value, of a long key, and of a double that is not finite. It also counts the bytes that begin objects and lists.
    Reading the message itself takes ten times as long.
    """
    return (
        _EMPTY_ELEMENT not in data
        and _EMPTY_VALUE not in data
        and data.count(_OBJECT_TAG) + data.count(_LIST_TAG) < MAX_PAYLOAD_DEPTH - 1
        and not (len(data) > MAX_KEY_BYTES and _LONG_KEY.search(data))
        and not (_DOUBLE_TAG in data and _NOT_FINITE.search(data))
    )


def payload_of(message: Payload) -> dict[str, object]:
    """The payload as Python values."""
    return {key: value_of(value) for key, value in message.fields.items()}


def value_of(value: Value) -> object:
    """The value as None, bool, int, float, str, list or dict. Raises ValueError if no kind is set."""
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
        case "null_value":
            return None
    raise ValueError("a value has no kind")


def payload_message(payload: dict[str, object]) -> Payload:
    """The message of Python values. Raises InvalidPayload for an integer beyond 64 bits or a value of another type."""
    message = Payload()
    _fill(message, payload)
    return message


def _fill(message: Payload, payload: dict[str, object]) -> None:
    message.SetInParent()  # otherwise an empty object would be missing
    for key, value in payload.items():
        _set_value(message.fields[key], value)


def _set_value(target: Value, value: object) -> None:
    match value:
        case None:
            target.null_value = NULL_VALUE_UNSPECIFIED
        case bool():  # before int: a bool is an int
            target.bool_value = value
        case int():
            if not -(2**63) <= value < 2**63:
                raise InvalidPayload("payload", f"the integer {value} needs more than 64 bits")
            target.integer_value = value
        case float():
            target.double_value = value
        case str():
            target.string_value = value
        case list():
            target.list_value.SetInParent()
            for element in value:
                _set_value(target.list_value.values.add(), element)
        case dict():
            _fill(target.struct_value, value)
        case _:
            raise InvalidPayload("payload", f"a {type(value).__name__} cannot be stored")


def _check_object(message: Payload, path: str, depth: int) -> None:
    _check_depth(path, depth)
    fields = message.fields
    for key in fields:
        if not 0 < len(key) <= _SURELY_SHORT:
            _check_key(key, path)
        value = fields[key]
        if value.WhichOneof("kind") not in _SOUND_KINDS:
            _check_value(value, path, key, depth)


def _check_key(key: str, path: str) -> None:
    length = len(key.encode())
    if not 1 <= length <= MAX_KEY_BYTES:
        raise InvalidPayload(path, f"a key has {length:,} bytes, and MAX_KEY_BYTES allows 1 to {MAX_KEY_BYTES}")


def _check_value(value: Value, path: str, step: str | int, depth: int) -> None:
    """Checks the value at `step` of the object or list at `path`. The path text is only made if the value is wrong."""
    match value.WhichOneof("kind"):
        case None:
            raise InvalidPayload(_join(path, step), "the value has no kind")
        case "double_value":
            if not isfinite(value.double_value):
                raise NotFinite(_join(path, step), f"{value.double_value} is not finite")
        case "struct_value":
            _check_object(value.struct_value, _join(path, step), depth + 1)
        case "list_value":
            if depth == MAX_PAYLOAD_DEPTH:
                _check_depth(_join(path, step), depth + 1)
            for index, element in enumerate(value.list_value.values):
                if element.WhichOneof("kind") not in _SOUND_KINDS:
                    _check_value(element, _join(path, step), index, depth + 1)


def _check_depth(path: str, depth: int) -> None:
    if depth > MAX_PAYLOAD_DEPTH:
        raise LimitExceeded(path, limit="MAX_PAYLOAD_DEPTH", maximum=MAX_PAYLOAD_DEPTH, actual=depth)


def _join(path: str, step: str | int) -> str:
    return f'{path}["{step}"]' if isinstance(step, str) else f"{path}[{step}]"
