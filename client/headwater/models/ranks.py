"""Ways to rank other than by one vector or a fusion, as a user writes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from headwater.models.points import PointIdLike, VectorLike


class Direction(Enum):
    """Which end of an order comes first."""

    Ascending = "DIRECTION_ASCENDING"
    Descending = "DIRECTION_DESCENDING"


@dataclass(frozen=True, slots=True)
class OrderBy:
    """By a payload field: numbers, then strings, then points without either, which are last descending, too.

    `start_from` skips what comes before this value. Every score is 0.
    """

    path: str
    direction: Direction | None = None
    start_from: int | float | str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """At random. Equal seeds give equal orders of equal points; None: the commit that is read. Every score is 0."""

    seed: int | None = None


class RecommendStrategy(Enum):
    """How examples make a score."""

    Average = "RECOMMEND_STRATEGY_AVERAGE"
    """Nearest to 2 mean(positive) - mean(negative); the only one that an index serves."""
    BestScore = "RECOMMEND_STRATEGY_BEST_SCORE"
    """By the positive or negative example that is most alike."""
    SumScores = "RECOMMEND_STRATEGY_SUM_SCORES"
    """Sum of scores for the positives less those for the negatives."""


@dataclass(frozen=True, slots=True, eq=False)
class Recommend:
    """Like some examples and unlike others, each a vector or the id of a stored point, which is left out."""

    positive: Sequence[VectorLike | PointIdLike] = ()
    negative: Sequence[VectorLike | PointIdLike] = ()
    strategy: RecommendStrategy | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ContextPair:
    """A border: results should be nearer to `positive` than to `negative`."""

    positive: VectorLike | PointIdLike
    negative: VectorLike | PointIdLike


@dataclass(frozen=True, slots=True, eq=False)
class Discover:
    """Nearest to a target, within the area that pairs mark out."""

    target: VectorLike | PointIdLike
    context: Sequence[ContextPair]


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """Within the area that pairs mark out; 0 is the best score."""

    pairs: Sequence[ContextPair]


@dataclass(frozen=True, slots=True, eq=False)
class NearestWithMmr:
    """Near to a vector and unlike each other: maximal marginal relevance.

    `diversity` from 0, nearness alone, to 1; None: 0.5. `candidates`: the nearest points, of which it picks; None: 100,
    or limit + offset if that is more. Scores are the metric's own, so they need not fall.
    """

    nearest: VectorLike | PointIdLike
    diversity: float | None = None
    candidates: int | None = None


OtherRank = OrderBy | Sample | Recommend | Discover | Context | NearestWithMmr
