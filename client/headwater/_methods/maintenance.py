"""The methods of `.vde` that maintain indexes and files. Their work is done in tasks in the background."""

from headwater import _rpcs as rpcs
from headwater._rpc import Namespace, remote
from headwater._wire import task_of, tasks_of, unsigned
from headwater.errors import InvalidArgumentError
from headwater.models import Compaction, RebuildTask
from headwater.v1 import vde_pb2


class MaintenanceMethods(Namespace):
    """Tasks of a collection. `timeout` is in seconds; None: the client's. All raise HeadwaterError.

    When the timeout ends while a method waits for its tasks, the tasks go on.
    """

    __slots__ = ()

    @remote
    async def optimize(self, collection: str, *, wait: bool = True, timeout: float | None = None) -> list[RebuildTask]:
        """Gives an index to spaces with enough vectors, and runs all due work until none is left. Returns the tasks.

        Without `wait` it returns at once, with the tasks that have started.
        """
        request = vde_pb2.VDEOptimizeRequest(collection_name=collection, wait=wait)
        return tasks_of((await self._calls(rpcs.VDE.OPTIMIZE, request, timeout)).tasks)

    @remote
    async def rebuild_index(
        self, collection: str, using: str | None = None, *, wait: bool = True, timeout: float | None = None
    ) -> list[RebuildTask]:
        """Builds the indexes of a space (None: of all) again and waits for this. Returns one task per segment."""
        request = vde_pb2.VDERebuildIndexRequest(collection_name=collection, using=using, wait=wait)
        return tasks_of((await self._calls(rpcs.VDE.REBUILD_INDEX, request, timeout)).tasks)

    @remote
    async def trigger_rebuild(
        self,
        collection: str,
        using: str | None = None,
        *,
        partition_id: str | None = None,
        max_build_memory_bytes: int | None = None,
        timeout: float | None = None,
    ) -> list[str]:
        """Starts to build the indexes of a space (None: of all) again. Returns the ids of the tasks, one per segment.

        `partition_id` makes sure that IVF lists are built with this partition. Raises PartitionNotFoundError when the
        space has another one, and BuildTooLargeError when a build would take more than `max_build_memory_bytes`.
        """
        request = vde_pb2.VDETriggerRebuildRequest(
            collection_name=collection,
            using=using,
            partition_id=partition_id or "",
            max_build_memory_bytes=unsigned(
                max_build_memory_bytes, "max_build_memory_bytes", InvalidArgumentError, bits=64
            ),
        )
        return list((await self._calls(rpcs.VDE.TRIGGER_REBUILD, request, timeout)).task_ids)

    @remote
    async def get_rebuild_task(self, task_id: str, *, timeout: float | None = None) -> RebuildTask:
        """Returns the state of a task of any kind. Raises TaskNotFoundError."""
        request = vde_pb2.VDEGetRebuildTaskRequest(task_id=task_id)
        return task_of((await self._calls(rpcs.VDE.GET_REBUILD_TASK, request, timeout)).task)

    @remote
    async def list_rebuild_tasks(
        self, collection: str | None = None, *, timeout: float | None = None
    ) -> list[RebuildTask]:
        """Returns tasks of all kinds that wait, run or ended recently, newest first; only those of `collection` when
        given."""
        request = vde_pb2.VDEListRebuildTasksRequest(collection_name=collection)
        return tasks_of((await self._calls(rpcs.VDE.LIST_REBUILD_TASKS, request, timeout)).tasks)

    @remote
    async def cancel_rebuild_task(self, task_id: str, *, timeout: float | None = None) -> RebuildTask:
        """Cancels a task and removes what it wrote. Returns the cancelled task. Raises TaskNotFoundError."""
        request = vde_pb2.VDECancelRebuildTaskRequest(task_id=task_id)
        return task_of((await self._calls(rpcs.VDE.CANCEL_REBUILD_TASK, request, timeout)).task)

    @remote
    async def compact_collection(
        self, collection: str, *, wait: bool = True, timeout: float | None = None
    ) -> Compaction:
        """Gives the space of deleted vectors back to the file system. Without `wait`, only starts this."""
        request = vde_pb2.VDECompactCollectionRequest(collection_name=collection, wait=wait)
        response = await self._calls(rpcs.VDE.COMPACT_COLLECTION, request, timeout)
        return Compaction(tasks=tasks_of(response.tasks), reclaimed_bytes=response.reclaimed_bytes)

    @remote
    async def get_optimizations(self, collection: str, *, timeout: float | None = None) -> list[RebuildTask]:
        """Returns the background work that runs or is due."""
        request = vde_pb2.VDEGetOptimizationsRequest(collection_name=collection)
        return tasks_of((await self._calls(rpcs.VDE.GET_OPTIMIZATIONS, request, timeout)).tasks)
