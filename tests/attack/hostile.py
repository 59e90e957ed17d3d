"""Values and bytes that nobody means: extremes, damaged encodings, deep nests. Knows no world and no RPC."""

import random
import struct
from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

INTEGERS = (0, 1, 2, 255, 256, 10_000, 10_001, 65_536, 65_537, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
NEGATIVES = (-1, -(2**31), -(2**63))
FLOATS = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, 5e-324, 1.4e-45, 1.1754944e-38, 3.4028235e38, -3.4028235e38, 1e-30, 1e30),
    *(1.7976931348623157e308, 2.0**53, 2.0**63, 2.0**64, float("inf"), float("-inf"), float("nan")),
)
TEXTS = (
    *("", " ", "\x00", "a\x00b", "\n", "\u202e", "\ufeff", "e\u0301", "\U0001f98a", "a" * 256, "é" * 300, "x" * 600),
    *("..", "../../etc/passwd", "/", "a/b", "%s%n", "a..b", "a[]", "[].a", "a[].", "[]", ".", "a" + "[].b" * 40),
    *("$score[" + "9" * 5_000 + "]", "$score[-1]", "$score[1e9]", "9" * 400, "-" * 2_000, "(" * 2_000, "not " * 2_000),
    *("[ab]{1000}" * 100, "(a*)*" * 20, "{" + "a," * 200 + "a}", "**/" * 300, "[" * 100, "\\", "*" * 1_000, "1e999"),
    *("9999-12-31T23:59:60Z", "0000-00-00T00:00:00Z", "2026-03-01T12:00:00+99:99", "a == " * 200, '"', "'", "\\u0000"),
)
LARGE_TEXTS = tuple(unit * (70_000 // len(unit)) for unit in ("a", "a b ", "漢字", '"a" ', "a-b.c "))
COUNTS = (0, 2, 17, 65, 257, 1_025)
"""How often a repeated field is repeated: past limits that there are."""

_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(2**31), 2**31 - 1),
}


def scalar(draw: random.Random, field: FieldDescriptor) -> Any:
    """A hostile value that the field can hold."""
    kind = field.cpp_type
    if field.type == FieldDescriptor.TYPE_BYTES:
        return draw.randbytes(draw.choice((0, 1, 50, 5_000)))
    if kind == FieldDescriptor.CPPTYPE_STRING:
        return draw.choice(LARGE_TEXTS) if draw.random() < 0.05 else draw.choice(TEXTS)
    if kind in (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE):
        return draw.choice(FLOATS)
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return draw.random() < 0.5
    low, high = _RANGES[kind]
    return draw.choice([number for number in (*INTEGERS, *NEGATIVES) if low <= number <= high])


def damaged(draw: random.Random, raw: bytes, other: bytes) -> bytes:
    """A request that is no longer quite one; `other` is a sound one of anything."""
    damage: Callable[[random.Random, bytes, bytes], bytes] = draw.choice(_DAMAGES)
    return damage(draw, raw, other)


def nested(fields: Sequence[int], levels: int, inside: bytes = b"") -> bytes:
    """`inside` within `levels` messages; `fields` are their numbers from the outside, again and again."""
    for level in reversed(range(levels)):
        inside = tagged(fields[level % len(fields)], inside)
    return inside


def tagged(number: int, content: bytes) -> bytes:
    """A field of bytes, a text or a message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _truncated(draw: random.Random, raw: bytes, other: bytes) -> bytes:
    return raw[: draw.randrange(len(raw) + 1)]


def _flipped(draw: random.Random, raw: bytes, other: bytes) -> bytes:
    changed = bytearray(raw)
    for _ in range(draw.choice((1, 1, 2, 8)) if changed else 0):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


def _bad_texts(draw: random.Random, raw: bytes, other: bytes) -> bytes:
    """Bytes that are no UTF-8, a lone surrogate among them, over letters that are there."""
    bad = draw.choice((b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80\x80\x80"))
    places = [place for place in range(len(raw)) if raw[place : place + len(bad)].isalpha()]
    if not places:
        return tagged(1, bad)
    place = draw.choice(places)
    return raw[:place] + bad + raw[place + len(bad) :]


def _random(draw: random.Random, raw: bytes, other: bytes) -> bytes:
    return draw.randbytes(draw.choice((1, 2, 10, 100, 10_000)))


def _doubled(draw: random.Random, raw: bytes, other: bytes) -> bytes:
    """Every field twice: the last of single ones counts, repeated ones double."""
    return raw + raw


def _swapped(draw: random.Random, raw: bytes, other: bytes) -> bytes:
    return other


def _joined(draw: random.Random, raw: bytes, other: bytes) -> bytes:
    return raw + other


def _unknown(draw: random.Random, raw: bytes, other: bytes) -> bytes:
    """Fields of numbers that nobody has given, of every wire type."""
    number = draw.choice((49, 1_000, 2**29 - 1))
    extra = (
        varint(number << 3) + varint(2**64 - 1),
        varint(number << 3 | 1) + struct.pack("<d", 1.0),
        tagged(number, b"x" * draw.choice((0, 10, 10_000))),
        varint(number << 3 | 3) + varint(number << 3 | 4),  # a group
        varint(number << 3 | 5) + struct.pack("<f", 1.0),
    )
    return raw + draw.choice(extra)


def _wrong_type(draw: random.Random, raw: bytes, other: bytes) -> bytes:
    """A field that is there, as another wire type."""
    number = draw.randrange(1, 12)
    return raw + draw.choice((varint(number << 3) + varint(7), tagged(number, b"abc"), varint(number << 3 | 6)))


def _endless(draw: random.Random, raw: bytes, other: bytes) -> bytes:
    """A length that nothing follows."""
    return raw + varint(draw.randrange(1, 12) << 3 | 2) + varint(draw.choice((10, 2**31 - 1, 2**63)))


_DAMAGES = (*(_truncated, _flipped, _bad_texts, _random, _doubled, _swapped, _joined, _unknown, _wrong_type, _endless),)
