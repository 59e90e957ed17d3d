"""Payloads as messages, sound and unsound, that Hypothesis draws."""

import struct

from hypothesis import strategies as st

from headwater.v1.payload_pb2 import Payload, Value
from server.convert.payload import MAX_PAYLOAD_DEPTH

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


def object_of(fields: dict[str, Value]) -> Payload:
    message = Payload()
    message.SetInParent()
    for key, value in fields.items():
        message.fields[key].CopyFrom(value)
    return message


def list_of(values: list[Value]) -> Value:
    message = Value()
    message.list_value.SetInParent()
    message.list_value.values.extend(values)
    return message


def nested(levels: int, value: Value) -> Payload:
    for level in range(levels):
        value = list_of([value]) if level % 2 else Value(struct_value=object_of({"k": value}))
    return object_of({"k": value})


VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(list_of)
        | st.dictionaries(KEYS, inner, max_size=3).map(lambda fields: Value(struct_value=object_of(fields)))
    ),
    max_leaves=8,
)
PAYLOADS = st.dictionaries(KEYS, VALUES, max_size=5).map(object_of) | st.builds(
    nested, st.integers(0, MAX_PAYLOAD_DEPTH + 2), SCALARS
)
