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
    """The outcome of a write: the commit that holds it and how many points it changed; 0 when only acknowledged."""

    status: UpdateStatus
    seq: int
    affected: int


@dataclass(frozen=True, slots=True, eq=False)
class Upsert:
    """Inserts points or replaces them whole."""

    points: Iterable[PointStruct]


@dataclass(frozen=True, slots=True, eq=False)
class UpdateVectors:
    """Sets the given vectors of existing points and leaves their others."""

    points: Iterable[PointVectors | PointStruct]


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


@dataclass(frozen=True, slots=True, eq=False)
class DeleteVectors(Selected):
    """Removes the vectors of these spaces."""

    using: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class SetPayload(Selected):
    """Merges keys into payloads: at the top, or into the object at the path `key` (`a.b`), made when absent."""

    payload: Payload
    key: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class OverwritePayload(Selected):
    """Replaces payloads."""

    payload: Payload


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
