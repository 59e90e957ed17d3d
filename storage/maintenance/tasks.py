"""Tasks of background work, as data, and the list of tasks that wait, run and are done."""

import threading
import time
import uuid
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from storage.budget import Budget
from storage.errors import TaskNotFound
from storage.maintenance.build_job import Progress
from storage.phases import ENDED, Phase
from storage.segments import TaskKind

KEPT_TASKS = 100
"""Finished tasks that are remembered."""

_POLL_SECONDS = 0.25  # how soon a caller that went away is noticed


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A piece of background work.

    `collection` is a name, which another collection may have by now; `collection_uid` is unique for ever. `done` and
    `total` count rows of the phase. Times are Unix seconds. `reclaimed_bytes` were given back to the file system.
    """

    id: str = field(default_factory=lambda: uuid.uuid4().hex[:16])
    collection: str
    collection_uid: str
    space: str
    kind: TaskKind
    phase: Phase = Phase.WAITING
    done: int = 0
    total: int = 0
    started: float = field(default_factory=time.time)
    phase_started: float = field(default_factory=time.time)
    finished: float | None = None
    error: str = ""
    reclaimed_bytes: int = 0

    @property
    def ended(self) -> bool:
        return self.phase in ENDED

    @property
    def eta_seconds(self) -> float | None:
        """Seconds that the phase will still take at its speed so far; None while the speed is unknown."""
        if self.ended or not self.done or not self.total:
            return None
        return (time.time() - self.phase_started) * (self.total - self.done) / self.done


class TaskList:
    """Safe for many threads."""

    def __init__(self) -> None:
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._ended: Counter[Phase] = Counter()
        self._changed = threading.Condition()

    def add(self, task: Task) -> None:
        with self._changed:
            self._tasks[task.id] = task
            ended = [task.id for task in self._tasks.values() if task.ended]
            for task_id in ended[: max(0, len(ended) - KEPT_TASKS)]:
                del self._tasks[task_id]

    def report(self, task_id: str, progress: Progress) -> None:
        """Notes the progress of a task."""
        with self._changed:
            task = self._tasks[task_id]
            done = task.done if progress.done is None else progress.done
            total = task.total if progress.total is None else progress.total
            self._change(replace(task, phase=progress.phase, done=done, total=total))

    def end(self, task_id: str, phase: Phase, *, error: str = "", reclaimed_bytes: int = 0) -> None:
        """Ends a task with one of the phases in ENDED."""
        with self._changed:
            task = self._tasks[task_id]
            self._change(replace(task, phase=phase, error=error, reclaimed_bytes=reclaimed_bytes))

    def _change(self, task: Task) -> None:
        """Replaces a task by its new state. A new phase starts its clock; an ended task does not change any more.

        Requires: the lock.
        """
        before = self._tasks[task.id]
        if before.ended:
            return
        if task.phase is not before.phase:
            now = time.time()
            task = replace(task, phase_started=now, finished=now if task.ended else None)
            if task.ended:
                self._ended[task.phase] += 1
        self._tasks[task.id] = task
        self._changed.notify_all()

    def get(self, task_id: str) -> Task:
        """Raises TaskNotFound."""
        with self._changed:
            if task_id not in self._tasks:
                raise TaskNotFound(task_id)
            return self._tasks[task_id]

    def all(self, uid: str | None = None) -> list[Task]:
        """All tasks, newest first; only those of the collection `uid` when given."""
        with self._changed:
            tasks = [task for task in self._tasks.values() if uid is None or task.collection_uid == uid]
        return tasks[::-1]

    def ended_counts(self) -> Mapping[Phase, int]:
        """How many tasks ended in each of the phases in ENDED, those that are forgotten too."""
        with self._changed:
            return {phase: self._ended[phase] for phase in ENDED}

    def wait_for_change(self, seconds: float) -> None:
        """Returns when a task changed, or after `seconds`."""
        with self._changed:
            self._changed.wait(seconds)

    def wait(self, task_ids: Sequence[str], budget: Budget) -> list[Task]:
        """Returns the tasks once all have ended. Raises TaskNotFound, DeadlineExceeded or Cancelled; the tasks then go
        on."""
        with budget.idle():
            while True:
                tasks = [self.get(task_id) for task_id in task_ids]
                if all(task.ended for task in tasks):
                    return tasks
                budget.check()
                remaining = budget.remaining()
                self.wait_for_change(_POLL_SECONDS if remaining is None else min(_POLL_SECONDS, remaining))
