"""Scores of points for examples: recommendation, discovery and context, from exact scores for each example.

Every formula takes similarities, in which higher is better: scores of the metric, negated where lower is better. It
computes in float64 and rounds to float32 once.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray

from planner.bind import BoundContext, BoundDiscover, BoundExamples, BoundRecommend
from planner.query import RecommendStrategy

Similarities = NDArray[np.float64]
MARGIN = 2.0**-23
"""A context pair is passed only by being nearer to its positive by more than this."""

_FLOAT32_MAX = float(np.finfo(np.float32).max)


def example_scores(rank: BoundExamples, similarities: Sequence[Similarities]) -> NDArray[np.float32]:
    """Scores (n,), higher is better, of points whose similarities (n,) to each of the examples are given."""
    match rank:
        case BoundRecommend(positive=positive):
            scores = _recommend(rank.strategy, similarities[: len(positive)], similarities[len(positive) :])
        case BoundDiscover():
            passed = [np.sign(good - bad) for good, bad in zip(similarities[1::2], similarities[2::2], strict=True)]
            scores = _sum(passed) + _sigmoid(similarities[0])
        case BoundContext():
            pairs = zip(similarities[::2], similarities[1::2], strict=True)
            scores = _sum([_soft(np.minimum(good - bad - MARGIN, 0.0)) for good, bad in pairs])
        case _:
            assert_never(rank)
    rounded: NDArray[np.float32] = np.clip(scores, -_FLOAT32_MAX, _FLOAT32_MAX).astype(np.float32)
    return rounded + np.float32(0)  # -0.0 becomes 0.0


def _recommend(
    strategy: Literal[RecommendStrategy.BEST_SCORE, RecommendStrategy.SUM_SCORES],
    positive: Sequence[Similarities],
    negative: Sequence[Similarities],
) -> Similarities:
    match strategy:
        case RecommendStrategy.SUM_SCORES:
            return _sum([*positive, *(-similarity for similarity in negative)])
        case RecommendStrategy.BEST_SCORE:
            none = np.full_like((*positive, *negative)[0], -np.inf)
            like, unlike = reduce(np.maximum, positive, none), reduce(np.maximum, negative, none)
            liked = like > unlike
            best = _sigmoid(np.where(liked, like, unlike))
            return np.where(liked, best, -best)
    assert_never(strategy)


def _sum(parts: Sequence[Similarities]) -> Similarities:
    """Adds in their order, so that a score depends on nothing else."""
    return reduce(np.add, parts)


def _sigmoid(value: Similarities) -> Similarities:
    return (_soft(value) + 1.0) / 2.0


def _soft(value: Similarities) -> Similarities:
    return value / (1.0 + np.abs(value))
