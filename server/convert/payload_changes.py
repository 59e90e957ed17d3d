"""The effects of payload writes: pure functions from the old payload to the new one. Both share unchanged parts."""

from collections.abc import Sequence

Payload = dict[str, object]


def merged(payload: Payload, keys: Sequence[str], values: Payload) -> Payload:
    """`payload` with `values` set in the object at `keys`. The other keys of that object stay.

    If an object on the way is missing, or is not an object, a new object takes its position.
    """
    if not keys:
        return {**payload, **values}
    below = payload.get(keys[0])
    return {**payload, keys[0]: merged(below if isinstance(below, dict) else {}, keys[1:], values)}


def replaced(payload: Payload, values: Payload) -> Payload:
    """`values`, whatever the payload was before."""
    return values
