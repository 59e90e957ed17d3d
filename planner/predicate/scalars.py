"""Scalar values of payloads as groups, facets and aggregations see them: which are equal, and their one total order.

Equality is that of filters: 1 and 1.0 are one value, and a bool is not a number.
"""

from planner.query import Scalar

_INT64 = 2**63


def canonical(value: Scalar) -> Scalar:
    """The one value that stands for all that equal it: a double that is a 64-bit integer becomes that integer."""
    if isinstance(value, float) and value.is_integer() and -_INT64 <= value < _INT64:
        return int(value)
    return value


def scalar_order(value: Scalar) -> tuple[int, Scalar]:
    """A sort key: false, true, then numbers by value, then strings by their UTF-8 bytes, as code points order them."""
    if isinstance(value, bool):
        return 0, value
    return (2, value) if isinstance(value, str) else (1, value)
