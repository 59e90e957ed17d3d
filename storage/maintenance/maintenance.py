"""What users can ask of background work: new indexes, fewer dead rows, all that is due, and the end of a task."""

from collections.abc import Callable, Set

from storage.budget import Budget
from storage.collection import Collection
from storage.maintenance.job_queue import Job
from storage.maintenance.scheduler import Scheduler
from storage.maintenance.tasks import Task
from storage.segments import BlockFacts, SpaceView, TaskKind, facts_of, wants_index

_POLL_SECONDS = 0.25


class Maintenance:
    """Safe for many threads. `tasks` has those of all collections."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self._jobs = scheduler.jobs
        self.tasks = scheduler.jobs.tasks

    def rebuild(self, collection: Collection, space: str | None = None) -> list[str]:
        """Starts a new index for every segment of one space or of all spaces; returns the tasks.

        A sealed block without an index also gets one, unless that is due by itself.
        """
        with self._jobs.lock:
            given_up = self._jobs.attempts.given_up_blocks(collection.uid)
        waits = not collection.schema.auto_index

        def wanted(view: SpaceView, block: BlockFacts) -> bool:
            if block.index is not None or block.unverified:
                return block.index is not None
            return wants_index(view.schema) and (waits or (view.schema.uid, block.uid) in given_up)

        return self._ask(collection, space, TaskKind.REBUILD, wanted)

    def compact(self, collection: Collection) -> list[str]:
        """Starts a rewrite of every sealed block with dead rows; returns the new tasks and those that run already."""
        collection.unseen.seal_tails(dead_share=0)
        with self._jobs.lock:
            running = [
                job for job in self._jobs.running if job.collection is collection and job.work.kind is TaskKind.VACUUM
            ]
        busy = {block for job in running for block in job.blocks}
        asked = self._ask(collection, None, TaskKind.VACUUM, lambda view, block: block.dead > 0, busy)
        return [*(job.task.id for job in running), *asked]

    def optimize(self, collection: Collection) -> list[str]:
        """Seals tails that are worth a graph, and starts all due work, also work that failed or was cancelled.

        Returns the tasks that run or wait.
        """
        collection.unseen.seal_tails()
        self.scheduler.start_all(collection)
        return [task.id for task in self.tasks.all(collection.uid) if not task.ended]

    def due(self, collection: Collection) -> list[Task]:
        """The due work that waits for its turn, as tasks without an id. Work that was given up is left out."""
        return self.scheduler.due(collection)

    def wait_until_idle(self, collection: Collection, budget: Budget) -> None:
        """Waits until no work runs, waits or is due. Raises DeadlineExceeded, Cancelled, CollectionClosed."""
        while self._is_busy(collection):
            budget.check()
            self.tasks.wait_for_change(_POLL_SECONDS)
        self.scheduler.settled(collection)

    def _is_busy(self, collection: Collection) -> bool:
        """Whether work runs, waits or is due. The work of a cancelled task goes on for a moment."""
        running = any(not task.ended for task in self.tasks.all(collection.uid)) or collection.work.is_running
        return running or bool(self.due(collection))

    def cancel(self, task_id: str) -> Task:
        """Ends a task and removes what it wrote. Does nothing to a task that has ended. Raises TaskNotFound.

        Work that was due is then given up, until the settings change, `optimize` is called or the collection is opened
        again.
        """
        return self._jobs.cancel(task_id)

    def _ask(
        self,
        collection: Collection,
        only: str | None,
        kind: TaskKind,
        wanted: Callable[[SpaceView, BlockFacts], bool],
        busy: Set[tuple[int, int]] = frozenset(),
    ) -> list[str]:
        """Asks for work on every sealed block that is `wanted` and not `busy`; returns the tasks."""

        def make() -> list[Job]:
            spaces = collection.spaces()
            return [
                self._jobs.asked_for(collection, name, spaces[name], kind, block.uid)
                for name in (list(spaces) if only is None else [only])
                for block in facts_of(spaces[name])
                if (spaces[name].schema.uid, block.uid) not in busy and wanted(spaces[name], block)
            ]

        with collection.hold():
            return self.scheduler.ask(collection, make)
