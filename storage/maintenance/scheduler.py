"""The scheduler of background work: finds what is due, and runs it and what users asked for in processes.

The processes have low priority. Reads and writes never wait for them: readers use the old files meanwhile, and a commit
of its own publishes each result. A task whose process dies is started again, a few times. One that finds the disk full
is tried again until there is room.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from weakref import WeakSet

from storage.collection import Collection
from storage.errors import EngineError, NotFound, StorageFull
from storage.files import DiskReserve
from storage.maintenance.attempts import MAX_ATTEMPTS, RETRY_SECONDS
from storage.maintenance.build_memory import BuildMemory
from storage.maintenance.due_work import DueWork, due_works
from storage.maintenance.full_disk import give_back_room, run_with_reserve
from storage.maintenance.job_process import BuildStopped
from storage.maintenance.job_queue import Job, Jobs
from storage.maintenance.task_process import TaskRun
from storage.maintenance.tasks import Task
from storage.phases import Phase

log = logging.getLogger(__name__)

_COALESCE_SECONDS = 0.05  # commits within this time cause one look at what is due


class Scheduler:
    """One thread of its own, and one for each task that runs: at most `parallel` tasks at once."""

    def __init__(self, *, parallel: int, max_memory: int | None, disk_reserve: DiskReserve) -> None:
        """`max_memory`: bytes that building indexes may take, one of them and all that run together; None: no bound."""
        self._disk_reserve = disk_reserve
        self._max_memory = max_memory
        self._memory = BuildMemory(max_memory)
        self._parallel = parallel
        self.jobs = Jobs()
        self._forgotten: WeakSet[Collection] = WeakSet()
        self._wanted: WeakSet[Collection] = WeakSet()  # do not index by themselves, but a user asked them to
        self._noted: set[Collection] = set()
        self._noting = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends all threads and processes. Work that is due is done when the collection is open again."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        with self.jobs.lock:
            self.jobs.drop_asked(lambda job: True)
        self.jobs.stop(lambda job: True)

    def forget(self, collection: Collection) -> None:
        """Ends all work on a collection that is about to be closed. Requires: it is not among the open ones any
        more."""
        with self.jobs.lock:
            self._forgotten.add(collection)
            self.jobs.forgive(collection)
            self._memory.keep_waiting(collection.uid, set())
            self.jobs.drop_asked(lambda job: job.collection is collection)
        with self._noting:
            self._noted.discard(collection)
        self.jobs.stop(lambda job: job.collection is collection)

    def notify(self, collection: Collection) -> None:
        """Called after each commit and each opening."""
        with self._noting:
            self._noted.add(collection)
        self._wake.set()

    def ask(self, collection: Collection, make: Callable[[], list[Job]]) -> list[str]:
        """Adds the jobs that `make` makes to those that wait; returns their tasks. Requires: a hold."""
        asked = make()
        with self.jobs.lock:
            self.jobs.add_asked(asked)
            if self._stopping or collection in self._forgotten:
                self.jobs.drop_asked(lambda job: job.collection is collection)
        self.notify(collection)
        return [job.task.id for job in asked]

    def start_all(self, collection: Collection) -> None:
        """Starts all work that is due on a collection, also work that failed, was cancelled, or waits for a user's
        request."""
        with self.jobs.lock:
            self.jobs.forgive(collection)
            self._wanted.add(collection)
        self.notify(collection)
        self._start_due()

    def due(self, collection: Collection) -> list[Task]:
        """The due work that waits for its turn, as tasks without an id. Work that was given up is left out."""
        with collection.hold(), self.jobs.lock:
            return [
                _task_of(collection, work, task_id="")
                for work in self._due_works(collection)
                if not self.jobs.attempts.is_given_up(work.key)
            ]

    def settled(self, collection: Collection) -> None:
        """Nothing is left to do. A collection that does not index by itself waits for the next request."""
        with self.jobs.lock:
            self._wanted.discard(collection)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(RETRY_SECONDS if self.jobs.attempts else None)
            time.sleep(_COALESCE_SECONDS)
            self._wake.clear()
            try:
                self._start_due()
            except EngineError as error:  # the collection is closing
                log.debug("looking for background work: %s", error)
            except Exception:
                log.exception("looking for background work failed")

    def _start_due(self) -> None:
        """Starts requested and due work of collections where something happened, while tasks may run."""
        with self._noting:
            noted, self._noted = self._noted, set()
        for collection in noted:
            hold = collection.hold_if_open()  # opening a closed collection calls `notify` again
            if hold is not None:
                with hold:
                    give_back_room(collection, lambda: self._stopping)
                    again = self._start_works(collection)
                if again:
                    with self._noting:
                        self._noted.add(collection)

    def _start_works(self, collection: Collection) -> bool:
        """Starts work of an open collection. Returns whether some is left, so that another look is needed."""
        jobs = self.jobs
        with jobs.lock:
            while not self._stopping and collection not in self._forgotten:
                if len(jobs.running) >= self._parallel:
                    return True
                found, waits = self._next(collection)
                if waits:
                    return True
                if found is None:
                    if not any(each.collection is collection for each in jobs.running):
                        self._wanted.discard(collection)
                    return jobs.attempts.are_left(collection.uid)
                job = _begun(jobs, collection, found)
                if job is None:  # it is being closed for good
                    return jobs.attempts.are_left(collection.uid)
                jobs.running.append(job)
                job.thread = threading.Thread(target=self._work, args=(job,), name="task", daemon=True)
                job.thread.start()
            return False

    def _next(self, collection: Collection) -> tuple[Job | DueWork | None, bool]:
        """The most urgent work of a collection that may begin now; else whether some waits for memory. Requires: the
        lock of the jobs."""
        due = [due for due in self._due_works(collection) if self.jobs.attempts.may_begin(due.key)]
        works: list[Job | DueWork] = [*self.jobs.asked_of(collection), *due]
        self._memory.keep_waiting(collection.uid, {work.key for work in works})
        used = self.jobs.memory()
        for work in works:
            if self._memory.may_begin(work.key, work.memory, used):
                return work, False
        return None, bool(works)

    def _due_works(self, collection: Collection) -> Iterator[DueWork]:
        """The due work on blocks that no job works on. Requires: the lock of the jobs."""
        everything = collection.schema.auto_index or collection in self._wanted
        busy = self.jobs.busy(collection)
        return due_works(collection, busy, everything=everything, max_memory=self._max_memory)

    def _work(self, job: Job) -> None:
        """Runs one job in its own thread."""
        jobs, task_id = self.jobs, job.task.id
        run = TaskRun(
            collection=job.collection,
            work=job.work,
            process=job.process,
            report=partial(jobs.tasks.report, task_id),
            max_memory=self._max_memory,
        )
        end: Callable[[], None]
        job.collection.work.begin(job.work.space_uid)
        try:
            reclaimed = run_with_reserve(run, self._disk_reserve)
        except (BuildStopped, NotFound):
            end = partial(jobs.tasks.end, task_id, Phase.CANCELLED)
        except Exception as error:
            self._note_failure(job, error)
            end = partial(jobs.tasks.end, task_id, Phase.FAILED, error=str(error))
        else:
            with jobs.lock:
                jobs.attempts.succeed(job.key)
            job.collection.work.forgive(job.work.space_uid)
            end = partial(jobs.tasks.end, task_id, Phase.DONE, reclaimed_bytes=reclaimed)
        finally:
            job.collection.work.end(job.work.space_uid)
            with jobs.lock:
                jobs.running.remove(job)
            job.hold.release()
            self.notify(job.collection)
        end()  # last, so that callers who wait for the task see all its effects

    def _note_failure(self, job: Job, error: Exception) -> None:
        full = isinstance(error, StorageFull)
        with self.jobs.lock:
            failures = self.jobs.attempts.fail(job.key, for_room=full)
        log.warning("%s of %r failed (failure %d): %s", job.work.kind.value, job.collection.name, failures, error)
        if full or failures >= MAX_ATTEMPTS:
            job.collection.work.note_failure(job.work.space_uid, str(error))


def _begun(jobs: Jobs, collection: Collection, found: Job | DueWork) -> Job | None:
    """The job that waited, or one of work that is due; None when the collection is closed. Requires: the lock of the
    jobs."""
    if isinstance(found, Job):
        jobs.take_asked(found)
        return found
    hold = collection.hold_if_open()
    if hold is None:
        return None
    key, task = found.key, _task_of(collection, found)
    jobs.tasks.add(task)
    return Job(collection, key.space, key.partition, key.work, task, hold, found.memory)


def _task_of(collection: Collection, due: DueWork, task_id: str | None = None) -> Task:
    task = Task(collection=collection.name, collection_uid=collection.uid, space=due.space, kind=due.key.work.kind)
    return task if task_id is None else replace(task, id=task_id)
