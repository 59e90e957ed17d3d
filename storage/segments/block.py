"""A block: one file of rows of a space, its columns in memory, and its graph once it has one.

The last block of a space is open and grows; the others are sealed. A sealed block with a graph is a segment, all other
blocks are the tail. A block covers a range of row numbers; it is dense unless a merge left dead rows out. Rows are
appended by the writer alone; readers see a block through a `BlockView` of a commit.
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
"""Commit sequence at which a living row dies."""

SegmentIndex = Graph | Lists
"""What makes a sealed block a segment."""

_FIRST_CAPACITY = 256
_ROW_BYTES = 4  # bytes per component
_NORM_VALUES = 1 << 21  # components of rows whose norms are made between two looks at the budget


@dataclass(frozen=True, slots=True)
class BlockView:
    """What a commit knows of a block: its first `count` rows, of the row numbers `first_row` to `end_row`.

    Position p holds row `first_row + p`, or `rows[p]` (int64, ascending) when dead rows were left out.

    `slots` (uint32) and `died` (uint64, commit sequence at which the row stopped being current) are parallel to
    `vectors` (float32, (count, size)). A reader at `seq` sees the rows with `died > seq`: the writer sets `died` in
    place, always to a later sequence, so older readers do not notice.
    """

    block: "Block"
    first_row: int
    end_row: int
    count: int
    rows: NDArray[np.int64] | None
    vectors: NDArray[np.float32]
    slots: NDArray[np.uint32]
    died: NDArray[np.uint64]
    graph: SegmentIndex | None

    def alive(self, seq: int) -> NDArray[np.bool_] | None:
        """Which rows are current at `seq`; None when all are."""
        if not self.block.deaths:
            return None
        return self.died > np.uint64(seq)

    def positions_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where `rows` are. Requires: all are in this block."""
        return rows - self.first_row if self.rows is None else np.searchsorted(self.rows, rows)

    def row_numbers(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows at `positions`."""
        return positions + self.first_row if self.rows is None else self.rows[positions]

    def norms(self, check: Callable[[], None] = lambda: None) -> NDArray[np.float32]:
        """Norms of the rows, made on first use and kept. `check` is called now and then, and may raise."""
        return self.block.norms(self.vectors, check)


class Block:
    """The file and the columns of one block. Only the writer calls what changes it."""

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
        """Opens or creates the file and cuts what lies past `count` rows: no commit refers to it.

        `end_row` None: the block is dense and open, so it ends where its rows end. Raises CorruptStore when the file
        is shorter than `count` rows.
        """
        self.path = path
        self.uid = uid
        self.first_row = first_row
        self.count = count
        self.rows = rows
        self.graph: SegmentIndex | None = None
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
            graph=self.graph,
        )

    @property
    def end_row(self) -> int:
        return self.first_row + self.count if self._end_row is None else self._end_row

    def seal(self) -> None:
        """Takes no more rows."""
        self._end_row = self.first_row + self.count

    def unseal(self) -> None:
        """Takes `seal` back: its commit failed."""
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
        """Counts written rows in: they belong to `slots` and live."""
        end = self.count + len(slots)
        self.slots[self.count : end] = slots
        self.died[self.count : end] = NEVER
        self.count = end

    def forget(self, count: int) -> None:
        """Takes back rows past `count` that `admit` counted in: their commit failed."""
        self.count = count

    def kill(self, positions: NDArray[np.int64], seq: int) -> None:
        """Marks rows as not current from `seq` on."""
        self.died[positions] = seq
        self.deaths += len(positions)

    def revive(self, positions: NDArray[np.int64]) -> None:
        """Takes `kill` back: its commit failed."""
        self.died[positions] = NEVER
        self.deaths -= len(positions)

    def norms(self, vectors: NDArray[np.float32], check: Callable[[], None] = lambda: None) -> NDArray[np.float32]:
        """Norms of `vectors`, which are the first rows of this block. Safe to call from many readers."""
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
        """Bytes the file takes; 0 when it was closed, since a snapshot may outlive its space."""
        try:
            return self.path.stat().st_blocks * 512
        except OSError:
            return 0

    def mapped_bytes(self) -> int:
        return int(self._map.nbytes)

    def close(self) -> None:
        """Lets go of the mapping, which goes with its last view."""
        self._map = self._map[:0].copy()

    @contextmanager
    def _opened(self, flags: int = 0) -> Iterator[int]:
        """A descriptor of the file, which is only there while it is needed. Raises StorageFull, StorageFailed,
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
        """Maps a file of `capacity` rows; the part not written yet takes no space on disk."""
        os.ftruncate(file, capacity * self._row_bytes)
        self._map = map_rows(file, capacity, self._size)
        for name in ("slots", "died"):
            old = getattr(self, name)
            new = np.zeros(capacity, old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    def load(self, slots: NDArray[np.uint32], died: NDArray[np.uint64]) -> None:
        """Fills the columns of a block that was just opened, (count,) each."""
        self.slots[: self.count] = slots
        self.died[: self.count] = died
        self.deaths = int(np.count_nonzero(died != NEVER))
