"""What is asked: a tree of stages, as frozen data. ARCHITECTURE.md says what it means, plan/nodes.py how it runs."""

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
    """A float32 query vector (d,), read-only.

    It compares and hashes by its bytes, so that equal leaves can be found.
    """

    __slots__ = ("_known", "values")

    def __init__(self, values: NDArray[np.float32]) -> None:
        self.values = np.ascontiguousarray(values, dtype=np.float32)
        self.values.flags.writeable = False
        self._known: bytes | None = None

    @property
    def _key(self) -> bytes:
        """Made when it is needed: most vectors are compared with none."""
        if self._known is None:
            self._known = self.values.tobytes()
        return self._known

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QueryVector) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"QueryVector({len(self.values)} dimensions)"


@dataclass(frozen=True, slots=True)
class StoredVector:
    """The vector of a stored point. `collection` None: the searched collection. `using` None: the stage's space."""

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
    """Maximal marginal relevance. `diversity` is from 0 to 1. `candidates` None: bind/stages.py chooses."""

    diversity: float = 0.5
    candidates: int | None = None


@dataclass(frozen=True, slots=True)
class Nearest:
    """Ranks by nearness to a vector. With `mmr`, points that are unlike each other are preferred.

    Points whose vectors a stage or a stage below it is given are left out of what the stage finds.
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
    """Ranks by a payload field; all scores are 0. `start_from` skips what comes before it. See rank/by_field.py."""

    path: str
    descending: bool = False
    start_from: int | float | str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Ranks at random; all scores are 0. `seed` None: the sequence number of the commit that is read."""

    seed: int | None = None


class RecommendStrategy(Enum):
    AVERAGE = "average"
    BEST_SCORE = "best_score"
    SUM_SCORES = "sum_scores"


@dataclass(frozen=True, slots=True)
class Recommend:
    """Ranks by likeness to examples. AVERAGE makes one vector of the examples; see rank/average.py."""

    positive: tuple[VectorInput, ...]
    negative: tuple[VectorInput, ...] = ()
    strategy: RecommendStrategy = RecommendStrategy.AVERAGE


@dataclass(frozen=True, slots=True)
class ContextPair:
    positive: VectorInput
    negative: VectorInput


@dataclass(frozen=True, slots=True)
class Discover:
    """Ranks by the number of pairs of which the point is on the positive side, then by nearness to the target."""

    target: VectorInput
    pairs: tuple[ContextPair, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """Ranks points lower the further they are on the negative side of pairs."""

    pairs: tuple[ContextPair, ...]


@dataclass(frozen=True, slots=True)
class WeightedMetric:
    """One metric of a composite. `vector` None: the vector of the whole. `using` None: the stage's space."""

    metric: Metric
    weight: float = 1.0
    vector: VectorInput | None = None
    using: str | None = None


@dataclass(frozen=True, slots=True)
class ByMetrics:
    """Ranks by `metric` instead of the space's own metric, or by a weighted sum of several. Requests call it `rescore`.

    A composite adds weight * score where higher is better, and subtracts it where lower is better.
    """

    vector: VectorInput | None = None
    metric: Metric | None = None
    composite: tuple[WeightedMetric, ...] = ()


ByExamples = Recommend | Discover | Context
VectorRank = Nearest | ByExamples | ByMetrics
Rank = VectorRank | Rrf | Dbsf | OrderBy | Sample | Formula | Bm25


def vectors_in(rank: Rank | None) -> tuple[VectorInput, ...]:
    """The vectors that are given to a rank of any kind."""
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
    """Whether each score is the score of one metric, not made of several."""
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
    """What a filter on a stage with prefetches does: it drops merged candidates (GATE), or it restricts every leaf
    below.
    """

    GATE = "gate"
    PUSH_DOWN = "push_down"


class ScoreMode(Enum):
    RAW = "raw"
    SIMILARITY = "similarity"
    DISTANCE = "distance"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchParams:
    """How a stage searches. None means the default of the space. `oversampling` None: the default of the stored form.

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
    """A hit of the page before: its score, as it was returned, and its id. The next page starts strictly after it."""

    score: float
    id: PointId


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage. Without `prefetch` it is a leaf. `limit` None: DEFAULT_LIMIT at the root, else DEFAULT_DEPTH.

    Only the root has `offset`, `search_after` and `score_mode`.
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
    """Which parts of payloads to return. `include` None: all. Then `exclude` is taken away.

    Paths are `a`, `a.b`, `a[].b`.
    """

    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorsSelector:
    """Which vectors to return: those of the spaces in `include`. None: of all spaces."""

    include: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A root stage, and what to return of its hits. A selector of None returns nothing.

    Errors name fields with the last two: `path` is where the request holds the query (empty, `queries[3]`, `query`),
    and `vector_field` is the request's name of the root's query vector.
    """

    root: Stage
    with_payload: PayloadSelector | None = field(default_factory=PayloadSelector)
    with_vectors: VectorsSelector | None = None
    explain: bool = False
    path: str = ""
    vector_field: str = "query.nearest"
