"""Facts about the data of a collection, from the vector data engine (VDE): states, counts, sizes, tasks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from headwater.models.collections import SpaceState


class CollectionState(Enum):
    """The state of a collection."""

    READY = "COLLECTION_STATE_READY"
    """It serves."""
    REBUILDING = "COLLECTION_STATE_REBUILDING"
    """It serves, and an index is being built."""
    LOADING = "COLLECTION_STATE_LOADING"
    """It is being opened."""
    CLOSED = "COLLECTION_STATE_CLOSED"
    """It was closed."""
    ERROR = "COLLECTION_STATE_ERROR"
    """It cannot serve."""


@dataclass(frozen=True, slots=True)
class StateInfo:
    """The state of a collection, the reason when it is ERROR, and the states of its indexes by space (when it is open).

    `warnings` has a text for each space whose searches may miss points: why, and what helps.
    """

    state: CollectionState
    reason: str
    spaces: Mapping[str, SpaceState]
    warnings: Mapping[str, str] = field(default_factory=dict)


class VectorCount(int):
    """The number of points with a vector in any space: an int that also has the counts per space, in `spaces`."""

    spaces: Mapping[str, int]

    def __new__(cls, count: int, spaces: Mapping[str, int]) -> Self:
        instance = super().__new__(cls, count)
        instance.spaces = spaces
        return instance


@dataclass(frozen=True, slots=True)
class SpaceStats:
    """Counts and sizes of one space, or of all spaces together. `index` is `flat`, `hnsw` or `ivf`, and empty in a sum.

    `datatype` is the stored form that the index searches, such as `bfloat16`; `float32` when flat. `recall` is the
    lowest recall at 10 of its indexes, measured when they were built; None when it was not measured. `warning` says why
    searches may miss points; empty when they should not.
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
    recall: float | None = None
    warning: str = ""


@dataclass(frozen=True, slots=True)
class CollectionStats:
    """Counts and sizes of a collection: `total` over all spaces, and by space.

    `failed_writes`: writes with `wait=False` that were acknowledged and then failed, since the server started;
    `last_failed_write`: the newest of them and why, "" when there is none. `generation` grows when indexes come or go
    without a write: equal requests at the same `seq` and `generation` have equal answers.
    """

    points: int
    total: SpaceStats
    spaces: Mapping[str, SpaceStats]
    payload_disk_bytes: int
    seq: int
    failed_writes: int = 0
    last_failed_write: str = ""
    generation: int = 0


class TaskKind(Enum):
    """What a task does."""

    BUILD = "TASK_KIND_BUILD"
    """Builds the index of rows that have none."""
    MERGE = "TASK_KIND_MERGE"
    """Makes one segment from several."""
    VACUUM = "TASK_KIND_VACUUM"
    """Writes a segment anew without its deleted rows."""
    REBUILD = "TASK_KIND_REBUILD"
    """Builds the index of a segment anew."""


@dataclass(frozen=True, slots=True)
class RebuildTask:
    """A piece of background work on one space. `task_id` is empty while it is due and not started.

    `phase` is `waiting`, `copying`, `building`, `checking` or `publishing`, and at the end `done`, `failed` (`error`
    says why) or `cancelled`. `done` and `total` count the rows of the phase. `eta_seconds` is the time that the task
    still needs, once that is known. `started` and `finished` are seconds since 1970. `reclaimed_bytes` is how many
    bytes it gave back to the file system.
    """

    task_id: str
    collection: str
    phase: str
    done: int
    total: int
    eta_seconds: float | None
    kind: TaskKind
    using: str
    started: float
    finished: float | None
    error: str
    reclaimed_bytes: int

    @property
    def ended(self) -> bool:
        return self.phase in ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Compaction:
    """A compaction: a task per segment with deleted vectors, and the bytes that the finished tasks gave back."""

    tasks: list[RebuildTask]
    reclaimed_bytes: int


@dataclass(frozen=True, slots=True)
class Recall:
    """Recall against exact search, 0 to 1: the mean, the lowest, and the value that nine of ten queries reach (`p10`).

    `queries` is how many queries were run, and `seq` the commit that they read.
    """

    average: float
    minimum: float
    p10: float
    queries: int
    seq: int
