from headwater.v1 import common_pb2 as _common_pb2
from headwater.v1 import text_pb2 as _text_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Datatype(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATATYPE_UNSPECIFIED: _ClassVar[Datatype]
    DATATYPE_FLOAT32: _ClassVar[Datatype]
    DATATYPE_BFLOAT16: _ClassVar[Datatype]
    DATATYPE_FLOAT16: _ClassVar[Datatype]
    DATATYPE_INT8: _ClassVar[Datatype]
    DATATYPE_BINARY: _ClassVar[Datatype]

class IndexKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INDEX_KIND_UNSPECIFIED: _ClassVar[IndexKind]
    INDEX_KIND_AUTO: _ClassVar[IndexKind]
    INDEX_KIND_FLAT: _ClassVar[IndexKind]
    INDEX_KIND_HNSW: _ClassVar[IndexKind]
    INDEX_KIND_IVF: _ClassVar[IndexKind]

class HnswPreset(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HNSW_PRESET_UNSPECIFIED: _ClassVar[HnswPreset]
    HNSW_PRESET_BALANCED: _ClassVar[HnswPreset]
    HNSW_PRESET_HIGH_RECALL: _ClassVar[HnswPreset]
    HNSW_PRESET_HIGH_SPEED: _ClassVar[HnswPreset]
    HNSW_PRESET_HIGH_THROUGHPUT: _ClassVar[HnswPreset]
    HNSW_PRESET_LOW_MEMORY: _ClassVar[HnswPreset]

class MultiVectorComparator(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MULTI_VECTOR_COMPARATOR_UNSPECIFIED: _ClassVar[MultiVectorComparator]
    MULTI_VECTOR_COMPARATOR_MAX_SIM: _ClassVar[MultiVectorComparator]

class SparseModifier(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SPARSE_MODIFIER_UNSPECIFIED: _ClassVar[SparseModifier]
    SPARSE_MODIFIER_NONE: _ClassVar[SparseModifier]
    SPARSE_MODIFIER_IDF: _ClassVar[SparseModifier]

class FieldType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FIELD_TYPE_UNSPECIFIED: _ClassVar[FieldType]
    FIELD_TYPE_KEYWORD: _ClassVar[FieldType]
    FIELD_TYPE_INTEGER: _ClassVar[FieldType]
    FIELD_TYPE_FLOAT: _ClassVar[FieldType]
    FIELD_TYPE_BOOL: _ClassVar[FieldType]
    FIELD_TYPE_DATETIME: _ClassVar[FieldType]
    FIELD_TYPE_UUID: _ClassVar[FieldType]
    FIELD_TYPE_GEO: _ClassVar[FieldType]
    FIELD_TYPE_TEXT: _ClassVar[FieldType]

class FieldIndexState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FIELD_INDEX_STATE_UNSPECIFIED: _ClassVar[FieldIndexState]
    FIELD_INDEX_STATE_PENDING: _ClassVar[FieldIndexState]
    FIELD_INDEX_STATE_BUILDING: _ClassVar[FieldIndexState]
    FIELD_INDEX_STATE_READY: _ClassVar[FieldIndexState]

class SpaceState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SPACE_STATE_UNSPECIFIED: _ClassVar[SpaceState]
    SPACE_STATE_AWAITING_VECTORS: _ClassVar[SpaceState]
    SPACE_STATE_PENDING: _ClassVar[SpaceState]
    SPACE_STATE_INDEXING: _ClassVar[SpaceState]
    SPACE_STATE_READY: _ClassVar[SpaceState]
    SPACE_STATE_ERROR: _ClassVar[SpaceState]
DATATYPE_UNSPECIFIED: Datatype
DATATYPE_FLOAT32: Datatype
DATATYPE_BFLOAT16: Datatype
DATATYPE_FLOAT16: Datatype
DATATYPE_INT8: Datatype
DATATYPE_BINARY: Datatype
INDEX_KIND_UNSPECIFIED: IndexKind
INDEX_KIND_AUTO: IndexKind
INDEX_KIND_FLAT: IndexKind
INDEX_KIND_HNSW: IndexKind
INDEX_KIND_IVF: IndexKind
HNSW_PRESET_UNSPECIFIED: HnswPreset
HNSW_PRESET_BALANCED: HnswPreset
HNSW_PRESET_HIGH_RECALL: HnswPreset
HNSW_PRESET_HIGH_SPEED: HnswPreset
HNSW_PRESET_HIGH_THROUGHPUT: HnswPreset
HNSW_PRESET_LOW_MEMORY: HnswPreset
MULTI_VECTOR_COMPARATOR_UNSPECIFIED: MultiVectorComparator
MULTI_VECTOR_COMPARATOR_MAX_SIM: MultiVectorComparator
SPARSE_MODIFIER_UNSPECIFIED: SparseModifier
SPARSE_MODIFIER_NONE: SparseModifier
SPARSE_MODIFIER_IDF: SparseModifier
FIELD_TYPE_UNSPECIFIED: FieldType
FIELD_TYPE_KEYWORD: FieldType
FIELD_TYPE_INTEGER: FieldType
FIELD_TYPE_FLOAT: FieldType
FIELD_TYPE_BOOL: FieldType
FIELD_TYPE_DATETIME: FieldType
FIELD_TYPE_UUID: FieldType
FIELD_TYPE_GEO: FieldType
FIELD_TYPE_TEXT: FieldType
FIELD_INDEX_STATE_UNSPECIFIED: FieldIndexState
FIELD_INDEX_STATE_PENDING: FieldIndexState
FIELD_INDEX_STATE_BUILDING: FieldIndexState
FIELD_INDEX_STATE_READY: FieldIndexState
SPACE_STATE_UNSPECIFIED: SpaceState
SPACE_STATE_AWAITING_VECTORS: SpaceState
SPACE_STATE_PENDING: SpaceState
SPACE_STATE_INDEXING: SpaceState
SPACE_STATE_READY: SpaceState
SPACE_STATE_ERROR: SpaceState

class HnswConfig(_message.Message):
    __slots__ = ("m", "ef_construct", "ef", "preset")
    M_FIELD_NUMBER: _ClassVar[int]
    EF_CONSTRUCT_FIELD_NUMBER: _ClassVar[int]
    EF_FIELD_NUMBER: _ClassVar[int]
    PRESET_FIELD_NUMBER: _ClassVar[int]
    m: int
    ef_construct: int
    ef: int
    preset: HnswPreset
    def __init__(self, m: _Optional[int] = ..., ef_construct: _Optional[int] = ..., ef: _Optional[int] = ..., preset: _Optional[_Union[HnswPreset, str]] = ...) -> None: ...

class IvfConfig(_message.Message):
    __slots__ = ("lists", "sampling_factor", "iterations", "spherical", "seed", "nprobe")
    LISTS_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FACTOR_FIELD_NUMBER: _ClassVar[int]
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    SPHERICAL_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    NPROBE_FIELD_NUMBER: _ClassVar[int]
    lists: _containers.RepeatedScalarFieldContainer[int]
    sampling_factor: float
    iterations: int
    spherical: bool
    seed: int
    nprobe: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, lists: _Optional[_Iterable[int]] = ..., sampling_factor: _Optional[float] = ..., iterations: _Optional[int] = ..., spherical: _Optional[bool] = ..., seed: _Optional[int] = ..., nprobe: _Optional[_Iterable[int]] = ...) -> None: ...

class MultiVectorParams(_message.Message):
    __slots__ = ("comparator",)
    COMPARATOR_FIELD_NUMBER: _ClassVar[int]
    comparator: MultiVectorComparator
    def __init__(self, comparator: _Optional[_Union[MultiVectorComparator, str]] = ...) -> None: ...

class VectorParams(_message.Message):
    __slots__ = ("size", "distance", "hnsw_config", "datatype", "index", "ivf_config", "embedder", "multivector_config")
    SIZE_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_FIELD_NUMBER: _ClassVar[int]
    HNSW_CONFIG_FIELD_NUMBER: _ClassVar[int]
    DATATYPE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    IVF_CONFIG_FIELD_NUMBER: _ClassVar[int]
    EMBEDDER_FIELD_NUMBER: _ClassVar[int]
    MULTIVECTOR_CONFIG_FIELD_NUMBER: _ClassVar[int]
    size: int
    distance: _common_pb2.Distance
    hnsw_config: HnswConfig
    datatype: Datatype
    index: IndexKind
    ivf_config: IvfConfig
    embedder: str
    multivector_config: MultiVectorParams
    def __init__(self, size: _Optional[int] = ..., distance: _Optional[_Union[_common_pb2.Distance, str]] = ..., hnsw_config: _Optional[_Union[HnswConfig, _Mapping]] = ..., datatype: _Optional[_Union[Datatype, str]] = ..., index: _Optional[_Union[IndexKind, str]] = ..., ivf_config: _Optional[_Union[IvfConfig, _Mapping]] = ..., embedder: _Optional[str] = ..., multivector_config: _Optional[_Union[MultiVectorParams, _Mapping]] = ...) -> None: ...

class SparseVectorParams(_message.Message):
    __slots__ = ("modifier",)
    MODIFIER_FIELD_NUMBER: _ClassVar[int]
    modifier: SparseModifier
    def __init__(self, modifier: _Optional[_Union[SparseModifier, str]] = ...) -> None: ...

class SparseSpaceInfo(_message.Message):
    __slots__ = ("params", "vectors_count")
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    VECTORS_COUNT_FIELD_NUMBER: _ClassVar[int]
    params: SparseVectorParams
    vectors_count: int
    def __init__(self, params: _Optional[_Union[SparseVectorParams, _Mapping]] = ..., vectors_count: _Optional[int] = ...) -> None: ...

class OptimizersConfig(_message.Message):
    __slots__ = ("indexing_threshold", "auto_index")
    INDEXING_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    AUTO_INDEX_FIELD_NUMBER: _ClassVar[int]
    indexing_threshold: int
    auto_index: bool
    def __init__(self, indexing_threshold: _Optional[int] = ..., auto_index: _Optional[bool] = ...) -> None: ...

class FieldIndexParams(_message.Message):
    __slots__ = ("type", "lazy")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    LAZY_FIELD_NUMBER: _ClassVar[int]
    type: FieldType
    lazy: bool
    def __init__(self, type: _Optional[_Union[FieldType, str]] = ..., lazy: _Optional[bool] = ...) -> None: ...

class FieldIndexInfo(_message.Message):
    __slots__ = ("params", "points", "state")
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    params: FieldIndexParams
    points: int
    state: FieldIndexState
    def __init__(self, params: _Optional[_Union[FieldIndexParams, _Mapping]] = ..., points: _Optional[int] = ..., state: _Optional[_Union[FieldIndexState, str]] = ...) -> None: ...

class CollectionsCreateRequest(_message.Message):
    __slots__ = ("collection_name", "vectors", "optimizers_config", "payload_schema", "text_indexes", "sparse_vectors")
    class VectorsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: VectorParams
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[VectorParams, _Mapping]] = ...) -> None: ...
    class PayloadSchemaEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: FieldIndexParams
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[FieldIndexParams, _Mapping]] = ...) -> None: ...
    class TextIndexesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _text_pb2.TextIndexParams
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_text_pb2.TextIndexParams, _Mapping]] = ...) -> None: ...
    class SparseVectorsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: SparseVectorParams
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[SparseVectorParams, _Mapping]] = ...) -> None: ...
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    OPTIMIZERS_CONFIG_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    TEXT_INDEXES_FIELD_NUMBER: _ClassVar[int]
    SPARSE_VECTORS_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    vectors: _containers.MessageMap[str, VectorParams]
    optimizers_config: OptimizersConfig
    payload_schema: _containers.MessageMap[str, FieldIndexParams]
    text_indexes: _containers.MessageMap[str, _text_pb2.TextIndexParams]
    sparse_vectors: _containers.MessageMap[str, SparseVectorParams]
    def __init__(self, collection_name: _Optional[str] = ..., vectors: _Optional[_Mapping[str, VectorParams]] = ..., optimizers_config: _Optional[_Union[OptimizersConfig, _Mapping]] = ..., payload_schema: _Optional[_Mapping[str, FieldIndexParams]] = ..., text_indexes: _Optional[_Mapping[str, _text_pb2.TextIndexParams]] = ..., sparse_vectors: _Optional[_Mapping[str, SparseVectorParams]] = ...) -> None: ...

class CollectionsCreateResponse(_message.Message):
    __slots__ = ("collection",)
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    collection: CollectionInfo
    def __init__(self, collection: _Optional[_Union[CollectionInfo, _Mapping]] = ...) -> None: ...

class CollectionsGetRequest(_message.Message):
    __slots__ = ("collection_name",)
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    def __init__(self, collection_name: _Optional[str] = ...) -> None: ...

class CollectionsGetResponse(_message.Message):
    __slots__ = ("collection",)
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    collection: CollectionInfo
    def __init__(self, collection: _Optional[_Union[CollectionInfo, _Mapping]] = ...) -> None: ...

class SpaceInfo(_message.Message):
    __slots__ = ("params", "vectors_count", "indexed_vectors_count", "state")
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    VECTORS_COUNT_FIELD_NUMBER: _ClassVar[int]
    INDEXED_VECTORS_COUNT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    params: VectorParams
    vectors_count: int
    indexed_vectors_count: int
    state: SpaceState
    def __init__(self, params: _Optional[_Union[VectorParams, _Mapping]] = ..., vectors_count: _Optional[int] = ..., indexed_vectors_count: _Optional[int] = ..., state: _Optional[_Union[SpaceState, str]] = ...) -> None: ...

class CollectionInfo(_message.Message):
    __slots__ = ("collection_name", "vectors", "optimizers_config", "points_count", "seq", "aliases", "payload_schema", "text_indexes", "sparse_vectors")
    class VectorsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: SpaceInfo
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[SpaceInfo, _Mapping]] = ...) -> None: ...
    class PayloadSchemaEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: FieldIndexInfo
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[FieldIndexInfo, _Mapping]] = ...) -> None: ...
    class TextIndexesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _text_pb2.TextIndexParams
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_text_pb2.TextIndexParams, _Mapping]] = ...) -> None: ...
    class SparseVectorsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: SparseSpaceInfo
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[SparseSpaceInfo, _Mapping]] = ...) -> None: ...
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    OPTIMIZERS_CONFIG_FIELD_NUMBER: _ClassVar[int]
    POINTS_COUNT_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    TEXT_INDEXES_FIELD_NUMBER: _ClassVar[int]
    SPARSE_VECTORS_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    vectors: _containers.MessageMap[str, SpaceInfo]
    optimizers_config: OptimizersConfig
    points_count: int
    seq: int
    aliases: _containers.RepeatedScalarFieldContainer[str]
    payload_schema: _containers.MessageMap[str, FieldIndexInfo]
    text_indexes: _containers.MessageMap[str, _text_pb2.TextIndexParams]
    sparse_vectors: _containers.MessageMap[str, SparseSpaceInfo]
    def __init__(self, collection_name: _Optional[str] = ..., vectors: _Optional[_Mapping[str, SpaceInfo]] = ..., optimizers_config: _Optional[_Union[OptimizersConfig, _Mapping]] = ..., points_count: _Optional[int] = ..., seq: _Optional[int] = ..., aliases: _Optional[_Iterable[str]] = ..., payload_schema: _Optional[_Mapping[str, FieldIndexInfo]] = ..., text_indexes: _Optional[_Mapping[str, _text_pb2.TextIndexParams]] = ..., sparse_vectors: _Optional[_Mapping[str, SparseSpaceInfo]] = ...) -> None: ...

class CollectionsListRequest(_message.Message):
    __slots__ = ("prefix",)
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    prefix: str
    def __init__(self, prefix: _Optional[str] = ...) -> None: ...

class CollectionsListResponse(_message.Message):
    __slots__ = ("collection_names",)
    COLLECTION_NAMES_FIELD_NUMBER: _ClassVar[int]
    collection_names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, collection_names: _Optional[_Iterable[str]] = ...) -> None: ...

class CollectionsExistsRequest(_message.Message):
    __slots__ = ("collection_name",)
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    def __init__(self, collection_name: _Optional[str] = ...) -> None: ...

class CollectionsExistsResponse(_message.Message):
    __slots__ = ("exists",)
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    exists: bool
    def __init__(self, exists: _Optional[bool] = ...) -> None: ...

class VectorParamsDiff(_message.Message):
    __slots__ = ("hnsw_config", "datatype", "index", "ivf_config", "embedder")
    HNSW_CONFIG_FIELD_NUMBER: _ClassVar[int]
    DATATYPE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    IVF_CONFIG_FIELD_NUMBER: _ClassVar[int]
    EMBEDDER_FIELD_NUMBER: _ClassVar[int]
    hnsw_config: HnswConfig
    datatype: Datatype
    index: IndexKind
    ivf_config: IvfConfig
    embedder: str
    def __init__(self, hnsw_config: _Optional[_Union[HnswConfig, _Mapping]] = ..., datatype: _Optional[_Union[Datatype, str]] = ..., index: _Optional[_Union[IndexKind, str]] = ..., ivf_config: _Optional[_Union[IvfConfig, _Mapping]] = ..., embedder: _Optional[str] = ...) -> None: ...

class CollectionsUpdateRequest(_message.Message):
    __slots__ = ("collection_name", "add_vectors", "drop_vectors", "update_vectors", "optimizers_config", "add_sparse_vectors", "drop_sparse_vectors")
    class AddVectorsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: VectorParams
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[VectorParams, _Mapping]] = ...) -> None: ...
    class UpdateVectorsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: VectorParamsDiff
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[VectorParamsDiff, _Mapping]] = ...) -> None: ...
    class AddSparseVectorsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: SparseVectorParams
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[SparseVectorParams, _Mapping]] = ...) -> None: ...
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    ADD_VECTORS_FIELD_NUMBER: _ClassVar[int]
    DROP_VECTORS_FIELD_NUMBER: _ClassVar[int]
    UPDATE_VECTORS_FIELD_NUMBER: _ClassVar[int]
    OPTIMIZERS_CONFIG_FIELD_NUMBER: _ClassVar[int]
    ADD_SPARSE_VECTORS_FIELD_NUMBER: _ClassVar[int]
    DROP_SPARSE_VECTORS_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    add_vectors: _containers.MessageMap[str, VectorParams]
    drop_vectors: _containers.RepeatedScalarFieldContainer[str]
    update_vectors: _containers.MessageMap[str, VectorParamsDiff]
    optimizers_config: OptimizersConfig
    add_sparse_vectors: _containers.MessageMap[str, SparseVectorParams]
    drop_sparse_vectors: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, collection_name: _Optional[str] = ..., add_vectors: _Optional[_Mapping[str, VectorParams]] = ..., drop_vectors: _Optional[_Iterable[str]] = ..., update_vectors: _Optional[_Mapping[str, VectorParamsDiff]] = ..., optimizers_config: _Optional[_Union[OptimizersConfig, _Mapping]] = ..., add_sparse_vectors: _Optional[_Mapping[str, SparseVectorParams]] = ..., drop_sparse_vectors: _Optional[_Iterable[str]] = ...) -> None: ...

class CollectionsUpdateResponse(_message.Message):
    __slots__ = ("collection",)
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    collection: CollectionInfo
    def __init__(self, collection: _Optional[_Union[CollectionInfo, _Mapping]] = ...) -> None: ...

class CollectionsDeleteRequest(_message.Message):
    __slots__ = ("collection_name",)
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    def __init__(self, collection_name: _Optional[str] = ...) -> None: ...

class CollectionsDeleteResponse(_message.Message):
    __slots__ = ("deleted",)
    DELETED_FIELD_NUMBER: _ClassVar[int]
    deleted: bool
    def __init__(self, deleted: _Optional[bool] = ...) -> None: ...

class CreateAlias(_message.Message):
    __slots__ = ("collection_name", "alias_name")
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    ALIAS_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    alias_name: str
    def __init__(self, collection_name: _Optional[str] = ..., alias_name: _Optional[str] = ...) -> None: ...

class RenameAlias(_message.Message):
    __slots__ = ("old_alias_name", "new_alias_name")
    OLD_ALIAS_NAME_FIELD_NUMBER: _ClassVar[int]
    NEW_ALIAS_NAME_FIELD_NUMBER: _ClassVar[int]
    old_alias_name: str
    new_alias_name: str
    def __init__(self, old_alias_name: _Optional[str] = ..., new_alias_name: _Optional[str] = ...) -> None: ...

class DeleteAlias(_message.Message):
    __slots__ = ("alias_name",)
    ALIAS_NAME_FIELD_NUMBER: _ClassVar[int]
    alias_name: str
    def __init__(self, alias_name: _Optional[str] = ...) -> None: ...

class AliasOperation(_message.Message):
    __slots__ = ("create_alias", "rename_alias", "delete_alias")
    CREATE_ALIAS_FIELD_NUMBER: _ClassVar[int]
    RENAME_ALIAS_FIELD_NUMBER: _ClassVar[int]
    DELETE_ALIAS_FIELD_NUMBER: _ClassVar[int]
    create_alias: CreateAlias
    rename_alias: RenameAlias
    delete_alias: DeleteAlias
    def __init__(self, create_alias: _Optional[_Union[CreateAlias, _Mapping]] = ..., rename_alias: _Optional[_Union[RenameAlias, _Mapping]] = ..., delete_alias: _Optional[_Union[DeleteAlias, _Mapping]] = ...) -> None: ...

class CollectionsUpdateAliasesRequest(_message.Message):
    __slots__ = ("operations",)
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    operations: _containers.RepeatedCompositeFieldContainer[AliasOperation]
    def __init__(self, operations: _Optional[_Iterable[_Union[AliasOperation, _Mapping]]] = ...) -> None: ...

class CollectionsUpdateAliasesResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CollectionsListAliasesRequest(_message.Message):
    __slots__ = ("collection_name",)
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    collection_name: str
    def __init__(self, collection_name: _Optional[str] = ...) -> None: ...

class AliasDescription(_message.Message):
    __slots__ = ("alias_name", "collection_name")
    ALIAS_NAME_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    alias_name: str
    collection_name: str
    def __init__(self, alias_name: _Optional[str] = ..., collection_name: _Optional[str] = ...) -> None: ...

class CollectionsListAliasesResponse(_message.Message):
    __slots__ = ("aliases",)
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    aliases: _containers.RepeatedCompositeFieldContainer[AliasDescription]
    def __init__(self, aliases: _Optional[_Iterable[_Union[AliasDescription, _Mapping]]] = ...) -> None: ...
