"""Filters and selectors as short text, for plans that people read. The text is stable and is never parsed."""

import json
from collections.abc import Callable
from typing import assert_never

from planner.query.filter import (
    AnyOf,
    Condition,
    DatetimeRange,
    Equal,
    ExceptOf,
    Exists,
    Filter,
    GeoBox,
    GeoPoint,
    GeoPolygon,
    GeoRadius,
    HasId,
    HasVector,
    IsEmpty,
    IsNull,
    Nested,
    Range,
    TextTest,
    ValuesCount,
)
from planner.query.query import PayloadSelector, VectorsSelector
from storage.schema import PointId

MAX_SHOWN_VALUES = 4
"""The most values of a list that are shown."""


HIDDEN = "?"
"""Stands for a value that is not shown."""

_Value = str | int | float | bool
_Show = Callable[[_Value], str]


def describe_filter(filter: Filter) -> str:
    """Such as `price < 200 and (color = "red" or color = "blue") and not sold = true`."""
    return _filter(filter, _shown)


def describe_filter_shape(filter: Filter) -> str:
    """The same without the values, such as `price < ? and (color = ? or color = ?) and not sold = ?`."""
    return _filter(filter, lambda value: HIDDEN)


def describe_condition(condition: Condition) -> str:
    """Such as `price < 200`."""
    return _condition(condition, _shown)


def _shown(value: _Value) -> str:
    return json.dumps(value, ensure_ascii=False)


def _filter(filter: Filter, show: _Show) -> str:
    return " and ".join(_clauses(filter, show)) or "every point"


def _clauses(filter: Filter, show: _Show) -> list[str]:
    parts = [_condition(condition, show) for condition in filter.must]
    if filter.should:
        parts.append(
            _group(" or ".join(_condition(condition, show) for condition in filter.should), len(filter.should))
        )
    parts.extend(f"not {_condition(condition, show)}" for condition in filter.must_not)
    if filter.min_should is not None:
        conditions = ", ".join(_condition(condition, show) for condition in filter.min_should.conditions)
        parts.append(f"at least {filter.min_should.min_count} of ({conditions})")
    return parts


def _group(text: str, parts: int) -> str:
    return f"({text})" if parts > 1 else text


def _condition(condition: Condition, show: _Show) -> str:
    match condition:
        case Filter():
            return _group(_filter(condition, show), len(_clauses(condition, show)))
        case Equal(path=path, value=value):
            return f"{path} = {show(value)}"
        case AnyOf(path=path, values=values):
            return f"{path} in {_list(values, show)}"
        case ExceptOf(path=path, values=values):
            return f"{path} not in {_list(values, show)}"
        case Range() | DatetimeRange():
            return _range(condition.path, condition, show)
        case ValuesCount():
            return _range(f"count of {condition.path}", condition, show)
        case TextTest(path=path, operator=operator, operand=operand):
            return f"{path} {operator.value} {show(operand)}"
        case GeoRadius() | GeoBox() | GeoPolygon():
            return _geo(condition, show)
        case Exists(path=path):
            return f"{path} exists"
        case Nested(path=path, filter=filter):
            return f"some {path} has ({_filter(filter, show)})"
        case IsNull(path=path):
            return f"{path} is null"
        case IsEmpty(path=path):
            return f"{path} is empty"
        case HasId(ids=ids):
            return f"id in {_list(ids, show)}"
        case HasVector(using=using):
            return f"has vector {json.dumps(using, ensure_ascii=False)}"
    assert_never(condition)


def _range(subject: str, bounds: Range | DatetimeRange | ValuesCount, show: _Show) -> str:
    signs = ((">", bounds.gt), (">=", bounds.gte), ("<", bounds.lt), ("<=", bounds.lte))
    parts = [f"{subject} {sign} {show(bound)}" for sign, bound in signs if bound is not None]
    return _group(" and ".join(parts), len(parts))


def _geo(condition: GeoRadius | GeoBox | GeoPolygon, show: _Show) -> str:
    match condition:
        case GeoRadius(path=path, center=center, radius=radius):
            return f"{path} within {show(radius)} m of {_point(center, show)}"
        case GeoBox(path=path, top_left=top_left, bottom_right=bottom_right):
            return f"{path} in box {_point(top_left, show)} to {_point(bottom_right, show)}"
        case GeoPolygon(path=path, exterior=exterior, interiors=interiors):
            holes = f" with {len(interiors)} holes" if interiors else ""
            return f"{path} in polygon of {len(exterior)} corners{holes}"


def _point(location: GeoPoint, show: _Show) -> str:
    return f"({show(location.lat)}, {show(location.lon)})"


def _list(values: tuple[_Value, ...] | tuple[PointId, ...], show: _Show) -> str:
    shown = [show(value) for value in values[:MAX_SHOWN_VALUES]]
    more = [f"... {len(values):,} in all"] if len(values) > MAX_SHOWN_VALUES else []
    return f"[{', '.join(shown + more)}]"


def describe_payload(selector: PayloadSelector | None) -> str:
    if selector is None:
        return "none"
    included = "all" if selector.include is None else ", ".join(selector.include) or "none"
    return f"{included} but {', '.join(selector.exclude)}" if selector.exclude else included


def describe_vectors(selector: VectorsSelector | None) -> str:
    if selector is None:
        return "none"
    return "all" if selector.include is None else ", ".join(json.dumps(name) for name in selector.include) or "none"
