from headwater.v1 import common_pb2 as _common_pb2
from headwater.v1 import filter_pb2 as _filter_pb2
from headwater.v1 import formula_pb2 as _formula_pb2
from headwater.v1 import text_pb2 as _text_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIRECTION_UNSPECIFIED: _ClassVar[Direction]
    DIRECTION_ASCENDING: _ClassVar[Direction]
    DIRECTION_DESCENDING: _ClassVar[Direction]

class RecommendStrategy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECOMMEND_STRATEGY_UNSPECIFIED: _ClassVar[RecommendStrategy]
    RECOMMEND_STRATEGY_AVERAGE: _ClassVar[RecommendStrategy]
    RECOMMEND_STRATEGY_BEST_SCORE: _ClassVar[RecommendStrategy]
    RECOMMEND_STRATEGY_SUM_SCORES: _ClassVar[RecommendStrategy]

class Metric(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    METRIC_UNSPECIFIED: _ClassVar[Metric]
    METRIC_COSINE: _ClassVar[Metric]
    METRIC_DOT: _ClassVar[Metric]
    METRIC_EUCLID: _ClassVar[Metric]
    METRIC_MANHATTAN: _ClassVar[Metric]
    METRIC_CHEBYSHEV: _ClassVar[Metric]
    METRIC_ANGULAR: _ClassVar[Metric]

class SparseMetric(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SPARSE_METRIC_UNSPECIFIED: _ClassVar[SparseMetric]
    SPARSE_METRIC_DOT: _ClassVar[SparseMetric]
    SPARSE_METRIC_COSINE: _ClassVar[SparseMetric]
    SPARSE_METRIC_JACCARD: _ClassVar[SparseMetric]

class FilterStrategy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FILTER_STRATEGY_UNSPECIFIED: _ClassVar[FilterStrategy]
    FILTER_STRATEGY_AUTO: _ClassVar[FilterStrategy]
    FILTER_STRATEGY_PRE: _ClassVar[FilterStrategy]
    FILTER_STRATEGY_POST: _ClassVar[FilterStrategy]

class FilterScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FILTER_SCOPE_UNSPECIFIED: _ClassVar[FilterScope]
    FILTER_SCOPE_GATE: _ClassVar[FilterScope]
    FILTER_SCOPE_PUSH_DOWN: _ClassVar[FilterScope]

class ScoreMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCORE_MODE_UNSPECIFIED: _ClassVar[ScoreMode]
    SCORE_MODE_RAW: _ClassVar[ScoreMode]
    SCORE_MODE_SIMILARITY: _ClassVar[ScoreMode]
    SCORE_MODE_DISTANCE: _ClassVar[ScoreMode]

class AbsenceReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ABSENCE_REASON_UNSPECIFIED: _ClassVar[AbsenceReason]
    ABSENCE_REASON_NOT_STORED: _ClassVar[AbsenceReason]
    ABSENCE_REASON_NO_VECTOR: _ClassVar[AbsenceReason]
    ABSENCE_REASON_EXAMPLE: _ClassVar[AbsenceReason]
    ABSENCE_REASON_FILTERED: _ClassVar[AbsenceReason]
    ABSENCE_REASON_NOT_RANKED: _ClassVar[AbsenceReason]
    ABSENCE_REASON_NOT_INDEXED: _ClassVar[AbsenceReason]
    ABSENCE_REASON_NOT_FOUND_BY_INDEX: _ClassVar[AbsenceReason]
    ABSENCE_REASON_NOT_IN_PREFETCHES: _ClassVar[AbsenceReason]
    ABSENCE_REASON_THRESHOLD: _ClassVar[AbsenceReason]
    ABSENCE_REASON_NOT_DIVERSE: _ClassVar[AbsenceReason]
    ABSENCE_REASON_BEYOND_LIMIT: _ClassVar[AbsenceReason]
    ABSENCE_REASON_BEFORE_OFFSET: _ClassVar[AbsenceReason]
DIRECTION_UNSPECIFIED: Direction
DIRECTION_ASCENDING: Direction
DIRECTION_DESCENDING: Direction
RECOMMEND_STRATEGY_UNSPECIFIED: RecommendStrategy
RECOMMEND_STRATEGY_AVERAGE: RecommendStrategy
RECOMMEND_STRATEGY_BEST_SCORE: RecommendStrategy
RECOMMEND_STRATEGY_SUM_SCORES: RecommendStrategy
METRIC_UNSPECIFIED: Metric
METRIC_COSINE: Metric
METRIC_DOT: Metric
METRIC_EUCLID: Metric
METRIC_MANHATTAN: Metric
METRIC_CHEBYSHEV: Metric
METRIC_ANGULAR: Metric
SPARSE_METRIC_UNSPECIFIED: SparseMetric
SPARSE_METRIC_DOT: SparseMetric
SPARSE_METRIC_COSINE: SparseMetric
SPARSE_METRIC_JACCARD: SparseMetric
FILTER_STRATEGY_UNSPECIFIED: FilterStrategy
FILTER_STRATEGY_AUTO: FilterStrategy
FILTER_STRATEGY_PRE: FilterStrategy
FILTER_STRATEGY_POST: FilterStrategy
FILTER_SCOPE_UNSPECIFIED: FilterScope
FILTER_SCOPE_GATE: FilterScope
FILTER_SCOPE_PUSH_DOWN: FilterScope
SCORE_MODE_UNSPECIFIED: ScoreMode
SCORE_MODE_RAW: ScoreMode
SCORE_MODE_SIMILARITY: ScoreMode
SCORE_MODE_DISTANCE: ScoreMode
ABSENCE_REASON_UNSPECIFIED: AbsenceReason
ABSENCE_REASON_NOT_STORED: AbsenceReason
ABSENCE_REASON_NO_VECTOR: AbsenceReason
ABSENCE_REASON_EXAMPLE: AbsenceReason
ABSENCE_REASON_FILTERED: AbsenceReason
ABSENCE_REASON_NOT_RANKED: AbsenceReason
ABSENCE_REASON_NOT_INDEXED: AbsenceReason
ABSENCE_REASON_NOT_FOUND_BY_INDEX: AbsenceReason
ABSENCE_REASON_NOT_IN_PREFETCHES: AbsenceReason
ABSENCE_REASON_THRESHOLD: AbsenceReason
ABSENCE_REASON_NOT_DIVERSE: AbsenceReason
ABSENCE_REASON_BEYOND_LIMIT: AbsenceReason
ABSENCE_REASON_BEFORE_OFFSET: AbsenceReason

class Query(_message.Message):
    __slots__ = ("nearest", "rrf", "dbsf", "order_by", "sample", "recommend", "discover", "context", "nearest_with_mmr", "formula", "rescore", "bm25")
    NEAREST_FIELD_NUMBER: _ClassVar[int]
    RRF_FIELD_NUMBER: _ClassVar[int]
    DBSF_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    RECOMMEND_FIELD_NUMBER: _ClassVar[int]
    DISCOVER_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    NEAREST_WITH_MMR_FIELD_NUMBER: _ClassVar[int]
    FORMULA_FIELD_NUMBER: _ClassVar[int]
    RESCORE_FIELD_NUMBER: _ClassVar[int]
    BM25_FIELD_NUMBER: _ClassVar[int]
    nearest: VectorInput
    rrf: ReciprocalRankFusion
    dbsf: DistributionBasedScoreFusion
    order_by: OrderBy
    sample: Sample
    recommend: Recommend
    discover: Discover
    context: Context
    nearest_with_mmr: NearestWithMmr
    formula: _formula_pb2.Formula
    rescore: Rescore
    bm25: _text_pb2.Bm25
    def __init__(self, nearest: _Optional[_Union[VectorInput, _Mapping]] = ..., rrf: _Optional[_Union[ReciprocalRankFusion, _Mapping]] = ..., dbsf: _Optional[_Union[DistributionBasedScoreFusion, _Mapping]] = ..., order_by: _Optional[_Union[OrderBy, _Mapping]] = ..., sample: _Optional[_Union[Sample, _Mapping]] = ..., recommend: _Optional[_Union[Recommend, _Mapping]] = ..., discover: _Optional[_Union[Discover, _Mapping]] = ..., context: _Optional[_Union[Context, _Mapping]] = ..., nearest_with_mmr: _Optional[_Union[NearestWithMmr, _Mapping]] = ..., formula: _Optional[_Union[_formula_pb2.Formula, _Mapping]] = ..., rescore: _Optional[_Union[Rescore, _Mapping]] = ..., bm25: _Optional[_Union[_text_pb2.Bm25, _Mapping]] = ...) -> None: ...

class OrderBy(_message.Message):
    __slots__ = ("path", "direction", "start_integer", "start_double", "start_string")
    PATH_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    START_INTEGER_FIELD_NUMBER: _ClassVar[int]
    START_DOUBLE_FIELD_NUMBER: _ClassVar[int]
    START_STRING_FIELD_NUMBER: _ClassVar[int]
    path: str
    direction: Direction
    start_integer: int
    start_double: float
    start_string: str
    def __init__(self, path: _Optional[str] = ..., direction: _Optional[_Union[Direction, str]] = ..., start_integer: _Optional[int] = ..., start_double: _Optional[float] = ..., start_string: _Optional[str] = ...) -> None: ...

class Sample(_message.Message):
    __slots__ = ("seed",)
    SEED_FIELD_NUMBER: _ClassVar[int]
    seed: int
    def __init__(self, seed: _Optional[int] = ...) -> None: ...

class Recommend(_message.Message):
    __slots__ = ("positive", "negative", "strategy")
    POSITIVE_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    positive: _containers.RepeatedCompositeFieldContainer[VectorInput]
    negative: _containers.RepeatedCompositeFieldContainer[VectorInput]
    strategy: RecommendStrategy
    def __init__(self, positive: _Optional[_Iterable[_Union[VectorInput, _Mapping]]] = ..., negative: _Optional[_Iterable[_Union[VectorInput, _Mapping]]] = ..., strategy: _Optional[_Union[RecommendStrategy, str]] = ...) -> None: ...

class ContextPair(_message.Message):
    __slots__ = ("positive", "negative")
    POSITIVE_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_FIELD_NUMBER: _ClassVar[int]
    positive: VectorInput
    negative: VectorInput
    def __init__(self, positive: _Optional[_Union[VectorInput, _Mapping]] = ..., negative: _Optional[_Union[VectorInput, _Mapping]] = ...) -> None: ...

class Discover(_message.Message):
    __slots__ = ("target", "context")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    target: VectorInput
    context: _containers.RepeatedCompositeFieldContainer[ContextPair]
    def __init__(self, target: _Optional[_Union[VectorInput, _Mapping]] = ..., context: _Optional[_Iterable[_Union[ContextPair, _Mapping]]] = ...) -> None: ...

class Context(_message.Message):
    __slots__ = ("pairs",)
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    pairs: _containers.RepeatedCompositeFieldContainer[ContextPair]
    def __init__(self, pairs: _Optional[_Iterable[_Union[ContextPair, _Mapping]]] = ...) -> None: ...

class NearestWithMmr(_message.Message):
    __slots__ = ("nearest", "diversity", "candidates")
    NEAREST_FIELD_NUMBER: _ClassVar[int]
    DIVERSITY_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    nearest: VectorInput
    diversity: float
    candidates: int
    def __init__(self, nearest: _Optional[_Union[VectorInput, _Mapping]] = ..., diversity: _Optional[float] = ..., candidates: _Optional[int] = ...) -> None: ...

class Rescore(_message.Message):
    __slots__ = ("vector", "metric", "composite")
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    COMPOSITE_FIELD_NUMBER: _ClassVar[int]
    vector: VectorInput
    metric: Metric
    composite: _containers.RepeatedCompositeFieldContainer[WeightedMetric]
    def __init__(self, vector: _Optional[_Union[VectorInput, _Mapping]] = ..., metric: _Optional[_Union[Metric, str]] = ..., composite: _Optional[_Iterable[_Union[WeightedMetric, _Mapping]]] = ...) -> None: ...

class WeightedMetric(_message.Message):
    __slots__ = ("metric", "weight", "vector", "using")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    metric: Metric
    weight: float
    vector: VectorInput
    using: str
    def __init__(self, metric: _Optional[_Union[Metric, str]] = ..., weight: _Optional[float] = ..., vector: _Optional[_Union[VectorInput, _Mapping]] = ..., using: _Optional[str] = ...) -> None: ...

class VectorInput(_message.Message):
    __slots__ = ("vector", "id", "text")
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    vector: _common_pb2.Vector
    id: _common_pb2.PointId
    text: _common_pb2.Document
    def __init__(self, vector: _Optional[_Union[_common_pb2.Vector, _Mapping]] = ..., id: _Optional[_Union[_common_pb2.PointId, _Mapping]] = ..., text: _Optional[_Union[_common_pb2.Document, _Mapping]] = ...) -> None: ...

class ReciprocalRankFusion(_message.Message):
    __slots__ = ("k", "weights")
    K_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    k: float
    weights: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, k: _Optional[float] = ..., weights: _Optional[_Iterable[float]] = ...) -> None: ...

class DistributionBasedScoreFusion(_message.Message):
    __slots__ = ("weights",)
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    weights: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, weights: _Optional[_Iterable[float]] = ...) -> None: ...

class LookupFrom(_message.Message):
    __slots__ = ("collection_name", "using")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    using: str
    def __init__(self, collection_name: _Optional[str] = ..., using: _Optional[str] = ...) -> None: ...

class SearchParams(_message.Message):
    __slots__ = ("hnsw_ef", "exact", "indexed_only", "filter_strategy", "quantization", "ivf_nprobe", "sparse_metric")
    HNSW_EF_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    INDEXED_ONLY_FIELD_NUMBER: _ClassVar[int]
    FILTER_STRATEGY_FIELD_NUMBER: _ClassVar[int]
    QUANTIZATION_FIELD_NUMBER: _ClassVar[int]
    IVF_NPROBE_FIELD_NUMBER: _ClassVar[int]
    SPARSE_METRIC_FIELD_NUMBER: _ClassVar[int]
    hnsw_ef: int
    exact: bool
    indexed_only: bool
    filter_strategy: FilterStrategy
    quantization: QuantizationSearchParams
    ivf_nprobe: _containers.RepeatedScalarFieldContainer[int]
    sparse_metric: SparseMetric
    def __init__(self, hnsw_ef: _Optional[int] = ..., exact: _Optional[bool] = ..., indexed_only: _Optional[bool] = ..., filter_strategy: _Optional[_Union[FilterStrategy, str]] = ..., quantization: _Optional[_Union[QuantizationSearchParams, _Mapping]] = ..., ivf_nprobe: _Optional[_Iterable[int]] = ..., sparse_metric: _Optional[_Union[SparseMetric, str]] = ...) -> None: ...

class QuantizationSearchParams(_message.Message):
    __slots__ = ("rescore", "oversampling")
    RESCORE_FIELD_NUMBER: _ClassVar[int]
    OVERSAMPLING_FIELD_NUMBER: _ClassVar[int]
    rescore: bool
    oversampling: float
    def __init__(self, rescore: _Optional[bool] = ..., oversampling: _Optional[float] = ...) -> None: ...

class PrefetchQuery(_message.Message):
    __slots__ = ("prefetch", "query", "using", "filter", "params", "score_threshold", "limit", "lookup_from", "filter_scope")
    PREFETCH_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    SCORE_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    LOOKUP_FROM_FIELD_NUMBER: _ClassVar[int]
    FILTER_SCOPE_FIELD_NUMBER: _ClassVar[int]
    prefetch: _containers.RepeatedCompositeFieldContainer[PrefetchQuery]
    query: Query
    using: str
    filter: _filter_pb2.Filter
    params: SearchParams
    score_threshold: float
    limit: int
    lookup_from: LookupFrom
    filter_scope: FilterScope
    def __init__(self, prefetch: _Optional[_Iterable[_Union[PrefetchQuery, _Mapping]]] = ..., query: _Optional[_Union[Query, _Mapping]] = ..., using: _Optional[str] = ..., filter: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ..., params: _Optional[_Union[SearchParams, _Mapping]] = ..., score_threshold: _Optional[float] = ..., limit: _Optional[int] = ..., lookup_from: _Optional[_Union[LookupFrom, _Mapping]] = ..., filter_scope: _Optional[_Union[FilterScope, str]] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("root", "text", "hits", "analyzed", "seq", "microseconds", "generation")
    ROOT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    ANALYZED_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    root: ExplainNode
    text: str
    hits: _containers.RepeatedCompositeFieldContainer[HitExplanation]
    analyzed: bool
    seq: int
    microseconds: int
    generation: int
    def __init__(self, root: _Optional[_Union[ExplainNode, _Mapping]] = ..., text: _Optional[str] = ..., hits: _Optional[_Iterable[_Union[HitExplanation, _Mapping]]] = ..., analyzed: _Optional[bool] = ..., seq: _Optional[int] = ..., microseconds: _Optional[int] = ..., generation: _Optional[int] = ...) -> None: ...

class ExplainNode(_message.Message):
    __slots__ = ("operator", "stage", "attributes", "strategy", "reason", "estimated_rows", "rows_in", "rows_out", "distance_computations", "microseconds", "children")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_ROWS_FIELD_NUMBER: _ClassVar[int]
    ROWS_IN_FIELD_NUMBER: _ClassVar[int]
    ROWS_OUT_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_COMPUTATIONS_FIELD_NUMBER: _ClassVar[int]
    MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    operator: str
    stage: str
    attributes: _containers.ScalarMap[str, str]
    strategy: str
    reason: str
    estimated_rows: int
    rows_in: int
    rows_out: int
    distance_computations: int
    microseconds: int
    children: _containers.RepeatedCompositeFieldContainer[ExplainNode]
    def __init__(self, operator: _Optional[str] = ..., stage: _Optional[str] = ..., attributes: _Optional[_Mapping[str, str]] = ..., strategy: _Optional[str] = ..., reason: _Optional[str] = ..., estimated_rows: _Optional[int] = ..., rows_in: _Optional[int] = ..., rows_out: _Optional[int] = ..., distance_computations: _Optional[int] = ..., microseconds: _Optional[int] = ..., children: _Optional[_Iterable[_Union[ExplainNode, _Mapping]]] = ...) -> None: ...

class HitExplanation(_message.Message):
    __slots__ = ("id", "stages")
    ID_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    id: _common_pb2.PointId
    stages: _containers.RepeatedCompositeFieldContainer[StageRank]
    def __init__(self, id: _Optional[_Union[_common_pb2.PointId, _Mapping]] = ..., stages: _Optional[_Iterable[_Union[StageRank, _Mapping]]] = ...) -> None: ...

class StageRank(_message.Message):
    __slots__ = ("stage", "rank", "score")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    stage: str
    rank: int
    score: float
    def __init__(self, stage: _Optional[str] = ..., rank: _Optional[int] = ..., score: _Optional[float] = ...) -> None: ...

class PointExplanation(_message.Message):
    __slots__ = ("id", "exists", "returned", "stages", "verdict", "text", "reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    RETURNED_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    id: _common_pb2.PointId
    exists: bool
    returned: bool
    stages: _containers.RepeatedCompositeFieldContainer[StageOutcome]
    verdict: str
    text: str
    reason: AbsenceReason
    def __init__(self, id: _Optional[_Union[_common_pb2.PointId, _Mapping]] = ..., exists: _Optional[bool] = ..., returned: _Optional[bool] = ..., stages: _Optional[_Iterable[_Union[StageOutcome, _Mapping]]] = ..., verdict: _Optional[str] = ..., text: _Optional[str] = ..., reason: _Optional[_Union[AbsenceReason, str]] = ...) -> None: ...

class StageOutcome(_message.Message):
    __slots__ = ("stage", "operator", "reason", "rank", "score", "candidates", "failed_conditions", "text")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    FAILED_CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    stage: str
    operator: str
    reason: AbsenceReason
    rank: int
    score: float
    candidates: int
    failed_conditions: _containers.RepeatedCompositeFieldContainer[FailedCondition]
    text: str
    def __init__(self, stage: _Optional[str] = ..., operator: _Optional[str] = ..., reason: _Optional[_Union[AbsenceReason, str]] = ..., rank: _Optional[int] = ..., score: _Optional[float] = ..., candidates: _Optional[int] = ..., failed_conditions: _Optional[_Iterable[_Union[FailedCondition, _Mapping]]] = ..., text: _Optional[str] = ...) -> None: ...

class FailedCondition(_message.Message):
    __slots__ = ("path", "condition")
    PATH_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    path: str
    condition: str
    def __init__(self, path: _Optional[str] = ..., condition: _Optional[str] = ...) -> None: ...
