"""Which filters are refused, and why: depth, size, paths, bounds, counts and spaces. Evaluating is in match.py."""

import math
from typing import assert_never

from planner.errors import InvalidFilter
from planner.filter import AnyOf, Condition, Equal, ExceptOf, Filter, HasId, HasVector, IsEmpty, IsNull, Range, Scalar
from planner.limits import MAX_CONDITIONS, MAX_FILTER_DEPTH
from planner.paths import parse_path
from storage.errors import LimitExceeded, NotFinite, SpaceNotFound
from storage.schema import CollectionSchema
from storage.validate import check_point_id


def check_filter(filter: Filter, schema: CollectionSchema, path: str) -> None:
    """Raises InvalidFilter, LimitExceeded, NotFinite, InvalidPointId or SpaceNotFound, naming the field."""
    conditions = _check_clauses(filter, schema, path, depth=1)
    if conditions > MAX_CONDITIONS:
        raise LimitExceeded(path, limit="MAX_CONDITIONS", maximum=MAX_CONDITIONS, actual=conditions)


def _check_clauses(filter: Filter, schema: CollectionSchema, path: str, *, depth: int) -> int:
    """Returns how many conditions there are, nested filters and their conditions included."""
    if depth > MAX_FILTER_DEPTH:
        raise LimitExceeded(path, limit="MAX_FILTER_DEPTH", maximum=MAX_FILTER_DEPTH, actual=depth)
    clauses = [("must", filter.must), ("should", filter.should), ("must_not", filter.must_not)]
    if filter.min_should is not None:
        _check_min_count(filter.min_should.min_count, len(filter.min_should.conditions), f"{path}.min_should")
        clauses.append(("min_should.conditions", filter.min_should.conditions))
    return sum(
        _check_condition(condition, schema, f"{path}.{clause}[{index}]", depth=depth)
        for clause, conditions in clauses
        for index, condition in enumerate(conditions)
    )


def _check_min_count(min_count: int, conditions: int, path: str) -> None:
    if conditions == 0:
        raise InvalidFilter(f"{path}.conditions", "no condition is given")
    if not 1 <= min_count <= conditions:
        raise InvalidFilter(
            f"{path}.min_count", f"{min_count:,} is not between 1 and {conditions:,}, the conditions given"
        )


def _check_condition(condition: Condition, schema: CollectionSchema, path: str, *, depth: int) -> int:
    match condition:
        case Filter():
            return 1 + _check_clauses(condition, schema, f"{path}.filter", depth=depth + 1)
        case HasId(ids=ids):
            for index, point_id in enumerate(ids):
                check_point_id(point_id, f"{path}.has_id.ids[{index}]")
        case HasVector(using=using):
            if using not in schema.spaces:
                raise SpaceNotFound(using, schema.spaces, field=f"{path}.has_vector.using")
        case IsNull(path=payload_path):
            _check_path(payload_path, f"{path}.is_null.path")
        case IsEmpty(path=payload_path):
            _check_path(payload_path, f"{path}.is_empty.path")
        case Equal() | AnyOf() | ExceptOf() | Range():
            _check_path(condition.path, f"{path}.field.path")
            _check_operands(condition, f"{path}.field")
        case _:
            assert_never(condition)
    return 1


def _check_path(payload_path: str, path: str) -> None:
    try:
        parse_path(payload_path)
    except ValueError as error:
        raise InvalidFilter(path, str(error)) from None


def _check_operands(condition: Equal | AnyOf | ExceptOf | Range, path: str) -> None:
    match condition:
        case Equal(value=value):
            _check_finite(value, f"{path}.equal")
        case AnyOf(values=values):
            for index, value in enumerate(values):
                _check_finite(value, f"{path}.any_of[{index}]")
        case ExceptOf(values=values):
            for index, value in enumerate(values):
                _check_finite(value, f"{path}.except_of[{index}]")
        case Range():
            _check_bounds(condition, f"{path}.range")
        case _:
            assert_never(condition)


def _check_bounds(bounds: Range, path: str) -> None:
    given = {"gt": bounds.gt, "gte": bounds.gte, "lt": bounds.lt, "lte": bounds.lte}
    if all(bound is None for bound in given.values()):
        raise InvalidFilter(path, "no bound is given")
    for name, bound in given.items():
        if isinstance(bound, bool) or not isinstance(bound, int | float | None):
            raise InvalidFilter(f"{path}.{name}", "a bound is a number")
        if bound is not None:
            _check_finite(bound, f"{path}.{name}")


def _check_finite(value: Scalar, path: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise NotFinite(path, f"{value} is not finite")
