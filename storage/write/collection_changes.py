"""Changes to the structure of a collection inside a commit: spaces, settings, and indexes that were built."""

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import numpy as np
from numpy.typing import NDArray

from storage.errors import IndexAlreadyExists, LimitExceeded, SpaceAlreadyExists, SpaceNotFound
from storage.files import failpoint
from storage.index import codes_file
from storage.schema import (
    MAX_SPACES,
    BlockEntry,
    CollectionSchema,
    DenseSpace,
    IndexFile,
    MultiSpace,
    PartitionFile,
    SchemaChange,
    SpaceDiff,
    SpaceSchema,
    SparseSpace,
    TextSettings,
    changed_fields,
    check_schema,
    check_space,
    check_texts,
    field_of,
    files_of,
)
from storage.segments import SegmentIndex, Space, kind_of, wants_index
from storage.tables import drop_space, put_manifest

if TYPE_CHECKING:
    from storage.write.transaction import Transaction


def check_change(schema: CollectionSchema, change: SchemaChange) -> None:
    """Raises the error that `change` would raise. Field paths are those of CollectionsUpdateRequest."""
    dropped = {*change.drop, *change.drop_sparse}
    _check_added(schema, change, dropped)
    _check_dropped(schema, change)
    for name, diff in change.update.items():
        if name not in schema.row_spaces or name in dropped:
            raise SpaceNotFound(name, schema.row_spaces, f'update_vectors["{name}"]')
        check_space(name, _updated(schema.spaces[name], diff), f'update_vectors["{name}"]')
    left = len(schema.spaces) + len(change.add) - len(dropped)
    if left > MAX_SPACES:
        raise LimitExceeded("add_vectors", limit="MAX_SPACES", maximum=MAX_SPACES, actual=left)
    if change.indexing_threshold is not None:
        check_schema(CollectionSchema(spaces={}, indexing_threshold=change.indexing_threshold))
    changed_fields(schema.field_indexes, change.create_fields, change.delete_fields)
    check_texts(_texts_after(schema, change))


def _check_added(schema: CollectionSchema, change: SchemaChange, dropped: set[str]) -> None:
    for name, space in change.add.items():
        check_space(name, space, f'add_{field_of(space)}["{name}"]')
    for name, space in change.add.items():
        if name in schema.spaces and name not in dropped:
            raise SpaceAlreadyExists(name, f'add_{field_of(space)}["{name}"]')
    _check_policies(schema, change)


def _check_dropped(schema: CollectionSchema, change: SchemaChange) -> None:
    for number, name in enumerate(change.drop_sparse):
        if name not in schema.sparse:
            raise SpaceNotFound(name, schema.sparse, f"drop_sparse_vectors[{number}]")
    for number, name in enumerate(change.drop):
        if name not in schema.spaces:
            raise SpaceNotFound(name, schema.names, f"drop_vectors[{number}]")


def _check_policies(schema: CollectionSchema, change: SchemaChange) -> None:
    """Raises IndexAlreadyExists when a new space would be the same index as one that stays."""
    stays = {_signature(space): name for name, space in schema.dense.items() if name not in change.drop}
    for space in change.add.values():
        signature = _signature(space)
        if signature is not None and signature in stays:
            raise IndexAlreadyExists(stays[signature])


def _signature(space: SpaceSchema) -> tuple[object, ...] | None:
    """What makes indexes of a collection different; None for a space that is not an index."""
    if not isinstance(space, DenseSpace) or space.policy is None:
        return None
    return space.policy.property, space.policy.source, space.distance, space.size


def change_schema(transaction: "Transaction", change: SchemaChange) -> CollectionSchema:
    """Applies a change and returns the schema after it."""
    core = transaction.core
    check_change(core.schema, change)
    _undo_in_memory(transaction)
    transaction.structural = True
    for name in dict.fromkeys((*change.drop, *change.drop_sparse)):
        _drop_space(transaction, name)
    for name, diff in change.update.items():
        _update_space(transaction, name, diff)
    first_uid = core.next_space_uid
    for name, space in change.add.items():
        core.add_space(transaction.txn, name, space)
    if change.add:
        core.sync_spaces()
    transaction.after += [
        partial(core.dropped.note_added, uid, transaction.seq) for uid in range(first_uid, core.next_space_uid)
    ]
    if change.indexing_threshold is not None:
        core.schema = replace(core.schema, indexing_threshold=change.indexing_threshold)
    fields = changed_fields(core.schema.field_indexes, change.create_fields, change.delete_fields)
    core.schema = replace(core.schema, field_indexes=fields)
    if change.auto_index is not None:
        core.schema = replace(core.schema, auto_index=change.auto_index)
    core.schema = replace(core.schema, text_indexes=_texts_after(core.schema, change))
    return core.schema


def _update_space(transaction: "Transaction", name: str, diff: SpaceDiff) -> None:
    core = transaction.core
    core.schema = replace(core.schema, spaces={**core.schema.spaces, name: _updated(core.schema.spaces[name], diff)})
    rows = core.schema.row_spaces[name]
    core.spaces[name].schema = rows
    if not wants_index(rows):
        _detach_indexes(transaction, core.spaces[name])


def _texts_after(schema: CollectionSchema, change: SchemaChange) -> dict[str, TextSettings]:
    texts = {path: settings for path, settings in schema.text_indexes.items() if path not in change.drop_texts}
    return {**texts, **change.put_texts}


def set_index_progress(transaction: "Transaction", space_uid: int, embedder: str, seq: int, next_slot: int) -> bool:
    """Notes how far a managed index is; see IndexPolicy. False when it is gone or has another embedder now."""
    core = transaction.core
    for name, space in core.schema.dense.items():
        if space.uid == space_uid and space.policy is not None and space.embedder == embedder:
            policy = replace(space.policy, seq=seq, next_slot=next_slot)
            _undo_in_memory(transaction)
            transaction.structural = True
            core.schema = replace(core.schema, spaces={**core.schema.spaces, name: replace(space, policy=policy)})
            core.spaces[name].schema = core.schema.dense[name]
            return True
    return False


def attach_index(
    transaction: "Transaction", space_uid: int, block_uid: int, graph: SegmentIndex, index: IndexFile
) -> bool:
    """Names a built index in the manifest, in place of the one before.

    False when its block is gone, or such an index is not wanted any more.
    """
    space = _space_with(transaction, space_uid, (block_uid,))
    if space is None or not _is_wanted(space, index):
        return False
    old = next(entry.index for entry in space.manifest.blocks if entry.uid == block_uid)
    transaction.on_undo(space.attach_index(block_uid, graph, index))
    _put_manifest(transaction, space)
    if old is not None and old.name != index.name:
        transaction.after.append(partial(_remove_index, space.folder / old.name))
    return True


def show_index(
    transaction: "Transaction", space_uid: int, block_uid: int, graph: SegmentIndex, index: IndexFile
) -> None:
    """Makes searches use a verified index that the manifest names. Does nothing when the manifest names another by
    now."""
    space = _space_with(transaction, space_uid, (block_uid,))
    if space is not None and any(entry.uid == block_uid and entry.index == index for entry in space.manifest.blocks):
        transaction.on_undo(space.attach_index(block_uid, graph, index))


def drop_graph(transaction: "Transaction", space_uid: int, block_uid: int, index: IndexFile) -> None:
    """Takes away a graph that serves and proved to be damaged. Nothing, when the manifest names another by now."""
    space = _space_with(transaction, space_uid, (block_uid,))
    if space is not None and any(entry.uid == block_uid and entry.index == index for entry in space.manifest.blocks):
        transaction.on_undo(space.attach_index(block_uid, None, None))
        _put_manifest(transaction, space)
        transaction.after.append(partial(_remove_index, space.folder / index.name))


def reserve_block(transaction: "Transaction", space_uid: int) -> int | None:
    """A uid for a block that will be written; None when the space is gone."""
    space = _space_with(transaction, space_uid, ())
    if space is None:
        return None
    before = space.manifest
    space.manifest = replace(before, next_uid=before.next_uid + 1)

    def take_back() -> None:
        space.manifest = before

    transaction.on_undo(take_back)
    _put_manifest(transaction, space)
    return before.next_uid


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A block that was written from adjacent ones.

    `sources`: their uids, each with the positions of the rows that were copied, in order. `entry` None: no row was
    alive, so nothing was written.
    """

    sources: Mapping[int, NDArray[np.int64]]
    entry: BlockEntry | None
    index: SegmentIndex | None


def replace_blocks(transaction: "Transaction", space_uid: int, merged: Merged) -> bool:
    """Puts a merged block in place of its sources.

    False when one of them is gone, or its index is not wanted any more. Rows that died after they were copied are dead
    in the merged block too.
    """
    space = _space_with(transaction, space_uid, tuple(merged.sources))
    index = None if merged.entry is None else merged.entry.index
    if space is None or (index is not None and not _is_wanted(space, index)):
        return False
    sources = [block for block in space.blocks if block.uid in merged.sources]
    block = None
    if merged.entry is not None:
        block = space.open_block(merged.entry)
        slots = [source.slots[merged.sources[source.uid]] for source in sources]
        died = [source.died[merged.sources[source.uid]] for source in sources]
        block.load(np.concatenate(slots), np.concatenate(died))
        block.index = merged.index
        block.index_bytes = (space.folder / index.name).stat().st_size if merged.index and index else 0
    files = [name for entry in space.manifest.blocks if entry.uid in merged.sources for name in files_of(entry)]
    transaction.on_undo(space.replace_blocks(tuple(merged.sources), block, merged.entry))
    _put_manifest(transaction, space)

    def remove_files() -> None:
        for source in sources:
            source.close()
        for name in files:
            _remove_index(space.folder / name)

    transaction.after.append(remove_files)
    return True


def _is_wanted(space: Space, index: IndexFile) -> bool:
    """Whether an index of this kind may serve the space: the space's settings may have changed during the build."""
    return wants_index(space.schema) and index.kind == kind_of(space.schema)


def set_partition(transaction: "Transaction", space_uid: int, partition: PartitionFile | None) -> bool:
    """Makes later builds use `partition` for the lists of the space; None: each build makes its own. False when the
    space is gone."""
    space = _space_with(transaction, space_uid, ())
    if space is None:
        return False
    before = space.manifest
    space.manifest = replace(before, partition=partition)

    def take_back() -> None:
        space.manifest = before

    transaction.on_undo(take_back)
    _put_manifest(transaction, space)
    if before.partition is not None:
        transaction.after.append(partial((space.folder / before.partition.name).unlink, missing_ok=True))
    return True


def _space_with(transaction: "Transaction", space_uid: int, block_uids: Collection[int]) -> Space | None:
    """The space with this uid if it still has all these blocks; else None."""
    for space in transaction.core.spaces.values():
        if space.schema.uid == space_uid and set(block_uids) <= {block.uid for block in space.blocks}:
            return space
    return None


def _put_manifest(transaction: "Transaction", space: Space) -> None:
    put_manifest(transaction.txn, transaction.core.tables, space.schema.uid, space.manifest)


def _detach_indexes(transaction: "Transaction", space: Space) -> None:
    """Drops the indexes of a space. Its rows are scanned from now on."""
    for entry in space.manifest.blocks:
        if entry.index is not None:
            transaction.on_undo(space.attach_index(entry.uid, None, None))
            path = space.folder / entry.index.name
            transaction.after.append(partial(_remove_index, path))
    _put_manifest(transaction, space)


def _remove_index(path: Path) -> None:
    """Removes a file, and what was derived of it."""
    path.unlink(missing_ok=True)
    codes_file(path).unlink(missing_ok=True)


def _updated(space: SpaceSchema, diff: SpaceDiff) -> SpaceSchema:
    """The space after `diff` changed the settings of its rows. Requires: it has rows."""
    match space:
        case DenseSpace():
            return _updated_rows(space, diff)
        case MultiSpace(tokens=tokens):
            return MultiSpace(tokens=_updated_rows(tokens, diff))
        case SparseSpace():
            raise AssertionError("a sparse space has no rows")
    assert_never(space)


def _updated_rows(space: DenseSpace, diff: SpaceDiff) -> DenseSpace:
    policy = space.policy
    if policy is not None and diff.embedder is not None and diff.embedder != space.embedder:
        policy = replace(policy, seq=0, next_slot=0)  # another model: every vector must be made again
    return replace(
        space,
        policy=policy,
        hnsw=diff.hnsw.apply(space.hnsw),
        ivf=diff.ivf.apply(space.ivf),
        datatype=diff.datatype or space.datatype,
        datatype_chosen=space.datatype_chosen or diff.datatype is not None,
        index=diff.index or space.index,
        embedder=space.embedder if diff.embedder is None else diff.embedder or None,
    )


def _undo_in_memory(transaction: "Transaction") -> None:
    """Registers an undo: if the commit fails, schema and spaces in memory go back to their current state."""
    core = transaction.core
    schema, next_uid, spaces = core.schema, core.next_space_uid, dict(core.spaces)
    schemas = {name: space.schema for name, space in spaces.items()}

    def take_back() -> None:
        for uid in range(next_uid, core.next_space_uid):
            core.forget_space(uid)
        core.schema, core.next_space_uid, core.spaces = schema, next_uid, spaces
        for name, space in spaces.items():
            space.schema = schemas[name]

    transaction.on_undo(take_back)


def _drop_space(transaction: "Transaction", name: str) -> None:
    core = transaction.core
    uid = core.schema.spaces[name].uid
    drop_space(transaction.txn, core.tables, uid)
    transaction.after.append(lambda: core.dropped.note_dropped(uid, transaction.seq))
    if name in core.spaces:  # it has rows
        transaction.after.append(partial(_remove_files, core.spaces.pop(name)))
    left = {key: space for key, space in core.schema.spaces.items() if key != name}
    core.schema = replace(core.schema, spaces=left)
    transaction.after.append(lambda: core.sparse_indexes.forget(uid))


def _remove_files(space: Space) -> None:
    failpoint("drop_space_committed")
    # Readers of older commits keep their mappings. The file system keeps the bytes until the mappings end.
    space.close()
    shutil.rmtree(space.folder, ignore_errors=True)
