"""Builds the graphs that are due in the calling thread, for tests that decide themselves when an index appears."""

import numpy as np

from storage.collection import Collection
from storage.files.durable import publish
from storage.index.hnsw import Graph, build
from storage.schema.manifest import IndexFile
from storage.segments.policy import facts_of
from storage.segments.segment import file_checksum, wants_index
from storage.segments.space import SpaceView


def blocks_without_graph(collection: Collection) -> list[int]:
    """Uids of the sealed blocks that graphs could serve and do not."""
    return [uid for _, uid in _without_graph(collection)]


def attach_graphs(collection: Collection) -> int:
    """Builds and attaches a graph for every block that lacks one; returns how many."""
    due = _without_graph(collection)
    for space, block_uid in due:
        _attach_graph(collection, space, block_uid)
    return len(due)


def _without_graph(collection: Collection) -> list[tuple[SpaceView, int]]:
    return [
        (space, block.uid)
        for space in collection.spaces().values()
        if wants_index(space.schema)
        for block in facts_of(space)
        if block.index is None
    ]


def _attach_graph(collection: Collection, space: SpaceView, block_uid: int) -> None:
    block = next(view for view in space.blocks if view.block.uid == block_uid)
    alive = block.alive(collection.seq)
    positions = np.arange(block.count) if alive is None else np.flatnonzero(alive)
    final = block.block.path.with_suffix(".index")
    temporary = final.with_suffix(".new")
    encoding = build(space.schema, block.vectors, positions, temporary)
    checksum = file_checksum(temporary)
    publish(temporary, final)
    index = IndexFile(
        name=final.name,
        checksum=checksum,
        rows=len(positions),
        datatype=space.schema.datatype.value,
        m=space.schema.hnsw.m,
        ef_construct=space.schema.hnsw.ef_construct,
        scale=encoding.scale,
        centre=encoding.centre_text(),
    )
    assert collection.unseen.attach_index(space.schema.uid, block_uid, Graph(space.schema, final, encoding), index)
