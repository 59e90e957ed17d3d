"""Remembers which points matched a filter, per commit of a collection, within a bound of bytes. It evaluates none."""

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from planner.field_indexes import FieldIndexes
from planner.filter import Filter
from planner.match import matching_slots
from storage.budget import Budget
from storage.reader import Reader

ENTRY_BYTES = 1_024
"""What an entry is taken to cost besides its slots: the filter, and the entry itself."""

_Key = tuple[str, int, Filter]


class FilterCache:
    """Least recently used filters go first when `capacity` bytes are exceeded. Safe for many threads.

    A commit has a new `seq`, so entries never become wrong; those of older commits fall out in time.
    """

    def __init__(self, capacity: int, fields: FieldIndexes | None = None) -> None:
        """`fields`: indexes to evaluate with."""
        self._capacity = capacity
        self._fields = fields
        self._used = 0
        self._entries: OrderedDict[_Key, NDArray[np.uint32]] = OrderedDict()
        self._lock = threading.Lock()

    def slots(self, reader: Reader, filter: Filter, budget: Budget) -> NDArray[np.uint32]:
        """Slots of the matching points, ascending, read-only. Evaluates the filter when they are not remembered."""
        found = self.peek(reader, filter)
        if found is not None:
            return found
        slots = matching_slots(reader, filter, budget, self._fields)
        slots.flags.writeable = False
        self._add((reader.collection_uid, reader.seq, filter), slots)
        return slots

    def peek(self, reader: Reader, filter: Filter) -> NDArray[np.uint32] | None:
        """The same if they are remembered, else None."""
        key = (reader.collection_uid, reader.seq, filter)
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key]

    @property
    def used(self) -> int:
        """Bytes in use."""
        return self._used

    def _add(self, key: _Key, slots: NDArray[np.uint32]) -> None:
        if _cost(slots) > self._capacity:
            return
        with self._lock:
            replaced = self._entries.pop(key, None)
            self._used += _cost(slots) - (0 if replaced is None else _cost(replaced))
            self._entries[key] = slots
            while self._used > self._capacity:
                _, oldest = self._entries.popitem(last=False)
                self._used -= _cost(oldest)


def _cost(slots: NDArray[np.uint32]) -> int:
    return slots.nbytes + ENTRY_BYTES
