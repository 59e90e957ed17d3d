"""Schemas and contents of collections: messages <-> storage types. Storage checks the values."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from headwater.v1 import collections_pb2 as wire
from headwater.v1 import common_pb2
from planner.payload_index import FieldIndexStatus
from server.convert.field_paths import enum_value, join
from server.convert.payload_schema import field_index_info, payload_schema_of
from server.convert.text import text_index_message, text_indexes_of
from storage.errors import InvalidName, InvalidRequest
from storage.schema import (
    CollectionSchema,
    CollectionStats,
    Datatype,
    DenseSpace,
    Distance,
    HnswConfig,
    HnswConfigDiff,
    HnswPreset,
    IndexKind,
    IvfConfig,
    IvfConfigDiff,
    MultiSpace,
    SchemaChange,
    SpaceDiff,
    SpaceSchema,
    SpaceState,
    SpaceStats,
    SparseModifier,
    SparseSpace,
    default_datatype,
)

DISTANCES: Mapping[int, Distance] = {
    common_pb2.DISTANCE_COSINE: Distance.COSINE,
    common_pb2.DISTANCE_DOT: Distance.DOT,
    common_pb2.DISTANCE_EUCLID: Distance.EUCLID,
    common_pb2.DISTANCE_MANHATTAN: Distance.MANHATTAN,
    common_pb2.DISTANCE_HAMMING: Distance.HAMMING,
    common_pb2.DISTANCE_JACCARD: Distance.JACCARD,
}
DATATYPES: Mapping[int, Datatype] = {
    wire.DATATYPE_FLOAT32: Datatype.FLOAT32,
    wire.DATATYPE_BFLOAT16: Datatype.BFLOAT16,
    wire.DATATYPE_FLOAT16: Datatype.FLOAT16,
    wire.DATATYPE_INT8: Datatype.INT8,
    wire.DATATYPE_BINARY: Datatype.BINARY,
}
INDEX_KINDS: Mapping[int, IndexKind] = {
    wire.INDEX_KIND_AUTO: IndexKind.AUTO,
    wire.INDEX_KIND_FLAT: IndexKind.FLAT,
    wire.INDEX_KIND_HNSW: IndexKind.HNSW,
    wire.INDEX_KIND_IVF: IndexKind.IVF,
}
HNSW_PRESETS: Mapping[int, HnswPreset] = {
    wire.HNSW_PRESET_BALANCED: HnswPreset.BALANCED,
    wire.HNSW_PRESET_HIGH_RECALL: HnswPreset.HIGH_RECALL,
    wire.HNSW_PRESET_HIGH_SPEED: HnswPreset.HIGH_SPEED,
    wire.HNSW_PRESET_HIGH_THROUGHPUT: HnswPreset.HIGH_THROUGHPUT,
    wire.HNSW_PRESET_LOW_MEMORY: HnswPreset.LOW_MEMORY,
}
COMPARATORS: Mapping[int, str] = {
    wire.MULTI_VECTOR_COMPARATOR_UNSPECIFIED: "max_sim",
    wire.MULTI_VECTOR_COMPARATOR_MAX_SIM: "max_sim",
}
SPARSE_MODIFIERS: Mapping[int, SparseModifier] = {
    wire.SPARSE_MODIFIER_UNSPECIFIED: SparseModifier.NONE,
    wire.SPARSE_MODIFIER_NONE: SparseModifier.NONE,
    wire.SPARSE_MODIFIER_IDF: SparseModifier.IDF,
}
SPACE_STATES: Mapping[SpaceState, wire.SpaceState] = {
    SpaceState.AWAITING_VECTORS: wire.SPACE_STATE_AWAITING_VECTORS,
    SpaceState.PENDING: wire.SPACE_STATE_PENDING,
    SpaceState.INDEXING: wire.SPACE_STATE_INDEXING,
    SpaceState.READY: wire.SPACE_STATE_READY,
    SpaceState.ERROR: wire.SPACE_STATE_ERROR,
}
_DISTANCE_NUMBERS = {distance: number for number, distance in DISTANCES.items()}
_DATATYPE_NUMBERS = {datatype: number for number, datatype in DATATYPES.items()}
_SPARSE_MODIFIER_NUMBERS = {modifier: number for number, modifier in SPARSE_MODIFIERS.items()}
_INDEX_KIND_NUMBERS = {kind: number for number, kind in INDEX_KINDS.items()}


def schema_of(request: wire.CollectionsCreateRequest) -> CollectionSchema:
    """The schema of a new collection."""
    schema = CollectionSchema(
        spaces=_spaces_of(request.vectors, request.sparse_vectors, ""),
        text_indexes=text_indexes_of(request.text_indexes, "text_indexes"),
        field_indexes=payload_schema_of(request.payload_schema),
    )
    given: dict[str, Any] = {
        "indexing_threshold": _threshold_of(request.optimizers_config),
        "auto_index": _auto_index_of(request),
    }
    return replace(schema, **{name: value for name, value in given.items() if value is not None})


def change_of(request: wire.CollectionsUpdateRequest) -> SchemaChange:
    """The change of schema that a request asks for."""
    return SchemaChange(
        add=_spaces_of(request.add_vectors, request.add_sparse_vectors, "add_"),
        drop=tuple(request.drop_vectors),
        drop_sparse=tuple(request.drop_sparse_vectors),
        update={
            name: _space_diff_of(diff, f'update_vectors["{name}"]') for name, diff in request.update_vectors.items()
        },
        indexing_threshold=_threshold_of(request.optimizers_config),
        auto_index=_auto_index_of(request),
    )


def collection_info(
    name: str,
    schema: CollectionSchema,
    stats: CollectionStats,
    aliases: Sequence[str],
    payload_schema: Mapping[str, FieldIndexStatus],
) -> wire.CollectionInfo:
    """Settings and counts of a collection, with all defaults filled in. `stats` may be of a later commit."""
    dense = {name: space for name, space in schema.dense.items() if name in stats.spaces}
    return wire.CollectionInfo(
        collection_name=name,
        vectors={name: _space_info(space, stats.spaces[name]) for name, space in dense.items()}
        | _multi_infos(schema, stats),
        sparse_vectors=_sparse_infos(schema, stats),
        text_indexes={path: text_index_message(settings) for path, settings in schema.text_indexes.items()},
        optimizers_config=wire.OptimizersConfig(
            indexing_threshold=schema.indexing_threshold, auto_index=schema.auto_index
        ),
        points_count=stats.points,
        seq=stats.seq,
        aliases=aliases,
        payload_schema={path: field_index_info(status) for path, status in payload_schema.items()},
    )


def _spaces_of(
    vectors: Mapping[str, wire.VectorParams], sparse: Mapping[str, wire.SparseVectorParams], prefix: str
) -> dict[str, SpaceSchema]:
    """The spaces of all kinds. `prefix` is the start of the names of their two fields."""
    spaces: dict[str, SpaceSchema] = {}
    for name, params in vectors.items():
        path = f'{prefix}vectors["{name}"]'
        is_multi = params.HasField("multivector_config")
        spaces[name] = _multi_space_of(params, path) if is_multi else _dense_space_of(params, path)
    for name, settings in sparse.items():
        path = f'{prefix}sparse_vectors["{name}"]'
        if name in vectors:
            raise InvalidName(path, f"a space of this name is among `{prefix}vectors`")
        spaces[name] = SparseSpace(modifier=enum_value(SPARSE_MODIFIERS, settings.modifier, f"{path}.modifier"))
    return spaces


def _multi_space_of(params: wire.VectorParams, path: str) -> MultiSpace:
    enum_value(COMPARATORS, params.multivector_config.comparator, f"{path}.multivector_config.comparator")
    if params.embedder:
        what = "an embedder makes one vector from a text, but points of this space have several"
        raise InvalidRequest(f"{path}.embedder", what)
    return MultiSpace(tokens=_dense_space_of(params, path))


def _multi_infos(schema: CollectionSchema, stats: CollectionStats) -> dict[str, wire.SpaceInfo]:
    infos = {}
    for name, space in schema.multi.items():
        if name in stats.spaces and name in stats.vector_counts:
            info = infos[name] = _space_info(space.tokens, stats.spaces[name])
            info.params.multivector_config.comparator = wire.MULTI_VECTOR_COMPARATOR_MAX_SIM
            rows, points = info.vectors_count, stats.vector_counts[name]
            info.indexed_vectors_count = points * info.indexed_vectors_count // max(1, rows)
            info.vectors_count = points
    return infos


def _sparse_infos(schema: CollectionSchema, stats: CollectionStats) -> dict[str, wire.SparseSpaceInfo]:
    infos = {}
    for name, space in schema.sparse.items():
        if name in stats.vector_counts:
            params = wire.SparseVectorParams(modifier=_SPARSE_MODIFIER_NUMBERS[space.modifier])  # type: ignore[arg-type]
            infos[name] = wire.SparseSpaceInfo(params=params, vectors_count=stats.vector_counts[name])
    return infos


def _dense_space_of(params: wire.VectorParams, path: str) -> DenseSpace:
    distance = _distance_of(params.distance, join(path, "distance"))
    hnsw = _hnsw_diff_of(params.hnsw_config, join(path, "hnsw_config"))
    index = _index_kind_of(params.index, join(path, "index")) or IndexKind.AUTO
    small = index is IndexKind.IVF or hnsw.preset is HnswPreset.LOW_MEMORY
    datatype = _datatype_of(params.datatype, join(path, "datatype"))
    return DenseSpace(
        size=params.size,
        distance=distance,
        hnsw=hnsw.apply(HnswConfig()),
        datatype=datatype or default_datatype(distance, small=small),
        datatype_chosen=datatype is not None,
        index=index,
        ivf=_ivf_diff_of(params.ivf_config).apply(IvfConfig()),
        embedder=params.embedder or None,
    )


def _space_diff_of(diff: wire.VectorParamsDiff, path: str) -> SpaceDiff:
    return SpaceDiff(
        hnsw=_hnsw_diff_of(diff.hnsw_config, join(path, "hnsw_config")),
        datatype=_datatype_of(diff.datatype, join(path, "datatype")),
        index=_index_kind_of(diff.index, join(path, "index")),
        embedder=diff.embedder if diff.HasField("embedder") else None,
        ivf=_ivf_diff_of(diff.ivf_config),
    )


def _ivf_diff_of(config: wire.IvfConfig) -> IvfConfigDiff:
    return IvfConfigDiff(
        lists=tuple(config.lists) or None,
        sampling_factor=config.sampling_factor if config.HasField("sampling_factor") else None,
        iterations=config.iterations if config.HasField("iterations") else None,
        spherical=config.spherical if config.HasField("spherical") else None,
        seed=config.seed if config.HasField("seed") else None,
        nprobe=tuple(config.nprobe) or None,
    )


def _hnsw_diff_of(config: wire.HnswConfig, path: str) -> HnswConfigDiff:
    unset = config.preset == wire.HNSW_PRESET_UNSPECIFIED
    return HnswConfigDiff(
        m=config.m if config.HasField("m") else None,
        ef_construct=config.ef_construct if config.HasField("ef_construct") else None,
        ef=config.ef if config.HasField("ef") else None,
        preset=None if unset else enum_value(HNSW_PRESETS, config.preset, join(path, "preset")),
    )


def _threshold_of(config: wire.OptimizersConfig) -> int | None:
    return config.indexing_threshold if config.HasField("indexing_threshold") else None


def _auto_index_of(request: wire.CollectionsCreateRequest | wire.CollectionsUpdateRequest) -> bool | None:
    config = request.optimizers_config
    return config.auto_index if config.HasField("auto_index") else None


def _distance_of(number: int, path: str) -> Distance:
    return Distance.COSINE if number == common_pb2.DISTANCE_UNSPECIFIED else enum_value(DISTANCES, number, path)


def _datatype_of(number: int, path: str) -> Datatype | None:
    """The datatype; None if it is not set."""
    return None if number == wire.DATATYPE_UNSPECIFIED else enum_value(DATATYPES, number, path)


def _index_kind_of(number: int, path: str) -> IndexKind | None:
    """The kind of index; None if it is not set."""
    return None if number == wire.INDEX_KIND_UNSPECIFIED else enum_value(INDEX_KINDS, number, path)


def _ivf_config(space: DenseSpace) -> wire.IvfConfig | None:
    """The settings of IVF lists. None if the space has no lists and nobody set any."""
    if space.index is not IndexKind.IVF and space.ivf == IvfConfig():
        return None
    return wire.IvfConfig(
        lists=space.ivf.lists,
        sampling_factor=space.ivf.sampling_factor,
        iterations=space.ivf.iterations,
        spherical=space.distance is Distance.COSINE if space.ivf.spherical is None else space.ivf.spherical,
        seed=space.ivf.seed,
        nprobe=space.ivf.nprobe,
    )


def _space_info(space: DenseSpace, stats: SpaceStats) -> wire.SpaceInfo:
    params = wire.VectorParams(
        size=space.size,
        distance=_DISTANCE_NUMBERS[space.distance],  # type: ignore[arg-type]
        hnsw_config=wire.HnswConfig(m=space.hnsw.m, ef_construct=space.hnsw.ef_construct, ef=space.hnsw.ef),
        datatype=_DATATYPE_NUMBERS[space.datatype],  # type: ignore[arg-type]
        index=_INDEX_KIND_NUMBERS[space.index],  # type: ignore[arg-type]
        ivf_config=_ivf_config(space),
        embedder=space.embedder,
    )
    return wire.SpaceInfo(
        params=params,
        vectors_count=stats.vectors,
        indexed_vectors_count=stats.indexed_vectors,
        state=SPACE_STATES[stats.state],
    )
