"""One commit in the making: its LMDB transaction, and its changes to spaces. apply_points.py has the operations.

Order of a commit: vector bytes are written and synced, then memory is prepared, then LMDB commits. Readers find the new
view only by the new commit sequence, so they do not see the prepared memory. `abort` undoes the preparation.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.files import failpoint, sync_folder
from storage.mvcc import CollectionState, View
from storage.segments import Space, seal_threshold
from storage.tables import (
    IdTable,
    Reader,
    State,
    decode_row,
    decode_slot,
    encode_slots,
    put_manifest,
    put_schema,
    put_state,
)
from storage.write.space_changes import Mark, SpaceChanges


@dataclass(frozen=True, slots=True)
class Savepoint:
    """The state of a transaction when an operation began."""

    next_slot: int
    point_count: int
    changes: Mark
    written: int


class Transaction:
    """Only the writer's thread uses it. It ends by `commit` or `abort`."""

    def __init__(self, core: CollectionState, *, unseen: bool = False) -> None:
        """`unseen`: it changes neither points nor settings, so the commit sequence that users see stays."""
        state = core.view.state
        self.core = core
        self.unseen = unseen
        self.seq = state.seq + (not unseen)
        self.generation = state.generation + unseen
        self.next_slot = state.next_slot
        self.point_count = state.point_count
        self.txn: lmdb.Transaction = core.env.begin(write=True)
        self.changes = SpaceChanges(core)
        self.touched: list[int] = []
        """Slots of points that operations inserted, changed or deleted, also by operations that were undone."""
        self.written: list[tuple[NDArray[np.uint32], NDArray[np.uint64]]] = []
        """Slots of points that were written, and their ids if all of these are numbers. The last of a slot counts."""
        self.structural = False
        """Whether spaces, blocks or settings change. Set by the code that changes them."""
        self.after: list[Callable[[], None]] = []
        """What to do once the commit is durable."""
        self.sync_seconds = 0.0
        """How long `commit` wrote to files and synced them."""
        self._undo: list[Callable[[], None]] = []
        self._outer: lmdb.Transaction | None = None

    @property
    def ids(self) -> IdTable:
        return IdTable(self.txn, self.core.tables.ids)

    @property
    def state(self) -> State:
        """What the commit would leave now."""
        return State(self.seq, self.next_slot, self.point_count, self.generation)

    def reader(self) -> Reader:
        """Reads what this transaction sees so far."""
        return Reader(self.txn, self.core.collection_tables, self.state, self.core.schema, pending=True)

    def rows_table(self, space: str) -> lmdb._Database:
        uid = self.core.spaces[space].schema.uid
        return self.core.tables.rows[uid]

    def bodies_table(self, space: str) -> lmdb._Database:
        uid = self.core.schema.spaces[space].uid
        return self.core.tables.bodies[uid]

    def current_rows(self, space: str, slots: Sequence[int]) -> dict[int, int]:
        """Rows of those of `slots` that have a vector in `space`."""
        with self.txn.cursor(self.rows_table(space)) as cursor:
            found = cursor.getmulti(encode_slots(slots))
        return {decode_slot(key): decode_row(value)[0] for key, value in found}

    # Savepoints: a failed operation must leave nothing behind, while the others of its commit stay.

    def begin_nested(self) -> Savepoint:
        self._outer = self.txn
        self.txn = self.core.env.begin(write=True, parent=self._outer)
        return Savepoint(self.next_slot, self.point_count, self.changes.mark(), len(self.written))

    def end_nested(self) -> None:
        assert self._outer is not None
        self.txn.commit()
        self.txn, self._outer = self._outer, None

    def abort_nested(self, savepoint: Savepoint) -> None:
        assert self._outer is not None
        self.txn.abort()
        self.txn, self._outer = self._outer, None
        self.next_slot, self.point_count = savepoint.next_slot, savepoint.point_count
        self.changes.go_back(savepoint.changes)
        del self.written[savepoint.written :]

    def on_undo(self, action: Callable[[], None]) -> None:
        self._undo.append(action)

    def commit(self) -> View:
        """Makes everything durable, then visible. Raises lmdb.Error or EngineError; then nothing has changed."""
        core = self.core
        try:
            self.changes.enter_rows(self.txn, self.seq, self.on_undo)
            self._seal_full_blocks()
            state = self.state
            put_state(self.txn, core.tables, state)
            if self.structural:
                put_schema(self.txn, core.tables, core.schema, core.next_space_uid)
            self.changes.log_sparse(self.seq, self.on_undo)
            forget = core.dropped.remove_unread(self.txn)
            if forget is not None:
                self.after.append(forget)
            view = core.make_view(state)
            core.views[state.commit] = view
            if self.touched:
                core.points.begin(self.seq, np.array(self.touched, np.uint32))
            failpoint("before_commit")
            started = time.perf_counter()
            self.txn.commit()
            self.sync_seconds = self.changes.sync_seconds + time.perf_counter() - started
            if not self.unseen:
                core.changes.add(self.seq, self.touched)
            failpoint("after_commit")
        except BaseException:
            core.views.pop(self.seq + self.generation, None)
            self.abort()
            raise
        core.publish(view)
        for slots, ids in self.written:
            core.points.enter(slots, np.full(len(slots), self.seq, np.uint64), ids, self.seq)
        for action in self.after:
            action()
        return view

    def abort(self) -> None:
        self.txn.abort()
        while self._undo:
            self._undo.pop()()

    def _seal_full_blocks(self) -> None:
        for space in self.core.spaces.values():
            if space.blocks[-1].count >= seal_threshold(self.core.schema, space.schema):
                self.seal(space)

    def seal(self, space: Space) -> None:
        """Seals the open block of a space."""
        self.on_undo(space.seal())
        sync_folder(space.folder)
        put_manifest(self.txn, self.core.tables, space.schema.uid, space.manifest)
