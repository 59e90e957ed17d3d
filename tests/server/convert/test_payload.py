"""The payload codec: what it keeps exactly, what it refuses and where."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.v1.payload_pb2 import Payload, Value
from server.convert.payload import (
    MAX_KEY_BYTES,
    MAX_PAYLOAD_BYTES,
    MAX_PAYLOAD_DEPTH,
    ProtobufPayloadCodec,
    check_payload,
    payload_message,
    stored_payload,
)
from storage.errors import InvalidPayload, InvalidRequest, LimitExceeded, NotFinite

CODEC = ProtobufPayloadCodec()
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | FLOATS | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=8,
)
PAYLOADS = st.dictionaries(st.text(min_size=1), VALUES, max_size=5)


def same(left: object, right: object) -> bool:
    """Equal in value and in type, at every depth: 1, 1.0 and True differ."""
    return repr(left) == repr(right) if not isinstance(left, dict | list) else _same_inside(left, right)


def _same_inside(left: object, right: object) -> bool:
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return False


def nested(levels: int) -> dict[str, object]:
    """A payload of `levels` levels, lists and objects in turn."""
    value: object = 1
    for level in range(levels - 1):
        value = [value] if level % 2 else {"a": value}
    return {"a": value}


@given(PAYLOADS)
def test_values_and_types_survive(payload: dict[str, object]) -> None:
    assert same(CODEC.decode(CODEC.encode(payload)), payload)


@given(PAYLOADS)
def test_equal_payloads_have_equal_bytes(payload: dict[str, object]) -> None:
    assert CODEC.encode(dict(reversed(payload.items()))) == CODEC.encode(payload)


@given(PAYLOADS, st.lists(st.text(min_size=1)))
def test_decoding_some_keys_is_decoding_all_and_choosing(payload: dict[str, object], others: list[str]) -> None:
    keys = [*list(payload)[::2], *others]
    chosen = {key: value for key, value in payload.items() if key in keys}
    assert same(CODEC.decode(memoryview(CODEC.encode(payload)), keys), chosen)


def test_bytes_that_are_no_payload_are_a_value_error() -> None:
    with pytest.raises(ValueError):
        CODEC.decode(b"\xff\xff\xff")


@pytest.mark.parametrize(
    ("payload", "error", "field"),
    [
        ({"a": math.nan}, NotFinite, 'payload["a"]'),
        ({"a": {"b": [1, math.inf]}}, NotFinite, 'payload["a"]["b"][1]'),
        ({"": 1}, InvalidPayload, "payload"),
        ({"a": {"k" * (MAX_KEY_BYTES + 1): 1}}, InvalidPayload, 'payload["a"]'),
        ({"a": 2**63}, InvalidPayload, "payload"),
        ({"a": object()}, InvalidPayload, "payload"),
        ({"a": "x" * MAX_PAYLOAD_BYTES}, LimitExceeded, "payload"),
    ],
)
def test_what_cannot_be_stored_is_refused_by_name(
    payload: dict[str, object], error: type[InvalidRequest], field: str
) -> None:
    with pytest.raises(error) as raised:
        CODEC.encode(payload)
    assert raised.value.field == field


def test_a_value_without_kind_is_refused_by_name() -> None:
    message = payload_message({"a": [1]})
    message.fields["a"].list_value.values.add()
    with pytest.raises(InvalidPayload) as raised:
        check_payload(message, "points[3].payload")
    assert raised.value.field == 'points[3].payload["a"][1]'


def test_the_depth_is_bounded_exactly() -> None:
    deepest = nested(MAX_PAYLOAD_DEPTH)
    assert CODEC.decode(CODEC.encode(deepest)) == deepest
    with pytest.raises(LimitExceeded, match="MAX_PAYLOAD_DEPTH"):
        CODEC.encode(nested(MAX_PAYLOAD_DEPTH + 1))


def test_the_longest_key_is_kept() -> None:
    payload: dict[str, object] = {"é" * (MAX_KEY_BYTES // 2): 1}
    assert CODEC.decode(CODEC.encode(payload)) == payload


def test_fields_of_a_later_version_are_not_stored() -> None:
    message = payload_message({"a": 1})
    clean = message.SerializeToString(deterministic=True)
    message.MergeFromString(b"\x7a\x01x")  # field 15, a string
    assert message.SerializeToString() != clean
    assert stored_payload(message, "payload") == clean


def test_an_empty_list_and_an_empty_object_keep_their_kind() -> None:
    message = Payload.FromString(CODEC.encode({"list": [], "object": {}}))
    assert message.fields["list"] == Value(list_value={})
    assert message.fields["object"] == Value(struct_value=Payload())
