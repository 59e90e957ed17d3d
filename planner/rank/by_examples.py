"""Scores of points by examples: recommendation, discovery and context, from exact scores for each example.

Every formula takes similarities, where higher is better: scores of the metric, negated if lower is better. It computes
in float64 and rounds to float32 once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray

from planner.errors import InvalidQuery
from planner.limits import MAX_EXAMPLES
from planner.query import (
    Context,
    ContextPair,
    Discover,
    QueryVector,
    Recommend,
    RecommendStrategy,
    VectorInput,
)
from planner.rank.average import average
from planner.rank.by_dense_vector import InDense
from planner.rank.ranker import Ranker, Slots, Statistics
from planner.rank.ranking import Ranking, ranked
from planner.rank.run_context import RunContext
from planner.resolve import Asked, Reading, Unread, bind_vector, check_dense
from storage.errors import LimitExceeded
from storage.schema import DenseSpace, Distance
from storage.search import score_vectors
from storage.write import check_query_vector

Similarities = NDArray[np.float64]
MIN_PAIR_MARGIN = 2.0**-23
"""A point satisfies a context pair only if it is nearer to the positive than to the negative by more than this."""

_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class BoundRecommend:
    """Likeness to examples. Requires: at least one. A recommendation by an average is an InDense."""

    strategy: Literal[RecommendStrategy.BEST_SCORE, RecommendStrategy.SUM_SCORES]
    positive: tuple[QueryVector, ...]
    negative: tuple[QueryVector, ...]

    @property
    def examples(self) -> tuple[QueryVector, ...]:
        return self.positive + self.negative

    @property
    def name(self) -> str:
        return "recommend"

    def describe(self) -> dict[str, str]:
        return {
            "strategy": self.strategy.value,
            "positive": str(len(self.positive)),
            "negative": str(len(self.negative)),
        }

    def combined(self, similarities: Sequence[Similarities]) -> Similarities:
        """Scores (n,) of points. `similarities` has one array (n,) per example."""
        split = len(self.positive)
        return _recommend(self.strategy, similarities[:split], similarities[split:])


@dataclass(frozen=True, slots=True)
class BoundPair:
    positive: QueryVector
    negative: QueryVector


@dataclass(frozen=True, slots=True)
class BoundDiscover:
    """See Discover. `examples` are the target, and then the positive and the negative of each pair."""

    target: QueryVector
    pairs: tuple[BoundPair, ...]

    @property
    def examples(self) -> tuple[QueryVector, ...]:
        return (self.target, *_sides(self.pairs))

    @property
    def name(self) -> str:
        return "discover"

    def describe(self) -> dict[str, str]:
        return {"pairs": str(len(self.pairs))}

    def combined(self, similarities: Sequence[Similarities]) -> Similarities:
        """Scores (n,) of points. `similarities` has one array (n,) per example."""
        passed = [np.sign(good - bad) for good, bad in zip(similarities[1::2], similarities[2::2], strict=True)]
        return _sum(passed) + _sigmoid(similarities[0])


@dataclass(frozen=True, slots=True)
class BoundContext:
    """See Context. `examples` are the positive and the negative of each pair."""

    pairs: tuple[BoundPair, ...]

    @property
    def examples(self) -> tuple[QueryVector, ...]:
        return _sides(self.pairs)

    @property
    def name(self) -> str:
        return "context"

    def describe(self) -> dict[str, str]:
        return {"pairs": str(len(self.pairs))}

    def combined(self, similarities: Sequence[Similarities]) -> Similarities:
        """Scores (n,) of points. `similarities` has one array (n,) per example."""
        pairs = zip(similarities[::2], similarities[1::2], strict=True)
        return _sum([_soft(np.minimum(good - bad - MIN_PAIR_MARGIN, 0.0)) for good, bad in pairs])


def _sides(pairs: tuple[BoundPair, ...]) -> tuple[QueryVector, ...]:
    return tuple(side for pair in pairs for side in (pair.positive, pair.negative))


BoundExamples = BoundRecommend | BoundDiscover | BoundContext


@dataclass(frozen=True, slots=True)
class InSpace(Ranker):
    """A rank by examples, and the dense space whose vectors are compared with them."""

    rank_by: BoundExamples
    space: str
    distance: Distance

    @property
    def name(self) -> str:
        return self.rank_by.name

    @property
    def spaces(self) -> tuple[str, ...]:
        return (self.space,)

    def describe(self) -> dict[str, str]:
        return self.rank_by.describe() | {"using": self.space, "distance": self.distance.value}

    def distances(self, ranked: int) -> int:
        return ranked * len(self.rank_by.examples)

    def rank(
        self,
        slots: Slots,
        run: RunContext,
        lists: Sequence[Ranking] = (),
        limit: int | None = None,
        statistics: Statistics | None = None,
    ) -> tuple[Ranking, int]:
        sign = 1.0 if self.distance.higher_is_better else -1.0
        held = slots[:0]
        similarities: list[Similarities] = []
        for vector in self.rank_by.examples:
            hits = score_vectors(run.reader, self.space, slots, vector.values, run.budget)
            order = np.argsort(hits.slots)
            held = hits.slots[order]  # the same points for every example: those with a vector
            similarities.append(sign * hits.scores[order].astype(np.float64))
        return ranked(held, example_scores(self.rank_by, similarities), run.reader), self.distances(len(held))


def example_scores(rank: BoundExamples, similarities: Sequence[Similarities]) -> NDArray[np.float32]:
    """Scores (n,), float32, higher is better. `similarities` has one array (n,) per example."""
    scores = rank.combined(similarities)
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
    """Adds from the first to the last, so that rounding does not depend on anything else."""
    return reduce(np.add, parts)


def _sigmoid(value: Similarities) -> Similarities:
    return (_soft(value) + 1.0) / 2.0


def _soft(value: Similarities) -> Similarities:
    return value / (1.0 + np.abs(value))


_Bind = Callable[[VectorInput, str], Unread[QueryVector]]
"""A function that binds the example at a path."""


def bind_recommend(rank: Recommend, asked: Asked) -> Unread[InDense | InSpace]:
    """An average becomes one vector to be near to. Raises InvalidQuery, LimitExceeded, and what vectors may raise."""
    name, space = asked.dense_space()
    bind, path = _binder(name, space), f"{asked.path}query.recommend"
    _check_count(len(rank.positive) + len(rank.negative), path)
    if not rank.positive and not rank.negative:
        raise InvalidQuery(path, "give at least one example")
    if not rank.positive and rank.strategy is RecommendStrategy.AVERAGE:
        raise InvalidQuery(f"{path}.positive", "an average needs at least one positive example")
    positive = _bind_all(rank.positive, bind, f"{path}.positive")
    negative = _bind_all(rank.negative, bind, f"{path}.negative")
    strategy = rank.strategy
    if strategy is RecommendStrategy.AVERAGE:

        def nearest(reading: Reading) -> InDense:
            middle = average(positive(reading), negative(reading), space.distance)
            check_query_vector(space, middle, path)
            return InDense(name, space.distance, QueryVector(middle), asked.stage.params)

        return nearest
    return lambda reading: InSpace(BoundRecommend(strategy, positive(reading), negative(reading)), name, space.distance)


def bind_discover(rank: Discover, asked: Asked) -> Unread[InSpace]:
    """Binds a discovery. Raises InvalidQuery, LimitExceeded, and what spaces and vectors may raise."""
    name, space = asked.dense_space()
    bind, path = _binder(name, space), f"{asked.path}query.discover"
    target = bind(rank.target, f"{path}.target")
    pairs = _bind_pairs(rank.pairs, bind, f"{path}.context")
    return lambda reading: InSpace(BoundDiscover(target(reading), pairs(reading)), name, space.distance)


def bind_context(rank: Context, asked: Asked) -> Unread[InSpace]:
    """Binds a context. Raises InvalidQuery, LimitExceeded, and what spaces and vectors may raise."""
    name, space = asked.dense_space()
    pairs = _bind_pairs(rank.pairs, _binder(name, space), f"{asked.path}query.context.pairs")
    return lambda reading: InSpace(BoundContext(pairs(reading)), name, space.distance)


def _binder(name: str, space: DenseSpace) -> _Bind:
    check = partial(check_dense, space)
    return lambda vector, field: bind_vector(vector, name, check, field)


def _bind_all(vectors: Sequence[VectorInput], bind: _Bind, path: str) -> Unread[tuple[QueryVector, ...]]:
    bound = [bind(vector, f"{path}[{index}]") for index, vector in enumerate(vectors)]
    return lambda reading: tuple(vector(reading) for vector in bound)


def _bind_pairs(pairs: Sequence[ContextPair], bind: _Bind, path: str) -> Unread[tuple[BoundPair, ...]]:
    _check_count(2 * len(pairs), path)
    if not pairs:
        raise InvalidQuery(path, "give at least one context pair")
    bound = [
        (bind(pair.positive, f"{path}[{index}].positive"), bind(pair.negative, f"{path}[{index}].negative"))
        for index, pair in enumerate(pairs)
    ]
    return lambda reading: tuple(BoundPair(positive(reading), negative(reading)) for positive, negative in bound)


def _check_count(examples: int, path: str) -> None:
    if examples > MAX_EXAMPLES:
        raise LimitExceeded(path, limit="MAX_EXAMPLES", maximum=MAX_EXAMPLES, actual=examples)
