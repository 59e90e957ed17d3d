"""Scores of points under metrics that the query chooses: one metric's own, or a weighted sum of several."""

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from planner.bind import InMetrics, MetricScore
from planner.query import Wide, metric_scores
from planner.rank.operators import Ranking, ranked
from storage.budget import Budget
from storage.mvcc import Snapshot

Slots = NDArray[np.uint32]

_FLOAT32_MAX = float(np.finfo(np.float32).max)


def rank_by_metrics(
    ranker: InMetrics, slots: Slots, reader: Snapshot, budget: Budget, limit: int | None = None
) -> tuple[Ranking, int]:
    """The first `limit` of those `slots` (n,) that have a vector in every space, best first, and how many distances
    were computed.

    Computed in float64 and rounded to float32 once. Raises DeadlineExceeded, Cancelled.
    """
    columns: list[Wide] = []
    distances = 0
    for term in ranker.terms:
        held, column = _scores(term, slots, reader, budget)
        columns = [known[np.isin(slots, held, assume_unique=True)] for known in columns] + [column]
        slots, distances = held, distances + len(held)
    if ranker.composite:
        signs = (term.weight if term.metric.higher_is_better else -term.weight for term in ranker.terms)
        columns = [sign * column for sign, column in zip(signs, columns, strict=True)]
    total = reduce(np.add, columns)
    scores = np.clip(total, -_FLOAT32_MAX, _FLOAT32_MAX).astype(np.float32) + np.float32(0)  # -0.0 becomes 0.0
    return ranked(slots, scores, reader, higher_is_better=ranker.higher_is_better, limit=limit), distances


def _scores(term: MetricScore, slots: Slots, reader: Snapshot, budget: Budget) -> tuple[Slots, Wide]:
    """Those of `slots` that have a vector, in their order, and their scores."""
    held, parts = [slots[:0]], [np.empty(0)]
    for some, rows in reader.vector_chunks(term.space, slots, budget):
        held.append(some)
        parts.append(metric_scores(term.metric, term.vector.values, rows))
    return np.concatenate(held), np.concatenate(parts)
