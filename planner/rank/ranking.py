"""Ranks given points in one of the ways of this package. It knows no plans."""

from collections.abc import Sequence
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from planner.bind import AtRandom, ByField, ByFormula, ByText, InMetrics, InRecords, InSpace, Ranker
from planner.rank.by_examples import example_scores
from planner.rank.by_field import order_by_field
from planner.rank.by_formula import rank_by_formula
from planner.rank.by_metrics import rank_by_metrics
from planner.rank.operators import Ranking, ranked
from planner.rank.run_context import RunContext
from storage.budget import Budget
from storage.mvcc import Snapshot
from storage.search import score_records, score_vectors, seeded_order

Slots = NDArray[np.uint32]


def rank_slots(
    ranker: Ranker,
    slots: Slots,
    run: RunContext,
    lists: Sequence[Ranking] = (),
    limit: int | None = None,
) -> tuple[Ranking, int]:
    """Those of `slots` (n,), ascending, that can be ranked, best first, and the number of distances computed.

    `lists` are the rankings that the slots are the union of, if they are. Of the ranking at least the first `limit` are
    given. Raises DeadlineExceeded, Cancelled, and
    InvalidQuery for points that a formula has no score for.
    """
    reader, budget = run.reader, run.budget
    match ranker:
        case ByField():
            return _unscored(order_by_field(ranker, slots, reader, budget, run.sets.fields, limit)), 0
        case AtRandom(seed=seed):
            return _unscored(seeded_order(seed, slots, reader, budget)), 0
        case InSpace():
            return _by_examples(ranker, slots, reader, budget)
        case InMetrics():
            return rank_by_metrics(ranker, slots, reader, budget, limit)
        case ByFormula():
            return rank_by_formula(ranker, slots, lists, run, limit), 0
        case InRecords(query, space):
            hits = score_records(reader, space, slots, query, budget)
            return Ranking(hits.slots, hits.scores), hits.distance_computations
        case ByText():
            return run.texts.rank(ranker, slots, None)[0], 0
    assert_never(ranker)


def _unscored(slots: Slots) -> Ranking:
    return Ranking(slots, np.zeros(len(slots), np.float32))


def _by_examples(ranker: InSpace, slots: Slots, reader: Snapshot, budget: Budget) -> tuple[Ranking, int]:
    sign = 1.0 if ranker.distance.higher_is_better else -1.0
    held = slots[:0]
    similarities: list[NDArray[np.float64]] = []
    for vector in ranker.rank.examples:
        hits = score_vectors(reader, ranker.space, slots, vector.values, budget)
        order = np.argsort(hits.slots)
        held = hits.slots[order]  # the same for every example: those that have a vector
        similarities.append(sign * hits.scores[order].astype(np.float64))
    return ranked(held, example_scores(ranker.rank, similarities), reader), len(held) * len(similarities)
