"""Which operands of conditions are refused, and why: values, bounds, texts, patterns and locations."""

import math
from collections.abc import Mapping, Sequence
from typing import assert_never

from planner.errors import InvalidFilter
from planner.limits import MAX_CORNERS, MAX_PATTERN
from planner.predicate.geography import unrolled
from planner.predicate.instants import EXPECTED, instant_of
from planner.predicate.strings import compile_string_test
from planner.query import (
    AnyOf,
    DatetimeRange,
    Equal,
    ExceptOf,
    FieldCondition,
    GeoBox,
    GeoPoint,
    GeoPolygon,
    GeoRadius,
    HasId,
    Range,
    Scalar,
    TextTest,
    ValuesCount,
)
from storage.errors import LimitExceeded, NotFinite
from storage.write import check_point_id


def check_has_id(condition: HasId, path: str) -> None:
    """Raises InvalidPointId. It names the id by its field below `path`."""
    for index, point_id in enumerate(condition.ids):
        check_point_id(point_id, f"{path}.ids[{index}]")


def check_operands(condition: FieldCondition, path: str) -> None:
    """Raises InvalidFilter, LimitExceeded or NotFinite. They name the field below `path`."""
    match condition:
        case Equal(value=value):
            _check_finite(value, f"{path}.equal")
        case AnyOf(values=values):
            _check_all_finite(values, f"{path}.any_of")
        case ExceptOf(values=values):
            _check_all_finite(values, f"{path}.except_of")
        case Range():
            _check_range(condition, f"{path}.range")
        case DatetimeRange():
            _check_datetime_range(condition, f"{path}.datetime_range")
        case ValuesCount():
            _check_values_count(condition, f"{path}.values_count")
        case TextTest():
            _check_text(condition, f"{path}.{condition.operator.value}")
        case GeoRadius():
            _check_radius(condition, f"{path}.geo_radius")
        case GeoBox():
            _check_box(condition, f"{path}.geo_bounding_box")
        case GeoPolygon():
            _check_polygon(condition, f"{path}.geo_polygon")
        case _:
            assert_never(condition)


def _check_all_finite(values: Sequence[Scalar], path: str) -> None:
    for index, value in enumerate(values):
        _check_finite(value, f"{path}[{index}]")


def _check_finite(value: Scalar, path: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise NotFinite(path, f"{value} is not finite")


def _given(bounds: Range | DatetimeRange | ValuesCount, path: str) -> Mapping[str, Scalar]:
    named = {"gt": bounds.gt, "gte": bounds.gte, "lt": bounds.lt, "lte": bounds.lte}
    given = {name: bound for name, bound in named.items() if bound is not None}
    if not given:
        raise InvalidFilter(path, "give at least one bound")
    return given


def _check_range(bounds: Range, path: str) -> None:
    given = _given(bounds, path)
    for name, bound in given.items():
        if isinstance(bound, bool) or not isinstance(bound, int | float | str):
            raise InvalidFilter(f"{path}.{name}", "a bound must be a number or a string")
        _check_finite(bound, f"{path}.{name}")
    first_name, first = next(iter(given.items()))
    for name, bound in given.items():
        if isinstance(bound, str) != isinstance(first, str):
            raise InvalidFilter(f"{path}.{name}", f"bounds are all numbers or all strings, as {first_name} is")


def _check_datetime_range(bounds: DatetimeRange, path: str) -> None:
    for name, bound in _given(bounds, path).items():
        if not isinstance(bound, str) or instant_of(bound) is None:
            raise InvalidFilter(f"{path}.{name}", f"{bound!r} is not {EXPECTED}")


def _check_values_count(bounds: ValuesCount, path: str) -> None:
    for name, bound in _given(bounds, path).items():
        if isinstance(bound, bool) or not isinstance(bound, int) or bound < 0:
            raise InvalidFilter(f"{path}.{name}", "a count must be an integer of 0 or more")


def _check_text(condition: TextTest, path: str) -> None:
    if len(condition.operand) > MAX_PATTERN:
        raise LimitExceeded(path, limit="MAX_PATTERN", maximum=MAX_PATTERN, actual=len(condition.operand))
    try:
        compile_string_test(condition)
    except ValueError as error:
        raise InvalidFilter(path, f"{condition.operand!r}: {error}") from None


def _check_radius(condition: GeoRadius, path: str) -> None:
    _check_location(condition.center, f"{path}.center")
    _check_finite(condition.radius, f"{path}.radius")
    if condition.radius < 0:
        raise InvalidFilter(f"{path}.radius", f"it is {condition.radius}, but must be at least 0")


def _check_box(condition: GeoBox, path: str) -> None:
    _check_location(condition.top_left, f"{path}.top_left")
    _check_location(condition.bottom_right, f"{path}.bottom_right")
    if condition.top_left.lat < condition.bottom_right.lat:
        raise InvalidFilter(f"{path}.top_left.lat", "the top is south of the bottom")


def _check_polygon(condition: GeoPolygon, path: str) -> None:
    corners = sum(len(ring) for ring in (condition.exterior, *condition.interiors))
    if corners > MAX_CORNERS:
        raise LimitExceeded(path, limit="MAX_CORNERS", maximum=MAX_CORNERS, actual=corners)
    _check_ring(condition.exterior, f"{path}.exterior")
    for index, ring in enumerate(condition.interiors):
        _check_ring(ring, f"{path}.interiors[{index}]")


def _check_ring(ring: Sequence[GeoPoint], path: str) -> None:
    for index, point in enumerate(ring):
        _check_location(point, f"{path}.points[{index}]")
    try:
        unrolled(ring)
    except ValueError as error:
        raise InvalidFilter(f"{path}.points", str(error)) from None


def _check_location(location: GeoPoint, path: str) -> None:
    for name, degrees, bound in (("lat", location.lat, 90), ("lon", location.lon, 180)):
        _check_finite(degrees, f"{path}.{name}")
        if abs(degrees) > bound:
            raise InvalidFilter(f"{path}.{name}", f"{degrees} is not between -{bound} and {bound}")
