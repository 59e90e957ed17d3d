"""The rows of one space as of one commit: which of them slots have, and the vectors in them."""

import zlib
from collections.abc import Callable, Iterator

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.errors import CorruptStore
from storage.segments import NO_ROW, SpaceView
from storage.tables import decode_row, encode_slot

RowsOf = Callable[[NDArray[np.uint32]], NDArray[np.int64]]
"""From slots to their rows, see SpaceRows.of."""

VALUES_READ_AT_ONCE = 1 << 20
"""Components of vectors that are read at once: 4 MiB."""


class SpaceRows:
    """Lent by a snapshot, until it is closed. In a multi-vector space a token's slot is its row."""

    __slots__ = ("_table", "_txn", "_view")

    def __init__(self, txn: lmdb.Transaction, table: lmdb._Database, view: SpaceView) -> None:
        self._txn = txn
        self._table = table
        self._view = view

    def of(self, slots: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The rows that slots have, NO_ROW where there is no vector.

        The array in memory belongs to the newest commit. A row that it shows and that this commit knows is this
        commit's row too; any other entry (none, or a later row) is looked up in the transaction.
        """
        txn, table, view = self._txn, self._table, self._view
        known = view.rows
        rows = np.full(len(slots), NO_ROW, np.int64)
        inside = slots < len(known)
        rows[inside] = known[slots[inside]]
        for number in np.flatnonzero((rows == NO_ROW) | (rows >= view.row_count)).tolist():
            value = txn.get(encode_slot(int(slots[number])), db=table)
            rows[number] = NO_ROW if value is None else decode_row(value)[0]
        return rows

    def chunks(
        self, slots: NDArray[np.uint32], budget: Budget
    ) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.float32]]]:
        """Those of `slots` that have a vector, in their order, some at a time, with the vectors (n, size).

        Raises DeadlineExceeded or Cancelled as `budget` says.
        """
        view, rows = self._view, self.of(slots)
        found, rows = slots[rows != NO_ROW], rows[rows != NO_ROW]
        step = max(1, VALUES_READ_AT_ONCE // view.schema.size)
        for start in range(0, len(rows), step):
            budget.check()
            yield found[start : start + step], view.gather(rows[start : start + step])

    def is_indexed(self, slot: int) -> bool:
        """Whether an index covers the vector of the point in `slot`. Requires: it has one."""
        [(block, _, _)] = self._view.locate(self.of(np.array([slot], np.uint32)))
        return block.index is not None

    def vectors(self, slots: NDArray[np.uint32]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Which of `slots` have a vector, and the vectors (n, size) as written, zeros where there is none.

        Raises CorruptStore when a vector does not have its checksum.
        """
        txn, table, view = self._txn, self._table, self._view
        present = np.zeros(len(slots), np.bool_)
        out = np.zeros((len(slots), view.schema.size), np.float32)
        for number, slot in enumerate(slots.tolist()):
            value = txn.get(encode_slot(slot), db=table)
            if value is None:
                continue
            row, checksum = decode_row(value)
            out[number] = view.gather(np.array([row], np.int64))[0]
            if zlib.crc32(out[number]) != checksum:
                raise self._corrupt(row)
            present[number] = True
        return present, out

    def tokens(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The tokens in `rows` (n, size), as they were written. Raises CorruptStore for one without its checksum."""
        txn, table = self._txn, self._table
        out = self._view.gather(rows)
        for row, vector in zip(rows.tolist(), out, strict=True):
            value = txn.get(encode_slot(row), db=table)
            if value is None or zlib.crc32(vector) != decode_row(value)[1]:
                raise self._corrupt(row)
        return out

    def _corrupt(self, row: int) -> CorruptStore:
        [(block, _, positions)] = self._view.locate(np.array([row], np.int64))
        offset = int(positions[0]) * self._view.schema.size * 4
        return CorruptStore(block.block.path, offset, "the vector does not have its checksum")
