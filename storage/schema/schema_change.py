"""Changes to a collection's schema, as frozen data. checks.py and the writer decide which are refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from storage.schema.payload_schema import FieldIndexSchema
from storage.schema.spaces import Datatype, HnswConfig, HnswPreset, IndexKind, IvfConfig, SpaceSchema
from storage.schema.text_settings import TextSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class HnswConfigDiff:
    """Changes to HnswConfig; None keeps a setting. A preset sets all of them; settings beside it win."""

    m: int | None = None
    ef_construct: int | None = None
    ef: int | None = None
    preset: HnswPreset | None = None

    def apply(self, config: HnswConfig) -> HnswConfig:
        start = config if self.preset is None else self.preset.value
        given = {"m": self.m, "ef_construct": self.ef_construct, "ef": self.ef}
        return replace(start, **{key: value for key, value in given.items() if value is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class IvfConfigDiff:
    """Changes to IvfConfig; None keeps a setting, an empty tuple restores the default."""

    lists: tuple[int, ...] | None = None
    sampling_factor: float | None = None
    iterations: int | None = None
    spherical: bool | None = None
    seed: int | None = None
    nprobe: tuple[int, ...] | None = None

    def apply(self, config: IvfConfig) -> IvfConfig:
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        return replace(config, **{key: value for key, value in given.items() if value is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceDiff:
    """Changes to a space; None keeps a setting. An empty `embedder` removes the embedder of the space."""

    hnsw: HnswConfigDiff = field(default_factory=HnswConfigDiff)
    ivf: IvfConfigDiff = field(default_factory=IvfConfigDiff)
    datatype: Datatype | None = None
    index: IndexKind | None = None
    embedder: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """Changes to a collection, all or nothing. `drop_sparse` names sparse spaces, `drop` spaces of any kind."""

    add: Mapping[str, SpaceSchema] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    drop_sparse: tuple[str, ...] = ()
    update: Mapping[str, SpaceDiff] = field(default_factory=dict)
    indexing_threshold: int | None = None
    auto_index: bool | None = None
    create_fields: FieldIndexSchema = field(default_factory=dict)
    delete_fields: tuple[str, ...] = ()
    put_texts: Mapping[str, TextSettings] = field(default_factory=dict)
    drop_texts: tuple[str, ...] = ()

    @property
    def only_drops(self) -> bool:
        """Whether it frees room and needs none."""
        takes = self.add or self.update or self.create_fields or self.put_texts
        return not takes and self.indexing_threshold is None and self.auto_index is None
