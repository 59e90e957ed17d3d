"""Statistics and background work: storage types -> messages."""

from collections.abc import Iterable, Mapping

from headwater.v1 import vde_pb2 as wire
from storage.files import told
from storage.maintenance import Task
from storage.schema import CollectionStats, SpaceStats
from storage.segments import TaskKind

SUMMED = ("vectors", "indexed_vectors", "tail_vectors", "deleted_vectors", "segments", "disk_bytes", "mapped_bytes")
TASK_KINDS: Mapping[TaskKind, wire.TaskKind] = {
    TaskKind.BUILD: wire.TASK_KIND_BUILD,
    TaskKind.MERGE: wire.TASK_KIND_MERGE,
    TaskKind.VACUUM: wire.TASK_KIND_VACUUM,
    TaskKind.REBUILD: wire.TASK_KIND_REBUILD,
}


def stats_response(stats: CollectionStats) -> wire.VDEGetStatsResponse:
    """Counts and sizes, of all spaces together and by space."""
    total = {name: sum(getattr(space, name) for space in stats.spaces.values()) for name in SUMMED}
    # Of multi-vectors the rows are counted, since these have files as dense vectors do.
    sparse = {name: vectors for name, vectors in stats.vector_counts.items() if name not in stats.spaces}
    for name in ("vectors", "indexed_vectors"):
        total[name] += sum(sparse.values())
    return wire.VDEGetStatsResponse(
        points=stats.points,
        total=wire.SpaceStats(**total),
        spaces={name: _space_stats(space) for name, space in stats.spaces.items()}
        | {name: _sparse_stats(vectors) for name, vectors in sparse.items()},
        payload_disk_bytes=stats.payload_disk_bytes,
        seq=stats.seq,
        failed_writes=stats.failed_writes.count,
        last_failed_write=stats.failed_writes.last,
        generation=stats.generation,
    )


def _sparse_stats(vectors: int) -> wire.SpaceStats:
    """Statistics of a sparse space. Its bytes count as ids and payloads, since its index is in memory."""
    return wire.SpaceStats(vectors=vectors, indexed_vectors=vectors, index="inverted", datatype="float32")


def _space_stats(space: SpaceStats) -> wire.SpaceStats:
    numbers = {name: getattr(space, name) for name in SUMMED}
    return wire.SpaceStats(
        **numbers, index=space.index, datatype=space.datatype, recall=space.recall, warning=space.warning
    )


def task_message(task: Task) -> wire.RebuildTask:
    """A task as it is now."""
    return wire.RebuildTask(
        task_id=task.id,
        collection_name=task.collection,
        phase=task.phase.value,
        done=task.done,
        total=task.total,
        eta_seconds=task.eta_seconds,
        kind=TASK_KINDS[task.kind],
        using=task.space,
        started=task.started,
        finished=task.finished,
        error=told(task.error),
        reclaimed_bytes=task.reclaimed_bytes,
    )


def task_messages(tasks: Iterable[Task]) -> list[wire.RebuildTask]:
    return [task_message(task) for task in tasks]
