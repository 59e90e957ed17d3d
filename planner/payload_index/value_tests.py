"""Which distinct values of an index pass a test. Columns of estimates decide most values, the test itself the rest.

Where rounding might matter, a value is tested as predicate/conditions.py does. So an index cannot disagree with a scan.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.payload_index.distinct_values import Codes, DistinctValues, Kind, Numbers
from planner.predicate import (
    EARTH_RADIUS,
    ScalarCondition,
    element_test,
    has_unspaced,
    instant_of,
    spelled,
    unrolled,
    words_of,
)
from planner.query import (
    AnyOf,
    DatetimeRange,
    Equal,
    ExceptOf,
    GeoBox,
    GeoCondition,
    GeoPolygon,
    GeoRadius,
    IsNull,
    Range,
    TextOperator,
    TextTest,
)
from storage.budget import Budget

Mask = NDArray[np.bool_]
ValueCondition = ScalarCondition | GeoCondition

DOUBTFUL_METRES = 1.0
"""If a distance is this near to the radius, it is computed again as a scan does. Rounding changes far less."""

LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class ValueTests:
    """Tests of the first `count` values, which are those of one commit. Each test gives a mask (count,)."""

    all: DistinctValues
    count: int

    def passing(self, condition: ValueCondition, budget: Budget) -> Mask:
        """Which of the values pass. Raises DeadlineExceeded, Cancelled."""
        match condition:
            case Equal(value=value):
                return self._mask(self.all.codes_of([value]))
            case AnyOf(values=values):
                return self._mask(self.all.codes_of(values))
            case ExceptOf(values=values):
                scalar = self.all.are(self.count, Kind.BOOL, Kind.NUMBER, Kind.STRING)
                return scalar & ~self._mask(self.all.codes_of(values))
            case IsNull():
                return self.all.are(self.count, Kind.NULL)
            case Range():
                return self._within(condition, budget)
            case DatetimeRange():
                return self._between(condition, self.all.instants(self.count, budget), _instants(condition), budget)
            case TextTest():
                return self._of_text(condition, budget)
            case GeoRadius() | GeoBox() | GeoPolygon():
                return self._of_locations(condition, budget)

    def _mask(self, codes: Codes) -> Mask:
        mask = np.zeros(self.count, np.bool_)
        mask[codes[codes < self.count]] = True
        return mask

    def _tested(self, condition: ValueCondition, codes: Iterable[int], budget: Budget) -> Mask:
        """A mask of those `codes` whose values pass the condition's own test."""
        test, values = element_test(condition), self.all.values
        mask = np.zeros(self.count, np.bool_)
        beat = budget.pulse()
        for code in codes:
            beat()
            mask[code] = test(values[code])
        return mask

    def _within(self, bounds: Range, budget: Budget) -> Mask:
        given = (bounds.gt, bounds.gte, bounds.lt, bounds.lte)
        strings = [bound for bound in given if isinstance(bound, str)]
        if not strings:
            numbers = [None if bound is None else float(bound) for bound in given]
            return self._between(bounds, self.all.numbers(self.count, budget), numbers, budget)
        low = max((bound for bound in given[:2] if isinstance(bound, str)), default="")
        high = min((bound for bound in given[2:] if isinstance(bound, str)), default=None)
        return self._of_strings(bounds, low, high, budget)

    def _between(
        self, condition: ValueCondition, column: Numbers, bounds: Sequence[float | None], budget: Budget
    ) -> Mask:
        """Values strictly between the bounds pass, since rounding keeps order. Values that equal a bound are tested."""
        gt, gte, lt, lte = bounds
        mask, doubtful = ~np.isnan(column), np.zeros(self.count, np.bool_)
        for low in (bound for bound in (gt, gte) if bound is not None):
            mask &= column > low
            doubtful |= column == low
        for high in (bound for bound in (lt, lte) if bound is not None):
            mask &= column < high
            doubtful |= column == high
        return mask | self._tested(condition, np.flatnonzero(doubtful).tolist(), budget)

    def _of_strings(self, condition: Range | TextTest, low: str, high: str | None, budget: Budget) -> Mask:
        """Strings between `low` and `high` pass. Those that equal a bound, and those not sorted yet, are tested."""
        strings = self.all.strings(self.count)
        mask = self._mask(strings.between(low, high))
        edges = self.all.codes_of([low] if high is None else [low, high])
        doubtful = np.concatenate([edges[edges < self.count], strings.unsorted])
        mask[doubtful] = False
        return mask | self._tested(condition, doubtful.tolist(), budget)

    def _of_text(self, condition: TextTest, budget: Budget) -> Mask:
        match condition.operator:
            case TextOperator.STARTS_WITH:
                return self._of_strings(condition, condition.operand, _after(condition.operand), budget)
            case TextOperator.TEXT:
                codes = self.all.codes_with_words(words_of(condition.operand), self.count, budget)
                if not has_unspaced(spelled(condition.operand)):
                    return self._mask(codes)
                return self._tested(condition, codes.tolist(), budget)
            case TextOperator.PHRASE:
                codes = self.all.codes_with_words(words_of(condition.operand), self.count, budget)
                return self._tested(condition, codes.tolist(), budget)
            case _:
                strings = np.flatnonzero(self.all.are(self.count, Kind.STRING))
                return self._tested(condition, strings.tolist(), budget)

    def _of_locations(self, condition: GeoCondition, budget: Budget) -> Mask:
        locations = self.all.locations(self.count, budget)
        lat, lon = locations[:, 0], locations[:, 1]
        match condition:
            case GeoRadius(radius=radius):
                metres = _distances(condition, lat, lon)
                sure = metres < radius - DOUBTFUL_METRES
                doubtful = (metres <= radius + DOUBTFUL_METRES) & ~sure
                return sure | self._tested(condition, np.flatnonzero(doubtful).tolist(), budget)
            case GeoBox(top_left=top_left, bottom_right=bottom_right):
                near = (lat >= bottom_right.lat) & (lat <= top_left.lat)
            case GeoPolygon():
                near = _around(condition, lat, lon)
        return self._tested(condition, np.flatnonzero(near).tolist(), budget)


def _instants(bounds: DatetimeRange) -> list[float | None]:
    given = (bounds.gt, bounds.gte, bounds.lt, bounds.lte)
    instants = [None if bound is None else instant_of(bound) for bound in given]
    return [None if instant is None else float(instant) for instant in instants]


def _after(prefix: str) -> str | None:
    """The least string after all strings that start with `prefix`; None if there is none."""
    kept = prefix.rstrip(LAST_CHARACTER)
    if not kept:
        return None
    return kept[:-1] + chr(ord(kept[-1]) + 1)


def _distances(condition: GeoRadius, lat: Numbers, lon: Numbers) -> Numbers:
    """Metres from the centre, computed as `predicate.distance` does except for rounding; NaN for what is no
    location.
    """
    one, other = math.radians(condition.center.lat), np.radians(lat)
    across = np.sin(np.radians(lon - condition.center.lon) / 2) ** 2
    h = np.sin((other - one) / 2) ** 2 + math.cos(one) * np.cos(other) * across
    metres: Numbers = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(1.0, h)))
    return metres


def _around(condition: GeoPolygon, lat: Numbers, lon: Numbers) -> Mask:
    """Which locations are in the box around a polygon."""
    corners = np.array(unrolled(condition.exterior))
    (left, bottom), (right, top) = corners.min(axis=0), corners.max(axis=0)
    inside = np.zeros(len(lon), np.bool_)
    for turn in (0.0, 360.0, -360.0):
        inside |= (lon + turn >= left) & (lon + turn <= right)
    inside &= (lat >= bottom) & (lat <= top)
    return inside
