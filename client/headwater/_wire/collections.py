"""Collections, their settings and aliases between the client's models and the contract."""

from collections.abc import Mapping, Sequence
from typing import Any

from headwater._wire.enum_names import enum_name, made
from headwater._wire.limits import unsigned
from headwater._wire.payload_schema import field_index_of
from headwater._wire.text import text_index_of
from headwater._wire.vectors import UNNAMED
from headwater.errors import InvalidArgumentError
from headwater.models import (
    Alias,
    AliasOperation,
    CollectionInfo,
    CreateAlias,
    Datatype,
    DeleteAlias,
    Distance,
    HnswConfigDiff,
    HnswPreset,
    IndexKind,
    IvfConfig,
    MultiVectorComparator,
    MultiVectorParams,
    OptimizersConfig,
    OptimizersConfigLike,
    RenameAlias,
    SpaceInfo,
    SpaceState,
    SparseModifier,
    SparseSpaceInfo,
    SparseVectorParams,
    SparseVectorsConfig,
    VectorParams,
    VectorParamsDiff,
    VectorsConfig,
)
from headwater.v1 import collections_pb2, common_pb2


def vectors_messages(config: VectorsConfig | None) -> dict[str, collections_pb2.VectorParams]:
    """Spaces by name. A single VectorParams becomes the unnamed space."""
    if config is None:
        return {}
    spaces = {UNNAMED: config} if isinstance(config, VectorParams) else config
    return {name: _params(made(VectorParams, params)) for name, params in spaces.items()}


def sparse_vectors_messages(config: SparseVectorsConfig | None) -> dict[str, collections_pb2.SparseVectorParams]:
    """Sparse spaces by name. A single SparseVectorParams becomes the unnamed space."""
    if config is None:
        return {}
    spaces = {UNNAMED: config} if isinstance(config, SparseVectorParams) else config
    return {
        name: collections_pb2.SparseVectorParams(
            modifier=enum_name(SparseModifier, made(SparseVectorParams, params).modifier)
        )
        for name, params in spaces.items()
    }


def vectors_diff_messages(
    diffs: Mapping[str, VectorParamsDiff | Mapping[str, Any]] | None,
) -> dict[str, collections_pb2.VectorParamsDiff]:
    return {
        name: collections_pb2.VectorParamsDiff(
            hnsw_config=_hnsw(diff.hnsw_config),
            datatype=enum_name(Datatype, diff.datatype),
            index=enum_name(IndexKind, diff.index),
            ivf_config=_ivf(diff.ivf_config),
            embedder=diff.embedder,
        )
        for name, diff in ((name, made(VectorParamsDiff, each)) for name, each in (diffs or {}).items())
    }


def optimizers_message(config: OptimizersConfigLike | None) -> collections_pb2.OptimizersConfig | None:
    if config is None:
        return None
    settings = OptimizersConfig(**config) if isinstance(config, Mapping) else config
    return collections_pb2.OptimizersConfig(
        indexing_threshold=unsigned(
            settings.indexing_threshold, "optimizers_config.indexing_threshold", InvalidArgumentError, bits=64
        ),
        auto_index=settings.auto_index,
    )


def info_of(message: collections_pb2.CollectionInfo) -> CollectionInfo:
    return CollectionInfo(
        name=message.collection_name,
        vectors={name: _space_of(space) for name, space in message.vectors.items()},
        optimizers_config=OptimizersConfig(
            indexing_threshold=message.optimizers_config.indexing_threshold,
            auto_index=_auto_index_of(message.optimizers_config),
        ),
        points_count=message.points_count,
        seq=message.seq,
        aliases=tuple(message.aliases),
        payload_schema={path: field_index_of(index) for path, index in message.payload_schema.items()},
        sparse_vectors={name: _sparse_space_of(space) for name, space in message.sparse_vectors.items()},
        text_indexes={path: text_index_of(params) for path, params in message.text_indexes.items()},
    )


def _auto_index_of(message: collections_pb2.OptimizersConfig) -> bool | None:
    return message.auto_index if message.HasField("auto_index") else None


def space_state_of(number: collections_pb2.SpaceState) -> SpaceState:
    return SpaceState(collections_pb2.SpaceState.Name(number))


def alias_operation_message(operation: AliasOperation) -> collections_pb2.AliasOperation:
    match operation:
        case CreateAlias(alias, collection):
            create = collections_pb2.CreateAlias(alias_name=alias, collection_name=collection)
            return collections_pb2.AliasOperation(create_alias=create)
        case RenameAlias(old, new):
            rename = collections_pb2.RenameAlias(old_alias_name=old, new_alias_name=new)
            return collections_pb2.AliasOperation(rename_alias=rename)
        case DeleteAlias(alias):
            return collections_pb2.AliasOperation(delete_alias=collections_pb2.DeleteAlias(alias_name=alias))


def alias_of(message: collections_pb2.AliasDescription) -> Alias:
    return Alias(alias=message.alias_name, collection=message.collection_name)


def _params(params: VectorParams) -> collections_pb2.VectorParams:
    return collections_pb2.VectorParams(
        size=unsigned(params.size, "size", InvalidArgumentError),
        distance=enum_name(Distance, params.distance),
        hnsw_config=_hnsw(params.hnsw_config),
        datatype=enum_name(Datatype, params.datatype),
        index=enum_name(IndexKind, params.index),
        ivf_config=_ivf(params.ivf_config),
        embedder=params.embedder,
        multivector_config=_multivector(params.multivector_config),
    )


def _multivector(config: MultiVectorParams | None) -> collections_pb2.MultiVectorParams | None:
    """Raises ValueError for an unknown comparator."""
    if config is None:
        return None
    comparator = enum_name(MultiVectorComparator, config.comparator)
    return collections_pb2.MultiVectorParams(comparator=comparator)


_HNSW = ("m", "ef_construct", "ef")


def _hnsw(config: HnswConfigDiff | None) -> collections_pb2.HnswConfig | None:
    if config is None:
        return None
    preset = enum_name(HnswPreset, config.preset)
    numbers = {name: unsigned(getattr(config, name), f"hnsw_config.{name}", InvalidArgumentError) for name in _HNSW}
    return collections_pb2.HnswConfig(**numbers, preset=preset)


def _ivf(config: IvfConfig | None) -> collections_pb2.IvfConfig | None:
    if config is None:
        return None
    return collections_pb2.IvfConfig(
        lists=levels_of(config.lists, "ivf_config.lists"),
        sampling_factor=config.sampling_factor,
        iterations=unsigned(config.iterations, "ivf_config.iterations", InvalidArgumentError),
        spherical=config.spherical,
        seed=unsigned(config.seed, "ivf_config.seed", InvalidArgumentError, bits=64),
        nprobe=levels_of(config.nprobe, "ivf_config.nprobe"),
    )


def levels_of(given: int | Sequence[int] | None, path: str) -> Sequence[int]:
    """Values for the levels of an IVF partition, from the top. A single number is the number of lists."""
    if given is None:
        return ()
    for level in (levels := (given,) if isinstance(given, int) else given):
        unsigned(level, path, InvalidArgumentError)
    return levels


def _ivf_of(message: collections_pb2.IvfConfig) -> IvfConfig:
    return IvfConfig(
        lists=tuple(message.lists),
        sampling_factor=message.sampling_factor,
        iterations=message.iterations,
        spherical=message.spherical if message.HasField("spherical") else None,
        seed=message.seed,
        nprobe=tuple(message.nprobe),
    )


def _sparse_space_of(message: collections_pb2.SparseSpaceInfo) -> SparseSpaceInfo:
    idf = message.params.modifier == collections_pb2.SPARSE_MODIFIER_IDF
    params = SparseVectorParams(modifier=SparseModifier.IDF if idf else None)
    return SparseSpaceInfo(params=params, vectors_count=message.vectors_count)


def _space_of(message: collections_pb2.SpaceInfo) -> SpaceInfo:
    params = message.params
    return SpaceInfo(
        params=VectorParams(
            size=params.size,
            distance=Distance(common_pb2.Distance.Name(params.distance)),
            hnsw_config=HnswConfigDiff(
                m=params.hnsw_config.m, ef_construct=params.hnsw_config.ef_construct, ef=params.hnsw_config.ef
            ),
            datatype=Datatype(collections_pb2.Datatype.Name(params.datatype)),
            index=IndexKind(collections_pb2.IndexKind.Name(params.index)) if params.index else None,
            ivf_config=_ivf_of(params.ivf_config) if params.HasField("ivf_config") else None,
            embedder=params.embedder if params.HasField("embedder") else None,
            multivector_config=MultiVectorParams() if params.HasField("multivector_config") else None,
        ),
        vectors_count=message.vectors_count,
        indexed_vectors_count=message.indexed_vectors_count,
        state=space_state_of(message.state),
    )
