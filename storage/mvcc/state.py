"""An open collection: its environment, its spaces and the views of its latest commits. The writer alone changes it."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.derived import DerivedFiles
from storage.errors import CorruptStore
from storage.failed_writes import FailedWriteLog
from storage.files import DiskReserve, Identity, failure, note_use, sync_folder, tighten, write_seal
from storage.index import Growing, SparseIndexes, SparseLog
from storage.mvcc.active_snapshots import ActiveSnapshots
from storage.mvcc.dropped_spaces import DroppedSpaces
from storage.schema import (
    SIGNS_OF_DAMAGE,
    CollectionSchema,
    DenseSpace,
    Manifest,
    MultiSpace,
    SpaceSchema,
    SparseSpace,
    Unreadable,
    all_files_of,
    unfit,
)
from storage.segments import MatchingRowsCache, Space, SpaceView, open_index, read_token_owners
from storage.tables import (
    MAX_SLOT,
    ChangeLog,
    PayloadCodec,
    State,
    Tables,
    check_format,
    count_generation,
    environment_failure,
    get_schema,
    get_space,
    get_state,
    open_bodies,
    open_environment,
    open_rows,
    open_tables,
    put_manifest,
    put_row_count,
    put_schema,
    put_state,
    read_rows,
    remove_dropped_tables,
)

log = logging.getLogger(__name__)

VERIFIED_AT_ONCE = 64 * 2**20
"""Bytes of a graph up to which it is verified while its collection is opened; larger ones serve once verified."""


@dataclass(frozen=True, slots=True)
class View:
    """What one commit knows besides what LMDB holds."""

    state: State
    schema: CollectionSchema
    spaces: Mapping[str, SpaceView]


class Core:
    """Opened by `create` or `open`. `view` is that of the newest commit; `views` has it and that of a commit under way,
    by the number of the commit. Readers keep their own."""

    def __init__(self, uid: str, path: Path, map_size: int, codec: PayloadCodec) -> None:
        """Opens the environment in `path`, of whose map ordinary writes may fill `map_size` bytes."""
        self.uid = uid
        self.path = path
        self.map_size = map_size
        self.disk_reserve = DiskReserve(None)
        """One for all collections of a database, which sets it."""
        self.failed_writes = FailedWriteLog()
        """One for all collections of a database, which sets it."""
        self.refused_for_room = False
        """Set by the writer when it refuses a write for want of room."""
        self.freed_room = False
        """Set by the writer when it commits what frees room."""
        self.environment_path = path / "lmdb"
        self.env = open_environment(self.environment_path, map_size)
        self.codec = codec
        self.tables: Tables
        self.schema: CollectionSchema
        self.next_space_uid = 1
        self.spaces: dict[str, Space] = {}
        self.views: dict[int, View] = {}
        self.active = ActiveSnapshots()
        self.dropped = DroppedSpaces(self.env, self.active, self.forget_space)
        self.view: View
        self.identity: Identity
        """Of the LMDB file: what is committed to one that was removed is not durable."""
        self.changes: ChangeLog
        self.known_slots: tuple[int, NDArray[np.uint32]] | None = None
        """The slots of all points at a recent commit, ascending, kept by whoever read them: derived, never changed."""
        self.matching_rows = MatchingRowsCache()
        """One for all collections of a database, which sets it."""
        self.sparse_logs: dict[int, SparseLog] = {}
        """What recent commits changed in sparse spaces, by uid."""
        self.sparse_indexes = SparseIndexes(self.sparse_logs)
        self.derived = DerivedFiles(path / "derived", uid)
        self.token_owners: dict[int, Growing[np.uint32]] = {}
        """Of each space of multi-vectors, by uid: the slot whose token each row is. A row's never changes."""

    @classmethod
    def create(cls, uid: str, path: Path, schema: CollectionSchema, codec: PayloadCodec, map_size: int) -> "Core":
        """Makes an empty collection in the new folder `path`, durably."""
        (path / "lmdb").mkdir(parents=True)
        core = cls(uid, path, map_size, codec)
        try:
            core._write_first(schema)
            for folder in (path / "lmdb", path, path.parent):
                sync_folder(folder)
        except BaseException:
            core.close()
            raise
        core.identity = Identity(path / "lmdb" / "data.mdb")
        core.changes = ChangeLog(0)
        core.publish(core.make_view(State()))
        return core

    def _write_first(self, schema: CollectionSchema) -> None:
        with self.env.begin(write=True) as txn:
            self.tables = open_tables(self.env, txn)
            self.schema = replace(schema, spaces={})
            for name, space in schema.spaces.items():
                self.add_space(txn, name, space)
            self.sync_spaces()
            put_schema(txn, self.tables, self.schema, self.next_space_uid)
            put_state(txn, self.tables, State())

    @classmethod
    def open(cls, uid: str, path: Path, codec: PayloadCodec, map_size: int) -> "Core":
        """Opens a collection and cuts what no commit refers to.

        Raises CorruptStore, UnknownFormat, StorageFull or StorageFailed.
        """
        file = path / "lmdb" / "data.mdb"
        if not file.exists():
            raise CorruptStore(file, 0, "the file is missing")
        tighten(path)
        try:
            core = cls(uid, path, map_size, codec)
            try:
                core._load()
            except BaseException:
                core.close()
                raise
        except lmdb.Error as error:
            raise environment_failure(error, file) from error
        except CorruptStore as error:
            raise error if str(error.metadata["file"]) != file.name else CorruptStore(file, 0, error.what) from error
        except SIGNS_OF_DAMAGE as error:
            raise CorruptStore(file, 0, unfit(error)) from error
        except OSError as error:
            raise failure(error, f"opening {path}") from error
        return core

    def _load(self) -> None:
        with self.env.begin(write=True) as txn:
            self.tables = open_tables(self.env, txn)
        with self.env.begin(write=True) as txn:
            check_format(txn, self.tables, self.path / "lmdb")
            state = get_state(txn, self.tables)
            self.schema, self.next_space_uid = get_schema(txn, self.tables)
            remove_dropped_tables(self.env, txn, {space.uid for space in self.schema.spaces.values()})
            for name, space in self.schema.spaces.items():
                self._open_space(txn, name, space, state)
        if self._lacks_index():
            state = count_generation(self.env, self.tables, state)
        self._remove_strays()
        self.identity = Identity(self.environment_path / "data.mdb")
        self.derived.tidy(state.seq)
        note_use(self.path)
        self.changes = ChangeLog(state.seq)
        self.publish(self.make_view(state))

    def _lacks_index(self) -> bool:
        """Whether an index that is named does not serve yet: others may have served at the newest commit before."""
        return any(
            entry.index is not None and block.graph is None
            for space in self.spaces.values()
            for entry, block in zip(space.manifest.blocks, space.blocks, strict=True)
        )

    def _open_space(self, txn: lmdb.Transaction, name: str, space: SpaceSchema, state: State) -> None:
        match space:
            case DenseSpace():
                self.spaces[name] = self._open_rows(txn, space, state.next_slot)
            case SparseSpace():
                self._open_bodies(txn, space.uid)
                self.sparse_logs[space.uid] = SparseLog(state.seq)
            case MultiSpace(tokens=tokens):
                self._open_bodies(txn, space.uid)
                self.spaces[name] = self._open_rows(txn, tokens, MAX_SLOT)
                self._load_owners(txn, space)

    def _open_rows(self, txn: lmdb.Transaction, schema: DenseSpace, next_slot: int) -> Space:
        manifest, row_count = get_space(txn, self.tables, schema.uid)
        self.tables.rows[schema.uid] = open_rows(self.env, txn, schema.uid)
        space = Space(self.space_folder(schema.uid), schema, manifest, row_count)
        slots, rows, _ = read_rows(txn, self.tables.rows[schema.uid])
        if len(slots) and (slots[-1] >= next_slot or (slots[1:] <= slots[:-1]).any()):
            raise Unreadable("the slots that have vectors are out of order, or some were never given out")
        space.load_rows(slots, rows)
        for entry, block in zip(manifest.blocks, space.blocks, strict=True):
            if entry.index is not None and _is_small(space.folder / entry.index.name):
                block.graph = open_index(schema, space.folder, entry.index)
                block.index_bytes = (space.folder / entry.index.name).stat().st_size if block.graph is not None else 0
        return space

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
        """Makes the names of the folders of new spaces durable. Due before the commit that adds them."""
        for folder in (self.path / "spaces", self.path):
            if folder.exists():
                sync_folder(folder)

    def _load_owners(self, txn: lmdb.Transaction, schema: MultiSpace) -> None:
        """Fills the column of whose tokens rows are, just after opening. Rows that nobody has stay 0."""
        table = self.tables.bodies[schema.uid]
        self.token_owners[schema.uid] = Growing(np.uint32, read_token_owners(txn, table))

    def _open_bodies(self, txn: lmdb.Transaction, uid: int) -> None:
        self.tables.bodies[uid] = open_bodies(self.env, txn, uid)

    def forget_space(self, uid: int) -> None:
        """Lets go of what is known of a space that nobody reads, and of its files."""
        self.tables.rows.pop(uid, None)
        self.tables.bodies.pop(uid, None)
        self.sparse_logs.pop(uid, None)
        self.sparse_indexes.forget(uid)
        self.token_owners.pop(uid, None)
        shutil.rmtree(self.space_folder(uid), ignore_errors=True)

    def tables_in_use(self) -> "list[lmdb._Database]":
        """All tables that hold something. Those of spaces that are gone are empty."""
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

    def close(self) -> None:
        """Closes and unmaps all files, and seals what LMDB holds. Requires: no reader is left."""
        note_use(self.path)
        for space in self.spaces.values():
            space.close()
        # A mapping ends with the last reference to it, and objects in cycles may live on for long.
        self.spaces.clear()
        self.sparse_indexes.clear()
        self.token_owners.clear()
        if self.views:
            self.view = replace(self.view, spaces={})
            self.views.clear()
            write_seal(self.env, self.path / "lmdb")
        self.env.close()

    def _remove_strays(self) -> None:
        """Removes files that no commit names: left by a crash between writing and committing."""
        known = {str(space.uid) for space in self.schema.row_spaces.values()}
        root = self.path / "spaces"
        for folder in root.iterdir() if root.exists() else ():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)
        for space in self.spaces.values():
            names = set(all_files_of(space.manifest))
            for path in space.folder.iterdir():
                if path.name not in names:
                    path.unlink(missing_ok=True)  # a build begun before the collection was closed may move it


def _is_small(path: Path) -> bool:
    """Whether the checksum of a file is made while its collection is opened; others are left to the background."""
    return not path.exists() or path.stat().st_size <= VERIFIED_AT_ONCE
