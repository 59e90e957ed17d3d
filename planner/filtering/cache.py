"""Remembers which points matched a filter, per commit of a collection, within a bound of bytes.

It evaluates no filter.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.filtering.match import matching_slots, payload_conditions
from planner.payload_index import FieldIndexes, cover
from planner.predicate import ConditionReport
from planner.resolve import CheckedFilter
from storage.bounded_cache import BoundedCache
from storage.budget import Budget
from storage.segments import SlotSet
from storage.tables import Reader

ENTRY_BYTES = 1_024
"""Bytes that an entry is assumed to cost besides its slots: the filter, and the entry itself."""

Origin = tuple[str, int, tuple[CheckedFilter, ...]]
"""What a set of slots matches: uid of a collection, `seq` of a commit, and filters that all match."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The points that match a filter, and what tested its conditions, if that is known."""

    matching: SlotSet
    reports: tuple[ConditionReport, ...] = ()


class FilterCache:
    """Least recently used entries go first when `capacity` bytes are exceeded. Safe for many threads.

    A commit has a new `seq`, so entries never become wrong. Entries of older commits are not used any more and go in
    time.
    """

    def __init__(self, capacity: int, fields: FieldIndexes | None = None) -> None:
        """`fields` are indexes that evaluate filters faster."""
        self.fields = fields
        self._entries: BoundedCache[Origin, Evaluated] = BoundedCache(capacity, _cost)
        self.hits = 0
        """How often `evaluated` found an entry, and how often not. CPython changes no thread within such a count."""
        self.misses = 0

    def slots(self, reader: Reader, filter: CheckedFilter, budget: Budget) -> NDArray[np.uint32]:
        """Slots of the matching points, ascending, read-only. If they are not remembered, the filter is evaluated."""
        return self.evaluated(reader, filter, budget).matching.slots

    def evaluated(self, reader: Reader, filter: CheckedFilter, budget: Budget) -> Evaluated:
        """As `slots`, and also what tested the conditions."""
        origin = origin_of(reader, (filter,))
        found = self._entries.get(origin)
        if found is not None:
            self.hits += 1
        else:
            self.misses += 1
            reports: list[ConditionReport] = []
            slots = matching_slots(reader, filter, budget, self.fields, reports)
            found = Evaluated(SlotSet(slots, origin), tuple(reports))
            self._entries.put(origin, found)
        return found

    def known(self, reader: Reader, filter: CheckedFilter, budget: Budget) -> Evaluated | None:
        """What is remembered, or what indexes can tell without reading a payload; else None."""
        found = self.remembered(reader, filter)
        if found is None and self.fields is not None and cover(self.fields, reader, payload_conditions(filter)):
            return self.evaluated(reader, filter, budget)
        return found

    def remembered(self, reader: Reader, filter: CheckedFilter) -> Evaluated | None:
        """What is remembered; else None."""
        return self._entries.get(origin_of(reader, (filter,)))

    def remember(self, reader: Reader, filter: CheckedFilter, slots: NDArray[np.uint32]) -> None:
        """Remembers that exactly the points in `slots` (ascending) match `filter`."""
        origin = origin_of(reader, (filter,))
        self._entries.put(origin, Evaluated(SlotSet(slots, origin)))

    @property
    def used(self) -> int:
        """Bytes in use."""
        return self._entries.used


def origin_of(reader: Reader, filters: tuple[CheckedFilter, ...]) -> Origin:
    """The origin of the set of all points that match all `filters` at the reader's commit."""
    return reader.collection_uid, reader.seq, filters


def _cost(evaluated: Evaluated) -> int:
    return evaluated.matching.nbytes + ENTRY_BYTES
