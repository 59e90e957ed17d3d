"""Filters of writes: which points a write selects, and which conditions stored points must meet for a change."""

from collections.abc import Sequence
from functools import partial

from planner.filtering import WriteFilters
from planner.predicate import StoredComparison, check_comparisons, compile_comparisons
from planner.query import Filter
from planner.resolve import check_filter
from storage.budget import UNLIMITED, Budget
from storage.schema import CollectionSchema
from storage.write import BySlots, StoredCondition


class WriteConditions:
    """Compiles filters of writes. They are evaluated when the writes are applied. Safe for many threads."""

    def __init__(self) -> None:
        self._write_filters = WriteFilters()

    def selector(
        self, schema: CollectionSchema, filter: Filter, budget: Budget = UNLIMITED, *, field: str = "filter"
    ) -> BySlots:
        """Selects the points of a write by a filter, which is evaluated when the write is applied.

        Errors name `field`.
        """
        checked = check_filter(filter, schema, field)
        return BySlots(partial(self._write_filters.matching_slots, filter=checked, budget=budget))

    def stored_condition(
        self,
        schema: CollectionSchema,
        filter: Filter | None,
        comparisons: Sequence[StoredComparison] = (),
        budget: Budget = UNLIMITED,
        *,
        path: str = "",
    ) -> StoredCondition | None:
        """The condition that stored points must meet for a write to change them; None if nothing is asked.

        `path` is where the request holds the write. Raises InvalidFilter and what else a filter may raise.
        """
        if filter is None and not comparisons:
            return None
        prefix = f"{path}." if path else ""
        check_comparisons(comparisons, f"{prefix}compare")
        checked = None if filter is None else check_filter(filter, schema, f"{prefix}condition")
        return StoredCondition(
            holds=None if checked is None else partial(self._write_filters.matches, filter=checked, budget=budget),
            replaces=compile_comparisons(comparisons) if comparisons else None,
        )
