"""What a collection is made of: vector spaces and settings, as frozen data with a JSON form for the disk."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any

from storage import payload_schema
from storage.errors import InvalidName, InvalidRequest, LimitExceeded
from storage.payload_schema import FieldIndexSchema, check_fields

PointId = int | str
"""An unsigned 64-bit number or a string of 1 to 512 UTF-8 bytes."""

MAX_DIMENSIONS = 65_536
MAX_SPACES = 256
MAX_NAME_BYTES = 255
MAX_EF = 10_000
MAX_OVERSAMPLING = 1_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f/]")


class Distance(Enum):
    """Metric of a space. Persisted by value: do not rename."""

    COSINE = "cosine"
    DOT = "dot"
    EUCLID = "euclid"
    MANHATTAN = "manhattan"
    HAMMING = "hamming"
    JACCARD = "jaccard"

    @property
    def higher_is_better(self) -> bool:
        return self in (Distance.COSINE, Distance.DOT)

    @property
    def is_binary(self) -> bool:
        """Whether components are 0 or 1 and nothing else."""
        return self in (Distance.HAMMING, Distance.JACCARD)


class Datatype(Enum):
    """Stored form of vectors in an index; originals are float32. Persisted by value: do not rename."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    INT8 = "int8"
    BINARY = "binary"


def default_datatype(distance: Distance) -> Datatype:
    """The stored form of a space that names none."""
    return Datatype.BINARY if distance.is_binary else Datatype.BFLOAT16


class IndexKind(Enum):
    """Which index serves a space. Persisted by value: do not rename.

    AUTO: scanned below the indexing threshold, a graph above it. FLAT: always scanned. HNSW: a graph however high the
    threshold; see policy.py.
    """

    AUTO = "auto"
    FLAT = "flat"
    HNSW = "hnsw"


@dataclass(frozen=True, slots=True, kw_only=True)
class HnswConfig:
    """Settings of an HNSW graph: links per node, width of the walk while building and while searching."""

    m: int = 16
    ef_construct: int = 200
    ef: int = 128


class HnswPreset(Enum):
    """Settings of a graph under one name."""

    BALANCED = HnswConfig(m=16, ef_construct=200, ef=128)
    HIGH_RECALL = HnswConfig(m=32, ef_construct=400, ef=256)
    HIGH_SPEED = HnswConfig(m=8, ef_construct=100, ef=64)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceSchema:
    """A vector space. `uid` names its files and is never reused in its collection; None until it is stored."""

    size: int
    distance: Distance = Distance.COSINE
    hnsw: HnswConfig = field(default_factory=HnswConfig)
    datatype: Datatype = Datatype.BFLOAT16
    index: IndexKind = IndexKind.AUTO
    uid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionSchema:
    """All settings of a collection; spaces by name, declared indexes of payload fields by path."""

    spaces: Mapping[str, SpaceSchema]
    indexing_threshold: int = 20_000
    field_indexes: FieldIndexSchema = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        spaces = {
            name: {
                **asdict(space),
                "distance": space.distance.value,
                "datatype": space.datatype.value,
                "index": space.index.value,
            }
            for name, space in self.spaces.items()
        }
        fields = payload_schema.to_json(self.field_indexes)
        return {"spaces": spaces, "indexing_threshold": self.indexing_threshold, "field_indexes": fields}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "CollectionSchema":
        spaces = {
            name: SpaceSchema(
                size=space["size"],
                distance=Distance(space["distance"]),
                hnsw=HnswConfig(**space["hnsw"]),
                datatype=Datatype(space["datatype"]),
                index=IndexKind(space.get("index", IndexKind.AUTO.value)),  # older directories have none
                uid=space["uid"],
            )
            for name, space in data["spaces"].items()
        }
        fields = payload_schema.from_json(data.get("field_indexes", {}))  # older directories have none
        return cls(spaces=spaces, indexing_threshold=data["indexing_threshold"], field_indexes=fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class HnswConfigDiff:
    """Changes to HnswConfig; None keeps. A preset changes all, and what is given beside it wins."""

    m: int | None = None
    ef_construct: int | None = None
    ef: int | None = None
    preset: HnswPreset | None = None

    def apply(self, config: HnswConfig) -> HnswConfig:
        start = config if self.preset is None else self.preset.value
        given = {"m": self.m, "ef_construct": self.ef_construct, "ef": self.ef}
        return replace(start, **{key: value for key, value in given.items() if value is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceDiff:
    """Changes to a space; None keeps."""

    hnsw: HnswConfigDiff = field(default_factory=HnswConfigDiff)
    datatype: Datatype | None = None
    index: IndexKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """Changes to a collection, applied all or nothing."""

    add: Mapping[str, SpaceSchema] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    update: Mapping[str, SpaceDiff] = field(default_factory=dict)
    indexing_threshold: int | None = None
    create_fields: FieldIndexSchema = field(default_factory=dict)
    delete_fields: tuple[str, ...] = ()


def check_name(name: str, field_path: str) -> None:
    """Raises InvalidName unless `name` may name a collection or alias."""
    if not name:
        raise InvalidName(field_path, "the name is empty")
    _check_text(name, field_path)


def check_space_name(name: str, field_path: str) -> None:
    """Raises InvalidName unless `name` may name a space; the empty string is the unnamed space."""
    if name:
        _check_text(name, field_path)


def _check_text(name: str, field_path: str) -> None:
    if len(name.encode()) > MAX_NAME_BYTES:
        raise InvalidName(field_path, f"the name is longer than {MAX_NAME_BYTES} bytes")
    if _CONTROL.search(name):
        raise InvalidName(field_path, "the name has a control character or '/'")
    if name != name.strip():
        raise InvalidName(field_path, "the name begins or ends with white space")


def check_space(space: SpaceSchema, field_path: str) -> None:
    """Raises InvalidRequest unless every setting of `space` is within its bounds and fits its metric."""
    _check_between(space.size, 1, MAX_DIMENSIONS, f"{field_path}.size")
    _check_between(space.hnsw.m, 2, 256, f"{field_path}.hnsw_config.m")
    _check_between(space.hnsw.ef_construct, 4, 4_096, f"{field_path}.hnsw_config.ef_construct")
    _check_between(space.hnsw.ef, 1, MAX_EF, f"{field_path}.hnsw_config.ef")
    if space.distance.is_binary and space.datatype is not Datatype.BINARY:
        what = f"the stored form of a {space.distance.name} space is BINARY, not {space.datatype.name}"
        raise InvalidRequest(f"{field_path}.datatype", what)


def check_schema(schema: CollectionSchema) -> None:
    """Raises InvalidRequest unless `schema` may be stored. Paths are those of CollectionsCreateRequest."""
    if len(schema.spaces) > MAX_SPACES:
        raise LimitExceeded("vectors", limit="MAX_SPACES", maximum=MAX_SPACES, actual=len(schema.spaces))
    for name, space in schema.spaces.items():
        check_space_name(name, f'vectors["{name}"]')
        check_space(space, f'vectors["{name}"]')
    _check_between(schema.indexing_threshold, 1, 100_000_000, "optimizers_config.indexing_threshold")
    check_fields(schema.field_indexes, "payload_schema")


def _check_between(value: int, low: int, high: int, field_path: str) -> None:
    if not low <= value <= high:
        raise InvalidRequest(field_path, f"{value:,} is not between {low:,} and {high:,}")
