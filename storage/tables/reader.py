"""Reads ids, payloads and row references inside one LMDB transaction. Snapshot adds vectors and searches."""

from collections.abc import Callable, Collection, Iterator, Sequence

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.derived import DerivedFiles
from storage.errors import SpaceNotFound
from storage.schema import CollectionSchema, PointId
from storage.tables.body_table import BodyTable
from storage.tables.collection_tables import CollectionTables
from storage.tables.environment import State
from storage.tables.ids import Ids
from storage.tables.keys import decode_id, encode_ids
from storage.tables.point_records import PointRecord
from storage.tables.point_table import PointTable
from storage.tables.record_columns import RecordColumns
from storage.tables.whole_tables import slots_in


class Reader:
    """The data that one transaction sees. Not for two threads at once. Values are copied out of the transaction.

    `collection_uid` and `seq` together name this state of this collection for ever, so a cache may use them as a key.
    The exception is `pending`: then the transaction is a write that may still be undone.
    """

    def __init__(
        self,
        txn: lmdb.Transaction,
        tables: CollectionTables,
        state: State,
        schema: CollectionSchema,
        *,
        pending: bool = False,
    ) -> None:
        self.seq = state.seq
        self.point_count = state.point_count
        self.schema = schema
        self.codec = tables.codec
        self.collection_uid = tables.uid
        self.pending = pending
        self._txn = txn
        self._tables = tables.handles
        self.file = tables.file
        """What has the tables; errors name it."""
        self.ids = Ids(txn, tables.handles.ids)
        self.points = PointTable(txn, tables.handles.points, tables.file)

    def slots_of(self, ids: Sequence[PointId]) -> NDArray[np.int64]:
        """Slots in the order of `ids`, -1 where there is no such point."""
        return self.ids.slots_of(encode_ids(ids))

    def id_keys(self, slots: NDArray[np.uint32]) -> list[bytes]:
        """For each slot a key. Keys sort as ids do."""
        return [key for part in self.ids_and_versions(slots) for key in part.id_keys()]

    def point_ids(self, slots: NDArray[np.uint32]) -> list[PointId]:
        return [point_id for part in self.ids_and_versions(slots) for point_id in part.ids()]

    def ids_and_versions(self, slots: NDArray[np.uint32]) -> Iterator[RecordColumns]:
        """The points in these slots, in their order, part by part. Their payloads may be missing."""
        return self.points.columns(slots)

    def record(self, slot: int) -> PointRecord:
        version, id_key, payload = self.points.parts(slot)
        return PointRecord(slot, decode_id(bytes(id_key)), version, bytes(payload))

    def records(self, slots: NDArray[np.uint32]) -> list[PointRecord]:
        return [self.record(slot) for slot in slots.tolist()]

    def existing(self, slots: NDArray[np.uint32]) -> Iterator[PointRecord]:
        """Yields those of `slots` that hold a point, in order."""
        return map(self.record, self.points.present(slots.tolist()))

    def changed_since(self, seq: int) -> NDArray[np.uint32] | None:
        """Slots, ascending, of the points that differ between commit `seq` (older or newer) and this one.

        It may contain more slots. None when the changes are not known any more.
        """
        return None

    @property
    def derived(self) -> DerivedFiles | None:
        """Where data derived from the collection are stored; None for a transaction that is not committed yet."""
        return None

    def catch_up(self, seq: int, held: Callable[[], NDArray[np.uint32]]) -> NDArray[np.uint32] | None:
        """Like `changed_since`, but also for commits before the collection was opened. The data have the points `held`.

        For those commits it reads all points: each holds the commit that wrote it last. Points of `held` that are not
        stored were deleted. Returns slots, ascending; None when `seq` is a later commit that is not known.
        """
        changed = self.changed_since(seq)
        if changed is not None or seq > self.seq:
            return changed
        slots, versions = self.points.versions()
        gone = np.setdiff1d(held(), slots)
        return np.union1d(slots[versions > seq], gone)

    def scan(self, start: PointId | None = None) -> Iterator[PointRecord]:
        """Yields all points in id order, from `start` on."""
        return map(self.record, self.ids.slots_from(start))

    def payloads(
        self, keys: Collection[str] | None = None, *, start: int = 0
    ) -> Iterator[tuple[int, dict[str, object]]]:
        """Yields slot and decoded payload (only its top-level `keys` when given), in slot order from `start` on."""
        return self.points.payloads(self.codec, keys, start)

    def all_slots(self) -> NDArray[np.uint32]:
        """Slots of all points, ascending."""
        return self.points.slots()

    def slots_with_vector(self, space: str) -> NDArray[np.uint32]:
        """Slots of the points that have a vector in `space`, ascending."""
        if space in self.schema.dense:
            return slots_in(self._txn, self._rows_table(space))
        return self.bodies(space).slots()

    def bodies(self, space: str) -> BodyTable:
        """The vectors of a sparse or multi-vector space, as bytes."""
        if space not in self.schema.body_spaces:  # it was dropped after the request was validated
            raise SpaceNotFound(space, self.schema.names)
        return BodyTable(self._txn, self._tables.bodies[self.schema.body_spaces[space].uid], self.file)

    def _rows_table(self, space: str) -> lmdb._Database:
        spaces = self.schema.row_spaces
        if space not in spaces:  # it was dropped after the request was validated
            raise SpaceNotFound(space, self.schema.names)
        return self._tables.rows[spaces[space].uid]
