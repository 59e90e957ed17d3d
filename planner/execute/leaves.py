"""Answers the leaves of all plans of a request from one snapshot: equal ones once, searches in one call of storage."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from planner.execute.demand import Demand, LeafAnswer
from planner.plan import Leaf, RankAll, Scan, Search
from planner.rank import Ranking, RunContext
from storage.mvcc import Snapshot
from storage.schema import PointId
from storage.search import SpaceHits, SpaceSearch, search_vectors
from storage.segments import SlotSet
from storage.tables import encode_id
from storage.vectors import Position

NOBODY = np.empty(0, np.int64)


def answer_leaves(demands: Collection[Demand], run: RunContext) -> dict[Demand, LeafAnswer]:
    """An answer for every demand. Raises ScanTooLarge, DeadlineExceeded, Cancelled."""
    answers = _answer_searches([demand for demand in demands if isinstance(demand.leaf, Search)], run)
    for demand in demands:
        if isinstance(demand.leaf, RankAll):
            answers[demand] = _found(demand, demand.leaf, run)
        elif isinstance(demand.leaf, Scan):
            slots = run.sets.first(demand.filters, demand.limit)
            ranking = Ranking(slots, np.zeros(len(slots), np.float32))
            answers[demand] = LeafAnswer(
                _without_excluded(ranking, demand, run.reader), None, "id order", "no query", 0
            )
    return {demand: _with_total(demand.leaf, answer) for demand, answer in answers.items()}


def _with_total(leaf: Leaf, answer: LeafAnswer) -> LeafAnswer:
    """A leaf that emits less than it may has no more."""
    if isinstance(leaf, Search) and leaf.after is not None:
        return answer
    return replace(answer, total=len(answer.ranking)) if len(answer.ranking) < leaf.limit else answer


def _found(demand: Demand, leaf: RankAll, run: RunContext) -> LeafAnswer:
    allowed = run.sets.allowed_slots(demand.filters)
    excluded = run.reader.slots_of(leaf.exclude) if leaf.exclude else NOBODY
    found = leaf.ranker.find(allowed, excluded, leaf.limit, run)
    return LeafAnswer(
        found.ranking, found.rows_in, found.strategy, found.reason, found.distance_computations, found.total
    )


def _answer_searches(demands: list[Demand], run: RunContext) -> dict[Demand, LeafAnswer]:
    allowed = [run.sets.allowed(demand.filters) for demand in demands]
    searches = [_space_search(demand, slots) for demand, slots in zip(demands, allowed, strict=True)]
    answers = search_vectors(run.reader, searches, run.budget) if searches else []
    return {
        demand: _searched(demand, hits, slots, run.reader)
        for demand, hits, slots in zip(demands, answers, allowed, strict=True)
    }


def _space_search(demand: Demand, allowed: SlotSet | None) -> SpaceSearch:
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
        after=None if leaf.after is None else Position(np.float32(leaf.after.score), encode_id(leaf.after.id)),
    )


def _searched(demand: Demand, hits: SpaceHits, allowed: SlotSet | None, reader: Snapshot) -> LeafAnswer:
    leaf = demand.leaf
    assert isinstance(leaf, Search)
    ranking = _without_excluded(Ranking(hits.slots, hits.scores), demand, reader)
    rows_in = reader.spaces[leaf.space].vector_count if allowed is None else len(allowed)
    total = None if hits.total is None else hits.total - _excluded_count(leaf, allowed, reader)
    return LeafAnswer(ranking, rows_in, hits.strategy, hits.reason, hits.distance_computations, total)


def _excluded_count(leaf: Search, allowed: SlotSet | None, reader: Snapshot) -> int:
    """How many of the excluded points could be found."""
    if not leaf.exclude:
        return 0
    found = reader.slots_of(leaf.exclude)
    slots = found[found >= 0].astype(np.uint32)
    slots = slots if allowed is None else slots[np.isin(slots, allowed.slots)]
    return int(np.count_nonzero(reader.vectors(leaf.space, slots)[0]))


def _without_excluded(ranking: Ranking, demand: Demand, reader: Snapshot) -> Ranking:
    exclude: tuple[PointId, ...] = demand.leaf.exclude
    if not exclude:
        return ranking
    kept = ranking.take(~np.isin(ranking.slots, reader.slots_of(exclude)))
    return kept.take(slice(0, demand.leaf.limit))
