"""Ways to rank other than by one vector or a fusion, as a user writes them."""

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
"""What stands for a value that a point lacks: a number, an instant, or a place as (lat, lon) or a dict of both."""

MetricLike = Union["Metric", Distance, str]


class Direction(Enum):
    """Which end of an order comes first."""

    ASCENDING = "DIRECTION_ASCENDING"
    DESCENDING = "DIRECTION_DESCENDING"
    # The same members by the names they first had.
    Ascending = ASCENDING
    Descending = DESCENDING


@dataclass(frozen=True, slots=True)
class OrderBy:
    """By a payload field: numbers, then strings, then points without either, which are last descending, too.

    `direction` may be its name, "descending". `start_from` skips what comes before this value. Every score is 0.
    """

    path: str
    direction: Direction | str | None = None
    start_from: Bound | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """At random. Equal seeds give equal orders of equal points; None: the commit that is read. Every score is 0."""

    seed: int | None = None


class RecommendStrategy(Enum):
    """How examples make a score."""

    AVERAGE = "RECOMMEND_STRATEGY_AVERAGE"
    """Nearest to 2 mean(positive) - mean(negative); the only one that an index serves."""
    BEST_SCORE = "RECOMMEND_STRATEGY_BEST_SCORE"
    """By the positive or negative example that is most alike."""
    SUM_SCORES = "RECOMMEND_STRATEGY_SUM_SCORES"
    """Sum of scores for the positives less those for the negatives."""
    # The same members by the names they first had.
    Average = AVERAGE
    BestScore = BEST_SCORE
    SumScores = SUM_SCORES


@dataclass(frozen=True, slots=True, eq=False)
class Recommend:
    """Like some examples and unlike others, each a vector or the id of a stored point, which is left out.

    `strategy` may be its name, such as "best_score".
    """

    positive: Sequence[VectorLike | PointIdLike] = ()
    negative: Sequence[VectorLike | PointIdLike] = ()
    strategy: RecommendStrategy | str | None = None


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
    or `limit` if that is more. Scores are the metric's own, so they need not fall.
    """

    nearest: VectorLike | PointIdLike
    diversity: float | None = None
    candidates: int | None = None


class UndefinedScore(Enum):
    """What becomes of a point for which a formula has no value, such as one that lacks a field without a default."""

    REFUSE = "UNDEFINED_SCORE_REFUSE"
    """The query fails, with an error that names the part of the formula and the point."""
    DROP = "UNDEFINED_SCORE_DROP"
    """The point drops out."""
    # The same members by the names they first had.
    Refuse = REFUSE
    Drop = DROP


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """By the value of an expression of the prefetches' scores and payload values, higher first. See formulas.py.

    `defaults` stand for what a point lacks, by payload path or `$score[i]`: a number, an instant (text or datetime), a
    place (lat, lon). `undefined` None: Refuse; "drop" is Drop.
    """

    expression: ExpressionLike
    defaults: Mapping[str, Default] | None = None
    undefined: UndefinedScore | str | None = None


class Metric(Enum):
    """A metric that a query chooses, whatever the space's own is. Also taken by name: `"Manhattan"`."""

    COSINE = "METRIC_COSINE"
    DOT = "METRIC_DOT"
    EUCLID = "METRIC_EUCLID"
    MANHATTAN = "METRIC_MANHATTAN"
    CHEBYSHEV = "METRIC_CHEBYSHEV"
    """The greatest difference of components."""
    ANGULAR = "METRIC_ANGULAR"
    """The angle as a share of 180 degrees, 0 to 1."""
    # The same members by the names they first had.
    Cosine = COSINE
    Dot = DOT
    Euclid = EUCLID
    Manhattan = MANHATTAN
    Chebyshev = CHEBYSHEV
    Angular = ANGULAR


@dataclass(frozen=True, slots=True, eq=False)
class WeightedMetric:
    """A part of a composite. `vector` None: that of the whole; `using` None: the stage's space."""

    metric: MetricLike
    weight: float = 1.0
    vector: VectorLike | PointIdLike | None = None
    using: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Rescore:
    """By a metric other than the space's, whose scores it returns; or by a composite of several.

    A composite's score is the sum of weight * score, minus weight * distance where lower is better; higher is better.
    Its parts may be pairs: `Rescore(vector, [("Cosine", 0.7), ("Manhattan", 0.3)])`.
    """

    vector: VectorLike | PointIdLike | None = None
    metric: MetricLike | Sequence[WeightedMetric | tuple[MetricLike, float]] | None = None


OtherRank = OrderBy | Sample | Recommend | Discover | Context | NearestWithMmr | Formula | Rescore | Bm25
