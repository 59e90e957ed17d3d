"""Counts, sizes and states of a collection, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from storage.failed_writes import FailedWrites


class SpaceState(Enum):
    AWAITING_VECTORS = "awaiting_vectors"
    PENDING = "pending"
    INDEXING = "indexing"
    READY = "ready"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceStats:
    """vectors = indexed_vectors + tail_vectors. `deleted_vectors`: rows on disk that are not current.

    `index`: flat, hnsw or ivf; `datatype`: the stored form that it searches, or both while one replaces the other.
    `recall`: the lowest at 10 that was measured of its indexes, None: none was; `warning`: what they lack, or empty.
    """

    vectors: int
    indexed_vectors: int
    tail_vectors: int
    deleted_vectors: int
    segments: int
    disk_bytes: int
    mapped_bytes: int
    index: str
    datatype: str
    state: SpaceState
    recall: float | None = None
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionStats:
    """`points_with_vectors`: points that have a vector in any space. `vector_counts`: points that have one in each
    space, by name. `failed_writes`: of those that nobody waited for. `generation`: of the indexes, see State."""

    seq: int
    points: int
    points_with_vectors: int
    payload_disk_bytes: int
    spaces: Mapping[str, SpaceStats]
    vector_counts: Mapping[str, int] = field(default_factory=dict)
    failed_writes: FailedWrites = field(default_factory=FailedWrites)
    generation: int = 0
