"""Answers the leaves of all plans of a request: equal ones once, searches in one call of storage. It knows no trees."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.filter import Filter
from planner.filter_sets import FilterSets
from planner.operators import Ranking
from planner.plan import Leaf, Node, RankAll, Restrict, Scan, Search, children_of
from planner.ranks.by_text import TextRanker
from planner.ranks.rank_slots import rank_slots
from planner.ranks.ranker import InMetrics, InRecords, InSpace
from planner.text.bm25_query import ByText
from storage.budget import Budget
from storage.record_search import search_records
from storage.schema import PointId
from storage.search import SpaceHits, SpaceSearch
from storage.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Demand:
    """A leaf and the restrictions above it, outermost first. Equal demands have equal answers."""

    leaf: Leaf
    restrictions: tuple[Filter, ...] = ()

    @property
    def filters(self) -> tuple[Filter, ...]:
        return self.restrictions if self.leaf.filter is None else (*self.restrictions, self.leaf.filter)

    @property
    def limit(self) -> int:
        """Rows to ask for, so that `limit` are left when the excluded points are dropped."""
        return self.leaf.limit + len(self.leaf.exclude)


@dataclass(frozen=True, slots=True)
class LeafAnswer:
    """What a leaf emits, and how it was found. `rows_in`: points that were allowed, if they were counted."""

    ranking: Ranking
    rows_in: int | None
    strategy: str
    reason: str
    distance_computations: int


def demands_of(node: Node, restrictions: tuple[Filter, ...] = ()) -> Iterator[Demand]:
    """The leaves of a plan, in order."""
    if isinstance(node, Search | Scan | RankAll):
        yield Demand(node, restrictions)
        return
    for child in children_of(node):
        yield from demands_of(child, below(node, restrictions))


def below(node: Node, restrictions: tuple[Filter, ...]) -> tuple[Filter, ...]:
    """The restrictions that hold for a node's children."""
    return (*restrictions, node.filter) if isinstance(node, Restrict) else restrictions


def answer_leaves(
    demands: Collection[Demand], reader: Snapshot, sets: FilterSets, texts: TextRanker, budget: Budget
) -> dict[Demand, LeafAnswer]:
    """An answer for every demand. Raises ScanTooLarge, DeadlineExceeded, Cancelled."""
    answers = _answer_searches([demand for demand in demands if isinstance(demand.leaf, Search)], reader, sets, budget)
    for demand in demands:
        if isinstance(demand.leaf, RankAll):
            answers[demand] = _rank_all(demand, demand.leaf, reader, sets, texts, budget)
        elif isinstance(demand.leaf, Scan):
            slots = sets.first(demand.filters, demand.limit)
            ranking = Ranking(slots, np.zeros(len(slots), np.float32))
            answers[demand] = LeafAnswer(_without_excluded(ranking, demand, reader), None, "id order", "no query", 0)
    return answers


def _rank_all(
    demand: Demand, leaf: RankAll, reader: Snapshot, sets: FilterSets, texts: TextRanker, budget: Budget
) -> LeafAnswer:
    allowed = sets.allowed(demand.filters)
    if isinstance(leaf.ranker, InRecords):
        return _search_records(demand, leaf.ranker, allowed, reader, budget)
    if isinstance(leaf.ranker, ByText):
        ranking = _without_excluded(texts.rank(leaf.ranker, allowed, demand.limit), demand, reader)
        rows_in = reader.point_count if allowed is None else len(allowed)
        return LeafAnswer(ranking, rows_in, "inverted index", "points that have a term are ranked", 0)
    slots = reader.all_slots() if allowed is None else allowed
    if leaf.exclude:
        slots = slots[~np.isin(slots, reader.slots_of(leaf.exclude))]
    if isinstance(leaf.ranker, InSpace | InMetrics):
        budget.check_scan(len(slots))
    ranking, distances = rank_slots(leaf.ranker, slots, reader, sets, texts, budget, limit=leaf.limit)
    return LeafAnswer(ranking.take(slice(leaf.limit)), len(slots), "exact", "every matching point is ranked", distances)


def _search_records(
    demand: Demand, ranker: InRecords, allowed: NDArray[np.uint32] | None, reader: Snapshot, budget: Budget
) -> LeafAnswer:
    hits = search_records(reader, ranker.space, ranker.query, demand.limit, allowed, budget)
    ranking = _without_excluded(Ranking(hits.slots, hits.scores), demand, reader)
    rows_in = reader.record_count(ranker.space) if allowed is None else len(allowed)
    return LeafAnswer(ranking, rows_in, hits.strategy, hits.reason, hits.distance_computations)


def _answer_searches(
    demands: list[Demand], reader: Snapshot, sets: FilterSets, budget: Budget
) -> dict[Demand, LeafAnswer]:
    allowed = [sets.allowed(demand.filters) for demand in demands]
    searches = [_space_search(demand, slots) for demand, slots in zip(demands, allowed, strict=True)]
    answers = reader.search(searches, budget) if searches else []
    return {
        demand: _searched(demand, hits, slots, reader)
        for demand, hits, slots in zip(demands, answers, allowed, strict=True)
    }


def _space_search(demand: Demand, allowed: NDArray[np.uint32] | None) -> SpaceSearch:
    leaf = demand.leaf
    assert isinstance(leaf, Search)
    return SpaceSearch(
        space=leaf.space,
        vector=leaf.vector.values,
        limit=demand.limit,
        allowed=allowed,
        hnsw_ef=leaf.params.hnsw_ef,
        exact=leaf.params.exact,
        indexed_only=leaf.params.indexed_only,
        filter_strategy=leaf.params.filter_strategy.value,
        rescore=leaf.params.rescore,
        oversampling=leaf.params.oversampling,
        nprobe=leaf.params.ivf_nprobe,
    )


def _searched(demand: Demand, hits: SpaceHits, allowed: NDArray[np.uint32] | None, reader: Snapshot) -> LeafAnswer:
    assert isinstance(demand.leaf, Search)
    ranking = _without_excluded(Ranking(hits.slots, hits.scores), demand, reader)
    rows_in = reader.spaces[demand.leaf.space].vector_count if allowed is None else len(allowed)
    return LeafAnswer(ranking, rows_in, hits.strategy, hits.reason, hits.distance_computations)


def _without_excluded(ranking: Ranking, demand: Demand, reader: Snapshot) -> Ranking:
    exclude: tuple[PointId, ...] = demand.leaf.exclude
    if not exclude:
        return ranking
    kept = ranking.take(~np.isin(ranking.slots, reader.slots_of(exclude)))
    return kept.take(slice(0, demand.leaf.limit))
