"""Filters: messages -> planner.query. It finds missing parts; the planner checks paths, bounds and depth."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from headwater.v1 import filter_pb2 as wire
from headwater.v1.payload_pb2 import ListValue, Value
from planner.errors import InvalidFilter
from planner.limits import MAX_CONDITIONS
from planner.parse import parse_filter
from planner.query import (
    AnyOf,
    Bound,
    Condition,
    DatetimeRange,
    Equal,
    ExceptOf,
    Exists,
    Filter,
    HasId,
    HasVector,
    IsEmpty,
    IsNull,
    MinShould,
    Nested,
    Range,
    Scalar,
    TextOperator,
    TextTest,
    ValuesCount,
)
from server.convert.field_paths import join, kind_of
from server.convert.geography import box_of, polygon_of, radius_of
from server.convert.ids import point_ids_of
from storage.errors import LimitExceeded

BOUNDS: tuple[Literal["gt", "gte", "lt", "lte"], ...] = ("gt", "gte", "lt", "lte")


def filter_of(message: wire.Filter, path: str) -> Filter:
    """The filter at `path`. Raises InvalidFilter, InvalidPointId or LimitExceeded."""
    _check_size(message, path)
    return _filter_of(message, path)


def _check_size(message: wire.Filter, path: str) -> None:
    """Refuses a filter that is far too large before it is converted. The planner counts exactly."""
    count, pending = 0, [message]
    while pending:
        clauses = pending.pop()
        for conditions in (clauses.must, clauses.should, clauses.must_not, clauses.min_should.conditions):
            count += len(conditions)
            if count > MAX_CONDITIONS:
                raise LimitExceeded(path, limit="MAX_CONDITIONS", maximum=MAX_CONDITIONS, actual=count)
            for condition in conditions:
                pending.extend([condition.filter] if condition.HasField("filter") else [])
                pending.extend([condition.nested.filter] if condition.HasField("nested") else [])


def _filter_of(message: wire.Filter, path: str) -> Filter:
    min_should = message.min_should if message.HasField("min_should") else None
    given = Filter(
        must=_conditions_of(message.must, join(path, "must")),
        should=_conditions_of(message.should, join(path, "should")),
        must_not=_conditions_of(message.must_not, join(path, "must_not")),
        min_should=None if min_should is None else _min_should_of(min_should, join(path, "min_should")),
    )
    if not message.expression:
        return given
    written = parse_filter(message.expression, join(path, "expression"))
    return written if given == Filter() else replace(given, must=(*given.must, written))


def _min_should_of(message: wire.MinShould, path: str) -> MinShould:
    return MinShould(_conditions_of(message.conditions, join(path, "conditions")), message.min_count)


def _conditions_of(messages: Iterable[wire.Condition], path: str) -> tuple[Condition, ...]:
    return tuple(_condition_of(message, f"{path}[{index}]") for index, message in enumerate(messages))


def _condition_of(message: wire.Condition, path: str) -> Condition:
    match kind_of(message, path, InvalidFilter):
        case "field":
            return _field_condition_of(message.field, join(path, "field"))
        case "has_id":
            return HasId(point_ids_of(message.has_id.ids, join(path, "has_id.ids")))
        case "has_vector":
            return HasVector(message.has_vector.using)
        case "is_null":
            return IsNull(message.is_null.path)
        case "is_empty":
            return IsEmpty(message.is_empty.path)
        case "exists":
            return Exists(message.exists.path)
        case "nested":
            return Nested(message.nested.path, _filter_of(message.nested.filter, join(path, "nested.filter")))
        case _:
            return _filter_of(message.filter, join(path, "filter"))


def _field_condition_of(message: wire.FieldCondition, path: str) -> Condition:
    match message.WhichOneof("predicate"):
        case "equal":
            return Equal(message.path, _scalar_of(message.equal, join(path, "equal")))
        case "any_of":
            return AnyOf(message.path, _scalars_of(message.any_of, join(path, "any_of")))
        case "except_of":
            return ExceptOf(message.path, _scalars_of(message.except_of, join(path, "except_of")))
        case "range":
            return _range_of(message.path, message.range, join(path, "range"))
        case "datetime_range":
            return DatetimeRange(path=message.path, **_bounds_of(message.datetime_range))
        case "values_count":
            return ValuesCount(path=message.path, **_bounds_of(message.values_count))
        case "geo_radius":
            return radius_of(message.path, message.geo_radius, join(path, "geo_radius"))
        case "geo_bounding_box":
            return box_of(message.path, message.geo_bounding_box, join(path, "geo_bounding_box"))
        case "geo_polygon":
            return polygon_of(message.path, message.geo_polygon, join(path, "geo_polygon"))
        case None:
            names = ", ".join(field.name for field in message.DESCRIPTOR.oneofs_by_name["predicate"].fields)
            raise InvalidFilter(path, f"nothing is set; set one of: {names}")
        case text:
            return TextTest(message.path, TextOperator(text), getattr(message, text))


def _bounds_of(message: wire.DatetimeRange | wire.ValuesCount) -> Mapping[str, Any]:
    return {field.name: bound for field, bound in message.ListFields()}


def _range_of(payload_path: str, message: wire.Range, path: str) -> Range:
    bounds = {name: _bound_of(message, name, path) for name in BOUNDS if message.HasField(name)}
    return Range(path=payload_path, **bounds)


def _bound_of(message: wire.Range, name: Literal["gt", "gte", "lt", "lte"], path: str) -> Bound:
    bound = _scalar_of(getattr(message, name), join(path, name))
    if isinstance(bound, bool):
        raise InvalidFilter(join(path, name), "a bound must be an integer, a double or a string")
    return bound


def _scalars_of(message: ListValue, path: str) -> tuple[Scalar, ...]:
    return tuple(_scalar_of(value, f"{path}[{index}]") for index, value in enumerate(message.values))


def _scalar_of(value: Value, path: str) -> Scalar:
    match kind_of(value, path, InvalidFilter):
        case "string_value":
            return value.string_value
        case "integer_value":
            return value.integer_value
        case "bool_value":
            return value.bool_value
        case "double_value":
            return value.double_value
        case "null_value":
            raise InvalidFilter(path, "no value equals null; use is_null")
    raise InvalidFilter(path, "a filter compares with a string, an integer, a double or a bool")
