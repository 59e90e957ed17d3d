"""Where points stand in the order of a payload field, by the values of its index, and where the order begins."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from planner.payload_index import DistinctValues, FieldIndex, Kind, Numbers
from planner.predicate import instant_of
from planner.query import DatetimeRange, Range
from storage.budget import UNLIMITED

Places = NDArray[np.int64]
NOWHERE = -1


@dataclass(frozen=True, slots=True)
class ValueStart:
    """An order starts at this number or string. `key` is compared with keys of values: numbers come before strings."""

    value: int | float | str

    @property
    def key(self) -> tuple[bool, int | float | str]:
        return isinstance(self.value, str), self.value


@dataclass(frozen=True, slots=True)
class InstantStart:
    """An order of instants starts here. `value` is as the request says, `instant` is nanoseconds from 1970 in UTC."""

    value: str
    instant: int

    @property
    def key(self) -> tuple[bool, int | float | str]:
        return False, self.instant


Start = ValueStart | InstantStart


class Order(Protocol):
    """An order by a field. ByField describes its attributes."""

    @property
    def descending(self) -> bool: ...

    @property
    def instants(self) -> bool: ...

    @property
    def start(self) -> Start | None: ...


def places_by_index(order: Order, slots: NDArray[np.uint32], index: FieldIndex) -> tuple[Places, NDArray[np.bool_]]:
    """The place of each of `slots` (n,) in the order, and whether the slot is before `start` (bool, (n,)).

    A place is the number (int64, (n,)) of the point's first value in ascending order of values. Equal values have equal
    places. A point without such a value has NOWHERE. If the order is descending, the point's last value counts."""
    of_values = _places_of_instants(index) if order.instants else _places_of_values(index.values, index.value_count)
    found = of_values[index.codes]
    owners, found = index.slots[found >= 0], found[found >= 0]
    size = 1 + max(int(owners.max(initial=0)), int(slots.max(initial=0)))
    if order.descending:
        best = np.full(size, NOWHERE, np.int64)
        np.maximum.at(best, owners, found)
    else:
        best = np.full(size, np.iinfo(np.int64).max, np.int64)
        np.minimum.at(best, owners, found)
        best[best == np.iinfo(np.int64).max] = NOWHERE
    places = best[slots]
    if order.start is None:
        return places, np.zeros(len(slots), np.bool_)
    inside = np.zeros(1 + int(of_values.max(initial=0)), np.bool_)
    inside[of_values[_from_start(order, order.start, index) & (of_values >= 0)]] = True
    return places, ~inside[places] & (places >= 0)


def _from_start(order: Order, start: Start, index: FieldIndex) -> NDArray[np.bool_]:
    """A mask: which values of the index are not before `start`."""
    value = start.value
    if isinstance(start, InstantStart):
        between = (
            DatetimeRange(path="", lte=start.value) if order.descending else DatetimeRange(path="", gte=start.value)
        )
        return index.tests.passing(between, UNLIMITED)
    bounds = Range(path="", lte=value) if order.descending else Range(path="", gte=value)
    mask = index.tests.passing(bounds, UNLIMITED)
    later = Kind.NUMBER if order.descending else Kind.STRING
    if isinstance(value, str) == order.descending:  # all values of the other kind come after `start`
        mask |= index.values.are(index.value_count, later)
    return mask


def _places_of_values(values: DistinctValues, count: int) -> Places:
    """The place of each value (count,): numbers first, then strings; NOWHERE for others."""
    places = _places_by(values.numbers(count), values.values.__getitem__)
    strings = values.strings(count, all_sorted=True).codes
    strings = strings[strings < count]
    places[strings] = 1 + places.max(initial=NOWHERE) + np.arange(len(strings))
    return places


def _places_of_instants(index: FieldIndex) -> Places:
    values = index.values.values

    def exact(code: int) -> int | None:
        return instant_of(str(values[code]))

    return _places_by(index.values.instants(index.value_count), exact)


def _places_by(column: Numbers, exact: Callable[[int], object]) -> Places:
    """Places by a column of rounded values. Values with equal estimates are ordered by their exact values."""
    present = np.flatnonzero(~np.isnan(column))
    codes = present[np.argsort(column[present], kind="stable")]
    estimates = column[codes]
    starts = np.flatnonzero(np.concatenate([[True], estimates[1:] != estimates[:-1]])) if len(codes) else codes
    steps = np.zeros(len(codes), np.int64)
    steps[starts] = 1
    ends = np.append(starts[1:], len(codes))
    for start, end in zip(starts[ends - starts > 1].tolist(), ends[ends - starts > 1].tolist(), strict=True):
        run = sorted(((exact(code), code) for code in codes[start:end].tolist()), key=lambda pair: pair[0])  # type: ignore[arg-type,return-value]
        codes[start:end] = [code for _, code in run]
        steps[start + 1 : end] = [one != before for (before, _), (one, _) in pairwise(run)]
    places = np.full(len(column), NOWHERE, np.int64)
    places[codes] = np.cumsum(steps) - 1
    return places
