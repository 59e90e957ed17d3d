"""Fuses ranked lists into one score per point: RRF and DBSF, in float64, rounded to float32 once. It sorts nothing.

Sums run over the lists in their order, so that rounding does not depend on anything else.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Slots = NDArray[np.uint32]
Scores = NDArray[np.float32]

_FLOAT32_MAX = float(np.finfo(np.float32).max)


def reciprocal_rank_fusion(lists: Sequence[Slots], *, k: float, weights: Sequence[float]) -> tuple[Slots, Scores]:
    """Slots of all `lists`, ascending, and their scores: the sum of weight / (k + rank), rank from 1.

    Each list is best first and has no slot twice. The formula is that of Cormack, Clarke and Büttcher, 2009.
    """
    ranks = [np.arange(1, len(slots) + 1, dtype=np.float64) for slots in lists]
    return _sum_over(lists, [np.divide(weight, k + rank) for rank, weight in zip(ranks, weights, strict=True)])


def distribution_based_score_fusion(
    lists: Sequence[Slots], scores: Sequence[Scores], *, higher_is_better: Sequence[bool], weights: Sequence[float]
) -> tuple[Slots, Scores]:
    """Slots of all `lists`, ascending, and their scores in [0, 1]: the weighted mean of normalised scores.

    A list that lacks a slot counts as 0. `scores[i]` belong to `lists[i]`.
    """
    normalised = [
        normalise(raw.astype(np.float64) if higher else -raw.astype(np.float64))
        for raw, higher in zip(scores, higher_is_better, strict=True)
    ]
    weighted = [weight * values for values, weight in zip(normalised, weights, strict=True)]
    return _sum_over(lists, weighted, divisor=sum(weights))


def normalise(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(score - (m - 3s)) / 6s, clamped to [0, 1], with mean m and sample standard deviation s.

    0.5 if s is 0 or undefined.
    """
    if len(scores) < 2:
        return np.full(len(scores), 0.5)
    mean, deviation = scores.mean(), scores.std(ddof=1)
    if deviation == 0:
        return np.full(len(scores), 0.5)
    clamped: NDArray[np.float64] = np.clip((scores - (mean - 3 * deviation)) / (6 * deviation), 0.0, 1.0)
    return clamped


def _sum_over(
    lists: Sequence[Slots], values: Sequence[NDArray[np.float64]], *, divisor: float = 1.0
) -> tuple[Slots, Scores]:
    slots = union(lists)
    sums = np.zeros(len(slots))
    for members, value in zip(lists, values, strict=True):
        sums[np.searchsorted(slots, members)] += value
    return slots, np.minimum(sums / divisor, _FLOAT32_MAX).astype(np.float32)


def union(lists: Sequence[Slots]) -> Slots:
    """Every slot of `lists` once, ascending."""
    return np.unique(np.concatenate([np.empty(0, np.uint32), *lists]))
