"""What a transaction changes in spaces: new rows, dead rows, and sparse vectors.

All of this is in memory. Code that notes a change here changes LMDB's tables itself.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.files import failpoint
from storage.index import SparseChange
from storage.mvcc import CollectionState
from storage.segments import Space
from storage.tables import distinct, put_row_count

OnUndo = Callable[[Callable[[], None]], None]
"""Registers a function that is called when the commit fails."""


@dataclass(slots=True)
class RowChanges:
    """New rows of a space, in row order, and changes of current rows, in the order in which they were made."""

    first_row: int
    matrices: list[NDArray[np.float32]] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    killed: list[int] = field(default_factory=list)
    changed_slots: list[int] = field(default_factory=list)
    changed_rows: list[int] = field(default_factory=list)

    @property
    def next_row(self) -> int:
        return self.first_row + len(self.slots)

    @property
    def lengths(self) -> tuple[int, int, int, int]:
        return len(self.matrices), len(self.slots), len(self.killed), len(self.changed_slots)

    def cut(self, lengths: tuple[int, int, int, int]) -> None:
        """Goes back to the state that had these lengths."""
        matrices, slots, killed, changed = lengths
        del self.matrices[matrices:], self.slots[slots:], self.killed[killed:]
        del self.changed_slots[changed:], self.changed_rows[changed:]


@dataclass(frozen=True, slots=True)
class Mark:
    """A point to go back to: the number of row changes by space, and of sparse changes by uid of the space."""

    rows: dict[str, tuple[int, int, int, int]]
    sparse: dict[int, int]


class SpaceChanges:
    """Only the writer's thread uses it."""

    def __init__(self, core: CollectionState) -> None:
        self._core = core
        self._rows: dict[str, RowChanges] = {}
        self._sparse: dict[int, list[SparseChange]] = {}
        self.sync_seconds = 0.0
        """How long `enter_rows` wrote to files and synced them."""

    def rows(self, space: str) -> RowChanges:
        """The list to note changes of the rows of a space in."""
        if space not in self._rows:
            self._rows[space] = RowChanges(self._core.spaces[space].row_count)
        return self._rows[space]

    def sparse(self, space: str) -> list[SparseChange]:
        """The list to note changes of a sparse space in, in the order in which they are made."""
        return self._sparse.setdefault(self._core.schema.sparse[space].uid, [])

    def mark(self) -> Mark:
        rows = {name: changes.lengths for name, changes in self._rows.items()}
        return Mark(rows, {uid: len(changes) for uid, changes in self._sparse.items()})

    def go_back(self, mark: Mark) -> None:
        """Forgets the changes that were noted after `mark`."""
        for uid, changes in self._sparse.items():
            del changes[mark.sparse.get(uid, 0) :]
        for name, rows in self._rows.items():
            rows.cut(mark.rows.get(name, (0, 0, 0, 0)))

    def enter_rows(self, txn: lmdb.Transaction, seq: int, on_undo: OnUndo) -> None:
        """Writes the new rows of each space, synced, and prepares the space's memory for commit `seq`."""
        for name, changes in self._rows.items():
            space = self._core.spaces[name]
            self._append(txn, space, changes, on_undo)
            _prepare(space, changes, seq, on_undo)

    def log_sparse(self, seq: int, on_undo: OnUndo) -> None:
        """Adds the changes to the logs before the commit, so that readers of the commit find them complete."""
        for uid, changes in self._sparse.items():
            log = self._core.sparse_logs[uid]
            log.add(seq, changes)
            on_undo(partial(log.take_back, seq))

    def _append(self, txn: lmdb.Transaction, space: Space, changes: RowChanges, on_undo: OnUndo) -> None:
        """Appends the new rows to the open block of the space."""
        block = space.blocks[-1]
        old_count, old_vectors = block.count, space.vector_count
        if changes.matrices:
            failpoint("before_data_sync")
            rows = changes.matrices[0] if len(changes.matrices) == 1 else np.concatenate(changes.matrices)
            started = time.perf_counter()
            block.write(changes.first_row - block.first_row, rows)
            self.sync_seconds += time.perf_counter() - started
            failpoint("after_data_sync")
            put_row_count(txn, self._core.tables, space.schema.uid, changes.next_row)

        def take_back() -> None:
            block.forget(old_count)
            space.row_count, space.vector_count = changes.first_row, old_vectors

        on_undo(take_back)
        block.admit(np.asarray(changes.slots, np.uint32))
        space.row_count = changes.next_row
        space.vector_count += len(changes.slots) - len(changes.killed)


def _prepare(space: Space, changes: RowChanges, seq: int, on_undo: OnUndo) -> None:
    """Ends the rows that die with commit `seq`, and enters the new current rows."""
    for owner, positions in space.by_block(changes.killed) if changes.killed else ():
        owner.kill(positions, seq)
        on_undo(partial(owner.revive, positions))
    changed = distinct(np.asarray(changes.changed_slots, np.int64))
    before = space.rows_of(changed)
    space.set_rows(changes.changed_slots, changes.changed_rows)
    on_undo(partial(space.set_rows, changed, before))
