"""The owner of each row of a space of multi-vectors: the slot whose token it is. Read from the bodies at opening."""

import zlib

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.schema import Unreadable
from storage.tables import VECTOR_VERSION, slots_in

_STORED = np.dtype(
    [("version", "u1"), ("unused", "u1", 3), ("checksum", ">u4"), ("body", [("first", ">u8"), ("count", ">u4")])]
)
"""A body as tables/point_records.py and vectors/multi.py write it."""


def read_token_owners(txn: lmdb.Transaction, table: lmdb._Database) -> NDArray[np.uint32]:
    """The slot whose token each row is, (rows,); 0 for rows without an owner. Raises Unreadable for damaged bodies."""
    slots = slots_in(txn, table)
    with txn.cursor(table) as cursor:
        values = [bytes(value) for value in cursor.iternext(keys=False, values=True)]
    if any(len(value) != _STORED.itemsize for value in values):
        raise Unreadable("the body of a multi-vector has the wrong length")
    stored = np.frombuffer(b"".join(values), _STORED)
    body = _STORED.fields["body"][1] if _STORED.fields else 0
    checksums = np.array([zlib.crc32(value[body:]) for value in values], np.uint32)
    if (stored["version"] != VECTOR_VERSION).any() or (stored["checksum"] != checksums).any():
        raise Unreadable("the body of a multi-vector has an unknown version, or does not match its checksum")
    firsts, counts = stored["body"]["first"].astype(np.int64), stored["body"]["count"].astype(np.int64)
    owners = np.zeros(int((firsts + counts).max(initial=0)), np.uint32)
    before = np.cumsum(counts) - counts
    owners[np.repeat(firsts - before, counts) + np.arange(counts.sum())] = np.repeat(slots, counts)
    return owners
