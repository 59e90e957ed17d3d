"""How much memory a message takes, told from its bytes: its parts are counted as a parser finds them."""

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from hypothesis import given
from hypothesis import strategies as st

from headwater.v1 import points_pb2 as wire
from server.rpc.message_sizes import BYTES_PER_BYTE, BYTES_PER_PART, count_parts, memory_of
from tests.server.messages import point

MANY = 10**9
KIND: Any = wire.PointsUpsertRequest.DESCRIPTOR


def parts_of(message: Message) -> int:
    """By what the parser made of it: messages and strings below it."""
    found = 0
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            found += len(value) * (2 if _has_lengths(field.message_type.fields_by_name["value"]) else 1)
            found += len(value)
            if field.message_type.fields_by_name["value"].message_type is not None:
                found += sum(map(parts_of, value.values()))
        elif field.message_type is not None:
            several = value if field.is_repeated else [value]
            found += sum(1 + parts_of(each) for each in several)
        elif _has_lengths(field):
            found += len(value) if field.is_repeated else 1
    return found


def _has_lengths(field: Any) -> bool:
    return field.message_type is not None or field.cpp_type == FieldDescriptor.CPPTYPE_STRING


def request(count: int) -> wire.PointsUpsertRequest:
    payload = {"a": ["x", 1, None, {"b": "y"}], "c": 2.5}
    return wire.PointsUpsertRequest(
        collection_name="c", points=[point(number, {"": [1.0, 2.0]}, payload) for number in range(count)]
    )


def test_parts_are_counted_as_a_parser_finds_them() -> None:
    for count in (0, 1, 5):
        message = request(count)
        assert count_parts(KIND, message.SerializeToString(), MANY) == parts_of(message)
    assert count_parts(KIND, message.SerializeToString(), 7) == 7


@given(st.binary(max_size=60))
def test_any_bytes_are_counted(raw: bytes) -> None:
    """Of what parses at least every part is counted; of what does not, nothing is asked but an end."""
    counted = count_parts(KIND, raw, MANY)
    try:
        message = wire.PointsUpsertRequest.FromString(raw)
    except DecodeError:
        return
    assert counted >= len(message.points)


def test_many_small_parts_take_more_than_large_ones() -> None:
    bound = 2**20
    small, large = b"\x12\x00" * 10_000, request(1).SerializeToString() + b"\x0a\xff\xff\x09" + bytes(163_839)
    assert memory_of(KIND, small, bound) > bound > memory_of(KIND, large, bound)
    assert memory_of(KIND, large, bound) == BYTES_PER_BYTE * len(large) + BYTES_PER_PART * count_parts(
        KIND, large, MANY
    )
    assert memory_of(KIND, small[:100], bound) == BYTES_PER_BYTE * 100
    assert memory_of(KIND, small, None) == BYTES_PER_BYTE * len(small)
