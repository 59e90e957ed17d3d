"""The table slot -> bytes of a vector, of one sparse or multi-vector space. Only read here.

What the bytes mean is in storage/vectors.
"""

from collections.abc import Iterator
from pathlib import Path

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.tables.keys import decode_slot, encode_slot
from storage.tables.point_records import decode_vector
from storage.tables.point_table import damaged
from storage.tables.whole_tables import slots_in


class BodyTable:
    """Reads one table inside one transaction, which lends the bytes. Raises CorruptStore for those that are damaged."""

    __slots__ = ("_file", "_table", "_txn")

    def __init__(self, txn: lmdb.Transaction, table: lmdb._Database, file: Path) -> None:
        """`file` is named in errors."""
        self._txn = txn
        self._table = table
        self._file = file

    @property
    def count(self) -> int:
        """How many points have a vector."""
        count: int = self._txn.stat(self._table)["entries"]
        return count

    def slots(self) -> NDArray[np.uint32]:
        """Slots of the points that have a vector, ascending."""
        return slots_in(self._txn, self._table)

    def get(self, slot: int) -> memoryview | None:
        """The vector of the point in a slot; None when it has none."""
        value = self._txn.get(encode_slot(slot), db=self._table)
        return None if value is None else self._body(slot, value)

    def scan(self) -> Iterator[tuple[int, memoryview]]:
        """Slot and bytes of every vector, in slot order."""
        with self._txn.cursor(self._table) as cursor:
            for key, value in cursor:
                slot = decode_slot(key)
                yield slot, self._body(slot, value)

    def _body(self, slot: int, value: bytes | memoryview) -> memoryview:
        try:
            return decode_vector(memoryview(value))
        except ValueError as error:
            raise damaged(self._file, slot, error) from error
