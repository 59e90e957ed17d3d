"""What was asked: a tree of stages, as frozen data. Meaning is in ARCHITECTURE.md, how it runs in plan/nodes.py."""

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from planner.query.bm25 import Bm25
from planner.query.filter import Filter
from planner.query.formula import Formula
from planner.query.metrics import Metric
from storage.schema import PointId
from storage.vectors import MultiVector, SparseMetric, SparseVector


class QueryVector:
    """A float32 query vector that compares and hashes by its bytes, so equal leaves can be found. Read-only."""

    __slots__ = ("_key", "values")

    def __init__(self, values: NDArray[np.float32]) -> None:
        self.values = np.ascontiguousarray(values, dtype=np.float32)
        self.values.flags.writeable = False
        self._key = self.values.tobytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QueryVector) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"QueryVector({len(self.values)} dimensions)"


@dataclass(frozen=True, slots=True)
class StoredVector:
    """The vector of a stored point. `collection` None: the searched one; `using` None: the stage's space."""

    id: PointId
    collection: str | None = None
    using: str | None = None


@dataclass(frozen=True, slots=True)
class NumberedVector:
    """Stands for a vector in a shape: see shape.py."""

    number: int


VectorInput = QueryVector | SparseVector | MultiVector | StoredVector | NumberedVector


@dataclass(frozen=True, slots=True)
class Mmr:
    """Maximal marginal relevance: `diversity` from 0 to 1; `candidates` None: see bind/stages.py."""

    diversity: float = 0.5
    candidates: int | None = None


@dataclass(frozen=True, slots=True)
class Nearest:
    """Rank by nearness to a vector, with `mmr` also by being unlike each other.

    Points that give vectors to a stage, here and below, are left out of what it finds.
    """

    vector: VectorInput
    mmr: Mmr | None = None


@dataclass(frozen=True, slots=True)
class Rrf:
    """Reciprocal rank fusion: score(p) = sum_i weights[i] / (k + rank_i(p)), rank from 1."""

    k: float = 60.0
    weights: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Dbsf:
    """Distribution-based score fusion; see execute/fusion.py for the formula."""

    weights: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class OrderBy:
    """Rank by a payload field; scores 0. `start_from` skips what comes before it. See rank/by_field.py."""

    path: str
    descending: bool = False
    start_from: int | float | str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Rank at random; scores 0. `seed` None: the commit that is read."""

    seed: int | None = None


class RecommendStrategy(Enum):
    AVERAGE = "average"
    BEST_SCORE = "best_score"
    SUM_SCORES = "sum_scores"


@dataclass(frozen=True, slots=True)
class Recommend:
    """Rank by likeness to examples. Under AVERAGE it is by nearness to one vector; see rank/average.py."""

    positive: tuple[VectorInput, ...]
    negative: tuple[VectorInput, ...] = ()
    strategy: RecommendStrategy = RecommendStrategy.AVERAGE


@dataclass(frozen=True, slots=True)
class ContextPair:
    positive: VectorInput
    negative: VectorInput


@dataclass(frozen=True, slots=True)
class Discover:
    """Rank by the number of pairs on whose positive side a point is, then by nearness to the target."""

    target: VectorInput
    pairs: tuple[ContextPair, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """Rank by how little a point is on the negative side of pairs."""

    pairs: tuple[ContextPair, ...]


@dataclass(frozen=True, slots=True)
class WeightedMetric:
    """A part of a composite. `vector` None: the whole's; `using` None: the stage's space."""

    metric: Metric
    weight: float = 1.0
    vector: VectorInput | None = None
    using: str | None = None


@dataclass(frozen=True, slots=True)
class ByMetrics:
    """Rank by `metric` instead of the space's own; or, in its place, by a weighted sum: what requests call `rescore`.

    A composite adds weight * score where higher is better and subtracts it where lower is.
    """

    vector: VectorInput | None = None
    metric: Metric | None = None
    composite: tuple[WeightedMetric, ...] = ()


ByExamples = Recommend | Discover | Context
VectorRank = Nearest | ByExamples | ByMetrics
Rank = VectorRank | Rrf | Dbsf | OrderBy | Sample | Formula | Bm25


def vectors_in(rank: Rank | None) -> tuple[VectorInput, ...]:
    """The vectors that a rank of any kind is given."""
    match rank:
        case Nearest(vector=vector):
            return (vector,)
        case Recommend(positive=positive, negative=negative):
            return positive + negative
        case Discover(target=target, pairs=pairs):
            return (target, *(side for pair in pairs for side in (pair.positive, pair.negative)))
        case Context(pairs=pairs):
            return tuple(side for pair in pairs for side in (pair.positive, pair.negative))
        case ByMetrics(vector=whole, composite=composite):
            return tuple(given for given in (whole, *(part.vector for part in composite)) if given is not None)
        case _:
            return ()


def is_by_metric(rank: Rank | None) -> bool:
    """Whether scores are those of one metric, and not made of them."""
    match rank:
        case Nearest() | Recommend(strategy=RecommendStrategy.AVERAGE):
            return True
        case ByMetrics(metric=metric):
            return metric is not None
        case _:
            return False


class FilterStrategy(Enum):
    AUTO = "auto"
    PRE = "pre"
    POST = "post"


class FilterScope(Enum):
    """What a filter on a stage with prefetches does: gate the merged candidates, or restrict every leaf below."""

    GATE = "gate"
    PUSH_DOWN = "push_down"


class ScoreMode(Enum):
    RAW = "raw"
    SIMILARITY = "similarity"
    DISTANCE = "distance"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchParams:
    """How a stage searches. None: the space's default, and of `oversampling` that of its stored form.

    `rescore` and `oversampling`: see SpaceSearch.
    """

    hnsw_ef: int | None = None
    exact: bool = False
    indexed_only: bool = False
    filter_strategy: FilterStrategy = FilterStrategy.AUTO
    rescore: bool = True
    oversampling: float | None = None
    ivf_nprobe: tuple[int, ...] | None = None
    sparse_metric: SparseMetric | None = None


@dataclass(frozen=True, slots=True)
class SearchAfter:
    """A hit of the page before: its score, as it was returned, and its id. A ranking goes on strictly after it."""

    score: float
    id: PointId


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage. Without `prefetch` it is a leaf. `limit` None: DEFAULT_LIMIT at the root, else DEFAULT_DEPTH.

    `offset`, `search_after` and `score_mode` are the root's only.
    """

    query: Rank | None = None
    using: str | None = None
    prefetch: tuple["Stage", ...] = ()
    filter: Filter | None = None
    filter_scope: FilterScope = FilterScope.GATE
    params: SearchParams = field(default_factory=SearchParams)
    score_threshold: float | None = None
    limit: int | None = None
    offset: int = 0
    search_after: SearchAfter | None = None
    score_mode: ScoreMode = ScoreMode.RAW


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadSelector:
    """Which payload to return: `include` None means all; then `exclude` is taken away. Paths `a`, `a.b`, `a[].b`."""

    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorsSelector:
    """Which vectors to return: of these spaces; None means all."""

    include: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A root stage and what to return of its hits. A selector of None returns none.

    `path` is where the request holds the query (``, `queries[3]`, `query`) and `vector_field` what it calls the
    root's query vector; errors name fields by them.
    """

    root: Stage
    with_payload: PayloadSelector | None = field(default_factory=PayloadSelector)
    with_vectors: VectorsSelector | None = None
    explain: bool = False
    path: str = ""
    vector_field: str = "query.nearest"
