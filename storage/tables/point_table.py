"""The table slot -> record: what is stored of each point beside its vectors. Only read here."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.errors import CorruptStore
from storage.tables.codec import PayloadCodec
from storage.tables.keys import decode_slot, encode_slot, encode_slots
from storage.tables.point_records import record_parts
from storage.tables.record_columns import RecordColumns, columns_of
from storage.tables.whole_tables import read_versions, slots_in

POINTS_PER_PART = 256
BYTES_PER_PART = 4 * 2**20
"""Points and bytes of records that are read together, about."""


class PointTable:
    """Reads one table inside one transaction. Raises CorruptStore for a record that is damaged."""

    __slots__ = ("_file", "_table", "_txn")  # a snapshot is begun for every request

    def __init__(self, txn: lmdb.Transaction, table: lmdb._Database, file: Path) -> None:
        """`file` is named in errors."""
        self._txn = txn
        self._table = table
        self._file = file

    def parts(self, slot: int) -> tuple[int, memoryview, memoryview]:
        """Version, id key and payload of the point in a slot, lent by the transaction."""
        value = self._txn.get(encode_slot(slot), db=self._table)
        try:
            if value is None:
                raise ValueError("the record is missing")
            return record_parts(memoryview(value))
        except ValueError as error:
            raise damaged(self._file, slot, error) from error

    def columns(self, slots: NDArray[np.uint32]) -> Iterator[RecordColumns]:
        """The points in these slots, in their order, part by part."""
        get, table = self._txn.get, self._table
        for start in range(0, len(slots), POINTS_PER_PART):
            part = slots[start : start + POINTS_PER_PART].tolist()
            values = [get(key, b"", table) for key in encode_slots(part)]  # no record is empty
            sizes = list(map(len, values))
            for some in _pieces(sizes):
                yield self._columns(part[some], values[some], sizes[some])

    def _columns(
        self, slots: Sequence[int], values: Sequence[bytes | memoryview], sizes: Sequence[int]
    ) -> RecordColumns:
        try:
            return columns_of(values, sizes)
        except ValueError:
            for slot in slots:
                self.parts(slot)  # raises for the one that is damaged
            raise

    def present(self, slots: Iterable[int]) -> Iterator[int]:
        """Those of `slots` that hold a point, in their order."""
        get, table = self._txn.get, self._table
        return (slot for slot in slots if get(encode_slot(slot), db=table) is not None)

    def payloads(
        self, codec: PayloadCodec, keys: Collection[str] | None, start: int
    ) -> Iterator[tuple[int, dict[str, object]]]:
        """Slot and decoded payload (only its top-level `keys` when given) of points, in slot order from `start` on."""
        decode = codec.decode
        with self._txn.cursor(self._table) as cursor:
            if not cursor.set_range(encode_slot(start)):
                return
            for key, value in cursor:
                slot = decode_slot(key)
                try:
                    payload = decode(record_parts(memoryview(value))[2], keys)
                except ValueError as error:
                    raise damaged(self._file, slot, error) from error
                yield slot, payload

    def slots(self) -> NDArray[np.uint32]:
        """Slots of all points, ascending."""
        return slots_in(self._txn, self._table)

    def versions(self) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """Slots of all points, ascending, and the commit that wrote each last."""
        return read_versions(self._txn, self._table)


def _pieces(sizes: Sequence[int]) -> list[slice]:
    """Cuts records of these sizes where they become too large to be read together."""
    if sum(sizes) <= BYTES_PER_PART:
        return [slice(0, len(sizes))]
    starts, size = [0], 0
    for number, each in enumerate(sizes):
        if size and size + each > BYTES_PER_PART:
            starts.append(number)
            size = 0
        size += each
    return [slice(start, end) for start, end in pairwise([*starts, len(sizes)])]


def damaged(file: Path, slot: int, error: ValueError) -> CorruptStore:
    """What `error`, met in what is stored under a slot, means."""
    return CorruptStore(file, 0, f"point in slot {slot}: {error}")
