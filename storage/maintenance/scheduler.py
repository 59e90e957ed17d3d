"""Background work: decides by segments/policy.py what is due, runs it in processes, and publishes the results.

The processes have low priority. Neither reads nor writes wait for it: readers use what is there meanwhile, and a result
is published by a commit of its own. A task whose process dies is started again, a few times; one
that finds the disk full, until there is room.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from weakref import WeakSet

from storage.budget import Budget
from storage.collection import Collection, Hold
from storage.errors import EngineError, NotFound, StorageFull
from storage.files import DiskReserve
from storage.maintenance.estimate import Estimate, estimate, most_rows
from storage.maintenance.full_disk import give_back_room, run_with_reserve
from storage.maintenance.task_process import BuildStopped, JobProcess, run_task
from storage.maintenance.tasks import Task, TaskList
from storage.schema import DenseSpace, PartitionFile
from storage.segments import (
    MAX_SEGMENT_ROWS,
    BlockFacts,
    SpaceView,
    TaskKind,
    Work,
    due,
    facts_of,
    is_verification,
    seal_threshold,
    wants_index,
)

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
RETRY_SECONDS = 1.0
FULL_RETRY_SECONDS = 5.0
_COALESCE_SECONDS = 0.05  # commits that arrive together cause one look at what is due
_POLL_SECONDS = 0.25

_Key = tuple[str, Work, DenseSpace, PartitionFile | None]
"""Work on a collection (its uid) under the settings and the partition of the time: attempts are counted by it."""


@dataclass(slots=True, eq=False)
class _Job:
    """A task that waits or runs, and keeps its collection open. `asked`: by someone, so it is not due by itself."""

    collection: Collection
    space: DenseSpace
    partition: PartitionFile | None
    work: Work
    task: Task
    hold: Hold
    asked: bool = False
    process: JobProcess = field(default_factory=JobProcess)
    thread: threading.Thread | None = None

    @property
    def key(self) -> _Key:
        return self.collection.uid, self.work, self.space, self.partition


class Maintenance:
    """One scheduler thread, and a thread for each task that runs, at most `parallel` at once."""

    def __init__(
        self, *, parallel: int, max_memory: int | None = None, disk_reserve: DiskReserve | None = None
    ) -> None:
        """`max_memory`: bytes that building one index may take; None: no bound."""
        self._disk_reserve = disk_reserve or DiskReserve(None)
        self._max_memory = max_memory
        self._parallel = parallel
        self._tasks = TaskList()
        self._jobs: list[_Job] = []
        self._asked: list[_Job] = []
        self._attempts: dict[_Key, tuple[int, float]] = {}  # failures, and when to begin again (monotonic)
        self._forgotten: WeakSet[Collection] = WeakSet()
        self._wanted: WeakSet[Collection] = WeakSet()  # that do not index by themselves, and were told to
        self._lock = threading.Lock()
        self._noted: set[Collection] = set()
        self._noting = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends all threads and processes; what is due is done when the collection is open again."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            self._drop_asked(lambda job: True)
        self._stop_jobs(lambda job: True)

    def forget(self, collection: Collection) -> None:
        """Ends all work on a collection that is about to be closed. It must not be among the open ones any more."""
        with self._lock:
            self._forgotten.add(collection)
            self._forgive(collection)
            self._drop_asked(lambda job: job.collection is collection)
        with self._noting:
            self._noted.discard(collection)
        self._stop_jobs(lambda job: job.collection is collection)

    def notify(self, collection: Collection) -> None:
        """Called after each commit, and after each opening."""
        with self._noting:
            self._noted.add(collection)
        self._wake.set()

    def tasks(self, uid: str | None = None) -> list[Task]:
        """Tasks that wait, run or ended, newest first; only those of the collection `uid` when given."""
        return self._tasks.all(uid)

    def task(self, task_id: str) -> Task:
        """Raises TaskNotFound."""
        return self._tasks.get(task_id)

    def rebuild(self, collection: Collection, space: str | None = None) -> list[str]:
        """Starts a new index for every segment of a space, or of all spaces; returns the tasks.

        Sealed blocks without an index get one, unless that is due by itself.
        """
        with self._lock:
            given_up = {
                (key[1].space_uid, block)
                for key, (failures, _) in self._attempts.items()
                if key[0] == collection.uid and failures >= MAX_ATTEMPTS
                for block in key[1].blocks
            }
        waits = not collection.schema.auto_index

        def wanted(view: SpaceView, block: BlockFacts) -> bool:
            if block.graph is not None or block.unverified:
                return block.graph is not None
            return wants_index(view.schema) and (waits or (view.schema.uid, block.uid) in given_up)

        return self._ask(collection, space, TaskKind.REBUILD, wanted)

    def estimates(self, collection: Collection, space: str | None = None) -> list[tuple[str, Estimate]]:
        """What building each sealed block's index of a space, or of all, would take, with the name of the space."""
        return [
            (name, estimate(view, block))
            for name, view in collection.spaces().items()
            if space is None or name == space
            for entry, block in zip(view.manifest.blocks, view.blocks, strict=True)
            if entry.end_row is not None and wants_index(view.schema)
        ]

    def compact(self, collection: Collection) -> list[str]:
        """Starts writing anew every sealed block that holds dead rows; returns the tasks, and those that run."""
        collection.seal_tails(dead_share=0)
        with self._lock:
            running = [job for job in self._jobs if job.collection is collection and job.work.kind is TaskKind.VACUUM]
        busy = {(job.work.space_uid, block) for job in running for block in job.work.blocks}
        asked = self._ask(collection, None, TaskKind.VACUUM, lambda view, block: block.dead > 0, busy)
        return [*(job.task.id for job in running), *asked]

    def optimize(self, collection: Collection) -> list[str]:
        """Seals tails that are worth a graph and starts all work that is due, also what failed or was cancelled.

        Returns the tasks that run or wait.
        """
        collection.seal_tails()
        with self._lock:
            self._forgive(collection)
            self._wanted.add(collection)
        self.notify(collection)
        self._start_due()
        return [task.id for task in self._tasks.all(collection.uid) if not task.ended]

    def due(self, collection: Collection) -> list[Task]:
        """What is due and waits for its turn, as tasks without an id. Work that was given up is left out."""
        with collection.hold(), self._lock:
            return [
                Task(id="", collection=collection.name, collection_uid=collection.uid, space=name, kind=key[1].kind)
                for name, key in self._due_works(collection)
                if self._attempts.get(key, (0, 0.0))[0] < MAX_ATTEMPTS
            ]

    def wait_until_idle(self, collection: Collection, budget: Budget) -> None:
        """Returns when nothing runs, was asked for or is due. Raises as `wait` does, and CollectionClosed."""
        while any(not task.ended for task in self._tasks.all(collection.uid)) or self.due(collection):
            budget.check()
            self._tasks.wait_for_change(_POLL_SECONDS)
        with self._lock:
            self._wanted.discard(collection)

    def cancel(self, task_id: str) -> Task:
        """Ends a task; what it wrote is removed. Ended tasks stay as they are. Raises TaskNotFound.

        Work that was due is then given up until the settings change, `optimize` is asked for or the collection is
        opened again.
        """
        self._tasks.get(task_id)
        self._tasks.update(task_id, phase="cancelled")
        with self._lock:
            self._drop_asked(lambda job: job.task.id == task_id)
            running = [job for job in self._jobs if job.task.id == task_id]
            self._attempts |= {job.key: (MAX_ATTEMPTS, 0.0) for job in running if not job.asked}
        for job in running:
            job.process.stop()
        return self._tasks.get(task_id)

    def wait(self, task_ids: Sequence[str], budget: Budget) -> list[Task]:
        """The tasks once all have ended. Raises DeadlineExceeded or Cancelled; the tasks then go on."""
        with budget.idle():
            while True:
                tasks = [self._tasks.get(task_id) for task_id in task_ids]
                if all(task.ended for task in tasks):
                    return tasks
                budget.check()
                remaining = budget.remaining()
                self._tasks.wait_for_change(_POLL_SECONDS if remaining is None else min(_POLL_SECONDS, remaining))

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(RETRY_SECONDS if self._attempts else None)
            time.sleep(_COALESCE_SECONDS)
            self._wake.clear()
            try:
                self._start_due()
            except EngineError as error:  # a collection that is being closed
                log.debug("looking for background work: %s", error)
            except Exception:
                log.exception("looking for background work failed")

    def _start_due(self) -> None:
        """Starts what was asked for and what is due, as long as tasks may run, where something happened."""
        with self._noting:
            noted, self._noted = self._noted, set()
        for collection in noted:
            hold = collection.hold_if_open()  # what was closed for room is noted again when it is opened
            if hold is not None:
                with hold:
                    give_back_room(collection, lambda: self._stopping)
                    again = self._start_works(collection)
                if again:
                    with self._noting:
                        self._noted.add(collection)

    def _start_works(self, collection: Collection) -> bool:
        """Starts work of a collection that is open. Whether there is to be another look, since some is left."""
        with self._lock:
            while not self._stopping and collection not in self._forgotten:
                if len(self._jobs) >= self._parallel:
                    return True
                job = self._next_asked(collection) or self._next_due(collection)
                if job is None:
                    if not any(each.collection is collection for each in self._jobs):
                        self._wanted.discard(collection)
                    waits = (
                        failures < MAX_ATTEMPTS
                        for key, (failures, _) in self._attempts.items()
                        if key[0] == collection.uid
                    )
                    return any(waits)
                self._jobs.append(job)
                job.thread = threading.Thread(target=self._work, args=(job,), name="task", daemon=True)
                job.thread.start()
            return False

    def _next_asked(self, collection: Collection) -> _Job | None:
        busy = self._busy(collection)
        for job in self._asked:
            if job.collection is collection and not busy.intersection(_blocks_of(job.work)):
                self._asked.remove(job)
                return job
        return None

    def _next_due(self, collection: Collection) -> _Job | None:
        """The most urgent work of a collection that was not given up. Requires: the lock."""
        for name, key in self._due_works(collection):
            failures, not_before = self._attempts.get(key, (0, 0.0))
            if failures < MAX_ATTEMPTS and time.monotonic() >= not_before:
                hold = collection.hold_if_open()
                if hold is None:  # it is being closed for good
                    return None
                _, work, space, partition = key
                task = Task(collection=collection.name, collection_uid=collection.uid, space=name, kind=work.kind)
                self._tasks.add(task)
                return _Job(collection, space, partition, work, task, hold)
        return None

    def _due_works(self, collection: Collection) -> Iterator[tuple[str, _Key]]:
        """Work that is due on blocks that nobody works on, with the name of its space. Requires: the lock."""
        everything = collection.schema.auto_index or collection in self._wanted
        busy = self._busy(collection)
        for name, space in collection.spaces().items():
            blocked = {block for uid, block in busy if uid == space.schema.uid}
            most = (
                MAX_SEGMENT_ROWS if self._max_memory is None else most_rows(space, self._max_memory, MAX_SEGMENT_ROWS)
            )
            for work in due(space, seal_threshold(collection.schema, space.schema), blocked, most):
                if everything or is_verification(space, work):
                    yield name, (collection.uid, work, space.schema, space.manifest.partition)

    def _busy(self, collection: Collection) -> set[tuple[int, int]]:
        """Blocks that tasks work on, as (uid of the space, uid of the block)."""
        return {block for job in self._jobs if job.collection is collection for block in _blocks_of(job.work)}

    def _ask(
        self,
        collection: Collection,
        only: str | None,
        kind: TaskKind,
        wanted: Callable[[SpaceView, BlockFacts], bool],
        busy: Set[tuple[int, int]] = frozenset(),
    ) -> list[str]:
        """Asks for work on every sealed block that is `wanted` and not `busy`; returns the tasks."""
        with collection.hold():
            spaces = collection.spaces()
            asked = [
                self._asked_job(collection, name, kind, block.uid, spaces[name])
                for name in (list(spaces) if only is None else [only])
                for block in facts_of(spaces[name])
                if (spaces[name].schema.uid, block.uid) not in busy and wanted(spaces[name], block)
            ]
            with self._lock:
                self._asked += asked
                if self._stopping or collection in self._forgotten:
                    self._drop_asked(lambda job: job.collection is collection)
        self.notify(collection)
        return [job.task.id for job in asked]

    def _asked_job(self, collection: Collection, name: str, kind: TaskKind, block_uid: int, view: SpaceView) -> _Job:
        task = Task(collection=collection.name, collection_uid=collection.uid, space=name, kind=kind)
        self._tasks.add(task)
        work = Work(view.schema.uid, kind, (block_uid,))
        return _Job(collection, view.schema, view.manifest.partition, work, task, collection.hold_again(), asked=True)

    def _work(self, job: _Job) -> None:
        """Runs one task in its own thread."""
        task_id, space_uid = job.task.id, job.work.space_uid
        outcome: dict[str, object]
        job.collection.working(space_uid, +1)
        try:
            run = partial(
                run_task,
                job.collection,
                job.work,
                job.process,
                lambda **now: self._tasks.update(task_id, **now),
                max_memory=self._max_memory,
            )
            reclaimed = run_with_reserve(job.collection, job.work, self._disk_reserve, run)
        except (BuildStopped, NotFound):
            outcome = {"phase": "cancelled"}
        except Exception as error:
            outcome = self._failed(job, error)
        else:
            with self._lock:
                self._attempts.pop(job.key, None)
            job.collection.failed.pop(space_uid, None)
            outcome = {"phase": "done", "reclaimed_bytes": reclaimed}
        finally:
            job.collection.working(space_uid, -1)
            with self._lock:
                self._jobs.remove(job)
            job.hold.release()
            self.notify(job.collection)
        self._tasks.update(task_id, **outcome)  # last: who waits for it finds the work behind it

    def _failed(self, job: _Job, error: Exception) -> dict[str, object]:
        full = isinstance(error, StorageFull)
        with self._lock:
            failures = self._attempts.get(job.key, (0, 0.0))[0] + (not full)
            wait = FULL_RETRY_SECONDS if full else RETRY_SECONDS
            self._attempts[job.key] = (failures, time.monotonic() + wait)
        log.warning("%s of %r failed (failure %d): %s", job.work.kind.value, job.collection.name, failures, error)
        if full or failures >= MAX_ATTEMPTS:
            job.collection.failed[job.work.space_uid] = str(error)
        return {"phase": "failed", "error": str(error)}

    def _forgive(self, collection: Collection) -> None:
        """Forgets failures and cancellations of work on a collection. Requires: the lock."""
        self._attempts = {key: value for key, value in self._attempts.items() if key[0] != collection.uid}
        collection.failed.clear()

    def _drop_asked(self, wanted: Callable[[_Job], bool]) -> None:
        """Requires: the lock."""
        for job in [job for job in self._asked if wanted(job)]:
            self._asked.remove(job)
            self._tasks.update(job.task.id, phase="cancelled")
            job.hold.release()

    def _stop_jobs(self, wanted: Callable[[_Job], bool]) -> None:
        with self._lock:
            jobs = [job for job in self._jobs if wanted(job)]
        for job in jobs:
            job.process.stop()
        for job in jobs:
            if job.thread is not None and job.thread.ident is not None:
                job.thread.join()


def _blocks_of(work: Work) -> set[tuple[int, int]]:
    return {(work.space_uid, block) for block in work.blocks}
