"""Writes as data: what the writer applies, in order, inside one commit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from storage.schema import PointId

if TYPE_CHECKING:
    from storage.reader import Reader


@dataclass(frozen=True, slots=True)
class SpaceVectors:
    """Vectors of one space: row i of `matrix` (float32, (n, size)) belongs to point `positions[i]` of the write."""

    positions: NDArray[np.int64]
    matrix: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ByIds:
    """The points of these ids. Unless the operation says otherwise a missing id is PointNotFound."""

    ids: tuple[PointId, ...]


@dataclass(frozen=True, slots=True)
class BySlots:
    """The points whose slots `select` returns (uint32) when the write is applied, inside its transaction."""

    select: "Callable[[Reader], NDArray[np.uint32]]"


Selector = ByIds | BySlots


@dataclass(frozen=True, slots=True, kw_only=True)
class Upsert:
    """Inserts points or replaces them whole. Payloads are encoded. Of one id given twice the last wins."""

    ids: tuple[PointId, ...]
    payloads: tuple[bytes, ...]
    vectors: Mapping[str, SpaceVectors]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePoints:
    """Deletes points; absent ids are no error."""

    selector: Selector


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateVectors:
    """Sets the given vectors of existing points."""

    ids: tuple[PointId, ...]
    vectors: Mapping[str, SpaceVectors]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteVectors:
    """Removes the selected points' vectors in these spaces."""

    selector: Selector
    spaces: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePayload:
    """Replaces each selected point's payload by `change` of it. `change` must not keep its argument."""

    selector: Selector
    change: Callable[[dict[str, object]], dict[str, object]]


Operation = Upsert | DeletePoints | UpdateVectors | DeleteVectors | ChangePayload


@dataclass(frozen=True, slots=True)
class WriteResult:
    """Commit sequence that holds a write, and how many points each of its operations changed."""

    seq: int
    affected: tuple[int, ...]
