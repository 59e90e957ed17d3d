"""Background work: storage tasks -> messages."""

from collections.abc import Iterable, Mapping

from headwater.v1 import vde_pb2 as wire
from storage.files import told
from storage.maintenance import Task
from storage.segments import TaskKind

TASK_KINDS: Mapping[TaskKind, wire.TaskKind] = {
    TaskKind.BUILD: wire.TASK_KIND_BUILD,
    TaskKind.MERGE: wire.TASK_KIND_MERGE,
    TaskKind.VACUUM: wire.TASK_KIND_VACUUM,
    TaskKind.REBUILD: wire.TASK_KIND_REBUILD,
}


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
