"""Which filters are refused, and why: depth, size, paths, counts and spaces. Operands are in predicate/operands.py."""

from typing import NewType

from planner.errors import InvalidFilter
from planner.limits import MAX_CONDITIONS, MAX_FILTER_DEPTH
from planner.predicate import check_has_id, check_on_id, check_operands, check_path, is_on_id
from planner.query import Condition, Exists, Filter, HasId, HasVector, IsEmpty, IsNull, Nested
from storage.errors import LimitExceeded, SpaceNotFound
from storage.schema import CollectionSchema

CheckedFilter = NewType("CheckedFilter", Filter)
"""A filter that can be evaluated: only what is in this file makes one. What reads points takes no other."""


def derived_filter(filter: Filter) -> CheckedFilter:
    """A filter that is made of parts of checked ones, or by the planner itself, of names that there are."""
    return CheckedFilter(filter)


def check_filter(filter: Filter, schema: CollectionSchema, path: str) -> CheckedFilter:
    """The same filter. Raises InvalidFilter, LimitExceeded, NotFinite, InvalidPointId or SpaceNotFound, naming the
    field.
    """
    conditions = _check_clauses(filter, schema, path, depth=1)
    if conditions > MAX_CONDITIONS:
        raise LimitExceeded(path, limit="MAX_CONDITIONS", maximum=MAX_CONDITIONS, actual=conditions)
    return CheckedFilter(filter)


def _check_clauses(filter: Filter, schema: CollectionSchema | None, path: str, *, depth: int) -> int:
    """The number of conditions, including those of nested filters.

    `schema` is None for the filter of an array's element.
    """
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
        raise InvalidFilter(f"{path}.conditions", "give at least one condition")
    if not 1 <= min_count <= conditions:
        raise InvalidFilter(
            f"{path}.min_count", f"{min_count:,} is not between 1 and {conditions:,}, the number of conditions"
        )


def _check_condition(condition: Condition, schema: CollectionSchema | None, path: str, *, depth: int) -> int:
    if is_on_id(condition):
        if schema is None:
            raise InvalidFilter(f"{path}.{_member(condition)}", "elements have neither ids nor vectors")
        check_on_id(condition, f"{path}.{_member(condition)}")
    match condition:
        case Filter():
            return 1 + _check_clauses(condition, schema, f"{path}.filter", depth=depth + 1)
        case HasId() | HasVector():
            _check_point_test(condition, schema, path)
        case IsNull(path=payload_path):
            check_path(payload_path, f"{path}.is_null.path", InvalidFilter)
        case IsEmpty(path=payload_path):
            check_path(payload_path, f"{path}.is_empty.path", InvalidFilter)
        case Exists(path=payload_path):
            check_path(payload_path, f"{path}.exists.path", InvalidFilter)
        case Nested(path=payload_path, filter=filter):
            check_path(payload_path, f"{path}.nested.path", InvalidFilter)
            return 1 + _check_clauses(filter, None, f"{path}.nested.filter", depth=depth + 1)
        case _:
            check_path(condition.path, f"{path}.field.path", InvalidFilter)
            check_operands(condition, f"{path}.field")
    return 1


def _member(condition: Condition) -> str:
    """The name of the condition in the contract."""
    names = {IsNull: "is_null", IsEmpty: "is_empty", Exists: "exists", Nested: "nested"}
    return names.get(type(condition), "field")


def _check_point_test(condition: HasId | HasVector, schema: CollectionSchema | None, path: str) -> None:
    name = "has_id" if isinstance(condition, HasId) else "has_vector"
    if schema is None:
        raise InvalidFilter(f"{path}.{name}", "elements have neither ids nor vectors")
    if isinstance(condition, HasId):
        check_has_id(condition, f"{path}.has_id")
    elif condition.using not in schema.names:
        field, place = condition.written or (f"{path}.has_vector.using", "")
        raise SpaceNotFound(condition.using, schema.names, field=field, place=place)
