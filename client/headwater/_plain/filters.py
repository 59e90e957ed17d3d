"""Filters as plain dicts, as in JSON and in other clients, converted to conditions of filters.py.

    {"must": [{"key": "color", "match": {"value": "red"}}, {"key": "price", "range": {"lt": 20}}],
     "should": [...], "must_not": [...], "min_should": {"conditions": [...], "min_count": 1}}

A clause is a condition or a list of conditions. A condition may itself be a filter.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from headwater._conditions import (
    Condition,
    DatetimeRange,
    Exists,
    Filter,
    GeoBoundingBox,
    GeoPolygon,
    GeoRadius,
    HasId,
    HasVector,
    IsEmpty,
    IsNull,
    MinShould,
    Nested,
    Range,
    TextOperator,
    TextTest,
    ValuesCount,
)
from headwater.filters import AnyOf, Equal, ExceptOf, FilterBuilder

CLAUSES = ("must", "should", "must_not", "min_should", "expression")
BOUNDS = ("gt", "gte", "lt", "lte")
_TEXT_TESTS = {operator.value: operator for operator in TextOperator}
_LISTS = (list, tuple, set, frozenset)


def filter_of(given: Mapping[Any, Any], path: str) -> Condition:
    """The filter or condition that a dict stands for. Raises TypeError or ValueError, which names the wrong part."""
    if not (given.keys() & set(CLAUSES)) and given:
        return condition_of(given, path)
    _check_keys(given, CLAUSES, path)
    enough = given.get("min_should")
    return Filter(
        must=_clause(given.get("must"), f"{path}.must"),
        should=_clause(given.get("should"), f"{path}.should"),
        must_not=_clause(given.get("must_not"), f"{path}.must_not"),
        min_should=None if enough is None else _min_should(enough, f"{path}.min_should"),
        expression=given.get("expression") or "",
    )


def condition_of(given: Any, path: str) -> Condition:
    """One condition: as a dict, or as an object of filters.py."""
    if isinstance(given, Condition):
        return given
    if isinstance(given, FilterBuilder):
        return given.build()
    if not isinstance(given, Mapping):
        raise TypeError(f"{path} is a condition or a dict, not {type(given).__name__}")
    if given.keys() & set(CLAUSES):
        return filter_of(given, path)
    if "key" in given:
        return _of_key(given, path)
    if len(given) != 1:
        raise TypeError(f"{path} has {_keys(given)}; a condition has a 'key', or one of {', '.join(_OTHERS)}")
    ((kind, value),) = given.items()
    if kind not in _OTHERS:
        raise TypeError(f"{path} has {kind!r}; a condition has a 'key', or one of {', '.join(_OTHERS)}")
    return _OTHERS[kind](value, f"{path}.{kind}")


def _clause(given: Any, path: str) -> tuple[Condition, ...]:
    if given is None:
        return ()
    if isinstance(given, _LISTS):
        return tuple(condition_of(each, f"{path}[{position}]") for position, each in enumerate(given))
    return (condition_of(given, path),)


def _min_should(given: Any, path: str) -> MinShould:
    if isinstance(given, MinShould):
        return given
    values = _dict(given, path, ("conditions", "min_count"))
    if len(values) < 2:
        raise TypeError(f"{path} has 'conditions' and 'min_count', not only {_keys(values)}")
    return MinShould(_clause(values["conditions"], f"{path}.conditions"), values["min_count"])


def _of_key(given: Mapping[Any, Any], path: str) -> Condition:
    """A condition on the values at a path."""
    tests = {name: value for name, value in given.items() if name != "key" and value is not None}
    if len(tests) != 1:
        raise TypeError(f"{path} has {_keys(given)}; beside 'key' it has one of {', '.join(_TESTS)}")
    ((name, value),) = tests.items()
    if name not in _TESTS:
        raise TypeError(f"{path} has {name!r}; beside 'key' it has one of {', '.join(_TESTS)}")
    return _TESTS[name](_path(given["key"], f"{path}.key"), value, f"{path}.{name}")


def _match(key: str, given: Any, path: str) -> Condition:
    known = ("value", "any", "except", *_TEXT_TESTS)
    values = _dict(given, path, known)
    if len(values) != 1:
        raise TypeError(f"{path} has {_keys(values)}; it has one of {', '.join(known)}")
    ((kind, value),) = values.items()
    match kind:
        case "value":
            return Equal(key, value)
        case "any":
            return AnyOf(key, _many(value, f"{path}.any"))
        case "except":
            return ExceptOf(key, _many(value, f"{path}.except"))
        case _:
            return TextTest(key, _TEXT_TESTS[kind], value)


def _range(key: str, given: Any, path: str) -> Condition:
    """A range of numbers or strings. When a bound is a date: a range of instants."""
    bounds = _dict(given, path, BOUNDS)
    if any(hasattr(bound, "isoformat") for bound in bounds.values()):
        return DatetimeRange(key, **bounds)
    return Range(key, **bounds)


def _geo_radius(key: str, given: Any, path: str) -> Condition:
    values = _dict(given, path, ("center", "radius"), whole=True)
    return GeoRadius(key, _place(values["center"], f"{path}.center"), values["radius"])


def _geo_bounding_box(key: str, given: Any, path: str) -> Condition:
    values = _dict(given, path, ("top_left", "bottom_right"), whole=True)
    corners = [_place(values[name], f"{path}.{name}") for name in ("top_left", "bottom_right")]
    return GeoBoundingBox(key, *corners)


def _geo_polygon(key: str, given: Any, path: str) -> Condition:
    values = _dict(given, path, ("exterior", "interiors"))
    if "exterior" not in values:
        raise TypeError(f"{path}.exterior is missing")
    interiors = values.get("interiors") or ()
    holes = (_ring(ring, f"{path}.interiors[{place}]") for place, ring in enumerate(_many(interiors, path)))
    return GeoPolygon(key, _ring(values["exterior"], f"{path}.exterior"), tuple(holes))


def _ring(given: Any, path: str) -> tuple[Any, ...]:
    points = _dict(given, path, ("points",), whole=True)["points"] if isinstance(given, Mapping) else given
    return tuple(_place(place, f"{path}[{position}]") for position, place in enumerate(_many(points, path)))


def _place(given: Any, path: str) -> Any:
    """A latitude and a longitude, as a pair or as `{"lat", "lon"}`."""
    if not isinstance(given, Mapping):
        return given
    values = _dict(given, path, ("lat", "lon"), whole=True)
    return values["lat"], values["lon"]


def _flag(make: Callable[[str], Condition]) -> Callable[[str, Any, str], Condition]:
    """The condition of `{"key": ..., "is_null": true}`."""

    def condition(key: str, given: Any, path: str) -> Condition:
        if not isinstance(given, bool):
            raise TypeError(f"{path} takes True or False, not {type(given).__name__}")
        return make(key) if given else Filter(must_not=(make(key),))

    return condition


_TESTS: Mapping[str, Callable[[str, Any, str], Condition]] = {
    "match": _match,
    "range": _range,
    "datetime_range": lambda key, given, path: DatetimeRange(key, **_dict(given, path, BOUNDS)),
    "values_count": lambda key, given, path: ValuesCount(key, **_dict(given, path, BOUNDS)),
    "geo_radius": _geo_radius,
    "geo_bounding_box": _geo_bounding_box,
    "geo_polygon": _geo_polygon,
    "is_null": _flag(IsNull),
    "is_empty": _flag(IsEmpty),
    "exists": _flag(Exists),
}


def _at_key(make: Callable[[str], Condition]) -> Callable[[Any, str], Condition]:
    """The condition of `{"is_null": {"key": ...}}`, or of the path alone."""

    def condition(given: Any, path: str) -> Condition:
        key = _dict(given, path, ("key",), whole=True)["key"] if isinstance(given, Mapping) else given
        return make(_path(key, f"{path}.key"))

    return condition


def _nested(given: Any, path: str) -> Condition:
    values = _dict(given, path, ("key", "filter"), whole=True)
    inner = condition_of(values["filter"], f"{path}.filter")
    return Nested(_path(values["key"], f"{path}.key"), inner if isinstance(inner, Filter) else Filter(must=(inner,)))


_OTHERS: Mapping[str, Callable[[Any, str], Condition]] = {
    "is_null": _at_key(IsNull),
    "is_empty": _at_key(IsEmpty),
    "exists": _at_key(Exists),
    "has_id": lambda given, path: HasId(_many(given, path)),
    "has_vector": lambda given, path: HasVector(_path(given, path)),
    "nested": _nested,
    "filter": condition_of,
}


def _path(given: Any, path: str) -> str:
    if not isinstance(given, str):
        raise TypeError(f"{path} takes a string, not {type(given).__name__}")
    return given


def _many(given: Any, path: str) -> tuple[Any, ...]:
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise TypeError(f"{path} takes a list, not {type(given).__name__}")
    try:
        return tuple(given)
    except TypeError:  # an array without dimensions
        raise TypeError(f"{path} takes a list, not {type(given).__name__}") from None


def _dict(given: Any, path: str, known: tuple[str, ...], *, whole: bool = False) -> dict[str, Any]:
    """The values of a dict, without None. `whole`: all keys are required."""
    if not isinstance(given, Mapping):
        raise TypeError(f"{path} takes a dict with {', '.join(known)}, not {type(given).__name__}")
    _check_keys(given, known, path)
    values = {name: value for name, value in given.items() if value is not None}
    if whole and len(values) < len(known):
        raise TypeError(f"{path} has {_keys(values)}, and must have {', '.join(known)}")
    return values


def _check_keys(given: Mapping[Any, Any], known: tuple[str, ...], path: str) -> None:
    for key in given:
        if key not in known:
            raise TypeError(f"{path} has no {key!r}; it may have {', '.join(known)}")


def _keys(given: Mapping[Any, Any]) -> str:
    return ", ".join(map(repr, given)) or "nothing"
