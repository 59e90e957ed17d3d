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

    `index`: flat, hnsw or ivf. `datatype`: the stored form that a search reads; both forms while one replaces the
    other. `recall`: the lowest recall at 10 measured on its indexes, None when none was measured. `warning`: what is
    wrong with the indexes, or empty.
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
    """The counts of a collection.

    `points_with_vectors`: points that have a vector in any space. `vector_counts`: points that have one in each space,
    by name. `failed_writes`: writes that failed and that nobody waited for. `generation`: of the indexes, see State.
    """

    seq: int
    points: int
    points_with_vectors: int
    payload_disk_bytes: int
    spaces: Mapping[str, SpaceStats]
    vector_counts: Mapping[str, int] = field(default_factory=dict)
    failed_writes: FailedWrites = field(default_factory=FailedWrites)
    generation: int = 0
