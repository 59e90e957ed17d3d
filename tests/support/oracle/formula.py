"""The oracle's meaning of formulas and of chosen metrics, for one point at a time, in plain arithmetic."""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from planner.query.filter import Filter, GeoPoint
from planner.query.formula import (
    Constant,
    Datetime,
    DatetimeKey,
    Decay,
    DecayShape,
    Default,
    Div,
    Expression,
    FieldValue,
    Formula,
    Function,
    GeoDistance,
    Holds,
    ListFunction,
    OfList,
    OfOne,
    Pow,
    PrefetchScore,
    Written,
)
from planner.query.metrics import Metric
from planner.query.query import ScoreMode
from tests.support.oracle.operators import instant_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Matches = Callable[[Filter], bool]
Values = Callable[[str], Iterable[object]]
"""Of one point: the values at a path, arrays opened once."""


FLOAT32_MAX = float(np.finfo(np.float32).max)


def rounded(score: float) -> np.float32:
    """No score is infinite."""
    return np.float32(min(FLOAT32_MAX, max(-FLOAT32_MAX, score)))


class NoValueError(Exception):
    """A part of a formula has no value for a point."""


class PointFormula:
    """A formula over one point. `scores[i]`: its score in the list of prefetch i, None where the list lacks it."""

    def __init__(self, formula: Formula, scores: Sequence[float | None], values: Values, matches: Matches) -> None:
        self.defaults = {("$score[0]" if key == "$score" else key): value for key, value in formula.defaults}
        self.scores = scores
        self.values = values
        self.matches = matches

    def value(self, expression: Expression) -> float:
        """Raises NoValueError."""
        try:
            found = self._value(expression)
        except (ValueError, OverflowError, ZeroDivisionError) as error:
            raise NoValueError from error
        if not math.isfinite(found):
            raise NoValueError
        return found

    def _value(self, expression: Expression) -> float:
        match expression:
            case Constant(value=value):
                return value
            case PrefetchScore(index=index):
                score = self.scores[index]
                given = self.defaults.get(f"$score[{index}]", 0.0)
                assert isinstance(given, float)
                return given if score is None else score
            case FieldValue(path=path):
                return self._first(path, _number)
            case Holds(filter=filter):
                return float(self.matches(filter))
            case OfList():
                return self._of_list(expression)
            case OfOne(function=function, part=part):
                return _FUNCTIONS[function](self.value(part))
            case Pow(base=base, exponent=exponent):
                return math.pow(self.value(base), self.value(exponent))
            case Div(left=left, right=right, by_zero_default=default):
                over, under = self.value(left), self.value(right)
                return default if under == 0 and default is not None else over / under
            case GeoDistance(origin=origin, path=path):
                return self._first(path, lambda value: _metres(origin, value))
            case Datetime(text=text):
                seconds = _seconds(text)
                assert seconds is not None
                return seconds
            case DatetimeKey(path=path):
                return self._first(path, _seconds)
            case Decay():
                return self._decay(expression)
            case Written(expression=inner):
                return self._value(inner)

    def _first(self, path: str, read: Callable[[object], float | None]) -> float:
        for value in self.values(path):
            found = read(value)
            if found is not None:
                return found
        default: Default | None = self.defaults.get(path)
        if default is None:
            raise NoValueError
        read_default = read({"lat": default.lat, "lon": default.lon} if isinstance(default, GeoPoint) else default)
        if read_default is None:  # seconds, for an instant
            assert isinstance(default, float)
            return default
        return read_default

    def _of_list(self, expression: OfList) -> float:
        values: list[float | None] = []
        for part in expression.parts:
            try:
                values.append(self.value(part))
            except NoValueError:
                values.append(None)
        if expression.function is ListFunction.MULT and 0.0 in values:
            return 0.0
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            raise NoValueError
        match expression.function:
            case ListFunction.SUM:
                return sum(known[1:], known[0])
            case ListFunction.MULT:
                return math.prod(known[1:], start=known[0])
            case ListFunction.MIN:
                return min(known)
            case ListFunction.MAX:
                return max(known)

    def _decay(self, decay: Decay) -> float:
        target = 0.0 if decay.target is None else self.value(decay.target)
        away = abs(self.value(decay.x) - target) / decay.scale
        match decay.shape:
            case DecayShape.LIN:
                return max(0.0, 1 - (1 - decay.midpoint) * away)
            case DecayShape.EXP:
                return math.exp(math.log(decay.midpoint) * away)
            case DecayShape.GAUSS:
                return math.exp(math.log(decay.midpoint) * (away * away))


_FUNCTIONS: dict[Function, Callable[[float], float]] = {
    Function.NEG: lambda x: -x,
    Function.ABS: abs,
    Function.SQRT: math.sqrt,
    Function.EXP: math.exp,
    Function.LN: math.log,
    Function.LOG10: math.log10,
}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _seconds(value: object) -> float | None:
    if not isinstance(value, str):
        return None
    instant = instant_of(value)
    return None if instant is None else (instant - EPOCH) / timedelta(seconds=1)


def _metres(origin: GeoPoint, value: object) -> float | None:
    if not isinstance(value, dict) or not _is_number(value.get("lat")) or not _is_number(value.get("lon")):
        return None
    lat, lon = float(value["lat"]), float(value["lon"])
    if abs(lat) > 90 or abs(lon) > 180:
        return None
    north, east = math.radians(origin.lat), math.radians(lat)
    half = math.sin(math.radians(lon - origin.lon) / 2) ** 2
    h = math.sin((east - north) / 2) ** 2 + math.cos(north) * math.cos(east) * half
    return 2 * 6_371_008.8 * math.asin(math.sqrt(min(1.0, h)))


def metric_score(metric: Metric, query: NDArray[np.float32], row: NDArray[np.float32]) -> float:
    """Not rounded."""
    q, v = [float(x) for x in query], [float(x) for x in row]
    pairs = list(zip(q, v, strict=True))
    dot = sum(a * b for a, b in pairs)
    norms = math.sqrt(sum(a * a for a in v)) * math.sqrt(sum(a * a for a in q))
    cosine = max(-1.0, min(1.0, dot / norms)) if norms else 0.0
    match metric:
        case Metric.COSINE:
            return cosine
        case Metric.DOT:
            return dot
        case Metric.EUCLID:
            return math.sqrt(sum((a - b) ** 2 for a, b in pairs))
        case Metric.MANHATTAN:
            return sum(abs(a - b) for a, b in pairs)
        case Metric.CHEBYSHEV:
            return max(abs(a - b) for a, b in pairs)
        case Metric.ANGULAR:
            return _angle(q, v) / math.pi


def _angle(q: Sequence[float], v: Sequence[float]) -> float:
    """In radians, exact up to the last step; a right angle where a vector is zero."""
    pairs = [(Fraction(a), Fraction(b)) for a, b in zip(q, v, strict=True)]
    dot = sum(a * b for a, b in pairs)
    squares = sum(a * a for a, _ in pairs) * sum(b * b for _, b in pairs)
    if not squares:
        return math.pi / 2
    share = Fraction(dot * dot) / squares
    angle = math.atan2(math.sqrt(1 - share), math.sqrt(share))
    return math.pi - angle if dot < 0 else angle


def convert_metric(mode: ScoreMode, metric: Metric, score: np.float32) -> np.float32:
    raw = float(score)
    if mode is ScoreMode.SIMILARITY:
        if metric is Metric.ANGULAR:
            return np.float32(1 - raw)
        return score if metric in (Metric.COSINE, Metric.DOT) else np.float32(1 / (1 + raw))
    return np.float32({Metric.COSINE: 1 - raw, Metric.DOT: -raw, Metric.EUCLID: raw * raw}.get(metric, raw))
