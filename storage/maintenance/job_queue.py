"""The jobs of background work: those that users asked for and that wait, and those that run. Starts nothing."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from storage.collection import Collection
from storage.maintenance.attempts import Attempts, WorkKey
from storage.maintenance.estimate import memory_of
from storage.maintenance.job_process import JobProcess
from storage.maintenance.tasks import Task, TaskList
from storage.opening import Hold
from storage.phases import Phase
from storage.schema import DenseSpace, PartitionFile
from storage.segments import SpaceView, TaskKind, Work

Blocks = set[tuple[int, int]]
"""Blocks, as (uid of the space, uid of the block)."""


@dataclass(slots=True, eq=False)
class Job:
    """A task that waits or runs, and keeps its collection open. `asked`: by someone, so it is not due by itself.

    `memory`: bytes that it takes, as estimated.
    """

    collection: Collection
    space: DenseSpace
    partition: PartitionFile | None
    work: Work
    task: Task
    hold: Hold
    memory: int
    asked: bool = False
    process: JobProcess = field(default_factory=JobProcess)
    thread: threading.Thread | None = None

    @property
    def key(self) -> WorkKey:
        return WorkKey(self.collection.uid, self.work, self.space, self.partition)

    @property
    def blocks(self) -> Blocks:
        return {(self.work.space_uid, block) for block in self.work.blocks}


class Jobs:
    """Safe for many threads. Some methods require `lock`, so that a look and the change after it are one step."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.tasks = TaskList()
        self.attempts = Attempts()
        self.running: list[Job] = []
        self._asked: list[Job] = []

    def asked_for(self, collection: Collection, name: str, view: SpaceView, kind: TaskKind, block_uid: int) -> Job:
        """Makes a job that a user asks for, with a waiting task. Requires: a hold of the collection."""
        task = Task(collection=collection.name, collection_uid=collection.uid, space=name, kind=kind)
        self.tasks.add(task)
        work = Work(view.schema.uid, kind, (block_uid,))
        return Job(
            collection,
            view.schema,
            view.manifest.partition,
            work,
            task,
            collection.hold_again(),
            memory_of(view, work.blocks),
            asked=True,
        )

    def add_asked(self, jobs: Iterable[Job]) -> None:
        """Adds jobs to those that wait. Requires: the lock."""
        self._asked += jobs

    def asked_of(self, collection: Collection) -> list[Job]:
        """The jobs that wait and of whose blocks none is worked on, oldest first. Requires: the lock."""
        busy = self.busy(collection)
        return [job for job in self._asked if job.collection is collection and not busy & job.blocks]

    def take_asked(self, job: Job) -> None:
        """A job that waits does so no longer. Requires: the lock."""
        self._asked.remove(job)

    def memory(self) -> int:
        """Bytes that running jobs take, as estimated. Requires: the lock."""
        return sum(job.memory for job in self.running)

    def drop_asked(self, wanted: Callable[[Job], bool]) -> None:
        """Cancels waiting jobs. Requires: the lock."""
        for job in [job for job in self._asked if wanted(job)]:
            self._asked.remove(job)
            self.tasks.end(job.task.id, Phase.CANCELLED)
            job.hold.release()

    def busy(self, collection: Collection) -> Blocks:
        """The blocks that running jobs work on. Requires: the lock."""
        return {block for job in self.running if job.collection is collection for block in job.blocks}

    def forgive(self, collection: Collection) -> None:
        """Forgets failures and cancellations of work on a collection. Requires: the lock."""
        self.attempts.forgive(collection.uid)
        collection.work.forgive()

    def cancel(self, task_id: str) -> Task:
        """Ends a task. If its work was due by itself, the work is given up. Raises TaskNotFound."""
        self.tasks.get(task_id)
        self.tasks.end(task_id, Phase.CANCELLED)
        with self.lock:
            self.drop_asked(lambda job: job.task.id == task_id)
            running = [job for job in self.running if job.task.id == task_id]
            for job in running:
                if not job.asked:
                    self.attempts.give_up(job.key)
        for job in running:
            job.process.stop()
        return self.tasks.get(task_id)

    def stop(self, wanted: Callable[[Job], bool]) -> None:
        """Ends running jobs and waits for their threads."""
        with self.lock:
            jobs = [job for job in self.running if wanted(job)]
        for job in jobs:
            job.process.stop()
        for job in jobs:
            if job.thread is not None and job.thread.ident is not None:
                job.thread.join()
