"""The glance at serialised payloads: what it calls sound is sound, and it knows plain payloads to be."""

import math
import struct

from hypothesis import example, given, settings
from hypothesis import strategies as st

from headwater.v1.payload_pb2 import Payload, Value
from server.convert.payload import MAX_PAYLOAD_DEPTH, check_payload, is_surely_sound, stored_payload
from storage.errors import EngineError

KEYS = st.text(max_size=6) | st.sampled_from(["", "k" * 511, "k" * 512, "k" * 513, "é" * 256, "é" * 257, "x" * 20_000])
DOUBLES = st.floats() | st.binary(min_size=8, max_size=8).map(lambda raw: struct.unpack("<d", raw)[0])
SCALARS = st.one_of(
    st.builds(Value, string_value=st.text(max_size=200) | st.sampled_from(["!2:!2:" * 9, "\n\x00\x12\x00", "x" * 700])),
    st.builds(Value, integer_value=st.integers(-(2**63), 2**63 - 1)),
    st.builds(Value, double_value=DOUBLES),
    st.builds(Value, bool_value=st.booleans()),
    st.builds(Value, null_value=st.just(0)),
    st.just(Value()),
)


def _object(fields: dict[str, Value]) -> Payload:
    message = Payload()
    message.SetInParent()
    for key, value in fields.items():
        message.fields[key].CopyFrom(value)
    return message


def _list(values: list[Value]) -> Value:
    message = Value()
    message.list_value.SetInParent()
    message.list_value.values.extend(values)
    return message


def _nested(levels: int, value: Value) -> Payload:
    for level in range(levels):
        value = _list([value]) if level % 2 else Value(struct_value=_object({"k": value}))
    return _object({"k": value})


VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(_list)
        | st.dictionaries(KEYS, inner, max_size=3).map(lambda fields: Value(struct_value=_object(fields)))
    ),
    max_leaves=8,
)
PAYLOADS = st.dictionaries(KEYS, VALUES, max_size=5).map(_object) | st.builds(
    _nested, st.integers(0, MAX_PAYLOAD_DEPTH + 2), SCALARS
)


def _is_sound(message: Payload) -> bool:
    try:
        check_payload(message, "payload")
    except EngineError:
        return False
    return True


@settings(max_examples=60)
@given(PAYLOADS)
@example(_object({"k": Value()}))
@example(_object({"": Value(bool_value=True)}))
@example(_object({"k": _list([Value()])}))
@example(_object({"k": Value(double_value=math.nan)}))
@example(_object({"k": Value(double_value=-math.inf)}))
@example(_object({"k" * 513: Value(bool_value=True)}))
@example(_nested(MAX_PAYLOAD_DEPTH, Value(bool_value=True)))
@example(_nested(MAX_PAYLOAD_DEPTH - 1, Value(bool_value=True)))
def test_what_it_calls_sound_is_sound(message: Payload) -> None:
    data = message.SerializeToString(deterministic=True)
    assert _is_sound(message) or not is_surely_sound(data)
    if _is_sound(message):
        assert stored_payload(message, "payload") == data


def test_plain_payloads_are_sound_at_a_glance() -> None:
    plain = _object(
        {
            "name": Value(string_value="a definition of some length, with a colon: and 2 digits, 32!" * 2),
            "price": Value(double_value=19.99),
            "count": Value(integer_value=-3),
            "tags": _list([Value(string_value="a"), Value(null_value=0)]),  # type: ignore[arg-type]
            "at": Value(struct_value=_object({"lat": Value(double_value=-1e300)})),
        }
    )
    assert is_surely_sound(_object({}).SerializeToString(deterministic=True))
    assert is_surely_sound(plain.SerializeToString(deterministic=True))
