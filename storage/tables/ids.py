"""The table point id -> slot, in id order. It hides that LMDB keys end at 511 bytes, while ids may be two bytes longer.

Most keys are stored whole, with their slot as the value. A key that is cut to 511 bytes holds a bucket: all ids with
these first bytes, as pairs (rest of the key, slot) in order. FORMAT.md shows the bytes.
"""

import struct
from collections.abc import Iterator, Sequence
from itertools import islice

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.schema import PointId
from storage.tables.entries import put_entries
from storage.tables.keys import decode_slot, encode_id, encode_slot, encode_slots

_CUT = 511
_ENTRY = struct.Struct(">2sBI")  # rest of the key padded with zeros, its length, slot
_NONE = 2**32 - 1
_NO_SLOT = _NONE.to_bytes(4, "big")
"""What is no slot: MAX_SLOT is less."""


class Ids:
    """Reads the table inside one transaction."""

    __slots__ = ("_table", "_txn")  # a snapshot is begun for every request

    def __init__(self, txn: lmdb.Transaction, table: lmdb._Database) -> None:
        self._txn = txn
        self._table = table

    def get(self, key: bytes) -> int | None:
        """The slot of the id whose key is `key`."""
        value = self._txn.get(key[:_CUT], db=self._table)
        if value is None:
            return None
        return decode_slot(value) if len(key) < _CUT else dict(_entries(value)).get(key[_CUT:])

    def get_many(self, keys: Sequence[bytes]) -> list[int | None]:
        """Slots in the order of `keys`."""
        return [None if slot < 0 else slot for slot in self.slots_of(keys).tolist()]

    def slots_of(self, keys: Sequence[bytes]) -> NDArray[np.int64]:
        """Slots in the order of `keys`; -1 where there is no such id."""
        if _longest(keys) >= _CUT:
            found = [self.get(key) for key in keys]
            return np.array([-1 if slot is None else slot for slot in found], np.int64)
        get, table = self._txn.get, self._table
        slots = _decoded([get(key, _NO_SLOT, table) for key in keys]).astype(np.int64)
        slots[slots == _NONE] = -1
        return slots

    def scan(self, start: bytes = b"") -> Iterator[tuple[bytes, int]]:
        """Keys and slots in id order, from `start` inclusive."""
        with self._txn.cursor(self._table) as cursor:
            if not cursor.set_range(start[:_CUT]):
                return
            for cut, value in cursor.iternext():
                if len(cut) < _CUT:
                    yield bytes(cut), decode_slot(value)
                    continue
                for rest, slot in _entries(value):
                    if bytes(cut) + rest >= start:
                        yield bytes(cut) + rest, slot

    def slots_from(self, start: PointId | None = None) -> Iterator[int]:
        """Slots in id order, from the id `start` inclusive."""
        for _, slot in self.scan(b"" if start is None else encode_id(start)):
            yield slot

    def first_slots(self, start: PointId | None, limit: int) -> NDArray[np.uint32]:
        """The first `limit` slots in id order, from the id `start` inclusive."""
        with self._txn.cursor(self._table) as cursor:
            if not cursor.set_range(b"" if start is None else encode_id(start)[:_CUT]):
                return np.empty(0, np.uint32)
            values = list(islice(cursor.iternext(keys=False), limit))
        if not set(map(len, values)) - {len(_NO_SLOT)}:  # else there are buckets
            return _decoded(values).astype(np.uint32)
        return np.fromiter(islice(self.slots_from(start), limit), np.uint32)

    def slots_between(self, start: bytes, stop: bytes) -> Iterator[int]:
        """Slots in id order, of those whose key (see keys.py) is from `start` on and before `stop`."""
        for key, slot in self.scan(start):
            if key >= stop:
                return
            yield slot


class IdTable(Ids):
    """Also writes it."""

    def put_many(self, keys: Sequence[bytes], slots: Sequence[int]) -> None:
        """Adds ids that are not there yet: `keys[i]` gets `slots[i]`."""
        if _longest(keys) < _CUT:
            put_entries(self._txn, self._table, keys, encode_slots(slots))
            return
        for key, slot in zip(keys, slots, strict=True):
            if len(key) < _CUT:
                self._txn.put(key, encode_slot(slot), db=self._table)
            else:
                self._put_bucket(key[:_CUT], {**self._bucket(key[:_CUT]), key[_CUT:]: slot})

    def delete(self, key: bytes) -> None:
        """Removes an id. Requires: it is in the table."""
        if len(key) < _CUT:
            self._txn.delete(key, db=self._table)
            return
        bucket = self._bucket(key[:_CUT])
        del bucket[key[_CUT:]]
        self._put_bucket(key[:_CUT], bucket)

    def _bucket(self, cut: bytes) -> dict[bytes, int]:
        value = self._txn.get(cut, db=self._table)
        return {} if value is None else dict(_entries(value))

    def _put_bucket(self, cut: bytes, bucket: dict[bytes, int]) -> None:
        if not bucket:
            self._txn.delete(cut, db=self._table)
            return
        value = b"".join(_ENTRY.pack(rest, len(rest), slot) for rest, slot in sorted(bucket.items()))
        self._txn.put(cut, value, db=self._table)


def _decoded(values: Sequence[bytes | memoryview]) -> NDArray[np.uint32]:
    """The slots that are stored as `values`. Raises struct.error."""
    if set(map(len, values)) - {len(_NO_SLOT)}:
        raise struct.error("a stored slot has another length")
    return np.frombuffer(b"".join(values), ">u4")


def _longest(keys: Sequence[bytes]) -> int:
    return max(map(len, keys), default=0)


def _entries(value: bytes | memoryview) -> Iterator[tuple[bytes, int]]:
    for padded, length, slot in _ENTRY.iter_unpack(value):
        yield padded[:length], slot
