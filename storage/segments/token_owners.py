"""Whose token each row of a space of multi-vectors is: read from the points' records when a collection is opened."""

import zlib

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.schema import Unreadable
from storage.tables import VECTOR_VERSION, slots_in

_RECORD = np.dtype(
    [("version", "u1"), ("unused", "u1", 3), ("checksum", ">u4"), ("body", [("first", ">u8"), ("count", ">u4")])]
)
"""A record as tables/point_records.py and vectors/multi.py write it."""


def read_token_owners(txn: lmdb.Transaction, table: lmdb._Database) -> NDArray[np.uint32]:
    """The slot whose token each row is, (rows,); 0 for rows that nobody has. Raises ValueError for damaged records."""
    slots = slots_in(txn, table)
    with txn.cursor(table) as cursor:
        values = [bytes(value) for value in cursor.iternext(keys=False, values=True)]
    if any(len(value) != _RECORD.itemsize for value in values):
        raise Unreadable("the record of a multi-vector has another length")
    records = np.frombuffer(b"".join(values), _RECORD)
    body = _RECORD.fields["body"][1] if _RECORD.fields else 0
    checksums = np.array([zlib.crc32(value[body:]) for value in values], np.uint32)
    if (records["version"] != VECTOR_VERSION).any() or (records["checksum"] != checksums).any():
        raise Unreadable("the record of a multi-vector has another version, or does not have its checksum")
    firsts, counts = records["body"]["first"].astype(np.int64), records["body"]["count"].astype(np.int64)
    owners = np.zeros(int((firsts + counts).max(initial=0)), np.uint32)
    before = np.cumsum(counts) - counts
    owners[np.repeat(firsts - before, counts) + np.arange(counts.sum())] = np.repeat(slots, counts)
    return owners
