"""Filters and selectors as short text, for plans that people read. The text is stable and is never parsed."""

import json
from typing import assert_never

from planner.filter import (
    AnyOf,
    Condition,
    Equal,
    ExceptOf,
    Filter,
    HasId,
    HasVector,
    IsEmpty,
    IsNull,
    Range,
)
from planner.query import PayloadSelector, VectorsSelector
from storage.schema import PointId

SHOWN = 4
"""Values of a list that are shown."""


def describe_filter(filter: Filter) -> str:
    """Such as `price < 200 and (color = "red" or color = "blue") and not sold = true`."""
    return " and ".join(_clauses(filter)) or "every point"


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
        case Range():
            return _range(condition)
        case IsNull(path=path):
            return f"{path} is null"
        case IsEmpty(path=path):
            return f"{path} is empty"
        case HasId(ids=ids):
            return f"id in {_list(ids)}"
        case HasVector(using=using):
            return f"has vector {json.dumps(using, ensure_ascii=False)}"
    assert_never(condition)


def _range(bounds: Range) -> str:
    signs = ((">", bounds.gt), (">=", bounds.gte), ("<", bounds.lt), ("<=", bounds.lte))
    parts = [f"{bounds.path} {sign} {bound}" for sign, bound in signs if bound is not None]
    return _group(" and ".join(parts), len(parts))


def _list(values: tuple[str | int | float | bool, ...] | tuple[PointId, ...]) -> str:
    shown = [json.dumps(value, ensure_ascii=False) for value in values[:SHOWN]]
    more = [f"... {len(values):,} in all"] if len(values) > SHOWN else []
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
