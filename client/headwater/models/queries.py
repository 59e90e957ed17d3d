"""The queries that a user builds: trees of stages. docs/queries.md says what they mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from headwater._display import PartList, Row, Table, counted
from headwater.filters import FilterLike
from headwater.models.explanation import Explanation
from headwater.models.points import PointIdLike, ScoredPoint, VectorLike, WithPayload, WithVectors
from headwater.models.ranks import OtherRank

DEFAULT_LIMIT = 10


class Fusion(Enum):
    """How the lists of the prefetches are fused into one, with default settings."""

    RRF = "rrf"
    """Reciprocal rank fusion: uses only the ranks."""
    DBSF = "dbsf"
    """Distribution-based score fusion: uses the scores. Those of each list are brought to [0, 1]."""


@dataclass(frozen=True, slots=True)
class Rrf:
    """Reciprocal rank fusion: a score is the sum of weight / (k + rank) over the lists.

    `weights` has one number per prefetch; None: 1 for each.
    """

    k: float = 60.0
    weights: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Dbsf:
    """Distribution-based score fusion. `weights` has one number per prefetch; None: 1 for each."""

    weights: Sequence[float] | None = None


FusionQuery = Fusion | Rrf | Dbsf
QueryLike = VectorLike | PointIdLike | FusionQuery | Mapping[str, FusionQuery] | Mapping[str, object] | OtherRank
"""A vector, the id of a stored point, a fusion (also as `{"fusion": Fusion.RRF}`), or another way to rank."""


class FilterStrategy(Enum):
    """How a filter is combined with a vector index."""

    AUTO = "FILTER_STRATEGY_AUTO"
    PRE = "FILTER_STRATEGY_PRE"
    POST = "FILTER_STRATEGY_POST"
    # The earlier names of the members.
    Auto = AUTO
    Pre = PRE
    Post = POST


class FilterScope(Enum):
    """What a filter on a stage with prefetches does."""

    GATE = "FILTER_SCOPE_GATE"
    """Drops merged candidates after the prefetches ran. No others take their places."""
    PUSH_DOWN = "FILTER_SCOPE_PUSH_DOWN"
    """Applies to the search of every leaf below instead."""
    # The earlier names of the members.
    Gate = GATE
    PushDown = PUSH_DOWN


class ScoreMode(Enum):
    """Which scores the root stage returns. The order of the points stays the same."""

    RAW = "SCORE_MODE_RAW"
    SIMILARITY = "SCORE_MODE_SIMILARITY"
    DISTANCE = "SCORE_MODE_DISTANCE"
    # The earlier names of the members.
    Raw = RAW
    Similarity = SIMILARITY
    Distance = DISTANCE


@dataclass(frozen=True, slots=True)
class QuantizationSearchParams:
    """How a search makes up for the smaller stored form of vectors in an index. None: the server's default.

    `rescore` False: the order of the index chooses the points of each segment; otherwise exact scores do. Returned
    scores are always exact. `oversampling`: how many rows of each segment are scored exactly for each row asked for, 1
    to 1,000.
    """

    rescore: bool | None = None
    oversampling: float | None = None


class SparseMetric(Enum):
    """How the score of two sparse vectors is computed. Higher is better."""

    DOT = "SPARSE_METRIC_DOT"
    """The sum of the products of the values at shared indices."""
    COSINE = "SPARSE_METRIC_COSINE"
    """The same sum, divided by the norms of both vectors."""
    JACCARD = "SPARSE_METRIC_JACCARD"
    """The number of indices that both have, divided by the number that at least one of them has."""
    # The earlier names of the members.
    Dot = DOT
    Cosine = COSINE
    Jaccard = JACCARD


@dataclass(frozen=True, slots=True)
class SearchParams:
    """How a stage searches; None: the server's default.

    `hnsw_ef`: width of the graph walk, 1 to 10,000. `exact`: scan every row. `indexed_only`: skip rows that no index
    covers yet, so the answer may be incomplete. `ivf_nprobe`: how many lists of an IVF index are read, or one number
    for each level of its partition; the last one is for the lists. `sparse_metric` (also "dot", "cosine", "jaccard"):
    how scores are computed, only in sparse spaces; None: Dot.
    """

    hnsw_ef: int | None = None
    exact: bool | None = None
    indexed_only: bool | None = None
    filter_strategy: FilterStrategy | None = None
    quantization: QuantizationSearchParams | None = None
    ivf_nprobe: int | Sequence[int] | None = None
    sparse_metric: SparseMetric | str | None = None


SearchParamsLike = SearchParams | Mapping[str, Any]
"""SearchParams, or the same as a dict: `{"hnsw_ef": 64}`."""


@dataclass(frozen=True, slots=True)
class SearchAfter:
    """Continues a ranking strictly after this hit, which is the last one of the page before."""

    score: float
    id: PointIdLike


SearchAfterLike = SearchAfter | ScoredPoint | tuple[float, PointIdLike] | Mapping[str, Any]
"""A position in a ranking: a hit, or its score and id, also as a dict."""


@dataclass(frozen=True, slots=True)
class LookupFrom:
    """Takes the vector of a query by id from another collection or space. None: the one that is searched."""

    collection: str | None = None
    using: str | None = None


LookupFromLike = LookupFrom | Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class PrefetchQuery:
    """A stage below the root. Without `prefetch` it searches the collection. With `prefetch` it ranks only their hits.

    `limit` None: 100; it does not depend on the stages above. The `filter` of a stage without `prefetch` is applied
    before the search.
    """

    query: QueryLike | None = None
    using: str | None = None
    limit: int | None = None
    filter: FilterLike | None = None
    params: SearchParamsLike | None = None
    score_threshold: float | None = None
    prefetch: "Sequence[PrefetchQuery | Mapping[str, Any]] | PrefetchQuery | Mapping[str, Any]" = ()
    lookup_from: LookupFromLike | None = None
    filter_scope: FilterScope | str | None = None


PrefetchLike = Sequence[PrefetchQuery | Mapping[str, Any]] | PrefetchQuery | Mapping[str, Any]
"""Stages below a query, also as dicts."""


@dataclass(frozen=True, slots=True, eq=False)
class SearchRequest:
    """One search of `points.search_batch`. The fields are the arguments of `points.search`."""

    vector: VectorLike | PointIdLike
    using: str | None = None
    limit: int | None = DEFAULT_LIMIT
    filter: FilterLike | None = None
    params: SearchParamsLike | None = None
    score_threshold: float | None = None
    offset: int | None = None
    with_payload: WithPayload = True
    with_vectors: WithVectors = False
    score_mode: ScoreMode | str | None = None
    lookup_from: LookupFromLike | None = None
    explain: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class QueryRequest:
    """One query of `points.query_batch`. The fields are the arguments of `points.query`."""

    query: QueryLike | None = None
    prefetch: PrefetchLike = ()
    using: str | None = None
    filter: FilterLike | None = None
    limit: int | None = DEFAULT_LIMIT
    params: SearchParamsLike | None = None
    score_threshold: float | None = None
    offset: int | None = None
    with_payload: WithPayload = True
    with_vectors: WithVectors = False
    lookup_from: LookupFromLike | None = None
    filter_scope: FilterScope | str | None = None
    score_mode: ScoreMode | str | None = None
    explain: bool = False
    search_after: SearchAfterLike | None = None


class Hits(Table, PartList[ScoredPoint]):
    """The points of one query, best first, in a list that prints as a table.

    `seq` is the sequence number of the commit that was read. `total` is how many points the query ranks without its
    limit; None when that is not known. `cursor` keeps that commit for the next page. It is set when the query opened or
    used a cursor and there may be a next page. `explanation` is set when the query asked to `explain`.
    """

    __slots__ = ("cursor", "explanation", "seq", "total")
    _POSITION = "rank"

    def __init__(
        self,
        points: Sequence[ScoredPoint],
        *,
        seq: int = 0,
        total: int | None = None,
        cursor: str | None = None,
        explanation: Explanation | None = None,
    ) -> None:
        super().__init__(points)
        self.seq = seq
        self.total = total
        self.cursor = cursor
        self.explanation = explanation

    def _title(self) -> str:
        return counted(len(self), "hit", self.total, self.seq)

    def _items(self) -> Sequence[ScoredPoint]:
        return self

    def _row(self, item: ScoredPoint) -> Row:
        return item.row()
