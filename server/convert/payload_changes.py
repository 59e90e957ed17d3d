"""What payload writes do to a payload: pure functions from old to new, sharing what does not change."""

from collections.abc import Sequence

Payload = dict[str, object]


def merged(payload: Payload, keys: Sequence[str], values: Payload) -> Payload:
    """`payload` with `values` set in the object that `keys` lead to, whose other keys stay.

    Objects on the way are made where there are none; a value that is no object gives way to one.
    """
    if not keys:
        return {**payload, **values}
    below = payload.get(keys[0])
    return {**payload, keys[0]: merged(below if isinstance(below, dict) else {}, keys[1:], values)}


def replaced(payload: Payload, values: Payload) -> Payload:
    """`values`, whatever there was."""
    return values
