"""The values at one payload path, of all points of one commit, so that conditions on it need not read payloads.

distinct_values.py numbers the values, value_tests.py tests them. Which paths have an index is in indexes.py.
"""

from array import array
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from planner.limits import ROWS_PER_CHECK
from planner.payload_index.distinct_values import Codes, DistinctValues
from planner.payload_index.value_tests import ValueTests
from planner.predicate import ScalarCondition, first_key, location_of, parse_path, values_at
from planner.query import Equal, Exists, GeoCondition, IsEmpty, ValuesCount
from storage.budget import UNLIMITED, Budget
from storage.tables import Reader

NO_LIMIT = 2**62
"""More elements than any array has."""

Slots = NDArray[np.uint32]
IndexedCondition = ScalarCondition | GeoCondition | ValuesCount | Exists | IsEmpty
"""The conditions that an index of their path can answer."""


@dataclass(frozen=True, slots=True)
class Entries:
    """What was found at a path, as two lists of entries.

    The first list has an entry for each scalar, null and location, also of elements of arrays: the point in `slots[i]`
    has the value with code `codes[i]` (uint32 and int32, (n,)).

    The second list has an entry for each value as a whole: the point in `owners[j]` has a value with `counts[j]`
    elements, as ValuesCount counts. `empty[j]` is whether it is empty, as IsEmpty says (uint32, uint32 and bool, (m,)).
    """

    slots: Slots
    codes: Codes
    owners: Slots
    counts: NDArray[np.uint32]
    empty: NDArray[np.bool_]

    def without(self, slots: Slots) -> "Entries":
        """The entries of all points but `slots`."""
        kept, left = ~np.isin(self.slots, slots), ~np.isin(self.owners, slots)
        return Entries(self.slots[kept], self.codes[kept], self.owners[left], self.counts[left], self.empty[left])

    def and_of(self, other: "Entries") -> "Entries":
        return Entries(
            np.concatenate([self.slots, other.slots]),
            np.concatenate([self.codes, other.codes]),
            np.concatenate([self.owners, other.owners]),
            np.concatenate([self.counts, other.counts]),
            np.concatenate([self.empty, other.empty]),
        )

    @property
    def bytes(self) -> int:
        return sum(part.nbytes for part in (self.slots, self.codes, self.owners, self.counts, self.empty))


@dataclass(frozen=True, slots=True)
class FieldIndex:
    """What was found at `path` at commit `seq`. Its distinct values are the first `value_count` of `values`."""

    path: str
    seq: int
    entries: Entries
    values: DistinctValues
    value_count: int

    @property
    def bytes(self) -> int:
        """Bytes of memory held, about."""
        return self.entries.bytes + self.values.bytes

    @property
    def slots(self) -> Slots:
        return self.entries.slots

    @property
    def codes(self) -> Codes:
        return self.entries.codes

    @property
    def tests(self) -> ValueTests:
        return ValueTests(self.values, self.value_count)

    def matching(self, condition: IndexedCondition, reader: Reader, budget: Budget = UNLIMITED) -> Slots:
        """Slots, ascending, of the points for which the condition holds.

        Requires: the condition's path is the index's path, and `reader` is of the index's commit."""
        entries = self.entries
        match condition:
            case Exists():
                return distinct(entries.owners)
            case IsEmpty():
                filled = np.zeros(1 + int(entries.owners.max(initial=0)), np.bool_)
                filled[entries.owners[~entries.empty]] = True
                slots = reader.all_slots()
                known = slots[: np.searchsorted(slots, len(filled))]
                return np.concatenate([known[~filled[known]], slots[len(known) :]])
            case ValuesCount():
                return distinct(entries.owners[_within(condition, entries.counts)])
            case Equal(value=value):
                codes = self.values.codes_of([value])
                return distinct(entries.slots[entries.codes == codes[0]] if len(codes) else entries.slots[:0])
            case _:
                return distinct(entries.slots[self.tests.passing(condition, budget)[entries.codes]])


def build_index(reader: Reader, path: str, budget: Budget) -> FieldIndex:
    """The index of what the reader sees. Raises DeadlineExceeded, Cancelled."""
    return build_indexes(reader, [path], budget)[path]


def build_indexes(reader: Reader, paths: Collection[str], budget: Budget) -> dict[str, FieldIndex]:
    """The indexes of several paths, made in one pass over the payloads. Raises DeadlineExceeded, Cancelled."""
    collectors = {path: _Collector(path, DistinctValues()) for path in paths}
    payloads = reader.payloads({first_key(path) for path in paths})
    _collect(payloads, collectors.values(), budget)
    return {
        path: FieldIndex(path, reader.seq, collector.entries(), collector.values, len(collector.values))
        for path, collector in collectors.items()
    }


def updated(index: FieldIndex, reader: Reader, changed: Slots, budget: Budget) -> FieldIndex:
    """The index as of the reader's commit. `changed` are the slots that differ. One thread at a time per path."""
    if len(changed) == 0:
        return replace(index, seq=reader.seq)
    keys = {first_key(index.path)}
    payloads = ((record.slot, reader.codec.decode(record.payload, keys)) for record in reader.existing(changed))
    collector = _Collector(index.path, index.values)
    _collect(payloads, [collector], budget)
    entries = index.entries.without(changed).and_of(collector.entries())
    return FieldIndex(index.path, reader.seq, entries, index.values, len(index.values))


class _Collector:
    """Collects what payloads have at a path, and adds new values to `values`."""

    def __init__(self, path: str, values: DistinctValues) -> None:
        self.values = values
        self._steps = parse_path(path)
        self._slots, self._codes = array("I"), array("i")
        self._owners, self._counts, self._empty = array("I"), array("I"), bytearray()

    def take(self, slot: int, payload: dict[str, object]) -> None:
        for value in values_at(payload, self._steps):
            elements = value if isinstance(value, list) else (value,)
            self._owners.append(slot)
            self._counts.append(0 if value is None else len(elements))
            self._empty.append(value is None or value == "" or len(elements) == 0)
            for element in elements:
                kept = location_of(element) if isinstance(element, dict | list) else element
                if kept is not None or element is None:
                    self._slots.append(slot)
                    self._codes.append(self.values.add(kept))

    def entries(self) -> Entries:
        return Entries(
            np.array(self._slots, np.uint32),
            np.array(self._codes, np.int32),
            np.array(self._owners, np.uint32),
            np.array(self._counts, np.uint32),
            np.frombuffer(bytes(self._empty), np.bool_),
        )


def _collect(
    payloads: Iterable[tuple[int, dict[str, object]]], collectors: Collection[_Collector], budget: Budget
) -> None:
    for number, (slot, payload) in enumerate(payloads):
        if number % ROWS_PER_CHECK == 0:
            budget.check()
        for collector in collectors:
            collector.take(slot, payload)


def distinct(slots: Slots) -> Slots:
    """Ascending, each slot once. A bitmap is used, since sorting many slots takes longer."""
    if np.all(slots[1:] > slots[:-1]):
        return slots
    present = np.zeros(int(slots.max()) + 1, np.bool_)
    present[slots] = True
    return np.flatnonzero(present).astype(np.uint32)


def _within(bounds: ValuesCount, counts: NDArray[np.uint32]) -> NDArray[np.bool_]:
    low = max(0 if bounds.gte is None else bounds.gte, 0 if bounds.gt is None else bounds.gt + 1)
    high = min(NO_LIMIT if bounds.lte is None else bounds.lte, NO_LIMIT if bounds.lt is None else bounds.lt - 1)
    numbers = counts.astype(np.int64)
    return (numbers >= min(low, NO_LIMIT)) & (numbers <= high)
