"""One commit in the making: what its LMDB transaction and its new rows hold. operations are applied by apply_points.py.

Order of a commit: vector bytes are written and synced, then memory is prepared, then LMDB commits. Readers find the
new view only through the new commit sequence, so preparing it early shows nothing; `undo` takes it back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.files import failpoint, sync_folder
from storage.index import SparseChange
from storage.mvcc import Core, View
from storage.segments import Space, seal_threshold
from storage.tables import (
    IdTable,
    Reader,
    State,
    decode_row,
    encode_slot,
    put_manifest,
    put_row_count,
    put_schema,
    put_state,
)


@dataclass(slots=True)
class SpaceDelta:
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


Savepoint = tuple[int, int, dict[str, tuple[int, int, int, int]], dict[int, int]]


class Transaction:
    """Used by the writer's thread alone. Ends by `commit` or `abort`."""

    def __init__(self, core: Core, *, unseen: bool = False) -> None:
        """`unseen`: it changes no point and no setting, so users are told of no other commit sequence."""
        state = core.view.state
        self.core = core
        self.unseen = unseen
        self.seq = state.seq + (not unseen)
        self.generation = state.generation + unseen
        self.next_slot = state.next_slot
        self.point_count = state.point_count
        self.txn: lmdb.Transaction = core.env.begin(write=True)
        self.deltas: dict[str, SpaceDelta] = {}
        self._sparse_changes: dict[int, list[SparseChange]] = {}
        """What changes in sparse spaces, by uid, in the order in which it was made."""
        self.touched: list[int] = []
        """Slots of points that were inserted, changed or deleted, or would have been by what was taken back."""
        self.structural = False
        """Whether spaces, blocks or settings change; set by those who change them."""
        self.after: list[Callable[[], None]] = []
        """What to do once the commit is durable."""
        self._undo: list[Callable[[], None]] = []
        self._outer: lmdb.Transaction | None = None

    @property
    def ids(self) -> IdTable:
        return IdTable(self.txn, self.core.tables.ids)

    def reader(self) -> Reader:
        """Reads what this transaction sees so far."""
        return Reader(
            self.txn,
            self.core.tables,
            seq=self.seq,
            schema=self.core.schema,
            codec=self.core.codec,
            collection_uid=self.core.uid,
            point_count=self.point_count,
            path=self.core.environment_path,
            pending=True,
        )

    def delta(self, space: str) -> SpaceDelta:
        if space not in self.deltas:
            self.deltas[space] = SpaceDelta(self.core.spaces[space].row_count)
        return self.deltas[space]

    def rows_table(self, space: str) -> lmdb._Database:
        uid = self.core.spaces[space].schema.uid
        return self.core.tables.rows[uid]

    def bodies_table(self, space: str) -> lmdb._Database:
        uid = self.core.schema.spaces[space].uid
        return self.core.tables.bodies[uid]

    def sparse_changes(self, space: str) -> list[SparseChange]:
        """Where changes of a sparse space are noted."""
        uid = self.core.schema.sparse[space].uid
        return self._sparse_changes.setdefault(uid, [])

    def current_rows(self, space: str, slots: Sequence[int]) -> dict[int, int]:
        """Rows of those of `slots` that have a vector in `space`."""
        keys = [encode_slot(slot) for slot in slots]
        with self.txn.cursor(self.rows_table(space)) as cursor:
            return {int.from_bytes(key, "big"): decode_row(value)[0] for key, value in cursor.getmulti(keys)}

    # Savepoints: an operation that fails must leave nothing, while others of the same commit stay.

    def begin_nested(self) -> Savepoint:
        self._outer = self.txn
        self.txn = self.core.env.begin(write=True, parent=self._outer)
        lengths = {
            name: (len(delta.matrices), len(delta.slots), len(delta.killed), len(delta.changed_slots))
            for name, delta in self.deltas.items()
        }
        noted = {uid: len(changes) for uid, changes in self._sparse_changes.items()}
        return self.next_slot, self.point_count, lengths, noted

    def end_nested(self) -> None:
        assert self._outer is not None
        self.txn.commit()
        self.txn, self._outer = self._outer, None

    def abort_nested(self, savepoint: Savepoint) -> None:
        assert self._outer is not None
        self.txn.abort()
        self.txn, self._outer = self._outer, None
        self.next_slot, self.point_count, lengths, noted = savepoint
        for uid, changes_noted in self._sparse_changes.items():
            del changes_noted[noted.get(uid, 0) :]
        for name, delta in self.deltas.items():
            matrices, slots, killed, changed = lengths.get(name, (0, 0, 0, 0))
            del delta.matrices[matrices:], delta.slots[slots:], delta.killed[killed:]
            del delta.changed_slots[changed:], delta.changed_rows[changed:]

    def on_undo(self, action: Callable[[], None]) -> None:
        self._undo.append(action)

    def commit(self) -> View:
        """Makes everything durable, then visible. Raises lmdb.Error or EngineError, and then nothing has changed."""
        core = self.core
        try:
            for name, delta in self.deltas.items():
                self._enter(core.spaces[name], delta)
            self._seal_full_blocks()
            state = State(self.seq, self.next_slot, self.point_count, self.generation)
            put_state(self.txn, core.tables, state)
            if self.structural:
                put_schema(self.txn, core.tables, core.schema, core.next_space_uid)
            self._log_sparse_changes()
            forget = core.dropped.remove_unread(self.txn)
            if forget is not None:
                self.after.append(forget)
            view = core.make_view(state)
            core.views[state.commit] = view
            failpoint("before_commit")
            self.txn.commit()
            if not self.unseen:
                core.changes.add(self.seq, self.touched)
            failpoint("after_commit")
        except BaseException:
            core.views.pop(self.seq + self.generation, None)
            self.abort()
            raise
        core.publish(view)
        for action in self.after:
            action()
        return view

    def abort(self) -> None:
        self.txn.abort()
        while self._undo:
            self._undo.pop()()

    def _enter(self, space: Space, delta: SpaceDelta) -> None:
        """Writes the new rows of a space and prepares its memory."""
        block = space.blocks[-1]
        old_count, old_vectors = block.count, space.vector_count
        if delta.matrices:
            failpoint("before_data_sync")
            block.write(delta.first_row - block.first_row, np.concatenate(delta.matrices))
            failpoint("after_data_sync")
            put_row_count(self.txn, self.core.tables, space.schema.uid, delta.next_row)

        def take_back() -> None:
            block.forget(old_count)
            space.row_count, space.vector_count = delta.first_row, old_vectors

        self.on_undo(take_back)
        block.admit(np.asarray(delta.slots, np.uint32))
        space.row_count = delta.next_row
        space.vector_count += len(delta.slots) - len(delta.killed)
        for owner, positions in space.by_block(delta.killed) if delta.killed else ():
            owner.kill(positions, self.seq)
            self.on_undo(lambda owner=owner, positions=positions: owner.revive(positions))  # type: ignore[misc]
        changed = np.unique(np.asarray(delta.changed_slots, np.int64))
        before = space.rows_of(changed)
        space.set_rows(delta.changed_slots, delta.changed_rows)
        self.on_undo(lambda: space.set_rows(changed, before))

    def _log_sparse_changes(self) -> None:
        """Tells the logs before the commit, so that whoever reads it finds them complete."""
        for uid, changes in self._sparse_changes.items():
            log = self.core.sparse_logs[uid]
            log.add(self.seq, changes)
            self.on_undo(partial(log.take_back, self.seq))

    def _seal_full_blocks(self) -> None:
        for space in self.core.spaces.values():
            if space.blocks[-1].count >= seal_threshold(self.core.schema, space.schema):
                self.seal(space)

    def seal(self, space: Space) -> None:
        """Seals the open block of a space."""
        self.on_undo(space.seal())
        sync_folder(space.folder)
        put_manifest(self.txn, self.core.tables, space.schema.uid, space.manifest)
