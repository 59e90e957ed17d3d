"""Compares a stored payload with the one that would replace it, for conditional writes. docs/conditional_writes.md."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from planner.errors import InvalidFilter
from planner.predicate.paths import check_path, parse_path, values_at
from storage.write import Payload


class Comparison(Enum):
    """How the stored value must compare with the new one."""

    LESS = "less"
    LESS_OR_EQUAL = "less_or_equal"
    EQUAL = "equal"
    GREATER_OR_EQUAL = "greater_or_equal"
    GREATER = "greater"


_HOLDS: dict[Comparison, Callable[[Any, Any], bool]] = {
    Comparison.LESS: operator.lt,
    Comparison.LESS_OR_EQUAL: operator.le,
    Comparison.EQUAL: operator.eq,
    Comparison.GREATER_OR_EQUAL: operator.ge,
    Comparison.GREATER: operator.gt,
}


@dataclass(frozen=True, slots=True)
class StoredComparison:
    """Some stored value at `path` compares as `comparison` says with some new value at `new_path`."""

    path: str
    comparison: Comparison
    new_path: str


def check_comparisons(comparisons: Sequence[StoredComparison], field: str) -> None:
    """Raises InvalidFilter if a path is invalid. `field` is where the request holds the comparisons."""
    for index, each in enumerate(comparisons):
        for name, path in (("path", each.path), ("new_path", each.new_path)):
            check_path(path, f"{field}[{index}].{name}", InvalidFilter)


def compile_comparisons(comparisons: Sequence[StoredComparison]) -> Callable[[Payload, Payload], bool]:
    """A function of a stored and a new payload: whether all comparisons hold. Requires: valid paths."""
    tests = [_compile(comparison) for comparison in comparisons]
    return lambda stored, new: all(test(stored, new) for test in tests)


def _compile(comparison: StoredComparison) -> Callable[[Payload, Payload], bool]:
    stored_steps, new_steps = parse_path(comparison.path), parse_path(comparison.new_path)
    holds = _HOLDS[comparison.comparison]

    def test(stored: Payload, new: Payload) -> bool:
        news = _scalars(values_at(new, new_steps))
        olds = _scalars(values_at(stored, stored_steps))
        return any(_kind(one) is _kind(other) and holds(one, other) for one in olds for other in news)

    return test


def _scalars(values: Sequence[object]) -> list[object]:
    """All values that can be compared. Arrays are opened once."""
    opened = [element for value in values for element in (value if isinstance(value, list) else [value])]
    return [value for value in opened if isinstance(value, str | int | float)]


def _kind(value: object) -> type:
    """The type by which values compare. A bool is not a number."""
    if isinstance(value, bool):
        return bool
    return str if isinstance(value, str) else float
