"""The kinds of spaces and their settings, as frozen data. space_json.py has their form on disk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from storage.schema.index_policy import IndexPolicy


class Distance(Enum):
    """The metric of a space. Persisted by value: do not rename."""

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
        """Whether all components are 0 or 1."""
        return self in (Distance.HAMMING, Distance.JACCARD)


class Datatype(Enum):
    """The stored form of vectors in an index; originals are float32. Persisted by value: do not rename."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    INT8 = "int8"
    BINARY = "binary"


def default_datatype(distance: Distance, *, small: bool = False) -> Datatype:
    """The stored form of a space that names none. `small`: the space is to take little memory, or has lists."""
    if distance.is_binary:
        return Datatype.BINARY
    return Datatype.INT8 if small else Datatype.BFLOAT16


FINER: Mapping[Datatype, tuple[Datatype, ...]] = {
    Datatype.INT8: (Datatype.FLOAT16, Datatype.FLOAT32),
    Datatype.BFLOAT16: (Datatype.FLOAT16, Datatype.FLOAT32),
    Datatype.FLOAT16: (Datatype.FLOAT32,),
}
"""The stored forms to try next, where nobody chose one and the first cannot tell the rows of a segment apart."""


class IndexKind(Enum):
    """Which index serves a space. Persisted by value: do not rename.

    AUTO: a scan below the indexing threshold, a graph above it. FLAT: always a scan. HNSW: always a graph, but see
    segments/policy.py. IVF: lists of rows by nearest centroid, see ivf/.
    """

    AUTO = "auto"
    FLAT = "flat"
    HNSW = "hnsw"
    IVF = "ivf"


@dataclass(frozen=True, slots=True, kw_only=True)
class HnswConfig:
    """Settings of an HNSW graph: links per node, and the width of the walk in building and in searching."""

    m: int = 16
    ef_construct: int = 200
    ef: int = 128


class HnswPreset(Enum):
    """Settings of a graph under one name. LOW_MEMORY also makes INT8 the stored form of a new space that names none."""

    BALANCED = HnswConfig(m=16, ef_construct=200, ef=128)
    HIGH_RECALL = HnswConfig(m=32, ef_construct=400, ef=256)
    HIGH_SPEED = HnswConfig(m=8, ef_construct=100, ef=64)
    HIGH_THROUGHPUT = HnswConfig(m=16, ef_construct=128, ef=64)
    LOW_MEMORY = HnswConfig(m=8, ef_construct=128, ef=128)


@dataclass(frozen=True, slots=True, kw_only=True)
class IvfConfig:
    """Settings of IVF lists: how the partition is made, and how much of it a search reads.

    lists: nodes of each level from the top; the last level is the lists. Empty: by the number of rows, see
    ivf/kmeans.py.
    sampling_factor: rows clustered per list.
    iterations: of k-means.
    spherical: whether centroids have length 1; None: under Cosine.
    seed: of the random sample of rows.
    nprobe: nodes of each level that a search follows. Empty: see ivf/partition.py.
    """

    lists: tuple[int, ...] = ()
    sampling_factor: float = 64.0
    iterations: int = 10
    spherical: bool | None = None
    seed: int = 0
    nprobe: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DenseSpace:
    """A space in which a point has one dense vector of `size` components.

    `uid` names the space's files and is never reused in its collection; 0 until the space is stored. `embedder` is the
    name of the server's embedder that turns texts into vectors; storage only keeps it. `policy` names the payload
    property whose vectors these are; None: there is none. `datatype_chosen`: a client named the stored form, so
    segments keep it; else they begin with it and may take a finer one, see FINER.
    """

    size: int
    distance: Distance = Distance.COSINE
    hnsw: HnswConfig = field(default_factory=HnswConfig)
    datatype: Datatype = Datatype.BFLOAT16
    datatype_chosen: bool = True
    index: IndexKind = IndexKind.AUTO
    ivf: IvfConfig = field(default_factory=IvfConfig)
    uid: int = 0
    embedder: str | None = None
    policy: IndexPolicy | None = None


def forms_of(space: DenseSpace) -> tuple[Datatype, ...]:
    """The stored forms that the graph of a segment may have, in the order of trying."""
    return (space.datatype, *(() if space.datatype_chosen else FINER.get(space.datatype, ())))


class SparseModifier(Enum):
    """What a sparse space does to query values. Persisted by value: do not rename.

    IDF multiplies each value by ln(1 + (N - n + 0.5) / (n + 0.5)). N is the number of points with a vector in the
    space; n of them have the index of the value.
    """

    NONE = "none"
    IDF = "idf"


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseSpace:
    """A space in which a point has one sparse vector. Its `uid` comes from the same counter as those of other
    spaces."""

    modifier: SparseModifier = SparseModifier.NONE
    uid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiSpace:
    """A space in which a point has one multi-vector. `tokens` is the space of its rows; each row is one token."""

    tokens: DenseSpace

    @property
    def uid(self) -> int:
        return self.tokens.uid


SpaceSchema = DenseSpace | SparseSpace | MultiSpace
"""A space of any kind."""


def kind_of_space(space: SpaceSchema) -> str:
    """The kind as errors call it: "the space 'a' is sparse"."""
    match space:
        case DenseSpace():
            return "dense"
        case SparseSpace():
            return "sparse"
        case MultiSpace():
            return "one of multi-vectors"


BodySpace = SparseSpace | MultiSpace
"""A space with a body for each point in LMDB: a sparse vector, or the numbers of the point's token rows."""
