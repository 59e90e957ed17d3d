"""Filters and selectors as short text, for plans that people read. The text is stable and is never parsed."""

import json
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


def describe_filter(filter: Filter) -> str:
    """Such as `price < 200 and (color = "red" or color = "blue") and not sold = true`."""
    return " and ".join(_clauses(filter)) or "every point"


def describe_condition(condition: Condition) -> str:
    """Such as `price < 200`."""
    return _condition(condition)


def _clauses(filter: Filter) -> list[str]:
    parts = [_condition(condition) for condition in filter.must]
    if filter.should:
        parts.append(_group(" or ".join(_condition(condition) for condition in filter.should), len(filter.should)))
    parts.extend(f"not {_condition(condition)}" for condition in filter.must_not)
    if filter.min_should is not None:
        conditions = ", ".join(_condition(condition) for condition in filter.min_should.conditions)
        parts.append(f"at least {filter.min_should.min_count} of ({conditions})")
    return parts


def _group(text: str, parts: int) -> str:
    return f"({text})" if parts > 1 else text


def _condition(condition: Condition) -> str:
    match condition:
        case Filter():
            return _group(describe_filter(condition), len(_clauses(condition)))
        case Equal(path=path, value=value):
            return f"{path} = {json.dumps(value, ensure_ascii=False)}"
        case AnyOf(path=path, values=values):
            return f"{path} in {_list(values)}"
        case ExceptOf(path=path, values=values):
            return f"{path} not in {_list(values)}"
        case Range() | DatetimeRange():
            return _range(condition.path, condition)
        case ValuesCount():
            return _range(f"count of {condition.path}", condition)
        case TextTest(path=path, operator=operator, operand=operand):
            return f"{path} {operator.value} {json.dumps(operand, ensure_ascii=False)}"
        case GeoRadius() | GeoBox() | GeoPolygon():
            return _geo(condition)
        case Exists(path=path):
            return f"{path} exists"
        case Nested(path=path, filter=filter):
            return f"some {path} has ({describe_filter(filter)})"
        case IsNull(path=path):
            return f"{path} is null"
        case IsEmpty(path=path):
            return f"{path} is empty"
        case HasId(ids=ids):
            return f"id in {_list(ids)}"
        case HasVector(using=using):
            return f"has vector {json.dumps(using, ensure_ascii=False)}"
    assert_never(condition)


def _range(subject: str, bounds: Range | DatetimeRange | ValuesCount) -> str:
    signs = ((">", bounds.gt), (">=", bounds.gte), ("<", bounds.lt), ("<=", bounds.lte))
    shown = [(sign, bound) for sign, bound in signs if bound is not None]
    parts = [f"{subject} {sign} {_bound(bound)}" for sign, bound in shown]
    return _group(" and ".join(parts), len(parts))


def _bound(bound: str | int | float) -> str:
    return json.dumps(bound, ensure_ascii=False) if isinstance(bound, str) else str(bound)


def _geo(condition: GeoRadius | GeoBox | GeoPolygon) -> str:
    match condition:
        case GeoRadius(path=path, center=center, radius=radius):
            return f"{path} within {radius} m of {_point(center)}"
        case GeoBox(path=path, top_left=top_left, bottom_right=bottom_right):
            return f"{path} in box {_point(top_left)} to {_point(bottom_right)}"
        case GeoPolygon(path=path, exterior=exterior, interiors=interiors):
            holes = f" with {len(interiors)} holes" if interiors else ""
            return f"{path} in polygon of {len(exterior)} corners{holes}"


def _point(location: GeoPoint) -> str:
    return f"({location.lat}, {location.lon})"


def _list(values: tuple[str | int | float | bool, ...] | tuple[PointId, ...]) -> str:
    shown = [json.dumps(value, ensure_ascii=False) for value in values[:MAX_SHOWN_VALUES]]
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
