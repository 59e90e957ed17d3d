"""Makes the state of an open collection from its folder: an empty collection, or its newest commit."""

import shutil
from dataclasses import replace
from pathlib import Path

import lmdb
import numpy as np

from storage.errors import CorruptStore
from storage.files import Identity, failure, note_use, sync_folder, tighten
from storage.index import Growing, SparseLog
from storage.mvcc.state import Core
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
from storage.segments import Space, open_index, read_token_owners
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

VERIFIED_AT_ONCE = 64 * 2**20
"""Bytes of an index up to which it is verified while its collection is opened. Larger ones serve once they are
verified."""


def create_core(uid: str, path: Path, schema: CollectionSchema, codec: PayloadCodec, map_size: int) -> Core:
    """Makes an empty collection in the new folder `path`, durably."""
    (path / "lmdb").mkdir(parents=True)
    core = Core(uid, path, map_size, codec)
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


def open_core(uid: str, path: Path, codec: PayloadCodec, map_size: int) -> Core:
    """Opens a collection and cuts data that no commit refers to.

    Raises CorruptStore, UnknownFormat, StorageFull or StorageFailed.
    """
    file = path / "lmdb" / "data.mdb"
    if not file.exists():
        raise CorruptStore(file, 0, "the file is missing")
    tighten(path)
    try:
        core = Core(uid, path, map_size, codec)
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


def _write_first(core: Core, schema: CollectionSchema) -> None:
    with core.env.begin(write=True) as txn:
        _open_tables(core, txn)
        core.schema = replace(schema, spaces={})
        for name, space in schema.spaces.items():
            core.add_space(txn, name, space)
        core.sync_spaces()
        put_schema(txn, core.tables, core.schema, core.next_space_uid)
        put_state(txn, core.tables, State())


def _load(core: Core) -> None:
    with core.env.begin(write=True) as txn:
        _open_tables(core, txn)
    with core.env.begin(write=True) as txn:
        check_format(txn, core.tables, core.environment_path)
        state = get_state(txn, core.tables)
        core.schema, core.next_space_uid = get_schema(txn, core.tables)
        remove_dropped_tables(core.env, txn, {space.uid for space in core.schema.spaces.values()})
        for name, space in core.schema.spaces.items():
            _load_space(core, txn, name, space, state)
    if _lacks_index(core):
        state = count_generation(core.env, core.tables, state)
    _remove_strays(core)
    core.identity = Identity(core.environment_path / "data.mdb")
    core.derived.tidy(state.seq)
    note_use(core.path)
    core.changes = ChangeLog(state.seq)
    core.publish(core.make_view(state))


def _open_tables(core: Core, txn: lmdb.Transaction) -> None:
    core.tables = open_tables(core.env, txn)
    core.collection_tables = CollectionTables(core.uid, core.environment_path / "data.mdb", core.tables, core.codec)


def _load_space(core: Core, txn: lmdb.Transaction, name: str, space: SpaceSchema, state: State) -> None:
    if not isinstance(space, DenseSpace):
        bodies = core.tables.bodies[space.uid] = open_bodies(core.env, txn, space.uid)
    match space:
        case DenseSpace():
            core.spaces[name] = _load_rows(core, txn, space, state.next_slot)
        case SparseSpace():
            core.sparse_logs[space.uid] = SparseLog(state.seq)
        case MultiSpace(tokens=tokens):
            core.spaces[name] = _load_rows(core, txn, tokens, MAX_SLOT)
            core.token_owners[space.uid] = Growing(np.uint32, read_token_owners(txn, bodies))


def _load_rows(core: Core, txn: lmdb.Transaction, schema: DenseSpace, next_slot: int) -> Space:
    manifest, row_count = get_space(txn, core.tables, schema.uid)
    core.tables.rows[schema.uid] = open_rows(core.env, txn, schema.uid)
    space = Space(core.space_folder(schema.uid), schema, manifest, row_count)
    slots, rows, _ = read_rows(txn, core.tables.rows[schema.uid])
    if len(slots) and (slots[-1] >= next_slot or (slots[1:] <= slots[:-1]).any()):
        raise Unreadable("the slots that have vectors are out of order, or above the last slot given out")
    space.load_rows(slots, rows)
    for entry, block in zip(manifest.blocks, space.blocks, strict=True):
        if entry.index is not None and _is_small(space.folder / entry.index.name):
            block.graph = open_index(schema, space.folder, entry.index)
            block.index_bytes = (space.folder / entry.index.name).stat().st_size if block.graph is not None else 0
    return space


def _is_small(path: Path) -> bool:
    """Whether a file is verified while its collection is opened. Others are verified in the background."""
    return not path.exists() or path.stat().st_size <= VERIFIED_AT_ONCE


def _lacks_index(core: Core) -> bool:
    """Whether an index in the manifests does not serve yet. Before the restart other indexes may have served this
    commit."""
    return any(
        entry.index is not None and block.graph is None
        for space in core.spaces.values()
        for entry, block in zip(space.manifest.blocks, space.blocks, strict=True)
    )


def _remove_strays(core: Core) -> None:
    """Removes files that no commit names. A crash between writing and committing leaves such files."""
    known = {str(space.uid) for space in core.schema.row_spaces.values()}
    root = core.path / "spaces"
    for folder in root.iterdir() if root.exists() else ():
        if folder.name not in known:
            shutil.rmtree(folder, ignore_errors=True)
    for space in core.spaces.values():
        names = set(all_files_of(space.manifest))
        for path in space.folder.iterdir():
            if path.name not in names:
                path.unlink(missing_ok=True)  # a build that began before the collection was closed may move the file
