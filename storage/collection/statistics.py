"""The statistics of a collection as of one commit: the contents, size and pending work of each space. Changes
nothing."""

import numpy as np

from storage.collection.background_work import BackgroundWork
from storage.failed_writes import FailedWrites
from storage.mvcc import Snapshot
from storage.schema import CollectionStats, SpaceState, SpaceStats
from storage.segments import SpaceView, due, kind_of_index, measured_recall, seal_threshold, warning_of


def collection_stats(snapshot: Snapshot, work: BackgroundWork, failed_writes: FailedWrites) -> CollectionStats:
    """`failed_writes`: the failed ones among the writes that nobody waited for."""
    slots = [snapshot.slots_with_vector(name) for name in snapshot.schema.names]
    any_vector = len(slots[0]) if len(slots) == 1 else len(np.unique(np.concatenate(slots))) if slots else 0
    return CollectionStats(
        seq=snapshot.seq,
        points=snapshot.point_count,
        points_with_vectors=any_vector,
        payload_disk_bytes=snapshot.file.stat().st_blocks * 512,
        spaces={name: _space_stats(snapshot, space, work) for name, space in snapshot.spaces.items()},
        vector_counts={name: snapshot.vector_count(name) for name in snapshot.schema.spaces},
        failed_writes=failed_writes,
        generation=snapshot.generation,
    )


def _space_stats(snapshot: Snapshot, space: SpaceView, work: BackgroundWork) -> SpaceStats:
    graphs = [block for block in space.blocks if block.index is not None]
    indexed = sum(block.count - block.block.deaths for block in graphs)
    index_bytes = sum(block.block.index_bytes for block in graphs)
    return SpaceStats(
        vectors=space.vector_count,
        indexed_vectors=indexed,
        tail_vectors=space.vector_count - indexed,
        deleted_vectors=sum(block.block.deaths for block in space.blocks),
        segments=len(graphs),
        disk_bytes=sum(block.block.disk_bytes() for block in space.blocks) + index_bytes,
        mapped_bytes=sum(block.block.mapped_bytes() for block in space.blocks) + index_bytes,
        index=", ".join(sorted({kind_of_index(block.index) for block in graphs if block.index})) or "flat",
        datatype=", ".join(sorted({block.index.datatype.value for block in graphs if block.index})) or "float32",
        state=_space_state(snapshot, space, work),
        recall=measured_recall(space),
        warning=warning_of(space),
    )


def _space_state(snapshot: Snapshot, space: SpaceView, work: BackgroundWork) -> SpaceState:
    uid = space.schema.uid
    if work.runs_on(uid):
        return SpaceState.INDEXING
    if uid in work.failures:
        return SpaceState.ERROR
    if due(space, seal_threshold(snapshot.schema, space.schema)):
        return SpaceState.PENDING
    return SpaceState.READY if space.row_count else SpaceState.AWAITING_VECTORS
