"""Bound queries: names are spaces, vectors are read and checked, and defaults are filled in. Plans are made of these.

stages.py makes them of queries. Ways to rank are equal when they rank alike, whatever the request called them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from planner.query import (
    Bm25,
    Datetime,
    Filter,
    FilterScope,
    Formula,
    Highlighting,
    Metric,
    PayloadSelector,
    PayloadVariable,
    QueryVector,
    RecommendStrategy,
    ScoreMode,
    SearchAfter,
    SearchParams,
    VectorsSelector,
)
from planner.text import SearchedField
from storage.schema import Distance, PointId
from storage.search import RecordQuery


@dataclass(frozen=True, slots=True)
class InDense:
    """Nearness to a vector in a dense space, by its own metric. Requires: as many components as the space has."""

    space: str
    distance: Distance
    vector: QueryVector


@dataclass(frozen=True, slots=True)
class InRecords:
    """Nearness in a space of sparse or multi-vectors. Points that share no index with a sparse one are left out."""

    query: RecordQuery
    space: str


@dataclass(frozen=True, slots=True)
class BoundRecommend:
    """Likeness to examples, of which there is one at least. A recommendation by an average is an InDense."""

    strategy: Literal[RecommendStrategy.BEST_SCORE, RecommendStrategy.SUM_SCORES]
    positive: tuple[QueryVector, ...]
    negative: tuple[QueryVector, ...]

    @property
    def examples(self) -> tuple[QueryVector, ...]:
        return self.positive + self.negative


@dataclass(frozen=True, slots=True)
class BoundPair:
    positive: QueryVector
    negative: QueryVector


@dataclass(frozen=True, slots=True)
class BoundDiscover:
    """See Discover. `examples`: the target, then the positive and the negative of each pair."""

    target: QueryVector
    pairs: tuple[BoundPair, ...]

    @property
    def examples(self) -> tuple[QueryVector, ...]:
        return (self.target, *_sides(self.pairs))


@dataclass(frozen=True, slots=True)
class BoundContext:
    """See Context. `examples`: the positive and the negative of each pair."""

    pairs: tuple[BoundPair, ...]

    @property
    def examples(self) -> tuple[QueryVector, ...]:
        return _sides(self.pairs)


def _sides(pairs: tuple[BoundPair, ...]) -> tuple[QueryVector, ...]:
    return tuple(side for pair in pairs for side in (pair.positive, pair.negative))


BoundExamples = BoundRecommend | BoundDiscover | BoundContext


@dataclass(frozen=True, slots=True)
class InSpace:
    """A rank by examples, and the dense space whose vectors are compared with them."""

    rank: BoundExamples
    space: str
    distance: Distance


@dataclass(frozen=True, slots=True)
class MetricScore:
    """Scores of `metric` in `space` for a vector of as many components."""

    space: str
    metric: Metric
    vector: QueryVector
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class InMetrics:
    """The scores of one metric; or if `composite`, those of all terms in one weighted sum. Requires: a term."""

    terms: tuple[MetricScore, ...]
    composite: bool

    @property
    def higher_is_better(self) -> bool:
        return self.composite or self.terms[0].metric.higher_is_better


@dataclass(frozen=True, slots=True)
class ValueStart:
    """An order begins at this number or string. `key` is what it is compared by: numbers before strings."""

    value: int | float | str

    @property
    def key(self) -> tuple[bool, int | float | str]:
        return isinstance(self.value, str), self.value


@dataclass(frozen=True, slots=True)
class InstantStart:
    """An order by instants begins at this one: as the request says it, and in nanoseconds from 1970 in UTC."""

    value: str
    instant: int

    @property
    def key(self) -> tuple[bool, int | float | str]:
        return False, self.instant


@dataclass(frozen=True, slots=True)
class ByField:
    """The order by the values at a payload path; scores 0. `instants`: by those that are instants, and by no others."""

    path: str
    descending: bool
    start: ValueStart | InstantStart | None
    instants: bool


@dataclass(frozen=True, slots=True)
class AtRandom:
    """The order that a seed gives; scores 0."""

    seed: int


@dataclass(frozen=True, slots=True)
class ByText:
    """How well texts match. The fields of `query` are in `fields`, and never empty; `query` asks for no highlights."""

    query: Bm25
    fields: tuple[SearchedField, ...]


@dataclass(frozen=True, slots=True)
class ByFormula:
    """The value of a formula, which the request holds at `path`. What follows from the formula is computed once:

    `list_defaults`: the scores of points that the list of a prefetch lacks, by number. `defaults`: numbers for what a
    payload lacks. `instants`: seconds from 1970 in UTC.
    """

    formula: Formula
    path: str = field(compare=False)
    list_defaults: tuple[float, ...] = field(compare=False)
    defaults: Mapping[PayloadVariable, float] = field(compare=False)
    instants: Mapping[Datetime, float] = field(compare=False)


Ranker = ByField | AtRandom | InSpace | InMetrics | InRecords | ByFormula | ByText
"""Ways to rank any points that are given."""


@dataclass(frozen=True, slots=True)
class Highlighted:
    """A query whose matched parts are returned with the hits."""

    by_text: ByText
    wanted: Highlighting


@dataclass(frozen=True, slots=True)
class BoundRrf:
    """Reciprocal rank fusion, with a weight for each prefetch."""

    k: float
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class BoundDbsf:
    """Distribution-based score fusion, with a weight for each prefetch."""

    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Diversity:
    """Of the first `candidates` points those are picked that are also unlike each other. See Mmr."""

    space: str
    distance: Distance
    diversity: float
    candidates: int


@dataclass(frozen=True, slots=True)
class BoundLeaf:
    """Points of the whole collection; in id order if `rank` is None."""

    rank: InDense | Ranker | None


@dataclass(frozen=True, slots=True)
class BoundMerge:
    """The union of what other stages found, of which there is one at least."""

    rank: InDense | Ranker | BoundRrf | BoundDbsf
    prefetch: "tuple[BoundStage, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundStage:
    """See Stage. `exclude`: the points that gave vectors to the stage, which it leaves out. Nothing changes below it.

    `highlight`: what to return of the matched texts, if the stage ranks by text.
    """

    ranked: BoundLeaf | BoundMerge
    exclude: tuple[PointId, ...]
    filter: Filter | None
    filter_scope: FilterScope
    params: SearchParams
    score_threshold: float | None
    diversity: Diversity | None
    limit: int
    offset: int
    search_after: SearchAfter | None
    score_mode: ScoreMode
    highlighted: Highlighted | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundQuery:
    """A root stage and what to return of its hits. `path` is where the request holds the query, for errors."""

    root: BoundStage
    payload: PayloadSelector | None
    vectors: VectorsSelector | None
    path: str = field(compare=False)
