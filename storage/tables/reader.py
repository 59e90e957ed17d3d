"""Reading ids, payloads and row references inside one LMDB transaction. Snapshot adds vectors and searches."""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.derived import DerivedFiles
from storage.errors import CorruptStore, SpaceNotFound
from storage.schema import CollectionSchema, PointId
from storage.tables.codec import PayloadCodec
from storage.tables.environment import Tables
from storage.tables.ids import IdTable
from storage.tables.keys import decode_id, decode_slot, encode_id, encode_slot
from storage.tables.point_records import VERSION_BYTES, PointRecord, decode_vector, record_parts


class Reader:
    """What one transaction sees. Not for use by two threads at once; values are copied out of the transaction.

    `collection_uid` and `seq` together name this state of this collection for ever, so they may key a cache, unless
    `pending`: then the transaction is a write in the making, which may still be undone.
    """

    def __init__(
        self,
        txn: lmdb.Transaction,
        tables: Tables,
        *,
        seq: int,
        schema: CollectionSchema,
        codec: PayloadCodec,
        collection_uid: str,
        point_count: int,
        path: Path,
        pending: bool = False,
    ) -> None:
        self.seq = seq
        self.schema = schema
        self.codec = codec
        self.collection_uid = collection_uid
        self.point_count = point_count
        self.pending = pending
        self._txn = txn
        self._tables = tables
        self._ids = IdTable(txn, tables.ids)
        self._path = path

    def slots_of(self, ids: Sequence[PointId]) -> NDArray[np.int64]:
        """Slots in the order of `ids`, -1 where there is no such point."""
        found = self._ids.get_many([encode_id(point_id) for point_id in ids])
        return np.array([-1 if slot is None else slot for slot in found], np.int64)

    def id_keys(self, slots: NDArray[np.uint32]) -> list[bytes]:
        """For each slot a key whose order is the order of ids."""
        return [bytes(self._parts(slot)[1]) for slot in slots.tolist()]

    def point_ids(self, slots: NDArray[np.uint32]) -> list[PointId]:
        return [decode_id(key) for key in self.id_keys(slots)]

    def record(self, slot: int) -> PointRecord:
        version, id_key, payload = self._parts(slot)
        return PointRecord(slot, decode_id(bytes(id_key)), version, bytes(payload))

    def parts(self, slot: int) -> tuple[int, PointId, memoryview]:
        """Version, id and payload of a point. The payload is lent: copy it before the snapshot is closed."""
        version, id_key, payload = self._parts(slot)
        return version, decode_id(bytes(id_key)), payload

    def records(self, slots: NDArray[np.uint32]) -> list[PointRecord]:
        return [self.record(slot) for slot in slots.tolist()]

    def existing(self, slots: NDArray[np.uint32]) -> Iterator[PointRecord]:
        """The points in those of `slots` that hold one, in order."""
        for slot in slots.tolist():
            if self._txn.get(encode_slot(slot), db=self._tables.points) is not None:
                yield self.record(slot)

    def changed_since(self, seq: int) -> NDArray[np.uint32] | None:
        """Slots, ascending, of points that differ between commit `seq`, older or newer, and this one; None when that is
        not known. They may be more."""
        return None

    @property
    def derived(self) -> DerivedFiles | None:
        """Where data derived from the collection are kept; None for what is not committed yet."""
        return None

    def catch_up(self, seq: int, held: Callable[[], NDArray[np.uint32]]) -> NDArray[np.uint32] | None:
        """`changed_since`, also for commits before the collection was opened, of data that have the points `held`.

        Then the records of all points are looked at: each names the commit that wrote it last, and points that are
        gone are those of `held` that have none. Slots, ascending; None for a later commit that is not known.
        """
        changed = self.changed_since(seq)
        if changed is not None or seq > self.seq:
            return changed
        slots, versions = read_versions(self._txn, self._tables.points)
        gone = np.setdiff1d(held(), slots)
        return np.union1d(slots[versions > seq], gone)

    def scan(self, start: PointId | None = None) -> Iterator[PointRecord]:
        """All points in id order, from `start` inclusive."""
        for _, slot in self._ids.scan(b"" if start is None else encode_id(start)):
            yield self.record(slot)

    def scan_slots(self, start: PointId | None = None) -> Iterator[int]:
        """All slots in the order of their ids, from `start` inclusive."""
        for _, slot in self._ids.scan(b"" if start is None else encode_id(start)):
            yield slot

    def slots_between(self, start: bytes, stop: bytes) -> Iterator[int]:
        """Slots in the order of their ids, of those whose id key (see keys.py) is from `start` on and before `stop`."""
        for key, slot in self._ids.scan(start):
            if key >= stop:
                return
            yield slot

    def payloads(
        self, keys: Collection[str] | None = None, *, start: int = 0
    ) -> Iterator[tuple[int, dict[str, object]]]:
        """Slot and decoded payload (only its top-level `keys` when given) of points, in slot order from `start` on."""
        decode = self.codec.decode
        with self._txn.cursor(self._tables.points) as cursor:
            if not cursor.set_range(encode_slot(start)):
                return
            for key, value in cursor:
                slot = decode_slot(key)
                try:
                    payload = decode(record_parts(memoryview(value))[2], keys)
                except ValueError as error:
                    raise self._corrupt(slot, error) from error
                yield slot, payload

    def all_slots(self) -> NDArray[np.uint32]:
        """Slots of all points, ascending."""
        return slots_in(self._txn, self._tables.points)

    def slots_with_vector(self, space: str) -> NDArray[np.uint32]:
        """Slots of the points that have a vector in `space`, ascending."""
        table = self._rows_table(space) if space in self.schema.dense else self._bodies_table(space)
        return slots_in(self._txn, table)

    def vector_bodies(self, space: str) -> Iterator[tuple[int, memoryview]]:
        """Slot and bytes of every vector of a sparse or multi-vector space, in slot order. Raises CorruptStore."""
        with self._txn.cursor(self._bodies_table(space)) as cursor:
            for key, value in cursor:
                slot = decode_slot(key)
                yield slot, self._body(slot, value)

    def vector_body(self, space: str, slot: int) -> memoryview | None:
        """The bytes of a slot's vector in a sparse or multi-vector space; None: it has none. Raises CorruptStore."""
        value = self._txn.get(encode_slot(slot), db=self._bodies_table(space))
        return None if value is None else self._body(slot, value)

    def _body(self, slot: int, value: bytes | memoryview) -> memoryview:
        try:
            return decode_vector(memoryview(value))
        except ValueError as error:
            raise self._corrupt(slot, error) from error

    def _bodies_table(self, space: str) -> lmdb._Database:
        if space not in self.schema.body_spaces:  # it was dropped after the request was validated
            raise SpaceNotFound(space, self.schema.names)
        return self._tables.bodies[self.schema.body_spaces[space].uid]

    def _rows_table(self, space: str) -> lmdb._Database:
        spaces = self.schema.row_spaces
        if space not in spaces:  # it was dropped after the request was validated
            raise SpaceNotFound(space, self.schema.names)
        return self._tables.rows[spaces[space].uid]

    def _parts(self, slot: int) -> tuple[int, memoryview, memoryview]:
        value = self._txn.get(encode_slot(slot), db=self._tables.points)
        try:
            if value is None:
                raise ValueError("the record is missing")
            return record_parts(memoryview(value))
        except ValueError as error:
            raise self._corrupt(slot, error) from error

    def _corrupt(self, slot: int, error: ValueError) -> CorruptStore:
        return CorruptStore(self._path / "data.mdb", 0, f"point in slot {slot}: {error}")


def slots_in(txn: lmdb.Transaction, table: lmdb._Database) -> NDArray[np.uint32]:
    with txn.cursor(table) as cursor:
        keys = b"".join(cursor.iternext(keys=True, values=False))
    return np.frombuffer(keys, ">u4").astype(np.uint32)


def read_versions(txn: lmdb.Transaction, table: lmdb._Database) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Slots of all points, ascending, and the commit that wrote each last."""
    slots = slots_in(txn, table)
    with txn.cursor(table) as cursor:
        versions = b"".join([value[VERSION_BYTES] for value in cursor.iternext(keys=False, values=True)])
    return slots, np.frombuffer(versions, ">u8").astype(np.int64)


def read_rows(
    txn: lmdb.Transaction, table: lmdb._Database
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.uint32]]:
    """The whole table slot -> row and checksum, as arrays in slot order."""
    slots = slots_in(txn, table)
    with txn.cursor(table) as cursor:
        values = b"".join(cursor.iternext(keys=False, values=True))
    rows = np.frombuffer(values, np.dtype([("row", ">u8"), ("checksum", ">u4")]))
    return slots, rows["row"].astype(np.int64), rows["checksum"].astype(np.uint32)
