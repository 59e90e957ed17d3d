"""Answers the leaves of all plans of a request from one snapshot: equal ones once, searches of one kind together."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from planner.execute.demand import Demand, LeafAnswer
from planner.plan import Leaf, RankAll, Scan, Search
from planner.rank import Found, Ranker, Ranking, RunContext, Searcher, SearchRequest, Statistics

NOBODY = np.empty(0, np.int64)


def answer_leaves(
    demands: Collection[Demand], statistics: Mapping[Ranker, Statistics], run: RunContext
) -> dict[Demand, LeafAnswer]:
    """An answer for every demand. `statistics`: see Source.answer. Raises ScanTooLarge, DeadlineExceeded, Cancelled."""
    answers = _answer_searches(demands, statistics, run)
    for demand in demands:
        match demand.leaf:
            case RankAll() as leaf:
                allowed, excluded = run.sets.allowed_slots(demand.filters), _excluded(leaf, run)
                known = statistics.get(leaf.ranker) if leaf.ranker.needs_statistics else None
                found = leaf.ranker.find(allowed, excluded, leaf.limit, run, known)
                run.budget.meter.rows_scanned += found.rows_in or 0
                answers[demand] = _answer(found)
            case Scan() as leaf:
                answers[demand] = _scan(demand, leaf, run)
            case Search():
                pass
    for answer in answers.values():
        run.budget.meter.searched(answer.strategy)
    return {demand: _with_total(demand.leaf, answer) for demand, answer in answers.items()}


def _answer_searches(
    demands: Collection[Demand], statistics: Mapping[Ranker, Statistics], run: RunContext
) -> dict[Demand, LeafAnswer]:
    kinds: dict[type[Searcher], dict[Demand, tuple[Searcher, SearchRequest]]] = {}
    for demand in demands:
        leaf = demand.leaf
        if isinstance(leaf, Search):
            allowed, excluded = run.sets.allowed(demand.filters), _excluded(leaf, run)
            known = statistics.get(leaf.ranker) if leaf.ranker.needs_statistics else None
            request = SearchRequest(allowed, excluded, leaf.limit, leaf.after, known)
            kinds.setdefault(type(leaf.ranker), {})[demand] = (leaf.ranker, request)
    answers: dict[Demand, LeafAnswer] = {}
    for kind, searches in kinds.items():
        found = kind.search_together(list(searches.values()), run)
        answers.update(zip(searches, map(_answer, found), strict=True))
    return answers


def _answer(found: Found) -> LeafAnswer:
    return LeafAnswer(
        found.ranking, found.rows_in, found.strategy, found.reason, found.distance_computations, found.total
    )


def _scan(demand: Demand, leaf: Scan, run: RunContext) -> LeafAnswer:
    excluded = _excluded(leaf, run)
    slots = run.sets.first(demand.filters, leaf.limit + len(excluded))
    slots = slots[~np.isin(slots, excluded)][: leaf.limit] if len(excluded) else slots
    return LeafAnswer(Ranking(slots, np.zeros(len(slots), np.float32)), None, "id order", "no query", 0)


def _excluded(leaf: Leaf, run: RunContext) -> NDArray[np.int64]:
    """The slots that the leaf leaves out. Most leaves leave out none; then no id is looked up."""
    return run.reader.slots_of(leaf.exclude) if leaf.exclude else NOBODY


def _with_total(leaf: Leaf, answer: LeafAnswer) -> LeafAnswer:
    """The answer with its total, if the leaf emitted less than its limit: then there are no more."""
    if isinstance(leaf, Search) and leaf.after is not None:
        return answer
    return replace(answer, total=len(answer.ranking)) if len(answer.ranking) < leaf.limit else answer
