"""Writes of a managed index: sets vectors of new texts, and deletes vectors of texts that are gone. It embeds nothing.

A point is only written if it has not changed since its text was read. So no vector belongs to an older text.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from storage.budget import UNLIMITED
from storage.collection import Collection
from storage.errors import PointNotFound
from storage.tables import PointRecord, Reader
from storage.write import BySlots, DeleteVectors, Operation, SpaceVectors, StoredCondition, UpdateVectors, wait_for

Slots = NDArray[np.uint32]


def set_vectors(records: Sequence[PointRecord], rows: Sequence[NDArray[np.float32]], space: str) -> UpdateVectors:
    """Gives each point its vector: float32, of the space's dimension. Requires: at least one point."""
    versions = _versions(records)
    return UpdateVectors(
        ids=tuple(record.id for record in records),
        vectors={space: SpaceVectors(np.arange(len(rows)), np.stack(rows))},
        condition=StoredCondition(holds=lambda reader, slots: _unchanged(reader, slots, versions)),
    )


def delete_vectors(records: Sequence[PointRecord], space: str) -> DeleteVectors:
    """Deletes the vectors of those points that have not changed since they were read."""
    versions = _versions(records)
    slots = np.array(list(versions), np.uint32)

    def select(reader: Reader) -> Slots:
        kept = [record.slot for record in reader.existing(slots) if record.version == versions[record.slot]]
        return np.array(kept, np.uint32)

    return DeleteVectors(selector=BySlots(select), spaces=(space,))


def write(collection: Collection, operations: Sequence[Operation]) -> bool:
    """Writes the operations and waits.

    False if some points were changed or deleted since; these are left as they are.
    """
    if not operations:
        return True
    try:
        result = wait_for(collection.write(list(operations)), UNLIMITED)
    except PointNotFound as error:
        kept = [_without(operation, set(error.ids)) for operation in operations]
        write(collection, [operation for operation in kept if operation is not None])
        return False
    return not any(result.skipped)


def _versions(records: Sequence[PointRecord]) -> dict[int, int]:
    """The commit that wrote each point, by slot."""
    return {record.slot: record.version for record in records}


def _unchanged(reader: Reader, slots: Slots, versions: dict[int, int]) -> NDArray[np.bool_]:
    found = [reader.record(slot).version == versions.get(slot) for slot in slots.tolist()]
    return np.array(found, np.bool_)


def _without(operation: Operation, ids: set[int | str]) -> Operation | None:
    """The operation without the points of these ids; None if no point is left."""
    if not isinstance(operation, UpdateVectors):
        return operation
    kept = [number for number, point_id in enumerate(operation.ids) if point_id not in ids]
    if not kept:
        return None
    vectors = {name: SpaceVectors(np.arange(len(kept)), each.matrix[kept]) for name, each in operation.vectors.items()}
    return UpdateVectors(
        ids=tuple(operation.ids[number] for number in kept), vectors=vectors, condition=operation.condition
    )
