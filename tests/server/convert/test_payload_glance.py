"""The glance at serialised payloads: what it calls sound is sound, and it knows plain payloads to be."""

import math

from hypothesis import example, given, settings

from headwater.v1.payload_pb2 import Payload, Value
from server.convert.payload import MAX_PAYLOAD_DEPTH, check_payload, is_surely_sound, stored_payload
from storage.errors import EngineError
from tests.support.payload_messages import PAYLOADS, list_of, nested, object_of


def _is_sound(message: Payload) -> bool:
    try:
        check_payload(message, "payload")
    except EngineError:
        return False
    return True


@settings(max_examples=60)
@given(PAYLOADS)
@example(object_of({"k": Value()}))
@example(object_of({"": Value(bool_value=True)}))
@example(object_of({"k": list_of([Value()])}))
@example(object_of({"k": Value(double_value=math.nan)}))
@example(object_of({"k": Value(double_value=-math.inf)}))
@example(object_of({"k" * 513: Value(bool_value=True)}))
@example(nested(MAX_PAYLOAD_DEPTH, Value(bool_value=True)))
@example(nested(MAX_PAYLOAD_DEPTH - 1, Value(bool_value=True)))
def test_what_it_calls_sound_is_sound(message: Payload) -> None:
    data = message.SerializeToString(deterministic=True)
    assert _is_sound(message) or not is_surely_sound(data)
    if _is_sound(message):
        assert stored_payload(message, "payload") == data


def test_plain_payloads_are_sound_at_a_glance() -> None:
    plain = object_of(
        {
            "name": Value(string_value="a definition of some length, with a colon: and 2 digits, 32!" * 2),
            "price": Value(double_value=19.99),
            "count": Value(integer_value=-3),
            "tags": list_of([Value(string_value="a"), Value(null_value=0)]),  # type: ignore[arg-type]
            "at": Value(struct_value=object_of({"lat": Value(double_value=-1e300)})),
        }
    )
    assert is_surely_sound(object_of({}).SerializeToString(deterministic=True))
    assert is_surely_sound(plain.SerializeToString(deterministic=True))
