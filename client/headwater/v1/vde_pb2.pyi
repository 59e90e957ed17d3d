from headwater.v1 import collections_pb2 as _collections_pb2
from headwater.v1 import common_pb2 as _common_pb2
from headwater.v1 import filter_pb2 as _filter_pb2
from headwater.v1 import query_pb2 as _query_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CollectionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COLLECTION_STATE_UNSPECIFIED: _ClassVar[CollectionState]
    COLLECTION_STATE_READY: _ClassVar[CollectionState]
    COLLECTION_STATE_REBUILDING: _ClassVar[CollectionState]
    COLLECTION_STATE_LOADING: _ClassVar[CollectionState]
    COLLECTION_STATE_CLOSED: _ClassVar[CollectionState]
    COLLECTION_STATE_ERROR: _ClassVar[CollectionState]

class TaskKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TASK_KIND_UNSPECIFIED: _ClassVar[TaskKind]
    TASK_KIND_BUILD: _ClassVar[TaskKind]
    TASK_KIND_MERGE: _ClassVar[TaskKind]
    TASK_KIND_VACUUM: _ClassVar[TaskKind]
    TASK_KIND_REBUILD: _ClassVar[TaskKind]
COLLECTION_STATE_UNSPECIFIED: CollectionState
COLLECTION_STATE_READY: CollectionState
COLLECTION_STATE_REBUILDING: CollectionState
COLLECTION_STATE_LOADING: CollectionState
COLLECTION_STATE_CLOSED: CollectionState
COLLECTION_STATE_ERROR: CollectionState
TASK_KIND_UNSPECIFIED: TaskKind
TASK_KIND_BUILD: TaskKind
TASK_KIND_MERGE: TaskKind
TASK_KIND_VACUUM: TaskKind
TASK_KIND_REBUILD: TaskKind

class VDEOpenRequest(_message.Message):
    __slots__ = ("collection_name",)
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    def __init__(self, collection_name: _Optional[str] = ...) -> None: ...

class VDEOpenResponse(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: CollectionState
    def __init__(self, state: _Optional[_Union[CollectionState, str]] = ...) -> None: ...

class VDECloseRequest(_message.Message):
    __slots__ = ("collection_name",)
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    def __init__(self, collection_name: _Optional[str] = ...) -> None: ...

class VDECloseResponse(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: CollectionState
    def __init__(self, state: _Optional[_Union[CollectionState, str]] = ...) -> None: ...

class VDEGetStateRequest(_message.Message):
    __slots__ = ("collection_name",)
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    def __init__(self, collection_name: _Optional[str] = ...) -> None: ...

class VDEGetStateResponse(_message.Message):
    __slots__ = ("state", "reason", "spaces", "warnings")
    class SpacesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _collections_pb2.SpaceState
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_collections_pb2.SpaceState, str]] = ...) -> None: ...
    class WarningsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SPACES_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    state: CollectionState
    reason: str
    spaces: _containers.ScalarMap[str, _collections_pb2.SpaceState]
    warnings: _containers.ScalarMap[str, str]
    def __init__(self, state: _Optional[_Union[CollectionState, str]] = ..., reason: _Optional[str] = ..., spaces: _Optional[_Mapping[str, _collections_pb2.SpaceState]] = ..., warnings: _Optional[_Mapping[str, str]] = ...) -> None: ...

class VDEGetVectorCountRequest(_message.Message):
    __slots__ = ("collection_name",)
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    def __init__(self, collection_name: _Optional[str] = ...) -> None: ...

class VDEGetVectorCountResponse(_message.Message):
    __slots__ = ("count", "spaces")
    class SpacesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SPACES_FIELD_NUMBER: _ClassVar[int]
    count: int
    spaces: _containers.ScalarMap[str, int]
    def __init__(self, count: _Optional[int] = ..., spaces: _Optional[_Mapping[str, int]] = ...) -> None: ...

class VDEGetStatsRequest(_message.Message):
    __slots__ = ("collection_name",)
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    def __init__(self, collection_name: _Optional[str] = ...) -> None: ...

class SpaceStats(_message.Message):
    __slots__ = ("vectors", "indexed_vectors", "tail_vectors", "deleted_vectors", "segments", "disk_bytes", "mapped_bytes", "index", "datatype", "recall", "warning")
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    INDEXED_VECTORS_FIELD_NUMBER: _ClassVar[int]
    TAIL_VECTORS_FIELD_NUMBER: _ClassVar[int]
    DELETED_VECTORS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    DISK_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAPPED_BYTES_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    DATATYPE_FIELD_NUMBER: _ClassVar[int]
    RECALL_FIELD_NUMBER: _ClassVar[int]
    WARNING_FIELD_NUMBER: _ClassVar[int]
    vectors: int
    indexed_vectors: int
    tail_vectors: int
    deleted_vectors: int
    segments: int
    disk_bytes: int
    mapped_bytes: int
    index: str
    datatype: str
    recall: float
    warning: str
    def __init__(self, vectors: _Optional[int] = ..., indexed_vectors: _Optional[int] = ..., tail_vectors: _Optional[int] = ..., deleted_vectors: _Optional[int] = ..., segments: _Optional[int] = ..., disk_bytes: _Optional[int] = ..., mapped_bytes: _Optional[int] = ..., index: _Optional[str] = ..., datatype: _Optional[str] = ..., recall: _Optional[float] = ..., warning: _Optional[str] = ...) -> None: ...

class VDEGetStatsResponse(_message.Message):
    __slots__ = ("points", "total", "spaces", "payload_disk_bytes", "seq", "failed_writes", "last_failed_write", "generation")
    class SpacesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: SpaceStats
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[SpaceStats, _Mapping]] = ...) -> None: ...
    POINTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    SPACES_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_DISK_BYTES_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    FAILED_WRITES_FIELD_NUMBER: _ClassVar[int]
    LAST_FAILED_WRITE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    points: int
    total: SpaceStats
    spaces: _containers.MessageMap[str, SpaceStats]
    payload_disk_bytes: int
    seq: int
    failed_writes: int
    last_failed_write: str
    generation: int
    def __init__(self, points: _Optional[int] = ..., total: _Optional[_Union[SpaceStats, _Mapping]] = ..., spaces: _Optional[_Mapping[str, SpaceStats]] = ..., payload_disk_bytes: _Optional[int] = ..., seq: _Optional[int] = ..., failed_writes: _Optional[int] = ..., last_failed_write: _Optional[str] = ..., generation: _Optional[int] = ...) -> None: ...

class VDEFlushRequest(_message.Message):
    __slots__ = ("collection_name",)
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    def __init__(self, collection_name: _Optional[str] = ...) -> None: ...

class VDEFlushResponse(_message.Message):
    __slots__ = ("seq",)
    SEQ_FIELD_NUMBER: _ClassVar[int]
    seq: int
    def __init__(self, seq: _Optional[int] = ...) -> None: ...

class VDEOptimizeRequest(_message.Message):
    __slots__ = ("collection_name", "wait")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    wait: bool
    def __init__(self, collection_name: _Optional[str] = ..., wait: _Optional[bool] = ...) -> None: ...

class VDEOptimizeResponse(_message.Message):
    __slots__ = ("tasks",)
    TASKS_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[RebuildTask]
    def __init__(self, tasks: _Optional[_Iterable[_Union[RebuildTask, _Mapping]]] = ...) -> None: ...

class VDERebuildIndexRequest(_message.Message):
    __slots__ = ("collection_name", "using", "wait")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    using: str
    wait: bool
    def __init__(self, collection_name: _Optional[str] = ..., using: _Optional[str] = ..., wait: _Optional[bool] = ...) -> None: ...

class VDERebuildIndexResponse(_message.Message):
    __slots__ = ("tasks",)
    TASKS_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[RebuildTask]
    def __init__(self, tasks: _Optional[_Iterable[_Union[RebuildTask, _Mapping]]] = ...) -> None: ...

class VDETriggerRebuildRequest(_message.Message):
    __slots__ = ("collection_name", "using", "partition_id", "dry_run", "max_build_memory_bytes")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    PARTITION_ID_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    MAX_BUILD_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    using: str
    partition_id: str
    dry_run: bool
    max_build_memory_bytes: int
    def __init__(self, collection_name: _Optional[str] = ..., using: _Optional[str] = ..., partition_id: _Optional[str] = ..., dry_run: _Optional[bool] = ..., max_build_memory_bytes: _Optional[int] = ...) -> None: ...

class VDETriggerRebuildResponse(_message.Message):
    __slots__ = ("task_id", "task_ids", "estimates")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_IDS_FIELD_NUMBER: _ClassVar[int]
    ESTIMATES_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    task_ids: _containers.RepeatedScalarFieldContainer[str]
    estimates: _containers.RepeatedCompositeFieldContainer[BuildEstimate]
    def __init__(self, task_id: _Optional[str] = ..., task_ids: _Optional[_Iterable[str]] = ..., estimates: _Optional[_Iterable[_Union[BuildEstimate, _Mapping]]] = ...) -> None: ...

class BuildEstimate(_message.Message):
    __slots__ = ("using", "rows", "index", "lists", "sample_rows", "peak_memory_bytes", "seconds")
    USING_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    LISTS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_ROWS_FIELD_NUMBER: _ClassVar[int]
    PEAK_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    using: str
    rows: int
    index: str
    lists: _containers.RepeatedScalarFieldContainer[int]
    sample_rows: int
    peak_memory_bytes: int
    seconds: float
    def __init__(self, using: _Optional[str] = ..., rows: _Optional[int] = ..., index: _Optional[str] = ..., lists: _Optional[_Iterable[int]] = ..., sample_rows: _Optional[int] = ..., peak_memory_bytes: _Optional[int] = ..., seconds: _Optional[float] = ...) -> None: ...

class VDESampleVectorsRequest(_message.Message):
    __slots__ = ("collection_name", "using", "count", "seed")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    using: str
    count: int
    seed: int
    def __init__(self, collection_name: _Optional[str] = ..., using: _Optional[str] = ..., count: _Optional[int] = ..., seed: _Optional[int] = ...) -> None: ...

class VDESampleVectorsResponse(_message.Message):
    __slots__ = ("ids", "vectors", "size")
    IDS_FIELD_NUMBER: _ClassVar[int]
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedCompositeFieldContainer[_common_pb2.PointId]
    vectors: bytes
    size: int
    def __init__(self, ids: _Optional[_Iterable[_Union[_common_pb2.PointId, _Mapping]]] = ..., vectors: _Optional[bytes] = ..., size: _Optional[int] = ...) -> None: ...

class PartitionHeader(_message.Message):
    __slots__ = ("collection_name", "using", "from_collection", "from_using")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    FROM_COLLECTION_FIELD_NUMBER: _ClassVar[int]
    FROM_USING_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    using: str
    from_collection: str
    from_using: str
    def __init__(self, collection_name: _Optional[str] = ..., using: _Optional[str] = ..., from_collection: _Optional[str] = ..., from_using: _Optional[str] = ...) -> None: ...

class PartitionRow(_message.Message):
    __slots__ = ("id", "parent", "vector")
    ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    id: int
    parent: int
    vector: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, id: _Optional[int] = ..., parent: _Optional[int] = ..., vector: _Optional[_Iterable[float]] = ...) -> None: ...

class PartitionRows(_message.Message):
    __slots__ = ("rows",)
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[PartitionRow]
    def __init__(self, rows: _Optional[_Iterable[_Union[PartitionRow, _Mapping]]] = ...) -> None: ...

class VDEImportPartitionRequest(_message.Message):
    __slots__ = ("header", "rows")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    header: PartitionHeader
    rows: PartitionRows
    def __init__(self, header: _Optional[_Union[PartitionHeader, _Mapping]] = ..., rows: _Optional[_Union[PartitionRows, _Mapping]] = ...) -> None: ...

class VDEImportPartitionResponse(_message.Message):
    __slots__ = ("partition_id", "lists", "checksum")
    PARTITION_ID_FIELD_NUMBER: _ClassVar[int]
    LISTS_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    partition_id: str
    lists: _containers.RepeatedScalarFieldContainer[int]
    checksum: int
    def __init__(self, partition_id: _Optional[str] = ..., lists: _Optional[_Iterable[int]] = ..., checksum: _Optional[int] = ...) -> None: ...

class VDEDeletePartitionRequest(_message.Message):
    __slots__ = ("collection_name", "using")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    using: str
    def __init__(self, collection_name: _Optional[str] = ..., using: _Optional[str] = ...) -> None: ...

class VDEDeletePartitionResponse(_message.Message):
    __slots__ = ("deleted",)
    DELETED_FIELD_NUMBER: _ClassVar[int]
    deleted: bool
    def __init__(self, deleted: _Optional[bool] = ...) -> None: ...

class RebuildTask(_message.Message):
    __slots__ = ("task_id", "collection_name", "phase", "done", "total", "eta_seconds", "kind", "using", "started", "finished", "error", "reclaimed_bytes")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    ETA_SECONDS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    RECLAIMED_BYTES_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    collection_name: str
    phase: str
    done: int
    total: int
    eta_seconds: float
    kind: TaskKind
    using: str
    started: float
    finished: float
    error: str
    reclaimed_bytes: int
    def __init__(self, task_id: _Optional[str] = ..., collection_name: _Optional[str] = ..., phase: _Optional[str] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., eta_seconds: _Optional[float] = ..., kind: _Optional[_Union[TaskKind, str]] = ..., using: _Optional[str] = ..., started: _Optional[float] = ..., finished: _Optional[float] = ..., error: _Optional[str] = ..., reclaimed_bytes: _Optional[int] = ...) -> None: ...

class VDEGetRebuildTaskRequest(_message.Message):
    __slots__ = ("task_id",)
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    def __init__(self, task_id: _Optional[str] = ...) -> None: ...

class VDEGetRebuildTaskResponse(_message.Message):
    __slots__ = ("task",)
    TASK_FIELD_NUMBER: _ClassVar[int]
    task: RebuildTask
    def __init__(self, task: _Optional[_Union[RebuildTask, _Mapping]] = ...) -> None: ...

class VDEListRebuildTasksRequest(_message.Message):
    __slots__ = ("collection_name",)
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    def __init__(self, collection_name: _Optional[str] = ...) -> None: ...

class VDEListRebuildTasksResponse(_message.Message):
    __slots__ = ("tasks",)
    TASKS_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[RebuildTask]
    def __init__(self, tasks: _Optional[_Iterable[_Union[RebuildTask, _Mapping]]] = ...) -> None: ...

class VDECancelRebuildTaskRequest(_message.Message):
    __slots__ = ("task_id",)
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    def __init__(self, task_id: _Optional[str] = ...) -> None: ...

class VDECancelRebuildTaskResponse(_message.Message):
    __slots__ = ("task",)
    TASK_FIELD_NUMBER: _ClassVar[int]
    task: RebuildTask
    def __init__(self, task: _Optional[_Union[RebuildTask, _Mapping]] = ...) -> None: ...

class VDECompactCollectionRequest(_message.Message):
    __slots__ = ("collection_name", "wait")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    wait: bool
    def __init__(self, collection_name: _Optional[str] = ..., wait: _Optional[bool] = ...) -> None: ...

class VDECompactCollectionResponse(_message.Message):
    __slots__ = ("task_id", "reclaimed_bytes", "tasks")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    RECLAIMED_BYTES_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    reclaimed_bytes: int
    tasks: _containers.RepeatedCompositeFieldContainer[RebuildTask]
    def __init__(self, task_id: _Optional[str] = ..., reclaimed_bytes: _Optional[int] = ..., tasks: _Optional[_Iterable[_Union[RebuildTask, _Mapping]]] = ...) -> None: ...

class VDEGetOptimizationsRequest(_message.Message):
    __slots__ = ("collection_name",)
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    def __init__(self, collection_name: _Optional[str] = ...) -> None: ...

class VDEGetOptimizationsResponse(_message.Message):
    __slots__ = ("tasks",)
    TASKS_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[RebuildTask]
    def __init__(self, tasks: _Optional[_Iterable[_Union[RebuildTask, _Mapping]]] = ...) -> None: ...

class VDEEvaluateRecallRequest(_message.Message):
    __slots__ = ("collection_name", "using", "k", "queries", "sample", "filter", "params", "seed")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    using: str
    k: int
    queries: _containers.RepeatedCompositeFieldContainer[_common_pb2.Vector]
    sample: int
    filter: _filter_pb2.Filter
    params: _query_pb2.SearchParams
    seed: int
    def __init__(self, collection_name: _Optional[str] = ..., using: _Optional[str] = ..., k: _Optional[int] = ..., queries: _Optional[_Iterable[_Union[_common_pb2.Vector, _Mapping]]] = ..., sample: _Optional[int] = ..., filter: _Optional[_Union[_filter_pb2.Filter, _Mapping]] = ..., params: _Optional[_Union[_query_pb2.SearchParams, _Mapping]] = ..., seed: _Optional[int] = ...) -> None: ...

class VDEEvaluateRecallResponse(_message.Message):
    __slots__ = ("average", "minimum", "p10", "queries", "seq")
    AVERAGE_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    P10_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    average: float
    minimum: float
    p10: float
    queries: int
    seq: int
    def __init__(self, average: _Optional[float] = ..., minimum: _Optional[float] = ..., p10: _Optional[float] = ..., queries: _Optional[int] = ..., seq: _Optional[int] = ...) -> None: ...

class VDEPrewarmRequest(_message.Message):
    __slots__ = ("collection_name", "using")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    USING_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    using: str
    def __init__(self, collection_name: _Optional[str] = ..., using: _Optional[str] = ...) -> None: ...

class VDEPrewarmResponse(_message.Message):
    __slots__ = ("bytes",)
    BYTES_FIELD_NUMBER: _ClassVar[int]
    bytes: int
    def __init__(self, bytes: _Optional[int] = ...) -> None: ...

class VDECloneCollectionRequest(_message.Message):
    __slots__ = ("collection_name", "target_collection_name")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    TARGET_COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    target_collection_name: str
    def __init__(self, collection_name: _Optional[str] = ..., target_collection_name: _Optional[str] = ...) -> None: ...

class VDECloneCollectionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SnapshotInfo(_message.Message):
    __slots__ = ("snapshot_name", "collection_name", "size_bytes", "seq", "created")
    SNAPSHOT_NAME_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    snapshot_name: str
    collection_name: str
    size_bytes: int
    seq: int
    created: float
    def __init__(self, snapshot_name: _Optional[str] = ..., collection_name: _Optional[str] = ..., size_bytes: _Optional[int] = ..., seq: _Optional[int] = ..., created: _Optional[float] = ...) -> None: ...

class VDECreateSnapshotRequest(_message.Message):
    __slots__ = ("collection_name", "snapshot_name")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    snapshot_name: str
    def __init__(self, collection_name: _Optional[str] = ..., snapshot_name: _Optional[str] = ...) -> None: ...

class VDECreateSnapshotResponse(_message.Message):
    __slots__ = ("snapshot",)
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    snapshot: SnapshotInfo
    def __init__(self, snapshot: _Optional[_Union[SnapshotInfo, _Mapping]] = ...) -> None: ...

class VDEListSnapshotsRequest(_message.Message):
    __slots__ = ("collection_name",)
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    def __init__(self, collection_name: _Optional[str] = ...) -> None: ...

class VDEListSnapshotsResponse(_message.Message):
    __slots__ = ("snapshots",)
    SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    snapshots: _containers.RepeatedCompositeFieldContainer[SnapshotInfo]
    def __init__(self, snapshots: _Optional[_Iterable[_Union[SnapshotInfo, _Mapping]]] = ...) -> None: ...

class VDEDeleteSnapshotRequest(_message.Message):
    __slots__ = ("collection_name", "snapshot_name")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    snapshot_name: str
    def __init__(self, collection_name: _Optional[str] = ..., snapshot_name: _Optional[str] = ...) -> None: ...

class VDEDeleteSnapshotResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VDERestoreSnapshotRequest(_message.Message):
    __slots__ = ("collection_name", "snapshot_name", "target_collection_name")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_NAME_FIELD_NUMBER: _ClassVar[int]
    TARGET_COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    snapshot_name: str
    target_collection_name: str
    def __init__(self, collection_name: _Optional[str] = ..., snapshot_name: _Optional[str] = ..., target_collection_name: _Optional[str] = ...) -> None: ...

class VDERestoreSnapshotResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VDEDownloadSnapshotRequest(_message.Message):
    __slots__ = ("collection_name", "snapshot_name")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    snapshot_name: str
    def __init__(self, collection_name: _Optional[str] = ..., snapshot_name: _Optional[str] = ...) -> None: ...

class VDEDownloadSnapshotResponse(_message.Message):
    __slots__ = ("size_bytes", "chunk")
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    size_bytes: int
    chunk: bytes
    def __init__(self, size_bytes: _Optional[int] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class VDEUploadSnapshotRequest(_message.Message):
    __slots__ = ("header", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: UploadHeader
    chunk: bytes
    def __init__(self, header: _Optional[_Union[UploadHeader, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class UploadHeader(_message.Message):
    __slots__ = ("collection_name", "snapshot_name", "size_bytes")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    snapshot_name: str
    size_bytes: int
    def __init__(self, collection_name: _Optional[str] = ..., snapshot_name: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class VDEUploadSnapshotResponse(_message.Message):
    __slots__ = ("snapshot",)
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    snapshot: SnapshotInfo
    def __init__(self, snapshot: _Optional[_Union[SnapshotInfo, _Mapping]] = ...) -> None: ...
