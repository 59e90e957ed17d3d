"""Which points pass the filters of one run. Each filter is evaluated at most once. match.py evaluates."""

from collections.abc import Sequence
from functools import partial, reduce

import numpy as np
from numpy.typing import NDArray

from planner.filtering.cache import FilterCache, origin_of
from planner.filtering.id_order import first_matching
from planner.filtering.match import matches, payload_conditions
from planner.payload_index import FieldIndexes
from planner.predicate import ConditionReport, by_payloads
from planner.query import Filter
from planner.resolve import CheckedFilter, derived_filter
from storage.budget import Budget
from storage.segments import SlotSet
from storage.tables import Reader

POINTS_LOOKED_UP_PER_READ = 256
"""Indexes look up about so many points in the time that reading one payload takes."""

Slots = NDArray[np.uint32]


class FilterSets:
    """The filters of one run over one snapshot. Equal filters get the same set, so storage can group searches by it."""

    def __init__(self, reader: Reader, cache: FilterCache, budget: Budget) -> None:
        self._reader = reader
        self._cache = cache
        self._budget = budget
        self._sets: dict[tuple[CheckedFilter, ...], SlotSet] = {}
        self._reports: dict[CheckedFilter, tuple[ConditionReport, ...]] = {}

    @property
    def fields(self) -> FieldIndexes | None:
        """The indexes of payload fields, for callers that look at values."""
        return self._cache.fields

    def allowed(self, filters: tuple[CheckedFilter, ...]) -> SlotSet | None:
        """The points that match all `filters`. None means all points: there are no filters."""
        return self._matching(filters) if filters else None

    def matching(self, filter: CheckedFilter) -> SlotSet:
        """The points that match."""
        return self._matching((filter,))

    def _matching(self, filters: tuple[CheckedFilter, ...]) -> SlotSet:
        """The points that match all filters. Requires: at least one filter."""
        if filters not in self._sets:
            evaluated = [self._cache.evaluated(self._reader, filter, self._budget) for filter in filters]
            self._reports |= {filter: each.reports for filter, each in zip(filters, evaluated, strict=True)}
            self._sets[filters] = self._intersection(filters, [each.matching for each in evaluated])
        return self._sets[filters]

    def allowed_slots(self, filters: tuple[CheckedFilter, ...]) -> Slots | None:
        """The slots (uint32, ascending) of `allowed`."""
        allowed = self.allowed(filters)
        return None if allowed is None else allowed.slots

    def reports(self, filters: Sequence[CheckedFilter]) -> list[ConditionReport]:
        """What tested the conditions of these filters.

        A filter that was not evaluated for all points was tested by payloads.
        """
        found: list[ConditionReport] = []
        for filter in filters:
            found += self._reports.get(filter) or by_payloads(payload_conditions(filter))
        return found

    def gate(self, filter: CheckedFilter, candidates: Slots) -> NDArray[np.bool_]:
        """A mask: which candidates match.

        They are looked up if the filter is evaluated already, or if indexes answer faster. Else each candidate is
        tested."""
        known = self._sets.get((filter,))
        if known is None:
            known = self._known(filter, many=POINTS_LOOKED_UP_PER_READ * len(candidates) >= self._reader.point_count)
        if known is not None:
            return np.isin(candidates, known.slots, assume_unique=True)
        return matches(self._reader, filter, candidates, budget=self._budget)

    def first(self, filters: Sequence[CheckedFilter], limit: int) -> Slots:
        """Slots of the first `limit` points in id order that match all `filters`."""
        filter = derived_filter(Filter(must=tuple(filters))) if len(filters) > 1 else next(iter(filters), None)
        slots = first_matching(self._reader, filter, limit, self._cache, self._budget)
        found = None if filter is None else self._cache.remembered(self._reader, filter)
        self._reports |= {} if found is None else dict.fromkeys(filters, found.reports)
        return slots

    def _known(self, filter: CheckedFilter, *, many: bool) -> SlotSet | None:
        """What is remembered; or, if there are `many` points to look up, what indexes tell."""
        if many:
            found = self._cache.known(self._reader, filter, self._budget)
        else:
            found = self._cache.remembered(self._reader, filter)
        if found is None:
            return None
        self._reports[filter] = found.reports
        return found.matching

    def _intersection(self, filters: tuple[CheckedFilter, ...], sets: Sequence[SlotSet]) -> SlotSet:
        if len(sets) == 1:
            return sets[0]
        slots = reduce(partial(np.intersect1d, assume_unique=True), (each.slots for each in sets))
        return SlotSet(slots, origin_of(self._reader, filters))
