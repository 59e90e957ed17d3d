"""Which formulas are refused, and why: size, depth, variables, constants and defaults. No point is read."""

import math
import re
from typing import assert_never

from planner.errors import InvalidQuery
from planner.limits import MAX_FORMULA_DEPTH, MAX_FORMULA_PARTS
from planner.predicate import EXPECTED, check_path, distance, seconds_of
from planner.query import (
    SCORE,
    Constant,
    DatetimeKey,
    Decay,
    Default,
    Div,
    Expression,
    FieldValue,
    Formula,
    GeoDistance,
    GeoPoint,
    OfList,
    PayloadVariable,
    PrefetchScore,
    Written,
    below,
    parts_of,
    score_key,
)
from storage.errors import LimitExceeded, NotFinite

_SCORE_KEY = re.compile(r"\$score(\[(0|[1-9]\d{0,8})\])?", re.ASCII)


def check_size(expression: Expression, path: str) -> None:
    """Raises LimitExceeded for an expression that is too deep or has too many parts."""
    parts, level, depth = 0, [expression.expression if isinstance(expression, Written) else expression], 0
    while level:
        parts, depth = parts + len(level), depth + 1
        if depth > MAX_FORMULA_DEPTH:
            raise LimitExceeded(path, limit="MAX_FORMULA_DEPTH", maximum=MAX_FORMULA_DEPTH, actual=depth)
        if parts > MAX_FORMULA_PARTS:
            raise LimitExceeded(path, limit="MAX_FORMULA_PARTS", maximum=MAX_FORMULA_PARTS, actual=parts)
        inner = [part for whole in level for _, part in parts_of(whole)]
        level = [part.expression if isinstance(part, Written) else part for part in inner]


def check_part(part: Expression, lists: int, path: str) -> None:
    """Checks one part, which is at `path`."""
    match part:
        case Constant(value=value):
            _check_finite(value, below(path, "constant"))
        case PrefetchScore(index=index):
            _check_list(index, lists, below(path, "score"))
        case FieldValue(path=payload_path):
            check_path(payload_path, below(path, "field"))
        case DatetimeKey(path=payload_path):
            check_path(payload_path, below(path, "datetime_key"))
        case GeoDistance(origin=origin, path=payload_path):
            check_location(origin, below(path, "geo_distance.origin"))
            check_path(payload_path, below(path, "geo_distance.path"))
        case OfList(function=function, parts=()):
            raise InvalidQuery(below(path, f"{function.value}.parts"), "it needs at least one part")
        case Div(by_zero_default=float(default)):
            _check_finite(default, below(path, "div.by_zero_default"))
        case Decay():
            _check_decay(part, below(path, part.shape.value))
        case _:
            pass


def _check_list(index: int, lists: int, path: str) -> None:
    if lists == 0:
        raise InvalidQuery(path, "there is no score, since the stage has no prefetch")
    if index >= lists:
        raise InvalidQuery(path, f"there is no prefetch {index:,}; there are {lists:,}, counted from 0")


def _check_decay(decay: Decay, path: str) -> None:
    _check_finite(decay.scale, below(path, "scale"))
    if decay.scale <= 0:
        raise InvalidQuery(below(path, "scale"), f"{decay.scale:g} is not more than 0")
    _check_finite(decay.midpoint, below(path, "midpoint"))
    if not 0 < decay.midpoint < 1:
        raise InvalidQuery(below(path, "midpoint"), f"{decay.midpoint:g} is not between 0 and 1, both excluded")


def _check_finite(value: float, path: str) -> None:
    if not math.isfinite(value):
        raise NotFinite(path, f"{value} is not finite")


def instant_seconds(text: str, path: str) -> float:
    seconds = seconds_of(text)
    if seconds is None:
        raise InvalidQuery(path, f"{text!r} is not {EXPECTED}")
    return seconds


def check_location(place: GeoPoint, path: str) -> None:
    """Raises NotFinite or InvalidQuery, which name `lat` or `lon`."""
    for name, degrees, most in (("lat", place.lat, 90), ("lon", place.lon, 180)):
        _check_finite(degrees, below(path, name))
        if abs(degrees) > most:
            raise InvalidQuery(below(path, name), f"{degrees:g} is not between -{most} and {most}")


def default_keys(formula: Formula, path: str) -> tuple[dict[str, float], dict[str, Default]]:
    """The defaults of scores, by the keys that score_key makes, and the defaults of payload values, by path."""
    if len(formula.defaults) > MAX_FORMULA_PARTS:
        actual = len(formula.defaults)
        raise LimitExceeded(path, limit="MAX_FORMULA_PARTS", maximum=MAX_FORMULA_PARTS, actual=actual)
    names = [name for name, _ in formula.defaults]
    if SCORE in names and score_key(0) in names:
        raise InvalidQuery(f'{path}["{SCORE}"]', f"{score_key(0)} is the same score and is given too; give one of them")
    scores: dict[str, float] = {}
    values: dict[str, Default] = {}
    for name, default in formula.defaults:
        where = f'{path}["{name}"]'
        if name.startswith("$"):
            if not _SCORE_KEY.fullmatch(name):
                raise InvalidQuery(where, f"there is no such variable; scores are {SCORE}, {score_key(1)} and so on")
            scores[score_key(0) if name == SCORE else name] = _number(default, where, "a score")
        else:
            check_path(name, where)
            values[name] = default
        if isinstance(default, GeoPoint):
            check_location(default, where)
        elif isinstance(default, int | float):
            _check_finite(default, where)
    return scores, values


def default_of(variable: PayloadVariable, default: Default, path: str) -> float:
    """The number for the variable where a point lacks it: a value, metres, or seconds."""
    match variable:
        case FieldValue():
            return _number(default, path, "a field")
        case GeoDistance():
            if not isinstance(default, GeoPoint):
                raise InvalidQuery(path, "the default of a location must be a location, {lat, lon}")
            return distance(variable.origin, default)
        case DatetimeKey():
            if isinstance(default, str):
                return instant_seconds(default, path)
            return _number(default, path, "an instant, which is no text,")
    assert_never(variable)


def _number(default: Default, path: str, what: str) -> float:
    if isinstance(default, str | GeoPoint):
        raise InvalidQuery(path, f"the default of {what} is a number")
    return default
