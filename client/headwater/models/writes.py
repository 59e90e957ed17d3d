"""The writes that `points.update_batch` takes, one class per kind, and the results of writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from headwater.filters import FilterLike
from headwater.models.points import Payload, PointIds, PointStruct, PointVectors


class UpdateStatus(Enum):
    """The state of a write when the call returns."""

    ACKNOWLEDGED = "UPDATE_STATUS_ACKNOWLEDGED"
    """The write is valid and queued, since `wait` was False. It is not durable yet."""
    COMPLETED = "UPDATE_STATUS_COMPLETED"
    """The write is applied, durable and visible."""


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """The result of a write. `seq` is the commit that holds it, and `affected` counts the points that it changed.

    Both are 0 when the write was only acknowledged. `skipped` counts the points that the write did not change because
    of its mode or its condition.
    """

    status: UpdateStatus
    seq: int
    affected: int
    skipped: int = 0


class UpsertMode(Enum):
    """What an upsert does with ids that exist, and with ids that do not."""

    UPSERT = "UPSERT_MODE_UPSERT"
    INSERT_ONLY = "UPSERT_MODE_INSERT_ONLY"
    """Skips ids that exist."""
    UPDATE_ONLY = "UPSERT_MODE_UPDATE_ONLY"
    """Skips ids that do not exist."""


class Comparison(Enum):
    """How a stored value must compare to the new value."""

    LESS = "COMPARISON_LESS"
    LESS_OR_EQUAL = "COMPARISON_LESS_OR_EQUAL"
    EQUAL = "COMPARISON_EQUAL"
    GREATER_OR_EQUAL = "COMPARISON_GREATER_OR_EQUAL"
    GREATER = "COMPARISON_GREATER"


@dataclass(frozen=True, slots=True)
class StoredComparison:
    """Compares the stored payload with the payload after the write. An existing point is changed only if this holds.

    It compares the stored value at `path` with the new value at `new_path` (None: `path`).
    `StoredComparison("version", Comparison.LESS)` means stored.version < new.version.
    """

    path: str
    comparison: Comparison
    new_path: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Upsert:
    """Inserts points, or replaces whole points. Replaces only points that fulfil `condition` and `compare`."""

    points: Iterable[PointStruct]
    mode: UpsertMode | str = UpsertMode.UPSERT
    condition: FilterLike | None = None
    compare: Sequence[StoredComparison] = ()


@dataclass(frozen=True, slots=True, eq=False)
class UpdateVectors:
    """Sets the given vectors of existing points. Their other vectors stay."""

    points: Iterable[PointVectors | PointStruct]
    condition: FilterLike | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Selected:
    """The points that a write changes: `ids`, or the points that match `filter` when the write is applied.

    Raises ValueError unless exactly one of them is given.
    """

    ids: PointIds | None = None
    filter: FilterLike | None = None

    def __post_init__(self) -> None:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("give ids or filter, not both")


@dataclass(frozen=True, slots=True, eq=False)
class DeletePoints(Selected):
    """Deletes points. Missing ids are not an error."""

    condition: FilterLike | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DeleteVectors(Selected):
    """Removes the vectors of these spaces."""

    using: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class SetPayload(Selected):
    """Merges `payload` into payloads, at the top or at the path `key` (`a.b`). A missing object there is made."""

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
