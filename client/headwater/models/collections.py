"""Collections as a user sees them: vector spaces, settings, aliases. Values of enums are their names on the wire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from headwater.models.payload_schema import FieldIndexInfo
from headwater.models.text import TextIndexParams


class Distance(Enum):
    """The metric of a space: how near two vectors are. Higher is better for Cosine and Dot, lower for the others.

    Under Hamming and Jaccard every component is 0 or 1.
    """

    COSINE = "DISTANCE_COSINE"
    DOT = "DISTANCE_DOT"
    EUCLID = "DISTANCE_EUCLID"
    MANHATTAN = "DISTANCE_MANHATTAN"
    HAMMING = "DISTANCE_HAMMING"
    JACCARD = "DISTANCE_JACCARD"
    # The earlier names of the members.
    Cosine = COSINE
    Dot = DOT
    Euclid = EUCLID
    Manhattan = MANHATTAN
    Hamming = HAMMING
    Jaccard = JACCARD

    @property
    def higher_is_better(self) -> bool:
        return self in (Distance.COSINE, Distance.DOT)


class Datatype(Enum):
    """The form in which the index of a space holds vectors. The originals always stay float32."""

    FLOAT32 = "DATATYPE_FLOAT32"
    BFLOAT16 = "DATATYPE_BFLOAT16"
    FLOAT16 = "DATATYPE_FLOAT16"
    INT8 = "DATATYPE_INT8"
    BINARY = "DATATYPE_BINARY"
    # The earlier names of the members.
    Float32 = FLOAT32
    BFloat16 = BFLOAT16
    Float16 = FLOAT16
    Int8 = INT8
    Binary = BINARY


class IndexKind(Enum):
    """Which index serves a space."""

    AUTO = "INDEX_KIND_AUTO"
    """Scans below the indexing threshold, and builds a graph above it."""
    FLAT = "INDEX_KIND_FLAT"
    """Always scans: answers are exact."""
    HNSW = "INDEX_KIND_HNSW"
    """Builds a graph as soon as 1,000 rows wait for one."""
    IVF = "INDEX_KIND_IVF"
    """Puts each row into the list of its nearest centroid, as soon as 1,000 rows wait. For Cosine, Dot and Euclid."""
    # The earlier names of the members.
    Auto = AUTO
    Flat = FLAT
    Hnsw = HNSW
    Ivf = IVF


class HnswPreset(Enum):
    """Names for sets of settings of an HNSW graph."""

    BALANCED = "HNSW_PRESET_BALANCED"
    """m 16, ef_construct 200, ef 128."""
    HIGH_RECALL = "HNSW_PRESET_HIGH_RECALL"
    """m 32, ef_construct 400, ef 256."""
    HIGH_SPEED = "HNSW_PRESET_HIGH_SPEED"
    """m 8, ef_construct 100, ef 64."""
    HIGH_THROUGHPUT = "HNSW_PRESET_HIGH_THROUGHPUT"
    """m 16, ef_construct 128, ef 64."""
    LOW_MEMORY = "HNSW_PRESET_LOW_MEMORY"
    """m 8, ef_construct 128, ef 128; and Int8 for a new space that gives no datatype."""
    # The earlier names of the members.
    Balanced = BALANCED
    HighRecall = HIGH_RECALL
    HighSpeed = HIGH_SPEED
    HighThroughput = HIGH_THROUGHPUT
    LowMemory = LOW_MEMORY


@dataclass(frozen=True, slots=True)
class HnswConfigDiff:
    """Settings of an HNSW graph. None: the server's default; in an update, the setting stays.

    `m`: links per node, 2 to 256. `ef_construct`: width of the walk while building, 4 to 4,096.
    `ef`: width of the walk while searching, for queries that give none, 1 to 10,000. `preset` (also "balanced",
    "high_recall", "high_speed", "high_throughput", "low_memory") sets the settings that are None. An answer holds the
    settings, never the preset.
    """

    m: int | None = None
    ef_construct: int | None = None
    ef: int | None = None
    preset: HnswPreset | str | None = None


class MultiVectorComparator(Enum):
    """How two multi-vectors are compared."""

    MAX_SIM = "MULTI_VECTOR_COMPARATOR_MAX_SIM"
    """The sum, over the rows of the query, of the greatest similarity of any row of the point."""
    # The earlier names of the members.
    MaxSim = MAX_SIM


@dataclass(frozen=True, slots=True)
class MultiVectorParams:
    """Makes a space hold multi-vectors. `comparator` may also be "MaxSim"."""

    comparator: MultiVectorComparator | str = MultiVectorComparator.MAX_SIM


@dataclass(frozen=True, slots=True)
class IvfConfig:
    """Settings of IVF lists. None: the server's default; in an update, the setting stays.

    `lists`: the number of lists, or of the nodes of each level of the partition from the top (up to 3 levels,
    ascending, each 1 to 65,536); None: it follows from the rows of a segment.
    `sampling_factor`: how many rows per list k-means clusters, 1 to 1,024. `iterations`: those of k-means, 0 to 1,000.
    `spherical`: centroids have length 1. `seed`: for the random choice of the sample.
    `nprobe`: how many lists, or nodes of each level, are read by a search that does not give it.
    """

    lists: int | Sequence[int] | None = None
    sampling_factor: float | None = None
    iterations: int | None = None
    spherical: bool | None = None
    seed: int | None = None
    nprobe: int | Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class VectorParams:
    """A vector space of `size` dimensions (1 to 65,536). Its size and distance never change.

    `datatype` None: BFloat16, or Binary under Hamming and Jaccard. `index` (also "auto", "flat", "hnsw", "ivf") None:
    Auto. `embedder` names an embedder of the server's settings that turns texts into vectors; None: texts are refused.
    With `multivector_config` a point has a matrix of vectors of `size` dimensions.
    """

    size: int
    distance: Distance = Distance.COSINE
    hnsw_config: HnswConfigDiff | None = None
    datatype: Datatype | None = None
    index: IndexKind | str | None = None
    embedder: str | None = None
    multivector_config: MultiVectorParams | None = None
    ivf_config: IvfConfig | None = None


@dataclass(frozen=True, slots=True)
class VectorParamsDiff:
    """Changes to a vector space. None: the setting stays. Indexes are rebuilt in the background; Flat drops them now.

    The `embedder` "" removes the embedder of the space. Stored vectors stay as they are.
    """

    hnsw_config: HnswConfigDiff | None = None
    datatype: Datatype | str | None = None
    index: IndexKind | str | None = None
    ivf_config: IvfConfig | None = None
    embedder: str | None = None


class SparseModifier(Enum):
    """What a sparse space does to the values of queries."""

    IDF = "SPARSE_MODIFIER_IDF"
    """Multiplies each value by the inverse document frequency of its index."""
    # The earlier names of the members.
    Idf = IDF


@dataclass(frozen=True, slots=True)
class SparseVectorParams:
    """A space of sparse vectors. `modifier` may also be "idf"; None: no modifier. It never changes."""

    modifier: SparseModifier | str | None = None


@dataclass(frozen=True, slots=True)
class SparseSpaceInfo:
    """A sparse space, and how many points have a vector there."""

    params: SparseVectorParams
    vectors_count: int


@dataclass(frozen=True, slots=True)
class OptimizersConfig:
    """Settings of background work. `indexing_threshold`: rows of a space that are scanned before an index is built.

    `auto_index` False: indexes are built only when `vde.optimize`, `rebuild_index` or `trigger_rebuild` ask for it.
    """

    indexing_threshold: int | None = None
    auto_index: bool | None = None


class SpaceState(Enum):
    """The state of the index of a space."""

    AWAITING_VECTORS = "SPACE_STATE_AWAITING_VECTORS"
    PENDING = "SPACE_STATE_PENDING"
    INDEXING = "SPACE_STATE_INDEXING"
    READY = "SPACE_STATE_READY"
    ERROR = "SPACE_STATE_ERROR"


@dataclass(frozen=True, slots=True)
class SpaceInfo:
    """A vector space with all its settings, and how many points have a vector there."""

    params: VectorParams
    vectors_count: int
    indexed_vectors_count: int
    state: SpaceState


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """A collection: its settings and its counts. `name` is its own name, also when it was asked for by an alias.

    `vectors` are its dense spaces by name, `sparse_vectors` the sparse ones; the unnamed space is "". `seq` is the
    commit sequence of the last write. `payload_schema` are the declared indexes of payload fields, by path;
    `text_indexes` are by the path of their field.
    """

    name: str
    vectors: Mapping[str, SpaceInfo]
    optimizers_config: OptimizersConfig
    points_count: int
    seq: int
    aliases: tuple[str, ...]
    payload_schema: Mapping[str, FieldIndexInfo] = field(default_factory=dict)
    sparse_vectors: Mapping[str, SparseSpaceInfo] = field(default_factory=dict)
    text_indexes: Mapping[str, TextIndexParams] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias and the collection it points to."""

    alias: str
    collection: str


@dataclass(frozen=True, slots=True)
class CreateAlias:
    """Makes an alias point to a collection. An alias that exists then points to this collection."""

    alias: str
    collection: str


@dataclass(frozen=True, slots=True)
class RenameAlias:
    """Renames an alias to a name that is free."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class DeleteAlias:
    """Deletes an alias."""

    alias: str


AliasOperation = CreateAlias | RenameAlias | DeleteAlias
VectorsConfig = VectorParams | Mapping[str, VectorParams | Mapping[str, Any]] | Mapping[str, Any]
"""One unnamed space, or spaces by name; each VectorParams, or the same as a dict."""
SparseVectorsConfig = SparseVectorParams | Mapping[str, SparseVectorParams | Mapping[str, Any]] | Mapping[str, Any]
"""One unnamed sparse space, or sparse spaces by name."""
OptimizersConfigLike = OptimizersConfig | Mapping[str, Any]
"""OptimizersConfig, or the same as a dict: `{"indexing_threshold": 50_000}`."""
