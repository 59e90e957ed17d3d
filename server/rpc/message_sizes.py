"""How much memory a parsed message takes, estimated from its bytes.

Small parts take much more memory than bytes on the wire: a million empty points are two megabytes there and hundreds in
memory. So the parts are counted before the message is parsed.
"""

from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

BYTES_PER_BYTE = 3
"""Memory per byte of a message: the bytes as they came, the parsed message, and the values of the engine."""

BYTES_PER_PART = 200
"""Memory of a message within a message, or of a string, besides its bytes: parsed, and as a value of the engine."""

_LEAST_BYTES_PER_PART = 2


def memory_of(descriptor: Any, raw: bytes, bound: int | None) -> int:
    """An upper bound, in bytes, of the memory that the message `raw` will take. Counting ends soon after `bound`."""
    size = BYTES_PER_BYTE * len(raw)
    # If even the smallest parts would fit, nothing is counted: with many bytes, counting takes 0.5 µs per part.
    if bound is None or size + BYTES_PER_PART * (len(raw) // _LEAST_BYTES_PER_PART) <= bound:
        return size
    return size + BYTES_PER_PART * count_parts(descriptor, raw, bound // BYTES_PER_PART + 1)


def count_parts(descriptor: Descriptor, raw: bytes, most: int) -> int:
    """The number of messages and strings within a message; `most` if there are more. Malformed parts are skipped."""
    parts = 0
    left: list[tuple[int, int, Descriptor]] = [(0, len(raw), descriptor)]
    while left and parts < most:
        position, end, kind = left.pop()
        children = _children(kind)
        while position < end and parts < most:
            tag, position = _varint(raw, position, end)
            match tag & 7:
                case 2:  # a message, a string, or a list of numbers
                    length, position = _varint(raw, position, end)
                    parts += 1
                    child = children.get(tag >> 3)
                    if child is not None and length:
                        left.append((position, min(position + length, end), child))
                    position += length
                case 0:  # a number, seven bits per byte
                    _, position = _varint(raw, position, end)
                case 1:
                    position += 8
                case 5:
                    position += 4
                case _:
                    position = end
    return min(parts, most)


@cache
def _children(kind: Descriptor) -> dict[int, Descriptor]:
    """The messages in fields of `kind`, by field number. Only messages that contain messages or strings are listed."""
    inner = ((field.number, field.message_type) for field in kind.fields)
    return {number: message for number, message in inner if message is not None and _has_parts(message)}


def _has_parts(kind: Descriptor) -> bool:
    return any(
        field.message_type is not None or field.cpp_type == FieldDescriptor.CPPTYPE_STRING for field in kind.fields
    )


def _varint(raw: bytes, position: int, end: int) -> tuple[int, int]:
    """The number at `position`, and the position after it. If the number is cut off, the end."""
    value = shift = 0
    while position < end:
        byte = raw[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    return value, end
