"""What a commit in the making changes in spaces: rows that begin, rows that die, and sparse vectors.

It is all in memory. The tables of LMDB are changed by those who note it here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.files import failpoint
from storage.index import SparseChange
from storage.mvcc import Core
from storage.segments import Space
from storage.tables import distinct, put_row_count

OnUndo = Callable[[Callable[[], None]], None]
"""Takes what is to be done when the commit fails."""


@dataclass(slots=True)
class RowChanges:
    """New rows of a space, in row order, and changes of current rows, in the order they were made."""

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
        """Goes back to what there was when the lengths were these."""
        matrices, slots, killed, changed = lengths
        del self.matrices[matrices:], self.slots[slots:], self.killed[killed:]
        del self.changed_slots[changed:], self.changed_rows[changed:]


@dataclass(frozen=True, slots=True)
class Mark:
    """How much was noted at one moment: of rows by space, of sparse vectors by the uid of their space."""

    rows: dict[str, tuple[int, int, int, int]]
    sparse: dict[int, int]


class SpaceChanges:
    """Used by the writer's thread alone."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._rows: dict[str, RowChanges] = {}
        self._sparse: dict[int, list[SparseChange]] = {}

    def rows(self, space: str) -> RowChanges:
        """Where changes of the rows of a space are noted."""
        if space not in self._rows:
            self._rows[space] = RowChanges(self._core.spaces[space].row_count)
        return self._rows[space]

    def sparse(self, space: str) -> list[SparseChange]:
        """Where changes of a sparse space are noted, in the order in which they are made."""
        return self._sparse.setdefault(self._core.schema.sparse[space].uid, [])

    def mark(self) -> Mark:
        rows = {name: changes.lengths for name, changes in self._rows.items()}
        return Mark(rows, {uid: len(changes) for uid, changes in self._sparse.items()})

    def go_back(self, mark: Mark) -> None:
        """Forgets what was noted after `mark`."""
        for uid, changes in self._sparse.items():
            del changes[mark.sparse.get(uid, 0) :]
        for name, rows in self._rows.items():
            rows.cut(mark.rows.get(name, (0, 0, 0, 0)))

    def enter_rows(self, txn: lmdb.Transaction, seq: int, on_undo: OnUndo) -> None:
        """Writes the new rows of each space, synced, and prepares its memory for commit `seq`."""
        for name, changes in self._rows.items():
            space = self._core.spaces[name]
            self._append(txn, space, changes, on_undo)
            _prepare(space, changes, seq, on_undo)

    def log_sparse(self, seq: int, on_undo: OnUndo) -> None:
        """Tells the logs before the commit, so that whoever reads it finds them complete."""
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
            block.write(changes.first_row - block.first_row, rows)
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
    """Ends the rows that die with commit `seq`, and enters the current rows."""
    for owner, positions in space.by_block(changes.killed) if changes.killed else ():
        owner.kill(positions, seq)
        on_undo(partial(owner.revive, positions))
    changed = distinct(np.asarray(changes.changed_slots, np.int64))
    before = space.rows_of(changed)
    space.set_rows(changes.changed_slots, changes.changed_rows)
    on_undo(partial(space.set_rows, changed, before))
