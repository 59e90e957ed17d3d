"""What a condition on a payload path means: one predicate on a payload each. Logic over conditions is in match.py.

docs/filters.md states the meaning as a truth table, from which the tests are made.
"""

from collections.abc import Callable, Iterable
from typing import assert_never

from planner.filter import AnyOf, Equal, ExceptOf, IsEmpty, IsNull, Range, Scalar
from planner.paths import parse_path, values_at

PayloadCondition = Equal | AnyOf | ExceptOf | Range | IsNull | IsEmpty
"""Conditions that need the payload."""

Predicate = Callable[[dict[str, object]], bool]
_ValueTest = Callable[[object], bool]


def compile_condition(condition: PayloadCondition) -> Predicate:
    """The condition as a function of a payload. Requires: a valid path."""
    match condition:
        case Equal(value=value):
            return _any_element(condition.path, _is_one_of((value,)))
        case AnyOf(values=values):
            return _any_element(condition.path, _is_one_of(values))
        case ExceptOf(values=values):
            return _any_element(condition.path, _is_scalar_but(values))
        case Range():
            return _any_element(condition.path, _is_within(condition))
        case IsNull():
            return _any_element(condition.path, _is_null)
        case IsEmpty():
            return _all_values(condition.path, _is_empty)
    assert_never(condition)


def _any_element(path: str, test: _ValueTest) -> Predicate:
    """Some value at the path, or element of an array there, passes `test`. Arrays within that array are not opened."""
    steps = parse_path(path)

    def predicate(payload: dict[str, object]) -> bool:
        for value in values_at(payload, steps):
            if isinstance(value, list):
                if any(test(element) for element in value):
                    return True
            elif test(value):
                return True
        return False

    return predicate


def _all_values(path: str, test: _ValueTest) -> Predicate:
    steps = parse_path(path)
    return lambda payload: all(test(value) for value in values_at(payload, steps))


def _is_one_of(values: Iterable[Scalar]) -> _ValueTest:
    # Three sets, since True == 1 in Python; 1 == 1.0 is wanted, exact, and they hash alike.
    bools = {value for value in values if isinstance(value, bool)}
    numbers = {value for value in values if isinstance(value, int | float) and not isinstance(value, bool)}
    strings = {value for value in values if isinstance(value, str)}

    def test(value: object) -> bool:
        if isinstance(value, str):
            return value in strings
        if isinstance(value, bool):
            return value in bools
        return isinstance(value, int | float) and value in numbers

    return test


def _is_scalar_but(values: Iterable[Scalar]) -> _ValueTest:
    excepted = _is_one_of(values)
    return lambda value: isinstance(value, str | bool | int | float) and not excepted(value)


def _is_within(bounds: Range) -> _ValueTest:
    def test(value: object) -> bool:
        return (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and (bounds.gt is None or value > bounds.gt)
            and (bounds.gte is None or value >= bounds.gte)
            and (bounds.lt is None or value < bounds.lt)
            and (bounds.lte is None or value <= bounds.lte)
        )

    return test


def _is_null(value: object) -> bool:
    return value is None


def _is_empty(value: object) -> bool:
    return value is None or value == [] or value == ""
