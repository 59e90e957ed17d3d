"""Changes to the structure of a collection inside a commit: spaces, settings, and graphs that were built."""

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from storage import environment
from storage.errors import LimitExceeded, SpaceAlreadyExists, SpaceNotFound
from storage.index import Graph
from storage.schema import (
    MAX_SPACES,
    CollectionSchema,
    SchemaChange,
    SpaceDiff,
    SpaceSchema,
    check_schema,
    check_space,
    check_space_name,
)
from storage.space import IndexFile

if TYPE_CHECKING:
    from storage.transaction import Transaction


def check_change(schema: CollectionSchema, change: SchemaChange) -> None:
    """Raises the error that `change` would meet. Paths are those of CollectionsUpdateRequest."""
    for name, space in change.add.items():
        check_space_name(name, f'add_vectors["{name}"]')
        check_space(space, f'add_vectors["{name}"]')
        if name in schema.spaces and name not in change.drop:
            raise SpaceAlreadyExists(name, f'add_vectors["{name}"]')
    for number, name in enumerate(change.drop):
        if name not in schema.spaces:
            raise SpaceNotFound(name, schema.spaces, f"drop_vectors[{number}]")
    for name, diff in change.update.items():
        if name not in schema.spaces or name in change.drop:
            raise SpaceNotFound(name, schema.spaces, f'update_vectors["{name}"]')
        check_space(_updated(schema.spaces[name], diff), f'update_vectors["{name}"]')
    left = len(schema.spaces) + len(change.add) - len(set(change.drop))
    if left > MAX_SPACES:
        raise LimitExceeded("add_vectors", limit="MAX_SPACES", maximum=MAX_SPACES, actual=left)
    if change.indexing_threshold is not None:
        check_schema(CollectionSchema(spaces={}, indexing_threshold=change.indexing_threshold))


def change_schema(transaction: "Transaction", change: SchemaChange) -> CollectionSchema:
    """Applies a change and returns the schema after it."""
    core = transaction.core
    check_change(core.schema, change)
    _undo_in_memory(transaction)
    transaction.structural = True
    for name in dict.fromkeys(change.drop):
        _drop_space(transaction, name)
    for name, diff in change.update.items():
        updated = _updated(core.schema.spaces[name], diff)
        core.schema = replace(core.schema, spaces={**core.schema.spaces, name: updated})
        core.spaces[name].schema = updated
    for name, space in change.add.items():
        core.add_space(transaction.txn, name, space)
    if change.indexing_threshold is not None:
        core.schema = replace(core.schema, indexing_threshold=change.indexing_threshold)
    return core.schema


def attach_graph(transaction: "Transaction", space_uid: int, block_uid: int, graph: Graph, index: IndexFile) -> bool:
    """Names a built graph in the manifest. False when its space was dropped meanwhile."""
    core = transaction.core
    space = next((space for space in core.spaces.values() if space.schema.uid == space_uid), None)
    old = None if space is None else next((entry for entry in space.manifest.blocks if entry.uid == block_uid), None)
    if space is None or old is None:
        return False
    space.attach_graph(block_uid, graph, index)
    transaction.on_undo(lambda: space.attach_graph(block_uid, None, old.index))
    environment.put_manifest(transaction.txn, core.tables, space_uid, space.manifest)
    return True


def _updated(space: SpaceSchema, diff: SpaceDiff) -> SpaceSchema:
    return replace(space, hnsw=diff.hnsw.apply(space.hnsw), datatype=diff.datatype or space.datatype)


def _undo_in_memory(transaction: "Transaction") -> None:
    """Registers that schema and spaces go back to what they are now when the commit fails."""
    core = transaction.core
    schema, next_uid, spaces = core.schema, core.next_space_uid, dict(core.spaces)
    schemas = {name: space.schema for name, space in spaces.items()}

    def take_back() -> None:
        core.schema, core.next_space_uid, core.spaces = schema, next_uid, spaces
        for name, space in spaces.items():
            space.schema = schemas[name]

    transaction.on_undo(take_back)


def _drop_space(transaction: "Transaction", name: str) -> None:
    core = transaction.core
    space = core.spaces.pop(name)
    uid = space.schema.uid
    assert uid is not None
    environment.drop_space(transaction.txn, core.tables, uid)
    core.schema = replace(core.schema, spaces={key: value for key, value in core.schema.spaces.items() if key != name})

    def remove_files() -> None:
        # Readers of older commits keep their mappings; the file system keeps the bytes until they let go.
        space.close()
        shutil.rmtree(space.folder, ignore_errors=True)

    transaction.after.append(remove_files)
