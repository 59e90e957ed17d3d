"""Writes as data: the operations that the writer applies, in order, in one commit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from storage.kernels import Pieces
from storage.schema import PointId

if TYPE_CHECKING:
    from storage.tables import Reader


@dataclass(frozen=True, slots=True)
class SpaceVectors:
    """Vectors of one space: row i of `matrix` (float32, (n, size)) belongs to point `positions[i]` of the write."""

    positions: NDArray[np.int64]
    matrix: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SpaceBodies:
    """Vectors of a sparse or multi-vector space: `bodies[i]` belongs to point `positions[i]` of the write."""

    positions: NDArray[np.int64]
    bodies: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ByIds:
    """The points with these ids. A missing id raises PointNotFound, unless the operation says otherwise."""

    ids: tuple[PointId, ...]


@dataclass(frozen=True, slots=True)
class BySlots:
    """The points whose slots `select` returns (uint32) when the write is applied, inside its transaction."""

    select: "Callable[[Reader], NDArray[np.uint32]]"


Selector = ByIds | BySlots

Payload = dict[str, object]
"""A decoded payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCondition:
    """What a stored point must fulfil before a write may change it. It is checked inside the write's transaction.

    `holds` says which of the slots (uint32, (n,)) fulfil it, as (n,) bools. `replaces(stored, new)` says whether the
    new payload may replace the stored one; it gets the payload as the write would leave it. None allows everything.
    """

    holds: "Callable[[Reader, NDArray[np.uint32]], NDArray[np.bool_]] | None" = None
    replaces: Callable[[Payload, Payload], bool] | None = None


class UpsertMode(Enum):
    """What an upsert does with existing ids, and with new ones."""

    UPSERT = "upsert"
    INSERT_ONLY = "insert_only"
    UPDATE_ONLY = "update_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upsert:
    """Inserts points, or replaces them whole. Payloads are encoded. If an id is given twice, the last one counts.

    With a mode or a condition, points are taken one after another, so the second point with an id meets the first. The
    condition is for existing points; new points are always inserted.
    """

    ids: tuple[PointId, ...]
    payloads: Sequence[bytes]
    vectors: Mapping[str, SpaceVectors]
    bodies: Mapping[str, SpaceBodies] = field(default_factory=dict)
    mode: UpsertMode = UpsertMode.UPSERT
    condition: StoredCondition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePoints:
    """Deletes points. Missing ids are not an error."""

    selector: Selector
    condition: StoredCondition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateVectors:
    """Sets the given vectors of existing points."""

    ids: tuple[PointId, ...]
    vectors: Mapping[str, SpaceVectors]
    bodies: Mapping[str, SpaceBodies] = field(default_factory=dict)
    condition: StoredCondition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteVectors:
    """Removes the selected points' vectors in these spaces."""

    selector: Selector
    spaces: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePayload:
    """Replaces the payload of each selected point by the result of `change`, which must not keep its argument.

    `removes`: the change only removes values, so it also works when there is no room.
    """

    selector: Selector
    change: Callable[[Payload], Payload]
    condition: StoredCondition | None = None
    removes: bool = False


Operation = Upsert | DeletePoints | UpdateVectors | DeleteVectors | ChangePayload


def frees_room(operation: Operation) -> bool:
    """Whether an operation only removes data, so that it may use the reserves."""
    match operation:
        case DeletePoints() | DeleteVectors():
            return True
        case ChangePayload():
            return operation.removes
        case _:
            return False


def size_of(operation: Operation) -> int:
    """The bytes that a waiting operation holds, about."""
    match operation:
        case Upsert():
            return _bytes_in(operation.payloads) + _bytes_of_vectors(operation)
        case UpdateVectors():
            return _bytes_of_vectors(operation)
        case _:
            return 64


def _bytes_in(parts: Sequence[bytes]) -> int:
    """Bytes of all parts together."""
    return len(parts.data) if isinstance(parts, Pieces) else sum(map(len, parts))


def _bytes_of_vectors(write: Upsert | UpdateVectors) -> int:
    dense = sum(vectors.matrix.nbytes for vectors in write.vectors.values())
    return dense + sum(len(body) for vectors in write.bodies.values() for body in vectors.bodies)


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The commit sequence of a write, and for each operation the number of points that it changed.

    `skipped`: the number of selected points that an operation left unchanged because of its mode or condition.
    """

    seq: int
    affected: tuple[int, ...]
    skipped: tuple[int, ...]
