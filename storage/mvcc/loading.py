"""Makes the state of an open collection from its folder: an empty collection, or its newest commit."""

import logging
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.errors import CorruptStore
from storage.files import Identity, failure, note_use, sync_folder, tighten
from storage.index import Growing, SparseLog, codes_file
from storage.mvcc.row_columns import keep_columns, newest_transaction, stored_columns
from storage.mvcc.state import CollectionState
from storage.schema import (
    SIGNS_OF_DAMAGE,
    CollectionSchema,
    DenseSpace,
    MultiSpace,
    SpaceSchema,
    SparseSpace,
    Unreadable,
    all_files_of,
    unfit,
)
from storage.segments import Space, open_index, open_unverified, read_token_owners
from storage.tables import (
    MAX_SLOT,
    ChangeLog,
    CollectionTables,
    PayloadCodec,
    State,
    check_format,
    count_generation,
    environment_failure,
    get_schema,
    get_space,
    get_state,
    open_bodies,
    open_rows,
    open_tables,
    put_schema,
    put_state,
    read_rows,
    remove_dropped_tables,
)

log = logging.getLogger(__name__)

VERIFIED_AT_ONCE = 16 * 2**20
"""Bytes of indexes of a space that are verified while its collection is opened. Others are verified behind it: graphs
that kernels walk serve meanwhile, and the rows of others are scanned."""


def create_core(uid: str, path: Path, schema: CollectionSchema, codec: PayloadCodec, map_size: int) -> CollectionState:
    """Makes an empty collection in the new folder `path`, durably."""
    (path / "lmdb").mkdir(parents=True)
    core = CollectionState(uid, path, map_size, codec)
    try:
        _write_first(core, schema)
        for folder in (path / "lmdb", path, path.parent):
            sync_folder(folder)
    except BaseException:
        core.close()
        raise
    core.identity = Identity(path / "lmdb" / "data.mdb")
    core.changes = ChangeLog(0)
    core.publish(core.make_view(State()))
    return core


def open_core(uid: str, path: Path, codec: PayloadCodec, map_size: int) -> CollectionState:
    """Opens a collection and cuts data that no commit refers to.

    Raises CorruptStore, UnknownFormat, StorageFull or StorageFailed.
    """
    file = path / "lmdb" / "data.mdb"
    if not file.exists():
        raise CorruptStore(file, 0, "the file is missing")
    tighten(path)
    try:
        core = CollectionState(uid, path, map_size, codec)
        try:
            _load(core)
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


def close_core(core: CollectionState) -> None:
    """Closes and unmaps all files, and leaves what the next opening reads. Requires: no reader is left."""
    try:
        keep_columns(core)
    finally:
        core.close()


def _write_first(core: CollectionState, schema: CollectionSchema) -> None:
    with core.env.begin(write=True) as txn:
        _open_tables(core, txn)
        core.schema = replace(schema, spaces={})
        for name, space in schema.spaces.items():
            core.add_space(txn, name, space)
        core.sync_spaces()
        put_schema(txn, core.tables, core.schema, core.next_space_uid)
        put_state(txn, core.tables, State())


def _load(core: CollectionState) -> None:
    transaction = newest_transaction(core.env)  # before anything is committed here
    with core.env.begin(write=True) as txn:
        _open_tables(core, txn)
    with core.env.begin(write=True) as txn:
        check_format(txn, core.tables, core.environment_path)
        state = get_state(txn, core.tables)
        core.schema, core.next_space_uid = get_schema(txn, core.tables)
        remove_dropped_tables(core.env, txn, {space.uid for space in core.schema.spaces.values()})
        for name, space in core.schema.spaces.items():
            _load_space(core, txn, name, space, _Found(state, transaction))
    if _lacks_index(core):
        state = count_generation(core.env, core.tables, state)
    _remove_strays(core)
    core.identity = Identity(core.environment_path / "data.mdb")
    core.derived.tidy(state.seq)
    note_use(core.path)
    core.changes = ChangeLog(state.seq)
    core.publish(core.make_view(state))


def _open_tables(core: CollectionState, txn: lmdb.Transaction) -> None:
    core.tables = open_tables(core.env, txn)
    core.collection_tables = CollectionTables(core.uid, core.environment_path / "data.mdb", core.tables, core.codec)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a collection was left at: its newest commit, and LMDB's number of the newest transaction."""

    state: State
    transaction: int


def _load_space(core: CollectionState, txn: lmdb.Transaction, name: str, space: SpaceSchema, found: _Found) -> None:
    if not isinstance(space, DenseSpace):
        bodies = core.tables.bodies[space.uid] = open_bodies(core.env, txn, space.uid)
    match space:
        case DenseSpace():
            core.spaces[name] = _load_rows(core, txn, space, found.state.next_slot, found)
        case SparseSpace():
            core.sparse_logs[space.uid] = SparseLog(found.state.seq)
        case MultiSpace(tokens=tokens):
            core.spaces[name] = _load_rows(core, txn, tokens, MAX_SLOT, found)
            core.token_owners[space.uid] = Growing(np.uint32, read_token_owners(txn, bodies))


def _load_rows(
    core: CollectionState, txn: lmdb.Transaction, schema: DenseSpace, next_slot: int, found: _Found
) -> Space:
    manifest, row_count = get_space(txn, core.tables, schema.uid)
    core.tables.rows[schema.uid] = open_rows(core.env, txn, schema.uid)
    space = Space(core.space_folder(schema.uid), schema, manifest, row_count)
    if not _take_columns(core, space, next_slot, found):
        slots, rows, _ = read_rows(txn, core.tables.rows[schema.uid])
        _enter_rows(space, slots, rows, next_slot)
    _open_indexes(space)
    return space


def _take_columns(core: CollectionState, space: Space, next_slot: int, found: _Found) -> bool:
    """Whether the rows of slots were there in a derived file, so that the table need not be read."""
    uid = space.schema.uid
    columns = stored_columns(core, uid, found.state, found.transaction)
    if columns is None:
        return False
    try:
        _enter_rows(space, *columns, next_slot)
    except ValueError as error:
        log.warning("the file of the rows of space %d is not used: %s", uid, error)
        return False
    core.columns_of[uid] = found.transaction
    return True


def _enter_rows(space: Space, slots: NDArray[np.uint32], rows: NDArray[np.int64], next_slot: int) -> None:
    """Raises Unreadable."""
    if len(slots) and (slots[-1] >= next_slot or (slots[1:] <= slots[:-1]).any()):
        raise Unreadable("the slots that have vectors are out of order, or some were never given out")
    space.load_rows(slots, rows)


def _open_indexes(space: Space) -> None:
    """Opens the indexes that the manifest names, as many as are small after their checksum was made."""
    room = VERIFIED_AT_ONCE
    for entry, block in zip(space.manifest.blocks, space.blocks, strict=True):
        if entry.index is None:
            continue
        path = space.folder / entry.index.name
        size = path.stat().st_size if path.exists() else 0
        if size <= room:
            room -= size
            block.index = open_index(space.schema, space.folder, entry.index)
        else:
            block.index = open_unverified(space.schema, space.folder, entry.index, block.count)
        block.index_bytes = size if block.index is not None else 0


def _lacks_index(core: CollectionState) -> bool:
    """Whether an index in the manifests does not serve yet. Before the restart other indexes may have served this
    commit."""
    return any(
        entry.index is not None and block.index is None
        for space in core.spaces.values()
        for entry, block in zip(space.manifest.blocks, space.blocks, strict=True)
    )


def _remove_strays(core: CollectionState) -> None:
    """Removes files that no commit names. A crash between writing and committing leaves such files."""
    known = {str(space.uid) for space in core.schema.row_spaces.values()}
    root = core.path / "spaces"
    for folder in root.iterdir() if root.exists() else ():
        if folder.name not in known:
            shutil.rmtree(folder, ignore_errors=True)
    for space in core.spaces.values():
        names = set(all_files_of(space.manifest))
        names |= {codes_file(Path(name)).name for name in names}
        for path in space.folder.iterdir():
            if path.name not in names:
                path.unlink(missing_ok=True)  # a build that began before the collection was closed may move the file
