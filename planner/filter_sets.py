"""Which points the filters of one run let through, each evaluated at most once. Evaluation is in match.py."""

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from planner.cache import FilterCache
from planner.filter import Filter
from planner.id_order import first_matching
from planner.match import matches
from storage.budget import Budget
from storage.reader import Reader

Slots = NDArray[np.uint32]


class FilterSets:
    """The filters of one run over one snapshot. Equal filters get the same array, by which storage groups searches."""

    def __init__(self, reader: Reader, cache: FilterCache, budget: Budget) -> None:
        self._reader = reader
        self._cache = cache
        self._budget = budget
        self._sets: dict[tuple[Filter, ...], Slots] = {}

    def allowed(self, filters: tuple[Filter, ...]) -> Slots | None:
        """Slots of the points that match all `filters`, ascending; None, which is all points, without filters."""
        if not filters:
            return None
        if filters not in self._sets:
            sets = [self._cache.slots(self._reader, filter, self._budget) for filter in filters]
            self._sets[filters] = reduce(_intersection, sets)
        return self._sets[filters]

    def gate(self, filter: Filter, candidates: Slots) -> NDArray[np.bool_]:
        """Which candidates match: looked up if the filter is evaluated already, else tested on them alone."""
        known = self._sets.get((filter,))
        if known is None:
            known = self._cache.peek(self._reader, filter)
        if known is not None:
            return np.isin(candidates, known, assume_unique=True)
        return matches(self._reader, filter, candidates, budget=self._budget)

    def first(self, filters: Sequence[Filter], limit: int) -> Slots:
        """Slots of the first `limit` points in id order that match all `filters`."""
        filter = Filter(must=tuple(filters)) if len(filters) > 1 else next(iter(filters), None)
        return first_matching(self._reader, filter, limit, self._cache, self._budget)


def _intersection(one: Slots, other: Slots) -> Slots:
    return np.intersect1d(one, other, assume_unique=True)
