"""The source over one snapshot. What its methods mean is in source.py."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.execute.demand import Demand, LeafAnswer
from planner.execute.fetch_highlights import highlights_of_points
from planner.execute.fetching import Fetched, fetch
from planner.execute.leaves import answer_leaves
from planner.execute.places import true_places
from planner.filtering import FilterCache, FilterSets, matches, payload_conditions
from planner.payload_index import Column, FieldIndexes, column_of, foresee
from planner.predicate import describe_reports
from planner.query import Exists, Filter, PayloadSelector, VectorsSelector
from planner.rank import Place, Ranker, Ranking, RunContext, SortKey, Statistics
from planner.resolve import CheckedFilter, derived_filter
from planner.text import Highlight, Highlighted, TextIndexes
from storage.budget import UNLIMITED, Budget
from storage.mvcc import Snapshot

Slots = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Indexes:
    """What is remembered and indexed of all collections: evaluated filters, payload values and texts."""

    filters: FilterCache
    fields: FieldIndexes
    texts: TextIndexes


class LocalSource:
    """Reads one snapshot, with the indexes and within the budget of one request. For one thread at a time."""

    def __init__(self, reader: Snapshot, indexes: Indexes, budget: Budget) -> None:
        """Requires: an open snapshot."""
        sets = FilterSets(reader, indexes.filters, budget)
        self._run = RunContext(reader, sets, indexes.texts, budget)
        self._indexes = indexes
        self.points = reader
        self.budget = budget

    @property
    def inspection(self) -> "LocalInspection":
        return LocalInspection(self._run, self._indexes)

    @property
    def values(self) -> "LocalValues":
        return LocalValues(self._run, self._indexes)

    def statistics(self, rankers: Collection[Ranker], *, in_full: bool = False) -> Mapping[Ranker, Statistics]:
        return {
            ranker: statistics
            for ranker in rankers
            if ranker.needs_statistics and (statistics := ranker.statistics(self._run, in_full=in_full)) is not None
        }

    def answer(
        self, demands: Collection[Demand], statistics: Mapping[Ranker, Statistics]
    ) -> Mapping[Demand, LeafAnswer]:
        return answer_leaves(demands, statistics, self._run)

    def rank(
        self, ranker: Ranker, slots: Slots, lists: Sequence[Ranking], statistics: Mapping[Ranker, Statistics]
    ) -> Ranking:
        known = statistics.get(ranker) if ranker.needs_statistics else None
        return ranker.rank(slots, self._run, lists, statistics=known)[0]

    def sort_keys(self, ranker: Ranker, ranking: Ranking) -> list[SortKey]:
        return ranker.sort_keys(ranking, self._run)

    def gate(self, filter: CheckedFilter, slots: Slots) -> NDArray[np.bool_]:
        return self._run.sets.gate(filter, slots)

    def conditions(self, filters: Sequence[CheckedFilter]) -> str:
        return describe_reports(self._run.sets.reports(filters), self._is_absent)

    def _is_absent(self, path: str) -> bool:
        """Whether no point has a field at `path`. Reads all payloads, but only once per path."""
        return not len(self._run.sets.matching(derived_filter(Filter(must=(Exists(path),)))))

    def fetch(self, slots: Slots, payload: PayloadSelector | None, vectors: VectorsSelector | None) -> list[Fetched]:
        return fetch(self.points, slots, payload, vectors, self.budget)

    def highlights(self, slots: Slots, asked: Sequence[Highlighted]) -> list[tuple[Highlight, ...]]:
        return highlights_of_points(self.points, slots, asked, self.budget)


@dataclass(frozen=True, slots=True)
class LocalInspection:
    """See Inspection. The budget does not bound it, since it reads little."""

    run: RunContext
    indexes: Indexes

    def vector_count(self, space: str) -> int:
        return self.run.reader.vector_count(space)

    def known_count(self, filter: CheckedFilter) -> int | None:
        known = self.indexes.filters.known(self.run.reader, filter, UNLIMITED)
        return None if known is None else len(known.matching)

    def foresee(self, filter: CheckedFilter) -> str:
        return describe_reports(foresee(self.indexes.fields, self.run.reader, payload_conditions(filter)))

    def places(self, demand: Demand, wanted: Sequence[int]) -> Mapping[int, Place]:
        return true_places(demand, wanted, self.run)

    def matches(self, filter: CheckedFilter, slot: int) -> bool:
        return bool(matches(self.run.reader, filter, np.array([slot], np.uint32), budget=self.run.budget)[0])

    def has_vector(self, space: str, slot: int) -> bool:
        reader = self.run.reader
        if space not in reader.schema.dense:
            return reader.bodies(space).get(slot) is not None
        return bool(reader.vectors(space, np.array([slot], np.uint32))[0][0])

    def is_indexed(self, space: str, slot: int) -> bool:
        return self.run.reader.rows(space).is_indexed(slot)


@dataclass(frozen=True, slots=True)
class LocalValues:
    """See Values."""

    run: RunContext
    indexes: Indexes

    def column(self, path: str, among: Slots | None) -> Column:
        return column_of(self.run.reader, path, self.indexes.fields, self.run.budget, among)

    def are_known(self, path: str) -> bool:
        return self.indexes.fields.has(self.run.reader.collection_uid, path)

    def are_indexed(self, path: str) -> bool:
        return self.indexes.fields.get(self.run.reader, path, self.run.budget) is not None

    def matching(self, filter: CheckedFilter) -> Slots:
        return self.indexes.filters.slots(self.run.reader, filter, self.run.budget)

    def remember(self, filter: CheckedFilter, slots: Slots) -> None:
        self.indexes.filters.remember(self.run.reader, filter, slots)
