from headwater.v1 import common_pb2 as _common_pb2
from headwater.v1 import filter_pb2 as _filter_pb2
from headwater.v1 import payload_pb2 as _payload_pb2
from headwater.v1 import query_pb2 as _query_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IndexSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INDEX_SOURCE_UNSPECIFIED: _ClassVar[IndexSource]
    INDEX_SOURCE_EXTERNAL: _ClassVar[IndexSource]
    INDEX_SOURCE_MANAGED: _ClassVar[IndexSource]

class ReadyPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    READY_POLICY_UNSPECIFIED: _ClassVar[ReadyPolicy]
    READY_POLICY_FIRST_VECTOR: _ClassVar[ReadyPolicy]
    READY_POLICY_FULL_COVERAGE: _ClassVar[ReadyPolicy]

class IndexStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INDEX_STATUS_UNSPECIFIED: _ClassVar[IndexStatus]
    INDEX_STATUS_AWAITING_VECTORS: _ClassVar[IndexStatus]
    INDEX_STATUS_PENDING: _ClassVar[IndexStatus]
    INDEX_STATUS_INDEXING: _ClassVar[IndexStatus]
    INDEX_STATUS_READY: _ClassVar[IndexStatus]
    INDEX_STATUS_ERROR: _ClassVar[IndexStatus]

class RecordMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECORD_MODE_UNSPECIFIED: _ClassVar[RecordMode]
    RECORD_MODE_KEEP_VECTORS: _ClassVar[RecordMode]
    RECORD_MODE_REPLACE: _ClassVar[RecordMode]
    RECORD_MODE_INSERT_ONLY: _ClassVar[RecordMode]
INDEX_SOURCE_UNSPECIFIED: IndexSource
INDEX_SOURCE_EXTERNAL: IndexSource
INDEX_SOURCE_MANAGED: IndexSource
READY_POLICY_UNSPECIFIED: ReadyPolicy
READY_POLICY_FIRST_VECTOR: ReadyPolicy
READY_POLICY_FULL_COVERAGE: ReadyPolicy
INDEX_STATUS_UNSPECIFIED: IndexStatus
INDEX_STATUS_AWAITING_VECTORS: IndexStatus
INDEX_STATUS_PENDING: IndexStatus
INDEX_STATUS_INDEXING: IndexStatus
INDEX_STATUS_READY: IndexStatus
INDEX_STATUS_ERROR: IndexStatus
RECORD_MODE_UNSPECIFIED: RecordMode
RECORD_MODE_KEEP_VECTORS: RecordMode
RECORD_MODE_REPLACE: RecordMode
RECORD_MODE_INSERT_ONLY: RecordMode

class Index(_message.Message):
    __slots__ = ("id", "label", "property_name", "source", "similarity", "dimensions", "ready_policy", "space", "embedder", "status", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PROPERTY_NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    READY_POLICY_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    EMBEDDER_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    id: str
    label: str
    property_name: str
    source: IndexSource
    similarity: _common_pb2.Distance
    dimensions: int
    ready_policy: ReadyPolicy
    space: str
    embedder: str
    status: IndexStatus
    error: str
    def __init__(self, id: _Optional[str] = ..., label: _Optional[str] = ..., property_name: _Optional[str] = ..., source: _Optional[_Union[IndexSource, str]] = ..., similarity: _Optional[_Union[_common_pb2.Distance, str]] = ..., dimensions: _Optional[int] = ..., ready_policy: _Optional[_Union[ReadyPolicy, str]] = ..., space: _Optional[str] = ..., embedder: _Optional[str] = ..., status: _Optional[_Union[IndexStatus, str]] = ..., error: _Optional[str] = ...) -> None: ...

class IndexesCreateRequest(_message.Message):
    __slots__ = ("label", "property_name", "source", "similarity", "dimensions", "ready_policy", "embedder", "space")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PROPERTY_NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    READY_POLICY_FIELD_NUMBER: _ClassVar[int]
    EMBEDDER_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    label: str
    property_name: str
    source: IndexSource
    similarity: _common_pb2.Distance
    dimensions: int
    ready_policy: ReadyPolicy
    embedder: str
    space: str
    def __init__(self, label: _Optional[str] = ..., property_name: _Optional[str] = ..., source: _Optional[_Union[IndexSource, str]] = ..., similarity: _Optional[_Union[_common_pb2.Distance, str]] = ..., dimensions: _Optional[int] = ..., ready_policy: _Optional[_Union[ReadyPolicy, str]] = ..., embedder: _Optional[str] = ..., space: _Optional[str] = ...) -> None: ...

class IndexesCreateResponse(_message.Message):
    __slots__ = ("index",)
    INDEX_FIELD_NUMBER: _ClassVar[int]
    index: Index
    def __init__(self, index: _Optional[_Union[Index, _Mapping]] = ...) -> None: ...

class IndexesGetRequest(_message.Message):
    __slots__ = ("index_id",)
    INDEX_ID_FIELD_NUMBER: _ClassVar[int]
    index_id: str
    def __init__(self, index_id: _Optional[str] = ...) -> None: ...

class IndexesGetResponse(_message.Message):
    __slots__ = ("index",)
    INDEX_FIELD_NUMBER: _ClassVar[int]
    index: Index
    def __init__(self, index: _Optional[_Union[Index, _Mapping]] = ...) -> None: ...

class IndexesListRequest(_message.Message):
    __slots__ = ("label", "property_name")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PROPERTY_NAME_FIELD_NUMBER: _ClassVar[int]
    label: str
    property_name: str
    def __init__(self, label: _Optional[str] = ..., property_name: _Optional[str] = ...) -> None: ...

class IndexesListResponse(_message.Message):
    __slots__ = ("indexes",)
    INDEXES_FIELD_NUMBER: _ClassVar[int]
    indexes: _containers.RepeatedCompositeFieldContainer[Index]
    def __init__(self, indexes: _Optional[_Iterable[_Union[Index, _Mapping]]] = ...) -> None: ...

class IndexesDeleteRequest(_message.Message):
    __slots__ = ("index_id",)
    INDEX_ID_FIELD_NUMBER: _ClassVar[int]
    index_id: str
    def __init__(self, index_id: _Optional[str] = ...) -> None: ...

class IndexesDeleteResponse(_message.Message):
    __slots__ = ("index",)
    INDEX_FIELD_NUMBER: _ClassVar[int]
    index: Index
    def __init__(self, index: _Optional[_Union[Index, _Mapping]] = ...) -> None: ...

class IndexesGetStatsRequest(_message.Message):
    __slots__ = ("index_id",)
    INDEX_ID_FIELD_NUMBER: _ClassVar[int]
    index_id: str
    def __init__(self, index_id: _Optional[str] = ...) -> None: ...

class IndexCoverage(_message.Message):
    __slots__ = ("index_id", "total", "indexed", "pending", "seq")
    INDEX_ID_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    INDEXED_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    index_id: str
    total: int
    indexed: int
    pending: int
    seq: int
    def __init__(self, index_id: _Optional[str] = ..., total: _Optional[int] = ..., indexed: _Optional[int] = ..., pending: _Optional[int] = ..., seq: _Optional[int] = ...) -> None: ...

class IndexesGetStatsResponse(_message.Message):
    __slots__ = ("coverage",)
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    coverage: IndexCoverage
    def __init__(self, coverage: _Optional[_Union[IndexCoverage, _Mapping]] = ...) -> None: ...

class IndexesRearmRequest(_message.Message):
    __slots__ = ("index_id",)
    INDEX_ID_FIELD_NUMBER: _ClassVar[int]
    index_id: str
    def __init__(self, index_id: _Optional[str] = ...) -> None: ...

class IndexesRearmResponse(_message.Message):
    __slots__ = ("index",)
    INDEX_FIELD_NUMBER: _ClassVar[int]
    index: Index
    def __init__(self, index: _Optional[_Union[Index, _Mapping]] = ...) -> None: ...

class IndexItem(_message.Message):
    __slots__ = ("record_id", "vector")
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    record_id: _common_pb2.PointId
    vector: _common_pb2.Vector
    def __init__(self, record_id: _Optional[_Union[_common_pb2.PointId, _Mapping]] = ..., vector: _Optional[_Union[_common_pb2.Vector, _Mapping]] = ...) -> None: ...

class IndexesUpsertVectorsRequest(_message.Message):
    __slots__ = ("index_id", "items", "wait")
    INDEX_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    index_id: str
    items: _containers.RepeatedCompositeFieldContainer[IndexItem]
    wait: bool
    def __init__(self, index_id: _Optional[str] = ..., items: _Optional[_Iterable[_Union[IndexItem, _Mapping]]] = ..., wait: _Optional[bool] = ...) -> None: ...

class IndexesUpsertVectorsResponse(_message.Message):
    __slots__ = ("updated", "requested", "unchanged", "seq")
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    updated: int
    requested: int
    unchanged: int
    seq: int
    def __init__(self, updated: _Optional[int] = ..., requested: _Optional[int] = ..., unchanged: _Optional[int] = ..., seq: _Optional[int] = ...) -> None: ...

class PropertyVector(_message.Message):
    __slots__ = ("property_name", "vector", "similarity", "using")
    PROPERTY_NAME_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    property_name: str
    vector: _common_pb2.Vector
    similarity: _common_pb2.Distance
    using: str
    def __init__(self, property_name: _Optional[str] = ..., vector: _Optional[_Union[_common_pb2.Vector, _Mapping]] = ..., similarity: _Optional[_Union[_common_pb2.Distance, str]] = ..., using: _Optional[str] = ...) -> None: ...

class IndexRecord(_message.Message):
    __slots__ = ("id", "payload", "vectors")
    ID_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    id: _common_pb2.PointId
    payload: _payload_pb2.Payload
    vectors: _containers.RepeatedCompositeFieldContainer[PropertyVector]
    def __init__(self, id: _Optional[_Union[_common_pb2.PointId, _Mapping]] = ..., payload: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., vectors: _Optional[_Iterable[_Union[PropertyVector, _Mapping]]] = ...) -> None: ...

class IndexesUpsertRecordsRequest(_message.Message):
    __slots__ = ("label", "records", "mode", "wait")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    label: str
    records: _containers.RepeatedCompositeFieldContainer[IndexRecord]
    mode: RecordMode
    wait: bool
    def __init__(self, label: _Optional[str] = ..., records: _Optional[_Iterable[_Union[IndexRecord, _Mapping]]] = ..., mode: _Optional[_Union[RecordMode, str]] = ..., wait: _Optional[bool] = ...) -> None: ...

class IndexesUpsertRecordsResponse(_message.Message):
    __slots__ = ("written", "skipped", "seq")
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    written: int
    skipped: int
    seq: int
    def __init__(self, written: _Optional[int] = ..., skipped: _Optional[int] = ..., seq: _Optional[int] = ...) -> None: ...

class IndexesSearchRequest(_message.Message):
    __slots__ = ("labels", "property_name", "query_vector", "query_text", "similarity", "source", "using", "where", "limit", "offset", "score_threshold", "score_mode", "params", "with_payload", "with_vectors")
    LABELS_FIELD_NUMBER: _ClassVar[int]
    PROPERTY_NAME_FIELD_NUMBER: _ClassVar[int]
    QUERY_VECTOR_FIELD_NUMBER: _ClassVar[int]
    QUERY_TEXT_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    SCORE_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    SCORE_MODE_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    WITH_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    WITH_VECTORS_FIELD_NUMBER: _ClassVar[int]
    labels: _containers.RepeatedScalarFieldContainer[str]
    property_name: str
    query_vector: _common_pb2.Vector
    query_text: str
    similarity: _common_pb2.Distance
    source: IndexSource
    using: str
    where: _filter_pb2.Filter
    limit: int
    offset: int
    score_threshold: float
    score_mode: _query_pb2.ScoreMode
    params: _query_pb2.SearchParams
    with_payload: _common_pb2.WithPayloadSelector
    with_vectors: _common_pb2.WithVectorsSelector
    def __init__(self, labels: _Optional[_Iterable[str]] = ..., property_name: _Optional[str] = ..., query_vector: _Optional[_Union[_common_pb2.Vector, _Mapping]] = ..., query_text: _Optional[str] = ..., similarity: _Optional[_Union[_common_pb2.Distance, str]] = ..., source: _Optional[_Union[IndexSource, str]] = ..., using: _Optional[str] = ..., where: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ..., limit: _Optional[int] = ..., offset: _Optional[int] = ..., score_threshold: _Optional[float] = ..., score_mode: _Optional[_Union[_query_pb2.ScoreMode, str]] = ..., params: _Optional[_Union[_query_pb2.SearchParams, _Mapping]] = ..., with_payload: _Optional[_Union[_common_pb2.WithPayloadSelector, _Mapping]] = ..., with_vectors: _Optional[_Union[_common_pb2.WithVectorsSelector, _Mapping]] = ...) -> None: ...

class IndexHit(_message.Message):
    __slots__ = ("label", "point")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    label: str
    point: _common_pb2.ScoredPoint
    def __init__(self, label: _Optional[str] = ..., point: _Optional[_Union[_common_pb2.ScoredPoint, _Mapping]] = ...) -> None: ...

class IndexesSearchResponse(_message.Message):
    __slots__ = ("hits", "coverage")
    HITS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[IndexHit]
    coverage: _containers.RepeatedCompositeFieldContainer[IndexCoverage]
    def __init__(self, hits: _Optional[_Iterable[_Union[IndexHit, _Mapping]]] = ..., coverage: _Optional[_Iterable[_Union[IndexCoverage, _Mapping]]] = ...) -> None: ...
