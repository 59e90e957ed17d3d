"""Scalar values of payloads for groups, facets and aggregations: which of them are equal, and their one total order.

Equality is that of filters: 1 and 1.0 are one value, and a bool is not a number.
"""

from planner.query import Scalar

_INT64 = 2**63


def canonical(value: Scalar) -> Scalar:
    """One value for all values that are equal: a double that equals a 64-bit integer becomes that integer."""
    if isinstance(value, float) and value.is_integer() and -_INT64 <= value < _INT64:
        return int(value)
    return value


def scalar_order(value: Scalar) -> tuple[int, Scalar]:
    """A sort key: false, true, then numbers by value, then strings by their UTF-8 bytes.

    Code points have the same order.
    """
    if isinstance(value, bool):
        return 0, value
    return (2, value) if isinstance(value, str) else (1, value)
