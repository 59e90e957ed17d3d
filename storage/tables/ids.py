"""The table point id -> slot, in id order. It hides that LMDB keys end at 511 bytes, while ids may be two bytes longer.

Most keys are stored whole, with their slot as the value. A key that is cut to 511 bytes holds a bucket: all ids with
these first bytes, as pairs (rest of the key, slot) in order. FORMAT.md shows the bytes.
"""

import struct
from collections.abc import Iterator, Sequence

import lmdb
import numpy as np

from storage.schema import PointId
from storage.tables.entries import put_entries
from storage.tables.keys import decode_slot, encode_id, encode_slot, encode_slots

_CUT = 511
_ENTRY = struct.Struct(">2sBI")  # rest of the key padded with zeros, its length, slot


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
        if _longest(keys) >= _CUT:
            return [self.get(key) for key in keys]
        with self._txn.cursor(self._table) as cursor:
            found = cursor.getmulti(keys)
        if not found:
            return [None] * len(keys)
        slots = np.frombuffer(b"".join([value for _, value in found]), ">u4").tolist()
        slot_of = dict(zip([bytes(key) for key, _ in found], slots, strict=True))
        return [slot_of.get(key) for key in keys]

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


def _longest(keys: Sequence[bytes]) -> int:
    return max(map(len, keys), default=0)


def _entries(value: bytes | memoryview) -> Iterator[tuple[bytes, int]]:
    for padded, length, slot in _ENTRY.iter_unpack(value):
        yield padded[:length], slot
