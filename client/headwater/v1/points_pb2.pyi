from headwater.v1 import collections_pb2 as _collections_pb2
from headwater.v1 import common_pb2 as _common_pb2
from headwater.v1 import filter_pb2 as _filter_pb2
from headwater.v1 import payload_pb2 as _payload_pb2
from headwater.v1 import query_pb2 as _query_pb2
from headwater.v1 import text_pb2 as _text_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UpdateStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UPDATE_STATUS_UNSPECIFIED: _ClassVar[UpdateStatus]
    UPDATE_STATUS_ACKNOWLEDGED: _ClassVar[UpdateStatus]
    UPDATE_STATUS_COMPLETED: _ClassVar[UpdateStatus]

class UpsertMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UPSERT_MODE_UNSPECIFIED: _ClassVar[UpsertMode]
    UPSERT_MODE_UPSERT: _ClassVar[UpsertMode]
    UPSERT_MODE_INSERT_ONLY: _ClassVar[UpsertMode]
    UPSERT_MODE_UPDATE_ONLY: _ClassVar[UpsertMode]

class Comparison(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPARISON_UNSPECIFIED: _ClassVar[Comparison]
    COMPARISON_LESS: _ClassVar[Comparison]
    COMPARISON_LESS_OR_EQUAL: _ClassVar[Comparison]
    COMPARISON_EQUAL: _ClassVar[Comparison]
    COMPARISON_GREATER_OR_EQUAL: _ClassVar[Comparison]
    COMPARISON_GREATER: _ClassVar[Comparison]

class AggregationKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGGREGATION_KIND_UNSPECIFIED: _ClassVar[AggregationKind]
    AGGREGATION_KIND_COUNT: _ClassVar[AggregationKind]
    AGGREGATION_KIND_SUM: _ClassVar[AggregationKind]
    AGGREGATION_KIND_MIN: _ClassVar[AggregationKind]
    AGGREGATION_KIND_MAX: _ClassVar[AggregationKind]
    AGGREGATION_KIND_AVG: _ClassVar[AggregationKind]
    AGGREGATION_KIND_COUNT_DISTINCT: _ClassVar[AggregationKind]
UPDATE_STATUS_UNSPECIFIED: UpdateStatus
UPDATE_STATUS_ACKNOWLEDGED: UpdateStatus
UPDATE_STATUS_COMPLETED: UpdateStatus
UPSERT_MODE_UNSPECIFIED: UpsertMode
UPSERT_MODE_UPSERT: UpsertMode
UPSERT_MODE_INSERT_ONLY: UpsertMode
UPSERT_MODE_UPDATE_ONLY: UpsertMode
COMPARISON_UNSPECIFIED: Comparison
COMPARISON_LESS: Comparison
COMPARISON_LESS_OR_EQUAL: Comparison
COMPARISON_EQUAL: Comparison
COMPARISON_GREATER_OR_EQUAL: Comparison
COMPARISON_GREATER: Comparison
AGGREGATION_KIND_UNSPECIFIED: AggregationKind
AGGREGATION_KIND_COUNT: AggregationKind
AGGREGATION_KIND_SUM: AggregationKind
AGGREGATION_KIND_MIN: AggregationKind
AGGREGATION_KIND_MAX: AggregationKind
AGGREGATION_KIND_AVG: AggregationKind
AGGREGATION_KIND_COUNT_DISTINCT: AggregationKind

class PointsSelector(_message.Message):
    __slots__ = ("ids", "filter")
    IDS_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ids: _common_pb2.PointIdList
    filter: _filter_pb2.Filter
    def __init__(self, ids: _Optional[_Union[_common_pb2.PointIdList, _Mapping]] = ..., filter: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ...) -> None: ...

class UpdateResult(_message.Message):
    __slots__ = ("status", "seq", "affected", "skipped")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    AFFECTED_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    status: UpdateStatus
    seq: int
    affected: int
    skipped: int
    def __init__(self, status: _Optional[_Union[UpdateStatus, str]] = ..., seq: _Optional[int] = ..., affected: _Optional[int] = ..., skipped: _Optional[int] = ...) -> None: ...

class StoredComparison(_message.Message):
    __slots__ = ("path", "comparison", "new_path")
    PATH_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    NEW_PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    comparison: Comparison
    new_path: str
    def __init__(self, path: _Optional[str] = ..., comparison: _Optional[_Union[Comparison, str]] = ..., new_path: _Optional[str] = ...) -> None: ...

class PointsUpsertRequest(_message.Message):
    __slots__ = ("collection_name", "points", "wait", "mode", "condition", "compare")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    COMPARE_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    points: _containers.RepeatedCompositeFieldContainer[_common_pb2.PointStruct]
    wait: bool
    mode: UpsertMode
    condition: _filter_pb2.Filter
    compare: _containers.RepeatedCompositeFieldContainer[StoredComparison]
    def __init__(self, collection_name: _Optional[str] = ..., points: _Optional[_Iterable[_Union[_common_pb2.PointStruct, _Mapping]]] = ..., wait: _Optional[bool] = ..., mode: _Optional[_Union[UpsertMode, str]] = ..., condition: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ..., compare: _Optional[_Iterable[_Union[StoredComparison, _Mapping]]] = ...) -> None: ...

class PointsUpsertResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: UpdateResult
    def __init__(self, result: _Optional[_Union[UpdateResult, _Mapping]] = ...) -> None: ...

class PointsGetRequest(_message.Message):
    __slots__ = ("collection_name", "ids", "with_payload", "with_vectors")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    WITH_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    WITH_VECTORS_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    ids: _containers.RepeatedCompositeFieldContainer[_common_pb2.PointId]
    with_payload: _common_pb2.WithPayloadSelector
    with_vectors: _common_pb2.WithVectorsSelector
    def __init__(self, collection_name: _Optional[str] = ..., ids: _Optional[_Iterable[_Union[_common_pb2.PointId, _Mapping]]] = ..., with_payload: _Optional[_Union[_common_pb2.WithPayloadSelector, _Mapping]] = ..., with_vectors: _Optional[_Union[_common_pb2.WithVectorsSelector, _Mapping]] = ...) -> None: ...

class PointsGetResponse(_message.Message):
    __slots__ = ("points", "missing_ids")
    POINTS_FIELD_NUMBER: _ClassVar[int]
    MISSING_IDS_FIELD_NUMBER: _ClassVar[int]
    points: _containers.RepeatedCompositeFieldContainer[_common_pb2.RetrievedPoint]
    missing_ids: _containers.RepeatedCompositeFieldContainer[_common_pb2.PointId]
    def __init__(self, points: _Optional[_Iterable[_Union[_common_pb2.RetrievedPoint, _Mapping]]] = ..., missing_ids: _Optional[_Iterable[_Union[_common_pb2.PointId, _Mapping]]] = ...) -> None: ...

class PointsDeleteRequest(_message.Message):
    __slots__ = ("collection_name", "selector", "wait", "condition")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    SELECTOR_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    selector: PointsSelector
    wait: bool
    condition: _filter_pb2.Filter
    def __init__(self, collection_name: _Optional[str] = ..., selector: _Optional[_Union[PointsSelector, _Mapping]] = ..., wait: _Optional[bool] = ..., condition: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ...) -> None: ...

class PointsDeleteResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: UpdateResult
    def __init__(self, result: _Optional[_Union[UpdateResult, _Mapping]] = ...) -> None: ...

class PointVectors(_message.Message):
    __slots__ = ("id", "vectors")
    class VectorsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _common_pb2.Vector
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_common_pb2.Vector, _Mapping]] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    id: _common_pb2.PointId
    vectors: _containers.MessageMap[str, _common_pb2.Vector]
    def __init__(self, id: _Optional[_Union[_common_pb2.PointId, _Mapping]] = ..., vectors: _Optional[_Mapping[str, _common_pb2.Vector]] = ...) -> None: ...

class PointsUpdateVectorsRequest(_message.Message):
    __slots__ = ("collection_name", "points", "wait", "condition")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    points: _containers.RepeatedCompositeFieldContainer[PointVectors]
    wait: bool
    condition: _filter_pb2.Filter
    def __init__(self, collection_name: _Optional[str] = ..., points: _Optional[_Iterable[_Union[PointVectors, _Mapping]]] = ..., wait: _Optional[bool] = ..., condition: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ...) -> None: ...

class PointsUpdateVectorsResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: UpdateResult
    def __init__(self, result: _Optional[_Union[UpdateResult, _Mapping]] = ...) -> None: ...

class PointsDeleteVectorsRequest(_message.Message):
    __slots__ = ("collection_name", "selector", "using", "wait")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    SELECTOR_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    selector: PointsSelector
    using: _containers.RepeatedScalarFieldContainer[str]
    wait: bool
    def __init__(self, collection_name: _Optional[str] = ..., selector: _Optional[_Union[PointsSelector, _Mapping]] = ..., using: _Optional[_Iterable[str]] = ..., wait: _Optional[bool] = ...) -> None: ...

class PointsDeleteVectorsResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: UpdateResult
    def __init__(self, result: _Optional[_Union[UpdateResult, _Mapping]] = ...) -> None: ...

class PointsSetPayloadRequest(_message.Message):
    __slots__ = ("collection_name", "selector", "payload", "key", "wait", "condition", "compare")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    SELECTOR_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    COMPARE_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    selector: PointsSelector
    payload: _payload_pb2.Payload
    key: str
    wait: bool
    condition: _filter_pb2.Filter
    compare: _containers.RepeatedCompositeFieldContainer[StoredComparison]
    def __init__(self, collection_name: _Optional[str] = ..., selector: _Optional[_Union[PointsSelector, _Mapping]] = ..., payload: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., key: _Optional[str] = ..., wait: _Optional[bool] = ..., condition: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ..., compare: _Optional[_Iterable[_Union[StoredComparison, _Mapping]]] = ...) -> None: ...

class PointsSetPayloadResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: UpdateResult
    def __init__(self, result: _Optional[_Union[UpdateResult, _Mapping]] = ...) -> None: ...

class PointsOverwritePayloadRequest(_message.Message):
    __slots__ = ("collection_name", "selector", "payload", "wait", "condition", "compare")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    SELECTOR_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    COMPARE_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    selector: PointsSelector
    payload: _payload_pb2.Payload
    wait: bool
    condition: _filter_pb2.Filter
    compare: _containers.RepeatedCompositeFieldContainer[StoredComparison]
    def __init__(self, collection_name: _Optional[str] = ..., selector: _Optional[_Union[PointsSelector, _Mapping]] = ..., payload: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., wait: _Optional[bool] = ..., condition: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ..., compare: _Optional[_Iterable[_Union[StoredComparison, _Mapping]]] = ...) -> None: ...

class PointsOverwritePayloadResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: UpdateResult
    def __init__(self, result: _Optional[_Union[UpdateResult, _Mapping]] = ...) -> None: ...

class PointsDeletePayloadRequest(_message.Message):
    __slots__ = ("collection_name", "selector", "keys", "wait")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    SELECTOR_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    selector: PointsSelector
    keys: _containers.RepeatedScalarFieldContainer[str]
    wait: bool
    def __init__(self, collection_name: _Optional[str] = ..., selector: _Optional[_Union[PointsSelector, _Mapping]] = ..., keys: _Optional[_Iterable[str]] = ..., wait: _Optional[bool] = ...) -> None: ...

class PointsDeletePayloadResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: UpdateResult
    def __init__(self, result: _Optional[_Union[UpdateResult, _Mapping]] = ...) -> None: ...

class PointsClearPayloadRequest(_message.Message):
    __slots__ = ("collection_name", "selector", "wait")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    SELECTOR_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    selector: PointsSelector
    wait: bool
    def __init__(self, collection_name: _Optional[str] = ..., selector: _Optional[_Union[PointsSelector, _Mapping]] = ..., wait: _Optional[bool] = ...) -> None: ...

class PointsClearPayloadResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: UpdateResult
    def __init__(self, result: _Optional[_Union[UpdateResult, _Mapping]] = ...) -> None: ...

class PointsSearchRequest(_message.Message):
    __slots__ = ("collection_name", "vector", "using", "filter", "params", "score_threshold", "limit", "offset", "with_payload", "with_vectors", "score_mode", "explain", "lookup_from")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    SCORE_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    WITH_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    WITH_VECTORS_FIELD_NUMBER: _ClassVar[int]
    SCORE_MODE_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    LOOKUP_FROM_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    vector: _query_pb2.VectorInput
    using: str
    filter: _filter_pb2.Filter
    params: _query_pb2.SearchParams
    score_threshold: float
    limit: int
    offset: int
    with_payload: _common_pb2.WithPayloadSelector
    with_vectors: _common_pb2.WithVectorsSelector
    score_mode: _query_pb2.ScoreMode
    explain: bool
    lookup_from: _query_pb2.LookupFrom
    def __init__(self, collection_name: _Optional[str] = ..., vector: _Optional[_Union[_query_pb2.VectorInput, _Mapping]] = ..., using: _Optional[str] = ..., filter: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ..., params: _Optional[_Union[_query_pb2.SearchParams, _Mapping]] = ..., score_threshold: _Optional[float] = ..., limit: _Optional[int] = ..., offset: _Optional[int] = ..., with_payload: _Optional[_Union[_common_pb2.WithPayloadSelector, _Mapping]] = ..., with_vectors: _Optional[_Union[_common_pb2.WithVectorsSelector, _Mapping]] = ..., score_mode: _Optional[_Union[_query_pb2.ScoreMode, str]] = ..., explain: _Optional[bool] = ..., lookup_from: _Optional[_Union[_query_pb2.LookupFrom, _Mapping]] = ...) -> None: ...

class PointsSearchResponse(_message.Message):
    __slots__ = ("result", "microseconds")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    result: QueryResult
    microseconds: int
    def __init__(self, result: _Optional[_Union[QueryResult, _Mapping]] = ..., microseconds: _Optional[int] = ...) -> None: ...

class PointsSearchBatchRequest(_message.Message):
    __slots__ = ("collection_name", "searches")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    SEARCHES_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    searches: _containers.RepeatedCompositeFieldContainer[PointsSearchRequest]
    def __init__(self, collection_name: _Optional[str] = ..., searches: _Optional[_Iterable[_Union[PointsSearchRequest, _Mapping]]] = ...) -> None: ...

class PointsSearchBatchResponse(_message.Message):
    __slots__ = ("results", "microseconds")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[QueryResult]
    microseconds: int
    def __init__(self, results: _Optional[_Iterable[_Union[QueryResult, _Mapping]]] = ..., microseconds: _Optional[int] = ...) -> None: ...

class PointsQueryRequest(_message.Message):
    __slots__ = ("collection_name", "prefetch", "query", "using", "filter", "params", "score_threshold", "limit", "offset", "with_payload", "with_vectors", "lookup_from", "filter_scope", "score_mode", "explain", "search_after", "cursor_ttl_seconds", "cursor")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    PREFETCH_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    SCORE_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    WITH_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    WITH_VECTORS_FIELD_NUMBER: _ClassVar[int]
    LOOKUP_FROM_FIELD_NUMBER: _ClassVar[int]
    FILTER_SCOPE_FIELD_NUMBER: _ClassVar[int]
    SCORE_MODE_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    SEARCH_AFTER_FIELD_NUMBER: _ClassVar[int]
    CURSOR_TTL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    prefetch: _containers.RepeatedCompositeFieldContainer[_query_pb2.PrefetchQuery]
    query: _query_pb2.Query
    using: str
    filter: _filter_pb2.Filter
    params: _query_pb2.SearchParams
    score_threshold: float
    limit: int
    offset: int
    with_payload: _common_pb2.WithPayloadSelector
    with_vectors: _common_pb2.WithVectorsSelector
    lookup_from: _query_pb2.LookupFrom
    filter_scope: _query_pb2.FilterScope
    score_mode: _query_pb2.ScoreMode
    explain: bool
    search_after: SearchAfter
    cursor_ttl_seconds: int
    cursor: str
    def __init__(self, collection_name: _Optional[str] = ..., prefetch: _Optional[_Iterable[_Union[_query_pb2.PrefetchQuery, _Mapping]]] = ..., query: _Optional[_Union[_query_pb2.Query, _Mapping]] = ..., using: _Optional[str] = ..., filter: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ..., params: _Optional[_Union[_query_pb2.SearchParams, _Mapping]] = ..., score_threshold: _Optional[float] = ..., limit: _Optional[int] = ..., offset: _Optional[int] = ..., with_payload: _Optional[_Union[_common_pb2.WithPayloadSelector, _Mapping]] = ..., with_vectors: _Optional[_Union[_common_pb2.WithVectorsSelector, _Mapping]] = ..., lookup_from: _Optional[_Union[_query_pb2.LookupFrom, _Mapping]] = ..., filter_scope: _Optional[_Union[_query_pb2.FilterScope, str]] = ..., score_mode: _Optional[_Union[_query_pb2.ScoreMode, str]] = ..., explain: _Optional[bool] = ..., search_after: _Optional[_Union[SearchAfter, _Mapping]] = ..., cursor_ttl_seconds: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class SearchAfter(_message.Message):
    __slots__ = ("score", "id")
    SCORE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    score: float
    id: _common_pb2.PointId
    def __init__(self, score: _Optional[float] = ..., id: _Optional[_Union[_common_pb2.PointId, _Mapping]] = ...) -> None: ...

class QueryResult(_message.Message):
    __slots__ = ("points", "explanation", "seq", "total")
    POINTS_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    points: _containers.RepeatedCompositeFieldContainer[_common_pb2.ScoredPoint]
    explanation: _query_pb2.Explanation
    seq: int
    total: int
    def __init__(self, points: _Optional[_Iterable[_Union[_common_pb2.ScoredPoint, _Mapping]]] = ..., explanation: _Optional[_Union[_query_pb2.Explanation, _Mapping]] = ..., seq: _Optional[int] = ..., total: _Optional[int] = ...) -> None: ...

class PointsQueryResponse(_message.Message):
    __slots__ = ("result", "microseconds", "cursor")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    result: QueryResult
    microseconds: int
    cursor: str
    def __init__(self, result: _Optional[_Union[QueryResult, _Mapping]] = ..., microseconds: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class PointsQueryBatchRequest(_message.Message):
    __slots__ = ("collection_name", "queries")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    queries: _containers.RepeatedCompositeFieldContainer[PointsQueryRequest]
    def __init__(self, collection_name: _Optional[str] = ..., queries: _Optional[_Iterable[_Union[PointsQueryRequest, _Mapping]]] = ...) -> None: ...

class PointsQueryBatchResponse(_message.Message):
    __slots__ = ("results", "microseconds")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[QueryResult]
    microseconds: int
    def __init__(self, results: _Optional[_Iterable[_Union[QueryResult, _Mapping]]] = ..., microseconds: _Optional[int] = ...) -> None: ...

class PointsExplainRequest(_message.Message):
    __slots__ = ("query", "analyze")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    ANALYZE_FIELD_NUMBER: _ClassVar[int]
    query: PointsQueryRequest
    analyze: bool
    def __init__(self, query: _Optional[_Union[PointsQueryRequest, _Mapping]] = ..., analyze: _Optional[bool] = ...) -> None: ...

class PointsExplainResponse(_message.Message):
    __slots__ = ("explanation",)
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    explanation: _query_pb2.Explanation
    def __init__(self, explanation: _Optional[_Union[_query_pb2.Explanation, _Mapping]] = ...) -> None: ...

class PointsExplainPointRequest(_message.Message):
    __slots__ = ("query", "ids")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    query: PointsQueryRequest
    ids: _containers.RepeatedCompositeFieldContainer[_common_pb2.PointId]
    def __init__(self, query: _Optional[_Union[PointsQueryRequest, _Mapping]] = ..., ids: _Optional[_Iterable[_Union[_common_pb2.PointId, _Mapping]]] = ...) -> None: ...

class PointsExplainPointResponse(_message.Message):
    __slots__ = ("points", "seq")
    POINTS_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    points: _containers.RepeatedCompositeFieldContainer[_query_pb2.PointExplanation]
    seq: int
    def __init__(self, points: _Optional[_Iterable[_Union[_query_pb2.PointExplanation, _Mapping]]] = ..., seq: _Optional[int] = ...) -> None: ...

class PointsQueryGroupsRequest(_message.Message):
    __slots__ = ("query", "group_by", "group_size", "with_lookup")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    GROUP_SIZE_FIELD_NUMBER: _ClassVar[int]
    WITH_LOOKUP_FIELD_NUMBER: _ClassVar[int]
    query: PointsQueryRequest
    group_by: str
    group_size: int
    with_lookup: GroupLookup
    def __init__(self, query: _Optional[_Union[PointsQueryRequest, _Mapping]] = ..., group_by: _Optional[str] = ..., group_size: _Optional[int] = ..., with_lookup: _Optional[_Union[GroupLookup, _Mapping]] = ...) -> None: ...

class GroupLookup(_message.Message):
    __slots__ = ("collection_name", "with_payload", "with_vectors")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    WITH_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    WITH_VECTORS_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    with_payload: _common_pb2.WithPayloadSelector
    with_vectors: _common_pb2.WithVectorsSelector
    def __init__(self, collection_name: _Optional[str] = ..., with_payload: _Optional[_Union[_common_pb2.WithPayloadSelector, _Mapping]] = ..., with_vectors: _Optional[_Union[_common_pb2.WithVectorsSelector, _Mapping]] = ...) -> None: ...

class PointGroup(_message.Message):
    __slots__ = ("value", "points", "lookup")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    LOOKUP_FIELD_NUMBER: _ClassVar[int]
    value: _payload_pb2.Value
    points: _containers.RepeatedCompositeFieldContainer[_common_pb2.ScoredPoint]
    lookup: _common_pb2.RetrievedPoint
    def __init__(self, value: _Optional[_Union[_payload_pb2.Value, _Mapping]] = ..., points: _Optional[_Iterable[_Union[_common_pb2.ScoredPoint, _Mapping]]] = ..., lookup: _Optional[_Union[_common_pb2.RetrievedPoint, _Mapping]] = ...) -> None: ...

class PointsQueryGroupsResponse(_message.Message):
    __slots__ = ("groups", "explanation", "seq", "microseconds")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[PointGroup]
    explanation: _query_pb2.Explanation
    seq: int
    microseconds: int
    def __init__(self, groups: _Optional[_Iterable[_Union[PointGroup, _Mapping]]] = ..., explanation: _Optional[_Union[_query_pb2.Explanation, _Mapping]] = ..., seq: _Optional[int] = ..., microseconds: _Optional[int] = ...) -> None: ...

class PointsFacetRequest(_message.Message):
    __slots__ = ("collection_name", "key", "filter", "limit")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    key: str
    filter: _filter_pb2.Filter
    limit: int
    def __init__(self, collection_name: _Optional[str] = ..., key: _Optional[str] = ..., filter: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ..., limit: _Optional[int] = ...) -> None: ...

class FacetHit(_message.Message):
    __slots__ = ("value", "count")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    value: _payload_pb2.Value
    count: int
    def __init__(self, value: _Optional[_Union[_payload_pb2.Value, _Mapping]] = ..., count: _Optional[int] = ...) -> None: ...

class PointsFacetResponse(_message.Message):
    __slots__ = ("hits", "value_count", "seq", "microseconds")
    HITS_FIELD_NUMBER: _ClassVar[int]
    VALUE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[FacetHit]
    value_count: int
    seq: int
    microseconds: int
    def __init__(self, hits: _Optional[_Iterable[_Union[FacetHit, _Mapping]]] = ..., value_count: _Optional[int] = ..., seq: _Optional[int] = ..., microseconds: _Optional[int] = ...) -> None: ...

class Aggregation(_message.Message):
    __slots__ = ("kind", "path")
    KIND_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    kind: AggregationKind
    path: str
    def __init__(self, kind: _Optional[_Union[AggregationKind, str]] = ..., path: _Optional[str] = ...) -> None: ...

class PointsAggregateRequest(_message.Message):
    __slots__ = ("collection_name", "aggregations", "group_by", "filter", "limit")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    AGGREGATIONS_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    aggregations: _containers.RepeatedCompositeFieldContainer[Aggregation]
    group_by: str
    filter: _filter_pb2.Filter
    limit: int
    def __init__(self, collection_name: _Optional[str] = ..., aggregations: _Optional[_Iterable[_Union[Aggregation, _Mapping]]] = ..., group_by: _Optional[str] = ..., filter: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ..., limit: _Optional[int] = ...) -> None: ...

class AggregateGroup(_message.Message):
    __slots__ = ("value", "count", "results")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    value: _payload_pb2.Value
    count: int
    results: _containers.RepeatedCompositeFieldContainer[_payload_pb2.Value]
    def __init__(self, value: _Optional[_Union[_payload_pb2.Value, _Mapping]] = ..., count: _Optional[int] = ..., results: _Optional[_Iterable[_Union[_payload_pb2.Value, _Mapping]]] = ...) -> None: ...

class PointsAggregateResponse(_message.Message):
    __slots__ = ("groups", "group_count", "seq", "microseconds")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    GROUP_COUNT_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[AggregateGroup]
    group_count: int
    seq: int
    microseconds: int
    def __init__(self, groups: _Optional[_Iterable[_Union[AggregateGroup, _Mapping]]] = ..., group_count: _Optional[int] = ..., seq: _Optional[int] = ..., microseconds: _Optional[int] = ...) -> None: ...

class PointsSearchMatrixPairsRequest(_message.Message):
    __slots__ = ("collection_name", "sample", "limit", "using", "filter", "seed")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    sample: int
    limit: int
    using: str
    filter: _filter_pb2.Filter
    seed: int
    def __init__(self, collection_name: _Optional[str] = ..., sample: _Optional[int] = ..., limit: _Optional[int] = ..., using: _Optional[str] = ..., filter: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ..., seed: _Optional[int] = ...) -> None: ...

class MatrixPair(_message.Message):
    __slots__ = ("a", "b", "score")
    A_FIELD_NUMBER: _ClassVar[int]
    B_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    a: _common_pb2.PointId
    b: _common_pb2.PointId
    score: float
    def __init__(self, a: _Optional[_Union[_common_pb2.PointId, _Mapping]] = ..., b: _Optional[_Union[_common_pb2.PointId, _Mapping]] = ..., score: _Optional[float] = ...) -> None: ...

class PointsSearchMatrixPairsResponse(_message.Message):
    __slots__ = ("pairs", "seq", "microseconds")
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    pairs: _containers.RepeatedCompositeFieldContainer[MatrixPair]
    seq: int
    microseconds: int
    def __init__(self, pairs: _Optional[_Iterable[_Union[MatrixPair, _Mapping]]] = ..., seq: _Optional[int] = ..., microseconds: _Optional[int] = ...) -> None: ...

class PointsSearchMatrixOffsetsRequest(_message.Message):
    __slots__ = ("collection_name", "sample", "limit", "using", "filter", "seed")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    sample: int
    limit: int
    using: str
    filter: _filter_pb2.Filter
    seed: int
    def __init__(self, collection_name: _Optional[str] = ..., sample: _Optional[int] = ..., limit: _Optional[int] = ..., using: _Optional[str] = ..., filter: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ..., seed: _Optional[int] = ...) -> None: ...

class PointsSearchMatrixOffsetsResponse(_message.Message):
    __slots__ = ("ids", "offsets_row", "offsets_col", "scores", "seq", "microseconds")
    IDS_FIELD_NUMBER: _ClassVar[int]
    OFFSETS_ROW_FIELD_NUMBER: _ClassVar[int]
    OFFSETS_COL_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedCompositeFieldContainer[_common_pb2.PointId]
    offsets_row: _containers.RepeatedScalarFieldContainer[int]
    offsets_col: _containers.RepeatedScalarFieldContainer[int]
    scores: _containers.RepeatedScalarFieldContainer[float]
    seq: int
    microseconds: int
    def __init__(self, ids: _Optional[_Iterable[_Union[_common_pb2.PointId, _Mapping]]] = ..., offsets_row: _Optional[_Iterable[int]] = ..., offsets_col: _Optional[_Iterable[int]] = ..., scores: _Optional[_Iterable[float]] = ..., seq: _Optional[int] = ..., microseconds: _Optional[int] = ...) -> None: ...

class PointsScrollRequest(_message.Message):
    __slots__ = ("collection_name", "filter", "offset", "limit", "with_payload", "with_vectors", "cursor_ttl_seconds", "cursor")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    WITH_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    WITH_VECTORS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_TTL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    filter: _filter_pb2.Filter
    offset: _common_pb2.PointId
    limit: int
    with_payload: _common_pb2.WithPayloadSelector
    with_vectors: _common_pb2.WithVectorsSelector
    cursor_ttl_seconds: int
    cursor: str
    def __init__(self, collection_name: _Optional[str] = ..., filter: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ..., offset: _Optional[_Union[_common_pb2.PointId, _Mapping]] = ..., limit: _Optional[int] = ..., with_payload: _Optional[_Union[_common_pb2.WithPayloadSelector, _Mapping]] = ..., with_vectors: _Optional[_Union[_common_pb2.WithVectorsSelector, _Mapping]] = ..., cursor_ttl_seconds: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class PointsScrollResponse(_message.Message):
    __slots__ = ("points", "next_offset", "seq", "cursor")
    POINTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_OFFSET_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    points: _containers.RepeatedCompositeFieldContainer[_common_pb2.RetrievedPoint]
    next_offset: _common_pb2.PointId
    seq: int
    cursor: str
    def __init__(self, points: _Optional[_Iterable[_Union[_common_pb2.RetrievedPoint, _Mapping]]] = ..., next_offset: _Optional[_Union[_common_pb2.PointId, _Mapping]] = ..., seq: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class PointsCloseCursorRequest(_message.Message):
    __slots__ = ("cursor",)
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    def __init__(self, cursor: _Optional[str] = ...) -> None: ...

class PointsCloseCursorResponse(_message.Message):
    __slots__ = ("closed",)
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    closed: bool
    def __init__(self, closed: _Optional[bool] = ...) -> None: ...

class PointsCountRequest(_message.Message):
    __slots__ = ("collection_name", "filter")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    filter: _filter_pb2.Filter
    def __init__(self, collection_name: _Optional[str] = ..., filter: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ...) -> None: ...

class PointsCountResponse(_message.Message):
    __slots__ = ("count", "seq")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    count: int
    seq: int
    def __init__(self, count: _Optional[int] = ..., seq: _Optional[int] = ...) -> None: ...

class UpdateOperation(_message.Message):
    __slots__ = ("upsert", "delete_points", "update_vectors", "delete_vectors", "set_payload", "overwrite_payload", "delete_payload", "clear_payload")
    UPSERT_FIELD_NUMBER: _ClassVar[int]
    DELETE_POINTS_FIELD_NUMBER: _ClassVar[int]
    UPDATE_VECTORS_FIELD_NUMBER: _ClassVar[int]
    DELETE_VECTORS_FIELD_NUMBER: _ClassVar[int]
    SET_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    OVERWRITE_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    DELETE_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    CLEAR_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    upsert: PointsUpsertRequest
    delete_points: PointsDeleteRequest
    update_vectors: PointsUpdateVectorsRequest
    delete_vectors: PointsDeleteVectorsRequest
    set_payload: PointsSetPayloadRequest
    overwrite_payload: PointsOverwritePayloadRequest
    delete_payload: PointsDeletePayloadRequest
    clear_payload: PointsClearPayloadRequest
    def __init__(self, upsert: _Optional[_Union[PointsUpsertRequest, _Mapping]] = ..., delete_points: _Optional[_Union[PointsDeleteRequest, _Mapping]] = ..., update_vectors: _Optional[_Union[PointsUpdateVectorsRequest, _Mapping]] = ..., delete_vectors: _Optional[_Union[PointsDeleteVectorsRequest, _Mapping]] = ..., set_payload: _Optional[_Union[PointsSetPayloadRequest, _Mapping]] = ..., overwrite_payload: _Optional[_Union[PointsOverwritePayloadRequest, _Mapping]] = ..., delete_payload: _Optional[_Union[PointsDeletePayloadRequest, _Mapping]] = ..., clear_payload: _Optional[_Union[PointsClearPayloadRequest, _Mapping]] = ...) -> None: ...

class PointsUpdateBatchRequest(_message.Message):
    __slots__ = ("collection_name", "operations", "wait")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    operations: _containers.RepeatedCompositeFieldContainer[UpdateOperation]
    wait: bool
    def __init__(self, collection_name: _Optional[str] = ..., operations: _Optional[_Iterable[_Union[UpdateOperation, _Mapping]]] = ..., wait: _Optional[bool] = ...) -> None: ...

class PointsUpdateBatchResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[UpdateResult]
    def __init__(self, results: _Optional[_Iterable[_Union[UpdateResult, _Mapping]]] = ...) -> None: ...

class PointsCreateFieldIndexRequest(_message.Message):
    __slots__ = ("collection_name", "path", "params", "wait")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    path: str
    params: _collections_pb2.FieldIndexParams
    wait: bool
    def __init__(self, collection_name: _Optional[str] = ..., path: _Optional[str] = ..., params: _Optional[_Union[_collections_pb2.FieldIndexParams, _Mapping]] = ..., wait: _Optional[bool] = ...) -> None: ...

class PointsCreateFieldIndexResponse(_message.Message):
    __slots__ = ("index",)
    INDEX_FIELD_NUMBER: _ClassVar[int]
    index: _collections_pb2.FieldIndexInfo
    def __init__(self, index: _Optional[_Union[_collections_pb2.FieldIndexInfo, _Mapping]] = ...) -> None: ...

class PointsDeleteFieldIndexRequest(_message.Message):
    __slots__ = ("collection_name", "path")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    path: str
    def __init__(self, collection_name: _Optional[str] = ..., path: _Optional[str] = ...) -> None: ...

class PointsDeleteFieldIndexResponse(_message.Message):
    __slots__ = ("deleted",)
    DELETED_FIELD_NUMBER: _ClassVar[int]
    deleted: bool
    def __init__(self, deleted: _Optional[bool] = ...) -> None: ...

class PointsCreateTextIndexRequest(_message.Message):
    __slots__ = ("collection_name", "path", "params")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    path: str
    params: _text_pb2.TextIndexParams
    def __init__(self, collection_name: _Optional[str] = ..., path: _Optional[str] = ..., params: _Optional[_Union[_text_pb2.TextIndexParams, _Mapping]] = ...) -> None: ...

class PointsCreateTextIndexResponse(_message.Message):
    __slots__ = ("changed",)
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    def __init__(self, changed: _Optional[bool] = ...) -> None: ...

class PointsDeleteTextIndexRequest(_message.Message):
    __slots__ = ("collection_name", "path")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    path: str
    def __init__(self, collection_name: _Optional[str] = ..., path: _Optional[str] = ...) -> None: ...

class PointsDeleteTextIndexResponse(_message.Message):
    __slots__ = ("deleted",)
    DELETED_FIELD_NUMBER: _ClassVar[int]
    deleted: bool
    def __init__(self, deleted: _Optional[bool] = ...) -> None: ...
