"""Conditions on records as a dict, such as `{"price": {"$gte": 5}}`, converted to conditions of filters.py."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from headwater.filters import Condition, Field, Filter, FilterLike

Where = FilterLike | Mapping[str, Any]
"""A filter, or a dict. A key is a property, or `$id`, the id, with a value to equal or a dict of OPERATORS; or a key is
`$and`, `$or`, `$not` or `$nor`."""

OPERATORS: Mapping[str, Callable[[Field, Any], Condition]] = {
    "$eq": lambda field, value: field.is_null() if value is None else field.eq(value),
    "$ne": lambda field, value: _not(field.is_null()) if value is None else field.ne(value),
    "$in": lambda field, values: field.any_of(values),
    "$nin": lambda field, values: _not(field.any_of(values)),
    "$gt": lambda field, bound: field.gt(bound),
    "$gte": lambda field, bound: field.gte(bound),
    "$lt": lambda field, bound: field.lt(bound),
    "$lte": lambda field, bound: field.lte(bound),
    "$contains": lambda field, part: field.contains(part),
    "$startsWith": lambda field, prefix: field.starts_with(prefix),
    "$endsWith": lambda field, suffix: field.glob(_ending(suffix)),
    "$exists": lambda field, wanted: field.exists() if wanted else _not(field.exists()),
}


def filter_of_where(given: Where | None) -> FilterLike | None:
    """The filter that a dict stands for. Other filters stay as they are. Raises ValueError for a wrong dict."""
    return Filter(must=_conditions(given)) if isinstance(given, Mapping) else given


def _conditions(given: Mapping[str, Any]) -> tuple[Condition, ...]:
    """The conditions of a dict: all of them must hold."""
    conditions: list[Condition] = []
    for key, value in given.items():
        match key:
            case "$and":
                conditions += [Filter(must=_conditions(each)) for each in _dicts(value, key)]
            case "$or":
                conditions.append(Filter(should=tuple(Filter(must=_conditions(each)) for each in _dicts(value, key))))
            case "$nor":
                conditions += [_not(Filter(must=_conditions(each))) for each in _dicts(value, key)]
            case "$not":
                conditions += [_not(Filter(must=_conditions(each))) for each in _dicts([value], key)]
            case _ if not isinstance(key, str):
                raise TypeError(f"where has a key of type {type(key).__name__}; properties are named by strings")
            case _ if key.startswith("$") and key != "$id":
                raise ValueError(f"where: {key!r} is not an operator here; the operators are: $and, $or, $nor, $not")
            case _:
                conditions += _of_property(key, value)
    return tuple(conditions)


def _of_property(path: str, value: Any) -> list[Condition]:
    if not isinstance(value, Mapping):
        value = {"$in": value} if isinstance(value, list | tuple | set) else {"$eq": value}
    conditions = []
    for operator, operand in value.items():
        if operator not in OPERATORS:
            raise ValueError(
                f"where: {operator!r} of {path!r} is not an operator; the operators are: {', '.join(OPERATORS)}"
            )
        conditions.append(OPERATORS[operator](Field(path), operand))
    return conditions


def _dicts(given: Any, operator: str) -> Sequence[Mapping[str, Any]]:
    if not isinstance(given, list | tuple) or not given or not all(isinstance(each, Mapping) for each in given):
        raise ValueError(f"where: {operator!r} takes dicts")
    return given


def _ending(suffix: Any) -> str:
    """The glob of all strings that end with `suffix`."""
    if not isinstance(suffix, str):
        raise TypeError(f"where: '$endsWith' takes a string, not {type(suffix).__name__}")
    return "*" + re.sub(r"([*?\[\]{}\\!])", r"\\\1", suffix)


def _not(condition: Condition) -> Filter:
    return Filter(must_not=(condition,))
