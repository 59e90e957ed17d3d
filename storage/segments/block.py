"""A block: one file of rows of a space, its columns in memory, and its index once it has one.

The last block of a space is open and grows; the others are sealed. A sealed block with an index is a segment. All other
blocks are the tail. A block covers a range of row numbers. It stores all of them, unless a merge left dead rows out.
Only the writer appends rows; readers see a block through the `BlockView` of a commit.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.errors import CorruptStore
from storage.files import FILE_MODE, failure, map_rows
from storage.index import Graph
from storage.ivf import Lists
from storage.vectors import norms_of

NEVER = np.uint64(2**64 - 1)
"""The `died` of a row that is alive."""

SegmentIndex = Graph | Lists
"""The index that makes a sealed block a segment."""

_FIRST_CAPACITY = 256
_ROW_BYTES = 4  # bytes per component
_NORM_VALUES = 1 << 21  # components of rows whose norms are computed between two checks of the budget


@dataclass(frozen=True, slots=True)
class BlockView:
    """A block as of a commit: its first `count` rows, out of the row numbers `first_row` to `end_row`.

    Position p holds row `first_row + p`, or row `rows[p]` (int64, ascending) when dead rows were left out. Parallel to
    `vectors` (float32, (count, size)) are `slots` (uint32) and `died` (uint64, the commit sequence at which the row
    stopped being current). A reader at `seq` sees the rows with `died > seq`. The writer sets `died` in place, always
    to a later sequence, so older readers see no change.
    """

    block: "Block"
    first_row: int
    end_row: int
    count: int
    rows: NDArray[np.int64] | None
    vectors: NDArray[np.float32]
    slots: NDArray[np.uint32]
    died: NDArray[np.uint64]
    index: SegmentIndex | None

    def alive(self, seq: int) -> NDArray[np.bool_] | None:
        """Which rows are current at `seq`; None when all are."""
        if not self.block.deaths:
            return None
        return self.died > np.uint64(seq)

    def positions_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The positions of `rows`. Requires: all are in this block."""
        return rows - self.first_row if self.rows is None else np.searchsorted(self.rows, rows)

    def row_numbers(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows at `positions`."""
        return positions + self.first_row if self.rows is None else self.rows[positions]

    def norms(self, check: Callable[[], None] = lambda: None) -> NDArray[np.float32]:
        """The norms of the rows, computed on first use and kept. `check` is called from time to time and may raise."""
        return self.block.norms(self.vectors, check)


class Block:
    """The file and the columns of one block. Only the writer calls methods that change it."""

    def __init__(
        self,
        path: Path,
        *,
        uid: int,
        size: int,
        first_row: int,
        count: int,
        end_row: int | None = None,
        rows: NDArray[np.int64] | None = None,
    ) -> None:
        """Opens or creates the file and cuts what lies after `count` rows: no commit refers to it.

        `end_row` None: the block is open and stores all of its rows, so it ends with its last row. Raises CorruptStore
        when the file is shorter than `count` rows.
        """
        self.path = path
        self.uid = uid
        self.first_row = first_row
        self.count = count
        self.rows = rows
        self.index: SegmentIndex | None = None
        self.deaths = 0
        self.index_bytes = 0
        self._size = size
        self._end_row = end_row
        self._row_bytes = size * _ROW_BYTES
        self._norms = np.empty(0, np.float32)
        self.slots = np.zeros(0, np.uint32)
        self.died = np.zeros(0, np.uint64)
        self._map: NDArray[np.float32] = np.zeros((0, size), np.float32)
        with self._opened(os.O_CREAT) as file:
            found = os.fstat(file).st_size
            if found < count * self._row_bytes:
                raise CorruptStore(path, found, f"the file ends early: {count:,} rows are committed")
            os.ftruncate(file, count * self._row_bytes)
            self._resize(count or _FIRST_CAPACITY, file)

    def view(self) -> BlockView:
        count = self.count
        return BlockView(
            block=self,
            first_row=self.first_row,
            end_row=self.end_row,
            count=count,
            rows=self.rows,
            vectors=self._map[:count],
            slots=self.slots[:count],
            died=self.died[:count],
            index=self.index,
        )

    @property
    def end_row(self) -> int:
        return self.first_row + self.count if self._end_row is None else self._end_row

    def seal(self) -> None:
        """Accepts no more rows."""
        self._end_row = self.first_row + self.count

    def unseal(self) -> None:
        """Undoes `seal` after its commit failed."""
        self._end_row = None

    def write(self, at: int, rows: NDArray[np.float32]) -> None:
        """Writes rows at position `at` and syncs them. No reader sees them before `admit` and a new view."""
        data = np.ascontiguousarray(rows, dtype="<f4").reshape(-1).view(np.uint8).data
        offset = at * self._row_bytes
        with self._opened() as file:
            if at + len(rows) > len(self._map):
                self._resize(max(at + len(rows), 2 * len(self._map)), file)
            while data:
                written = os.pwrite(file, data, offset)
                data, offset = data[written:], offset + written
            os.fdatasync(file)

    def admit(self, slots: NDArray[np.uint32]) -> None:
        """Adds written rows to the count: they belong to `slots` and are alive."""
        end = self.count + len(slots)
        self.slots[self.count : end] = slots
        self.died[self.count : end] = NEVER
        self.count = end

    def forget(self, count: int) -> None:
        """Undoes `admit` for rows after `count`, since their commit failed."""
        self.count = count

    def kill(self, positions: NDArray[np.int64], seq: int) -> None:
        """Marks rows as not current from `seq` on."""
        self.died[positions] = seq
        self.deaths += len(positions)

    def revive(self, positions: NDArray[np.int64]) -> None:
        """Undoes `kill` after its commit failed."""
        self.died[positions] = NEVER
        self.deaths -= len(positions)

    def norms(self, vectors: NDArray[np.float32], check: Callable[[], None] = lambda: None) -> NDArray[np.float32]:
        """The norms of `vectors`, which are the first rows of this block. Safe for many readers."""
        known = self._norms
        if len(known) < len(vectors):
            parts = [known]
            step = max(1, _NORM_VALUES // self._size)
            for start in range(len(known), len(vectors), step):
                check()
                parts.append(norms_of(vectors[start : start + step]))
            known = np.concatenate(parts)
            self._norms = known
        return known[: len(vectors)]

    def disk_bytes(self) -> int:
        """Bytes of the file on disk; 0 when the file is closed, since a snapshot may outlive its space."""
        try:
            return self.path.stat().st_blocks * 512
        except OSError:
            return 0

    def mapped_bytes(self) -> int:
        return int(self._map.nbytes)

    def close(self) -> None:
        """Releases the mapping, which ends with its last view."""
        self._map = self._map[:0].copy()

    @contextmanager
    def _opened(self, flags: int = 0) -> Iterator[int]:
        """A descriptor of the file, open while the context lasts. Raises StorageFull, StorageFailed,
        SystemLimitReached."""
        try:
            file = os.open(self.path, os.O_RDWR | flags, FILE_MODE)
            try:
                yield file
            finally:
                os.close(file)
        except OSError as error:
            raise failure(error, f"writing {self.path}") from error

    def _resize(self, capacity: int, file: int) -> None:
        """Maps a file of `capacity` rows. The unwritten end takes no space on disk."""
        os.ftruncate(file, capacity * self._row_bytes)
        self._map = map_rows(file, capacity, self._size)
        for name in ("slots", "died"):
            old = getattr(self, name)
            new = np.zeros(capacity, old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    def load(self, slots: NDArray[np.uint32], died: NDArray[np.uint64]) -> None:
        """Fills the columns, (count,) each, of a block that was just opened."""
        self.slots[: self.count] = slots
        self.died[: self.count] = died
        self.deaths = int(np.count_nonzero(died != NEVER))
