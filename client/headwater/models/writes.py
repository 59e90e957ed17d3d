"""Writes as data: what `points.update_batch` takes, and what became of a write. One class per kind of write."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from headwater.filters import FilterLike
from headwater.models.points import Payload, PointIds, PointStruct, PointVectors


class UpdateStatus(Enum):
    """What became of a write."""

    ACKNOWLEDGED = "UPDATE_STATUS_ACKNOWLEDGED"
    """Valid and queued (`wait` was False); not durable yet."""
    COMPLETED = "UPDATE_STATUS_COMPLETED"
    """Applied, durable and visible."""


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """The outcome of a write: the commit that holds it and how many points it changed; 0 when only acknowledged.

    `skipped` counts the points that the write was about and left alone for its mode or condition.
    """

    status: UpdateStatus
    seq: int
    affected: int
    skipped: int = 0


class UpsertMode(Enum):
    """What an upsert does to ids that exist, and to those that do not."""

    UPSERT = "UPSERT_MODE_UPSERT"
    INSERT_ONLY = "UPSERT_MODE_INSERT_ONLY"
    """Skips ids that exist."""
    UPDATE_ONLY = "UPSERT_MODE_UPDATE_ONLY"
    """Skips ids that do not exist."""


class Comparison(Enum):
    """How a stored value must stand to the new one."""

    LESS = "COMPARISON_LESS"
    LESS_OR_EQUAL = "COMPARISON_LESS_OR_EQUAL"
    EQUAL = "COMPARISON_EQUAL"
    GREATER_OR_EQUAL = "COMPARISON_GREATER_OR_EQUAL"
    GREATER = "COMPARISON_GREATER"


@dataclass(frozen=True, slots=True)
class StoredComparison:
    """The stored payload's value at `path` stands so to that of the payload the write would leave, at `new_path`.

    `StoredComparison("version", Comparison.LESS)` is stored.version < new.version. `new_path` None: `path`.
    """

    path: str
    comparison: Comparison
    new_path: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Upsert:
    """Inserts points or replaces them whole; replaces only what fulfils `condition` and `compare`."""

    points: Iterable[PointStruct]
    mode: UpsertMode | str = UpsertMode.UPSERT
    condition: FilterLike | None = None
    compare: Sequence[StoredComparison] = ()


@dataclass(frozen=True, slots=True, eq=False)
class UpdateVectors:
    """Sets the given vectors of existing points and leaves their others."""

    points: Iterable[PointVectors | PointStruct]
    condition: FilterLike | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Selected:
    """Which points a write changes: `ids`, or those that match `filter` when it is applied. Exactly one is given."""

    ids: PointIds | None = None
    filter: FilterLike | None = None

    def __post_init__(self) -> None:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("give ids or filter, and not both")


@dataclass(frozen=True, slots=True, eq=False)
class DeletePoints(Selected):
    """Deletes points. An absent id is no error."""

    condition: FilterLike | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DeleteVectors(Selected):
    """Removes the vectors of these spaces."""

    using: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class SetPayload(Selected):
    """Merges keys into payloads: at the top, or into the object at the path `key` (`a.b`), made when absent."""

    payload: Payload
    key: str | None = None
    condition: FilterLike | None = None
    compare: Sequence[StoredComparison] = ()


@dataclass(frozen=True, slots=True, eq=False)
class OverwritePayload(Selected):
    """Replaces payloads."""

    payload: Payload
    condition: FilterLike | None = None
    compare: Sequence[StoredComparison] = ()


@dataclass(frozen=True, slots=True, eq=False)
class DeletePayload(Selected):
    """Removes paths (`a`, `a.b`) from payloads."""

    keys: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class ClearPayload(Selected):
    """Empties payloads."""


WriteOperation = (
    Upsert | DeletePoints | UpdateVectors | DeleteVectors | SetPayload | OverwritePayload | DeletePayload | ClearPayload
)
