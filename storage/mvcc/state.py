"""An open collection: its environment, its spaces and the views of its latest commits. Only the writer changes it."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.commit_counts import CommitCounts
from storage.derived import DerivedFiles
from storage.failed_writes import FailedWriteLog
from storage.files import DiskReserve, Identity, note_use, sync_folder, write_seal
from storage.index import Growing, SparseIndexes, SparseLog
from storage.mvcc.active_snapshots import ActiveSnapshots
from storage.mvcc.dropped_spaces import DroppedSpaces
from storage.mvcc.point_columns import PointColumns
from storage.schema import (
    CollectionSchema,
    DenseSpace,
    Manifest,
    MultiSpace,
    SpaceSchema,
    SparseSpace,
)
from storage.segments import MatchingRowsCache, Space, SpaceView
from storage.tables import (
    ChangeLog,
    CollectionTables,
    PayloadCodec,
    State,
    Tables,
    open_bodies,
    open_environment,
    open_rows,
    put_manifest,
    put_row_count,
)


@dataclass(frozen=True, slots=True)
class View:
    """The part of one commit that is in memory, besides what LMDB holds."""

    state: State
    schema: CollectionSchema
    spaces: Mapping[str, SpaceView]


class CollectionState:
    """The state of an open collection, made by `create_core` or `open_core`, see loading.py.

    `view` is the view of the newest commit. `views` has it, and the view of a commit that is being written, by the
    number of the commit. Readers keep their own.
    """

    last_begun: tuple[int, View] | None = None
    """The view of the newest snapshot, with LMDB's number of its transaction: the next mostly reads the same."""

    def __init__(self, uid: str, path: Path, map_size: int, codec: PayloadCodec) -> None:
        """Opens the environment in `path`. Ordinary writes may fill `map_size` bytes of its map."""
        self.uid = uid
        self.path = path
        self.map_size = map_size
        # A database sets these three, one for all of its collections, and `matching_rows`.
        self.disk_reserve = DiskReserve(None)
        self.failed_writes = FailedWriteLog()
        self.commit_counts = CommitCounts()
        self.refused_for_room = False
        """Set by the writer when it refuses a write for lack of room."""
        self.freed_room = False
        """Set by the writer when it commits a write that frees room."""
        self.environment_path = path / "lmdb"
        self.env = open_environment(self.environment_path, map_size)
        self.codec = codec
        self.tables: Tables
        self.collection_tables: CollectionTables
        """What readers take of them."""
        self.schema: CollectionSchema
        self.next_space_uid = 1
        self.spaces: dict[str, Space] = {}
        self.views: dict[int, View] = {}
        self.active = ActiveSnapshots()
        self.dropped = DroppedSpaces(self.env, self.active, self.forget_space)
        self.view: View
        self.identity: Identity
        """The identity of the LMDB file: a commit to a removed file is not durable."""
        self.changes: ChangeLog
        self.known_slots: tuple[int, NDArray[np.uint32]] | None = None
        """The slots of all points at a recent commit, ascending, as their last reader left them. Never changed."""
        self.points = PointColumns()
        self.matching_rows = MatchingRowsCache()
        self.sparse_logs: dict[int, SparseLog] = {}
        """What recent commits changed in sparse spaces, by uid."""
        self.sparse_indexes = SparseIndexes(self.sparse_logs)
        self.derived = DerivedFiles(path / "derived", uid)
        self.columns_of: dict[int, int] = {}
        """LMDB's transaction of which there is a derived file of the rows of slots, by the uid of the space."""
        self.token_owners: dict[int, Growing[np.uint32]] = {}
        """For each space of multi-vectors, by uid: the slot whose token each row is. The owner of a row never
        changes."""

    def add_space(self, txn: lmdb.Transaction, name: str, space: SpaceSchema) -> None:
        """Adds a space, in `txn` and in memory. The caller undoes it with `forget_space` when the transaction fails."""
        uid = self.next_space_uid
        self.next_space_uid += 1
        match space:
            case DenseSpace():
                space = replace(space, uid=uid)
                self._add_rows(txn, name, space)
            case SparseSpace():
                space = replace(space, uid=uid)
                self._open_bodies(txn, uid)
                self.sparse_logs[uid] = SparseLog(0)
            case MultiSpace(tokens=tokens):
                space = MultiSpace(tokens=replace(tokens, uid=uid))
                self._open_bodies(txn, uid)
                self._add_rows(txn, name, space.tokens)
                self.token_owners[uid] = Growing(np.uint32)
        self.schema = replace(self.schema, spaces={**self.schema.spaces, name: space})

    def _add_rows(self, txn: lmdb.Transaction, name: str, schema: DenseSpace) -> None:
        """Makes the files and the table of a new space that has rows."""
        uid = schema.uid
        self.tables.rows[uid] = open_rows(self.env, txn, uid)
        self.spaces[name] = Space(self.space_folder(uid), schema, Manifest(), 0)
        sync_folder(self.space_folder(uid))
        put_manifest(txn, self.tables, uid, Manifest())
        put_row_count(txn, self.tables, uid, 0)

    def sync_spaces(self) -> None:
        """Makes the names of the folders of new spaces durable. It must run before the commit that adds them."""
        for folder in (self.path / "spaces", self.path):
            if folder.exists():
                sync_folder(folder)

    def _open_bodies(self, txn: lmdb.Transaction, uid: int) -> None:
        self.tables.bodies[uid] = open_bodies(self.env, txn, uid)

    def forget_space(self, uid: int) -> None:
        """Releases a space that nobody reads, and its files."""
        self.tables.rows.pop(uid, None)
        self.tables.bodies.pop(uid, None)
        self.sparse_logs.pop(uid, None)
        self.sparse_indexes.forget(uid)
        self.token_owners.pop(uid, None)
        self.columns_of.pop(uid, None)
        shutil.rmtree(self.space_folder(uid), ignore_errors=True)

    def tables_in_use(self) -> "list[lmdb._Database]":
        """All tables that may hold entries. Tables of dropped spaces are empty."""
        rows = [self.tables.rows[space.uid] for space in self.schema.row_spaces.values()]
        bodies = [self.tables.bodies[space.uid] for space in self.schema.body_spaces.values()]
        return [self.tables.meta, self.tables.ids, self.tables.points, *rows, *bodies]

    def space_folder(self, uid: int) -> Path:
        return self.path / "spaces" / str(uid)

    def make_view(self, state: State) -> View:
        return View(state, self.schema, {name: space.view() for name, space in self.spaces.items()})

    def publish(self, view: View) -> None:
        """Makes `view` the newest. Requires: its commit is durable."""
        with self.active.lock:
            self.view = view
            self.views = {view.state.commit: view}
            self.last_begun = None

    def close(self) -> None:
        """Closes and unmaps all files, and seals the LMDB file. Requires: no reader is left."""
        note_use(self.path)
        for space in self.spaces.values():
            space.close()
        # A mapping ends with its last reference, and objects in reference cycles may live for long.
        self.spaces.clear()
        self.sparse_indexes.clear()
        self.token_owners.clear()
        self.points = PointColumns()
        if self.views:
            self.view = replace(self.view, spaces={})
            self.views.clear()
            self.last_begun = None
            write_seal(self.env, self.path / "lmdb")
        self.env.close()
