"""What a condition on a payload path means: each becomes a predicate on one payload.

How conditions on many points are combined is in filtering/match.py. Only the filter inside a `Nested` condition, which
tests one element, is combined here, by `compile_filter`.

docs/filters.md states the meaning as a truth table. The tests are made from that table.
"""

from collections.abc import Callable, Iterable
from typing import Any, assert_never

from planner.errors import PatternTooCostly
from planner.predicate.geography import LocationTest, compile_location_test, location_of
from planner.predicate.instants import instant_of
from planner.predicate.paths import parse_path, values_at
from planner.predicate.strings import StringTest, compile_string_test
from planner.query import (
    AnyOf,
    Condition,
    DatetimeRange,
    Equal,
    ExceptOf,
    Exists,
    FieldCondition,
    Filter,
    GeoBox,
    GeoCondition,
    GeoPoint,
    GeoPolygon,
    GeoRadius,
    HasId,
    HasVector,
    IsEmpty,
    IsNull,
    Nested,
    PayloadCondition,
    Range,
    Scalar,
    TextTest,
    ValuesCount,
)

Predicate = Callable[[dict[str, object]], bool]
_ValueTest = Callable[[object], bool]


def _no_beat() -> None:
    """For callers without a budget."""


def compile_condition(condition: PayloadCondition, beat: Callable[[], None] = _no_beat) -> Predicate:
    """The condition as a function of a payload. It calls `beat` before each match. Requires: a valid condition.

    The function raises PatternTooCostly if the answer depends on a text that is too long for a pattern.
    """
    match condition:
        case IsNull():
            return _any_element(condition.path, _is_null)
        case IsEmpty():
            return _all_values(condition.path, _is_empty)
        case Exists():
            return _any_value(condition.path, lambda value: True)
        case Nested(filter=filter):
            return _any_element(condition.path, _passes(compile_filter(filter, beat)))
        case ValuesCount():
            return _any_value(condition.path, _has_count_within(condition))
        case _:
            return _any_element(condition.path, _value_test(condition, beat))


ScalarCondition = Equal | AnyOf | ExceptOf | Range | DatetimeRange | TextTest | IsNull
"""Conditions that hold when some scalar or null at the path, or some element of an array there, passes a test."""


def element_test(condition: ScalarCondition | GeoCondition) -> _ValueTest:
    """The test of one scalar, null or location. A location is a GeoPoint, or the object from which it is read."""
    return _is_null if isinstance(condition, IsNull) else _value_test(condition)


def _value_test(condition: FieldCondition, beat: Callable[[], None] = _no_beat) -> _ValueTest:
    match condition:
        case Equal(value=value):
            return _is_one_of((value,))
        case AnyOf(values=values):
            return _is_one_of(values)
        case ExceptOf(values=values):
            return _is_scalar_but(values)
        case Range():
            return _is_within(condition)
        case DatetimeRange():
            return _is_instant_within(condition)
        case TextTest():
            return _is_string_that(compile_string_test(condition), beat)
        case GeoRadius() | GeoBox() | GeoPolygon():
            return _is_location_that(compile_location_test(condition))
        case ValuesCount():
            return _has_count_within(condition)
    assert_never(condition)


def compile_filter(filter: Filter, beat: Callable[[], None] = _no_beat) -> Predicate:
    """A whole filter as a function of a payload. Requires: a valid filter without HasId and HasVector."""
    must, should, must_not = (_compile_all(clause, beat) for clause in (filter.must, filter.should, filter.must_not))
    enough = () if filter.min_should is None else _compile_all(filter.min_should.conditions, beat)
    min_count = 0 if filter.min_should is None else filter.min_should.min_count

    def predicate(payload: dict[str, object]) -> bool:
        return (
            all(holds(payload) for holds in must)
            and (not should or any(holds(payload) for holds in should))
            and not any(holds(payload) for holds in must_not)
            and sum(holds(payload) for holds in enough) >= min_count
        )

    return predicate


def _compile_all(conditions: Iterable[Condition], beat: Callable[[], None]) -> tuple[Predicate, ...]:
    return tuple(_compile_any(condition, beat) for condition in conditions)


def _compile_any(condition: Condition, beat: Callable[[], None]) -> Predicate:
    if isinstance(condition, Filter):
        return compile_filter(condition, beat)
    assert not isinstance(condition, HasId | HasVector), "an element has no id and no vector"
    return compile_condition(condition, beat)


def _any_element(path: str, test: _ValueTest) -> Predicate:
    """Whether some value at the path passes `test`, or some element of an array there. Inner arrays are not opened.

    If one value passes, the answer is true, even where the test raises PatternTooCostly for another value.
    """
    steps = parse_path(path)

    def predicate(payload: dict[str, object]) -> bool:
        refused: PatternTooCostly | None = None
        for value in values_at(payload, steps):
            for element in value if isinstance(value, list) else (value,):
                try:
                    if test(element):
                        return True
                except PatternTooCostly as error:
                    refused = error
        if refused is not None:
            raise refused
        return False

    return predicate


def _any_value(path: str, test: _ValueTest) -> Predicate:
    steps = parse_path(path)
    return lambda payload: any(test(value) for value in values_at(payload, steps))


def _all_values(path: str, test: _ValueTest) -> Predicate:
    steps = parse_path(path)
    return lambda payload: all(test(value) for value in values_at(payload, steps))


def _is_one_of(values: Iterable[Scalar]) -> _ValueTest:
    # There are three sets because True == 1 in Python. 1 == 1.0 is wanted: it is exact, and they hash alike.
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
    # Python compares strings by code points, which is the order of their UTF-8 bytes.
    strings = any(isinstance(bound, str) for bound in (bounds.gt, bounds.gte, bounds.lt, bounds.lte))
    within = _within(bounds.gt, bounds.gte, bounds.lt, bounds.lte)

    def test(value: object) -> bool:
        if strings:
            return isinstance(value, str) and within(value)
        return isinstance(value, int | float) and not isinstance(value, bool) and within(value)

    return test


def _is_instant_within(bounds: DatetimeRange) -> _ValueTest:
    given = (bounds.gt, bounds.gte, bounds.lt, bounds.lte)
    within = _within(*(None if bound is None else instant_of(bound) for bound in given))

    def test(value: object) -> bool:
        instant = instant_of(value) if isinstance(value, str) else None
        return instant is not None and within(instant)

    return test


def _has_count_within(bounds: ValuesCount) -> _ValueTest:
    within = _within(bounds.gt, bounds.gte, bounds.lt, bounds.lte)

    def test(value: object) -> bool:
        if isinstance(value, list):
            return within(len(value))
        return within(0 if value is None else 1)

    return test


def _within(gt: Any, gte: Any, lt: Any, lte: Any) -> Callable[[Any], bool]:
    """A function: whether a value is within the bounds. The value must be of the bounds' type."""
    return lambda value: bool(
        (gt is None or value > gt)
        and (gte is None or value >= gte)
        and (lt is None or value < lt)
        and (lte is None or value <= lte)
    )


def _is_string_that(passes: StringTest, beat: Callable[[], None]) -> _ValueTest:
    def test(value: object) -> bool:
        beat()
        return isinstance(value, str) and passes(value)

    return test


def _is_location_that(passes: LocationTest) -> _ValueTest:
    def test(value: object) -> bool:
        location = value if isinstance(value, GeoPoint) else location_of(value)
        return location is not None and passes(location)

    return test


def _passes(predicate: Predicate) -> _ValueTest:
    return lambda value: isinstance(value, dict) and predicate(value)


def _is_null(value: object) -> bool:
    return value is None


def _is_empty(value: object) -> bool:
    return value is None or value == [] or value == ""
