"""What a collection is made of: vector spaces and settings, as frozen data with a JSON form for the disk."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import Enum
from typing import Any

from storage.errors import InvalidName, InvalidRequest, LimitExceeded
from storage.schema import payload_schema
from storage.schema.index_policy import IndexPolicy
from storage.schema.payload_schema import FieldIndexSchema, check_fields
from storage.schema.text_settings import MAX_TEXT_INDEXES, TextSettings, check_text_settings

PointId = int | str
"""An unsigned 64-bit number or a string of 1 to 512 UTF-8 bytes."""

MAX_DIMENSIONS = 65_536
MAX_SPACES = 256
MAX_NAME_BYTES = 255
MAX_EF = 10_000
MAX_OVERSAMPLING = 1_000
MAX_LEVELS = 3
MAX_LISTS = 65_536
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


def default_datatype(distance: Distance, *, small: bool = False) -> Datatype:
    """The stored form of a space that names none; `small`: one that is to take little memory, or has lists."""
    if distance.is_binary:
        return Datatype.BINARY
    return Datatype.INT8 if small else Datatype.BFLOAT16


FINER: Mapping[Datatype, tuple[Datatype, ...]] = {
    Datatype.INT8: (Datatype.FLOAT16, Datatype.FLOAT32),
    Datatype.BFLOAT16: (Datatype.FLOAT16, Datatype.FLOAT32),
    Datatype.FLOAT16: (Datatype.FLOAT32,),
}
"""What takes the place of a stored form that nobody chose, where that does not tell the rows of a segment apart."""


class IndexKind(Enum):
    """Which index serves a space. Persisted by value: do not rename.

    AUTO: scanned below the indexing threshold, a graph above it. FLAT: always scanned. HNSW: a graph however high the
    threshold; see segments/policy.py. IVF: lists by nearest centroid, see ivf/.
    """

    AUTO = "auto"
    FLAT = "flat"
    HNSW = "hnsw"
    IVF = "ivf"


@dataclass(frozen=True, slots=True, kw_only=True)
class HnswConfig:
    """Settings of an HNSW graph: links per node, width of the walk while building and while searching."""

    m: int = 16
    ef_construct: int = 200
    ef: int = 128


class HnswPreset(Enum):
    """Settings of a graph under one name. LOW_MEMORY makes INT8 the stored form of a new space that names none."""

    BALANCED = HnswConfig(m=16, ef_construct=200, ef=128)
    HIGH_RECALL = HnswConfig(m=32, ef_construct=400, ef=256)
    HIGH_SPEED = HnswConfig(m=8, ef_construct=100, ef=64)
    HIGH_THROUGHPUT = HnswConfig(m=16, ef_construct=128, ef=64)
    LOW_MEMORY = HnswConfig(m=8, ef_construct=128, ef=128)


@dataclass(frozen=True, slots=True, kw_only=True)
class IvfConfig:
    """Settings of IVF lists: how the partition is made, and how much of it a search reads.

    lists: nodes of each level from the top, the last being the lists; empty: by the number of rows, see
    ivf/kmeans.py. sampling_factor: rows clustered per list. iterations: of k-means. spherical: centroids of length 1;
    None: under Cosine. seed: of the sample. nprobe: nodes of each level that a search follows; empty: see
    ivf/partition.py.
    """

    lists: tuple[int, ...] = ()
    sampling_factor: float = 64.0
    iterations: int = 10
    spherical: bool | None = None
    seed: int = 0
    nprobe: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceSchema:
    """A vector space. `uid` names its files and is never reused in its collection; None until it is stored.

    `embedder` is what a server calls the embedder that makes vectors of texts; storage only keeps the name. `policy`
    says which payload property the vectors are of, when they are of one. `datatype_chosen`: somebody named the stored
    form, so it stays; else it is where segments begin, see FINER.
    """

    size: int
    distance: Distance = Distance.COSINE
    hnsw: HnswConfig = field(default_factory=HnswConfig)
    datatype: Datatype = Datatype.BFLOAT16
    datatype_chosen: bool = True
    index: IndexKind = IndexKind.AUTO
    ivf: IvfConfig = field(default_factory=IvfConfig)
    uid: int | None = None
    embedder: str | None = None
    policy: IndexPolicy | None = None


def forms_of(space: SpaceSchema) -> tuple[Datatype, ...]:
    """The stored forms that the graph of a segment may have, the one to try first first."""
    return (space.datatype, *(() if space.datatype_chosen else FINER.get(space.datatype, ())))


class SparseModifier(Enum):
    """What a sparse space does to query values. Persisted by value: do not rename.

    IDF: multiplies each by ln(1 + (N - n + 0.5) / (n + 0.5)), of N points that have a vector in the space n of which
    have the index.
    """

    NONE = "none"
    IDF = "idf"


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseSchema:
    """A space of sparse vectors. `uid` is of the same series as those of other spaces."""

    modifier: SparseModifier = SparseModifier.NONE
    uid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiSchema:
    """A space in which a point has a matrix of vectors. `tokens` is the space of the matrices' rows."""

    tokens: SpaceSchema

    @property
    def uid(self) -> int | None:
        return self.tokens.uid


RecordSchema = SparseSchema | MultiSchema
"""A space in which LMDB holds a record for each point: a sparse vector, or which rows of tokens are the point's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionSchema:
    """All settings of a collection; spaces by name, declared indexes by payload path, text indexes by their field's.

    No name is in both `spaces` and `records`. `auto_index`: background work starts by itself.
    """

    spaces: Mapping[str, SpaceSchema]
    indexing_threshold: int = 20_000
    auto_index: bool = True
    field_indexes: FieldIndexSchema = field(default_factory=dict)
    records: Mapping[str, RecordSchema] = field(default_factory=dict)
    text_indexes: Mapping[str, TextSettings] = field(default_factory=dict)

    @property
    def row_spaces(self) -> dict[str, SpaceSchema]:
        """The spaces that have files of rows, by name: dense ones, and those of the tokens of multi-vectors."""
        tokens = {name: space.tokens for name, space in self.records.items() if isinstance(space, MultiSchema)}
        return {**self.spaces, **tokens}

    @property
    def names(self) -> list[str]:
        """Names of all spaces, of whatever kind, sorted."""
        return sorted({*self.spaces, *self.records})

    def to_json(self) -> dict[str, Any]:
        spaces = {
            name: {
                **asdict(space),
                "distance": space.distance.value,
                "datatype": space.datatype.value,
                "index": space.index.value,
                "policy": None if space.policy is None else space.policy.to_json(),
            }
            for name, space in self.spaces.items()
        }
        data: dict[str, Any] = {
            "spaces": spaces,
            "indexing_threshold": self.indexing_threshold,
            "auto_index": self.auto_index,
            "field_indexes": payload_schema.to_json(self.field_indexes),
        }
        if self.records:
            data["records"] = {name: _record_to_json(space) for name, space in self.records.items()}
        if self.text_indexes:
            data["text_indexes"] = {path: settings.to_json() for path, settings in self.text_indexes.items()}
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "CollectionSchema":
        spaces = {
            name: SpaceSchema(
                size=space["size"],
                distance=Distance(space["distance"]),
                hnsw=HnswConfig(**space["hnsw"]),
                datatype=Datatype(space["datatype"]),
                datatype_chosen=space.get("datatype_chosen", True),  # older directories do not tell
                index=IndexKind(space.get("index", IndexKind.AUTO.value)),  # older directories have none
                ivf=_ivf_from(space.get("ivf", {})),
                uid=space["uid"],
                embedder=space.get("embedder"),  # older directories have none
                policy=None if space.get("policy") is None else IndexPolicy.from_json(space["policy"]),
            )
            for name, space in data["spaces"].items()
        }
        records = {name: _record_from_json(space) for name, space in data.get("records", {}).items()}
        texts = {path: TextSettings.from_json(settings) for path, settings in data.get("text_indexes", {}).items()}
        return cls(
            spaces=spaces,
            indexing_threshold=data["indexing_threshold"],
            # Older directories have none of the following.
            auto_index=data.get("auto_index", True),
            field_indexes=payload_schema.from_json(data.get("field_indexes", {})),
            records=records,
            text_indexes=texts,
        )


def _ivf_from(data: Mapping[str, Any]) -> IvfConfig:
    lists = {key: tuple(data[key]) for key in ("lists", "nprobe") if key in data}
    return IvfConfig(**{**data, **lists})


def _record_to_json(space: RecordSchema) -> dict[str, Any]:
    if isinstance(space, MultiSchema):
        tokens = CollectionSchema(spaces={"": space.tokens}).to_json()["spaces"][""]
        return {"kind": "multi", "tokens": tokens}
    return {"kind": "sparse", "modifier": space.modifier.value, "uid": space.uid}


def _record_from_json(data: Mapping[str, Any]) -> RecordSchema:
    if data["kind"] == "multi":
        tokens = {"spaces": {"": data["tokens"]}, "indexing_threshold": 1}
        return MultiSchema(tokens=CollectionSchema.from_json(tokens).spaces[""])
    if data["kind"] != "sparse":
        raise ValueError(f"a space has the unknown kind {data['kind']!r}")
    return SparseSchema(modifier=SparseModifier(data["modifier"]), uid=data["uid"])


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
class IvfConfigDiff:
    """Changes to IvfConfig; None keeps, an empty tuple is the default again."""

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
    """Changes to a space; None keeps. An `embedder` of '' takes the space's away."""

    hnsw: HnswConfigDiff = field(default_factory=HnswConfigDiff)
    ivf: IvfConfigDiff = field(default_factory=IvfConfigDiff)
    datatype: Datatype | None = None
    index: IndexKind | None = None
    embedder: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """Changes to a collection, applied all or nothing."""

    add: Mapping[str, SpaceSchema] = field(default_factory=dict)
    add_records: Mapping[str, RecordSchema] = field(default_factory=dict)
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
        """Whether it frees room and takes none."""
        takes = self.add or self.add_records or self.update or self.create_fields or self.put_texts
        return not takes and self.indexing_threshold is None and self.auto_index is None


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
    check_ivf(space.ivf, f"{field_path}.ivf_config")
    if space.embedder is not None:
        _check_text(space.embedder, f"{field_path}.embedder")
    if space.distance.is_binary and space.datatype is not Datatype.BINARY:
        what = f"the stored form of a {space.distance.name} space is BINARY, not {space.datatype.name}"
        raise InvalidRequest(f"{field_path}.datatype", what)


def check_ivf(ivf: IvfConfig, field_path: str) -> None:
    """Raises InvalidRequest unless every setting is within its bounds and the two trees fit each other."""
    check_levels(ivf.lists, f"{field_path}.lists")
    if list(ivf.lists) != sorted(ivf.lists):
        raise InvalidRequest(f"{field_path}.lists", "a level has fewer nodes than the one above")
    check_levels(ivf.nprobe, f"{field_path}.nprobe")
    if ivf.lists and ivf.nprobe and len(ivf.lists) != len(ivf.nprobe):
        what = f"{len(ivf.nprobe)} values for {len(ivf.lists)} levels of lists"
        raise InvalidRequest(f"{field_path}.nprobe", what)
    if not 1 <= ivf.sampling_factor <= 1_024:
        raise InvalidRequest(f"{field_path}.sampling_factor", f"{ivf.sampling_factor:g} is not between 1 and 1,024")
    _check_between(ivf.iterations, 0, 1_000, f"{field_path}.iterations")


def check_levels(values: tuple[int, ...], field_path: str) -> None:
    """Raises InvalidRequest unless `values` may be one for each level of a partition."""
    if len(values) > MAX_LEVELS:
        raise LimitExceeded(field_path, limit="MAX_LEVELS", maximum=MAX_LEVELS, actual=len(values))
    for number, value in enumerate(values):
        _check_between(value, 1, MAX_LISTS, f"{field_path}[{number}]")


def check_record_space(name: str, space: RecordSchema, field_path: str) -> None:
    """Raises InvalidName or InvalidRequest unless a space of records may have this name and these settings."""
    check_space_name(name, field_path)
    if isinstance(space, MultiSchema):
        check_space(space.tokens, field_path)
        if space.tokens.distance.is_binary:
            what = f"multi-vectors are not compared by {space.tokens.distance.name}"
            raise InvalidRequest(f"{field_path}.distance", what)
        if space.tokens.embedder is not None:
            raise InvalidRequest(f"{field_path}.embedder", "an embedder makes one vector of a text, not several")


def check_schema(schema: CollectionSchema) -> None:
    """Raises InvalidRequest unless `schema` may be stored. Paths are those of CollectionsCreateRequest."""
    count = len(schema.spaces) + len(schema.records)
    if count > MAX_SPACES:
        raise LimitExceeded("vectors", limit="MAX_SPACES", maximum=MAX_SPACES, actual=count)
    for name, record_space in schema.records.items():
        path = f'{"vectors" if isinstance(record_space, MultiSchema) else "sparse_vectors"}["{name}"]'
        check_record_space(name, record_space, path)
        if name in schema.spaces:
            raise InvalidName(path, "a space of this name is among `vectors`")
    for name, space in schema.spaces.items():
        check_space_name(name, f'vectors["{name}"]')
        check_space(space, f'vectors["{name}"]')
    _check_between(schema.indexing_threshold, 1, 100_000_000, "optimizers_config.indexing_threshold")
    check_fields(schema.field_indexes, "payload_schema")
    check_texts(schema.text_indexes)


def check_texts(text_indexes: Mapping[str, TextSettings]) -> None:
    """Raises InvalidRequest unless these may be the text indexes of a collection."""
    if len(text_indexes) > MAX_TEXT_INDEXES:
        actual = len(text_indexes)
        raise LimitExceeded("text_indexes", limit="MAX_TEXT_INDEXES", maximum=MAX_TEXT_INDEXES, actual=actual)
    for path, settings in text_indexes.items():
        check_text_settings(settings, f'text_indexes["{path}"]')


def _check_between(value: int, low: int, high: int, field_path: str) -> None:
    if not low <= value <= high:
        raise InvalidRequest(field_path, f"{value:,} is not between {low:,} and {high:,}")
