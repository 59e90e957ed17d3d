"""Whole tables as arrays: the slots they have, and the numbers stored under them."""

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.tables.point_records import VERSION_BYTES


def slots_in(txn: lmdb.Transaction, table: lmdb._Database) -> NDArray[np.uint32]:
    """Slots of a table, ascending."""
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
