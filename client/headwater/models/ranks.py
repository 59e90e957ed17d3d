"""Other ways to rank than by one vector or by a fusion, as a user writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Union

from headwater._conditions import Bound, Place
from headwater.formulas import ExpressionLike
from headwater.models.collections import Distance
from headwater.models.points import PointIdLike, VectorLike
from headwater.models.text import Bm25

Default = int | float | str | datetime | Place | Mapping[str, float]
"""A value for points that lack one: a number, an instant, or a place as (lat, lon) or as a dict of both."""

MetricLike = Union["Metric", Distance, str]


class Direction(Enum):
    """The direction of an order: the least value first, or the greatest first."""

    ASCENDING = "DIRECTION_ASCENDING"
    DESCENDING = "DIRECTION_DESCENDING"
    # The earlier names of the members.
    Ascending = ASCENDING
    Descending = DESCENDING


@dataclass(frozen=True, slots=True)
class OrderBy:
    """Orders points by a payload field: numbers, then strings. Points without either come last in both directions.

    `direction` may be its name, such as "descending". `start_from`: points whose value comes before it are left out.
    Every score is 0.
    """

    path: str
    direction: Direction | str | None = None
    start_from: Bound | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Orders points at random. The same seed gives the same order of the same points. Every score is 0.

    `seed` None: the sequence number of the commit that is read.
    """

    seed: int | None = None


class RecommendStrategy(Enum):
    """How the score of a point is computed from examples."""

    AVERAGE = "RECOMMEND_STRATEGY_AVERAGE"
    """Searches near the vector 2 mean(positive) - mean(negative). Only this strategy can use an index."""
    BEST_SCORE = "RECOMMEND_STRATEGY_BEST_SCORE"
    """Uses the one positive or negative example that is most similar to the point."""
    SUM_SCORES = "RECOMMEND_STRATEGY_SUM_SCORES"
    """The sum of the scores for the positive examples, minus the sum for the negative ones."""
    # The earlier names of the members.
    Average = AVERAGE
    BestScore = BEST_SCORE
    SumScores = SUM_SCORES


@dataclass(frozen=True, slots=True, eq=False)
class Recommend:
    """Finds points that are similar to the positive examples, and not to the negative ones.

    An example is a vector, or the id of a stored point, which the answer then leaves out. `strategy` may be its name,
    such as "best_score".
    """

    positive: Sequence[VectorLike | PointIdLike] = ()
    negative: Sequence[VectorLike | PointIdLike] = ()
    strategy: RecommendStrategy | str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ContextPair:
    """A pair of examples: results should be nearer to `positive` than to `negative`."""

    positive: VectorLike | PointIdLike
    negative: VectorLike | PointIdLike


@dataclass(frozen=True, slots=True, eq=False)
class Discover:
    """Finds points near `target`. Points on the positive side of more pairs of `context` come first."""

    target: VectorLike | PointIdLike
    context: Sequence[ContextPair]


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """Finds points on the positive side of all pairs. Such a point has the score 0, which is the best."""

    pairs: Sequence[ContextPair]


@dataclass(frozen=True, slots=True, eq=False)
class NearestWithMmr:
    """Finds points that are near a vector and differ from each other (maximal marginal relevance, MMR).

    `diversity`: from 0, which counts only how near a point is, to 1; None: 0.5. `candidates`: how many of the nearest
    points it picks from; None: 100, or `limit` if that is more. Scores are those of the metric, so they need not fall
    from hit to hit. Source: Carbonell and Goldstein, SIGIR 1998.
    """

    nearest: VectorLike | PointIdLike
    diversity: float | None = None
    candidates: int | None = None


class UndefinedScore(Enum):
    """What happens to a point for which a formula has no value. For instance, it lacks a field that has no default."""

    REFUSE = "UNDEFINED_SCORE_REFUSE"
    """The query fails, with an error that names the part of the formula and the point."""
    DROP = "UNDEFINED_SCORE_DROP"
    """The point is left out."""
    # The earlier names of the members.
    Refuse = REFUSE
    Drop = DROP


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """Ranks by the value of an expression, higher first. It may use payload values and the scores of the prefetches.

    headwater.formulas has the expressions. `defaults` are values for points that lack one, by payload path or
    `$score[i]`: a number, an instant (text or datetime) or a place (lat, lon). `undefined` None: Refuse; it may be a
    name, such as "drop".
    """

    expression: ExpressionLike
    defaults: Mapping[str, Default] | None = None
    undefined: UndefinedScore | str | None = None


class Metric(Enum):
    """A metric that a query chooses; it may differ from that of the space. It may be a name: `"Manhattan"`."""

    COSINE = "METRIC_COSINE"
    DOT = "METRIC_DOT"
    EUCLID = "METRIC_EUCLID"
    MANHATTAN = "METRIC_MANHATTAN"
    CHEBYSHEV = "METRIC_CHEBYSHEV"
    """The greatest absolute difference between two components."""
    ANGULAR = "METRIC_ANGULAR"
    """The angle between the vectors divided by 180 degrees: 0 to 1."""
    # The earlier names of the members.
    Cosine = COSINE
    Dot = DOT
    Euclid = EUCLID
    Manhattan = MANHATTAN
    Chebyshev = CHEBYSHEV
    Angular = ANGULAR


@dataclass(frozen=True, slots=True, eq=False)
class WeightedMetric:
    """One metric of a composite. `vector` None: the vector of the Rescore; `using` None: the space of the stage."""

    metric: MetricLike
    weight: float = 1.0
    vector: VectorLike | PointIdLike | None = None
    using: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Rescore:
    """Ranks by another metric than that of the space, or by a composite of several metrics, and returns its scores.

    The score of a composite is a sum; higher is better. It adds weight * score for a metric where higher is better, and
    subtracts weight * distance for one where lower is better. The metrics may be pairs:
    `Rescore(vector, [("Cosine", 0.7), ("Manhattan", 0.3)])`.
    """

    vector: VectorLike | PointIdLike | None = None
    metric: MetricLike | Sequence[WeightedMetric | tuple[MetricLike, float]] | None = None


OtherRank = OrderBy | Sample | Recommend | Discover | Context | NearestWithMmr | Formula | Rescore | Bm25
