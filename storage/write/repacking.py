"""Fills the pages of LMDB's tables anew, where deletes left them half empty.

LMDB joins pages only when they are nearly empty, and slots are never used again, so room between points that were
deleted here and there would stay unused. Nothing that a reader sees changes.
"""

from dataclasses import dataclass

import lmdb

from storage.files import used_and_free
from storage.mvcc import Core
from storage.write.transaction import Transaction

BYTES_AT_ONCE = 4 * 2**20
"""Of keys and values in one commit: other writes go between two of them."""

_LARGEST_BESIDE_OTHERS = 2_000
"""Bytes of a value beyond which it has pages of its own, which deletes give back whole."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far repacking is: the number of a table, and the key from which on it is left."""

    table: int = 0
    key: bytes = b""


def repack(transaction: Transaction, place: Place) -> Place | None:
    """Writes the entries anew from `place` on; returns where to go on, None at the end."""
    core, tables = transaction.core, transaction.core.tables_in_use()
    used, free = used_and_free(core.env, transaction.txn, tables)
    if place == Place() and used < core.map_size * 7 // 8 and free > used // 8:
        return None  # neither map nor file is full of pages: what there is no room for is something else
    if place.table >= len(tables):
        return None
    end = _repack_table(transaction.txn, tables[place.table], place.key)
    return Place(place.table + 1) if end is None else Place(place.table, end)


def is_worthwhile(core: Core) -> bool:
    """Whether something was deleted since the last repacking began; from now on that counts anew."""
    freed, core.freed_room = core.freed_room, False
    return freed


def _repack_table(txn: lmdb.Transaction, table: "lmdb._Database", start: bytes) -> bytes | None:
    """Takes entries out and puts them back in order, so that each page is filled before the next is begun."""
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
