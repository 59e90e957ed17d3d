"""Fills the pages of LMDB's tables anew where deletes left them half empty.

LMDB merges pages only when they are nearly empty, and slots are never reused. So gaps between points would stay unused.
Readers see no change.
"""

from dataclasses import dataclass

import lmdb

from storage.files import used_and_free
from storage.mvcc import CollectionState
from storage.write.transaction import Transaction

BYTES_AT_ONCE = 4 * 2**20
"""Bytes of keys and values in one commit. Other writes get their turn between two commits."""

_LARGEST_BESIDE_OTHERS = 2_000
"""A larger value than so many bytes has pages of its own, which a delete gives back whole."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far repacking is: the number of a table, and the first key that is left."""

    table: int = 0
    key: bytes = b""


def repack(transaction: Transaction, place: Place) -> Place | None:
    """Writes the entries from `place` on anew. Returns where to go on; None at the end."""
    core, tables = transaction.core, transaction.core.tables_in_use()
    used, free = used_and_free(core.env, transaction.txn, tables)
    if place == Place() and used < core.map_size * 7 // 8 and free > used // 8:
        return None  # neither the map nor the file is full, so repacking would not help
    if place.table >= len(tables):
        return None
    end = _repack_table(transaction.txn, tables[place.table], place.key)
    return Place(place.table + 1) if end is None else Place(place.table, end)


def is_worthwhile(core: CollectionState) -> bool:
    """Whether something was deleted since the last repacking began. Calling it resets this."""
    freed, core.freed_room = core.freed_room, False
    return freed


def _repack_table(txn: lmdb.Transaction, table: "lmdb._Database", start: bytes) -> bytes | None:
    """Removes entries and adds them again in order, so that each page is filled before the next one is begun."""
    taken: list[tuple[bytes, bytes]] = []
    size, end = 0, None
    with txn.cursor(table) as cursor:
        if not (cursor.set_range(start) if start else cursor.first()):
            return None
        for key, value in cursor:
            if size >= BYTES_AT_ONCE:
                end = bytes(key)
                break
            size += len(key) + min(len(value), _LARGEST_BESIDE_OTHERS)
            if len(value) <= _LARGEST_BESIDE_OTHERS:
                taken.append((bytes(key), bytes(value)))
    for key, _ in taken:
        txn.delete(key, db=table)
    with txn.cursor(table) as cursor:
        cursor.putmulti(taken)
    return end
