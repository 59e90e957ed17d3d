"""Remembers which points matched a filter, per commit of a collection, within a bound of bytes. It evaluates none."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.filtering.match import matching_slots, payload_conditions
from planner.payload_index import FieldIndexes
from planner.predicate import ConditionReport
from planner.query import Filter
from storage.budget import Budget
from storage.tables import Reader

ENTRY_BYTES = 1_024
"""What an entry is taken to cost besides its slots: the filter, and the entry itself."""

_Key = tuple[str, int, Filter]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Which points match a filter (slots, ascending, read-only), and what tested its conditions, if that is known."""

    slots: NDArray[np.uint32]
    reports: tuple[ConditionReport, ...] = ()


class FilterCache:
    """Least recently used filters go first when `capacity` bytes are exceeded. Safe for many threads.

    A commit has a new `seq`, so entries never become wrong; those of older commits fall out in time.
    """

    def __init__(self, capacity: int, fields: FieldIndexes | None = None) -> None:
        """`fields`: indexes to evaluate with."""
        self._capacity = capacity
        self.fields = fields
        self._used = 0
        self._entries: OrderedDict[_Key, Evaluated] = OrderedDict()
        self._lock = threading.Lock()

    def slots(self, reader: Reader, filter: Filter, budget: Budget) -> NDArray[np.uint32]:
        """Slots of the matching points, ascending, read-only. Evaluates the filter when they are not remembered."""
        return self.evaluated(reader, filter, budget).slots

    def evaluated(self, reader: Reader, filter: Filter, budget: Budget) -> "Evaluated":
        """The same, and how the filter was evaluated."""
        key = (reader.collection_uid, reader.seq, filter)
        found = self._find(key)
        if found is None:
            reports: list[ConditionReport] = []
            slots = matching_slots(reader, filter, budget, self.fields, reports)
            found = Evaluated(slots, tuple(reports))
            self._add(key, found)
        return found

    def known(self, reader: Reader, filter: Filter, budget: Budget) -> "Evaluated | None":
        """What is remembered, or indexes tell without a payload; else None."""
        found = self.remembered(reader, filter)
        if found is None and self.fields is not None and self.fields.cover(reader, payload_conditions(filter)):
            return self.evaluated(reader, filter, budget)
        return found

    def remembered(self, reader: Reader, filter: Filter) -> "Evaluated | None":
        """What is remembered, else None."""
        return self._find((reader.collection_uid, reader.seq, filter))

    def remember(self, reader: Reader, filter: Filter, slots: NDArray[np.uint32]) -> None:
        """Keeps what is known to match `filter`: exactly the points in `slots`, ascending."""
        self._add((reader.collection_uid, reader.seq, filter), Evaluated(slots))

    @property
    def used(self) -> int:
        """Bytes in use."""
        return self._used

    def _find(self, key: _Key) -> "Evaluated | None":
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key]

    def _add(self, key: _Key, evaluated: "Evaluated") -> None:
        slots = evaluated.slots
        slots.flags.writeable = False
        if _cost(slots) > self._capacity:
            return
        with self._lock:
            replaced = self._entries.pop(key, None)
            self._used += _cost(slots) - (0 if replaced is None else _cost(replaced.slots))
            self._entries[key] = evaluated
            while self._used > self._capacity:
                _, oldest = self._entries.popitem(last=False)
                self._used -= _cost(oldest.slots)


def _cost(slots: NDArray[np.uint32]) -> int:
    return slots.nbytes + ENTRY_BYTES
