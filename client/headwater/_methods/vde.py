"""The namespace `.vde`, the vector data engine: life cycle, statistics and maintenance, blocking and async."""

from collections.abc import Sequence

from headwater import _rpcs as rpcs
from headwater._methods.partitions import PartitionMethods
from headwater._methods.snapshots import SnapshotMethods
from headwater._rpc import AsyncNamespace, BlockingNamespace, Namespace, remote
from headwater._wire import (
    filter_message,
    params_message,
    state_info_of,
    state_of,
    stats_of,
    task_of,
    tasks_of,
    unsigned,
    vector_message,
)
from headwater.errors import InvalidArgumentError, InvalidQueryError
from headwater.filters import FilterLike
from headwater.models import (
    CollectionState,
    CollectionStats,
    Compaction,
    RebuildTask,
    Recall,
    SearchParamsLike,
    StateInfo,
    VectorCount,
    VectorLike,
)
from headwater.v1 import vde_pb2


class VDEMethods(Namespace):
    """The data of a collection. `timeout` is in seconds; None: the client's. All raise HeadwaterError.

    Background work is done in tasks. Where a method waits for them and its time ends, they go on.
    """

    __slots__ = ()

    @remote
    async def open(self, collection: str, *, timeout: float | None = None) -> CollectionState:
        """Opens a closed collection. Returns the state after it."""
        request = vde_pb2.VDEOpenRequest(collection_name=collection)
        return state_of((await self._calls(rpcs.VDE.OPEN, request, timeout)).state)

    @remote
    async def close(self, collection: str, *, timeout: float | None = None) -> CollectionState:
        """Closes a collection, which returns its memory. Its next use opens it, unless the server is set to refuse.

        Returns the state after it.
        """
        request = vde_pb2.VDECloseRequest(collection_name=collection)
        return state_of((await self._calls(rpcs.VDE.CLOSE, request, timeout)).state)

    @remote
    async def get_state(self, collection: str, *, timeout: float | None = None) -> StateInfo:
        """What state a collection and the indexes of its spaces are in."""
        request = vde_pb2.VDEGetStateRequest(collection_name=collection)
        return state_info_of(await self._calls(rpcs.VDE.GET_STATE, request, timeout))

    @remote
    async def get_vector_count(self, collection: str, *, timeout: float | None = None) -> VectorCount:
        """How many points have a vector; `.spaces` counts them by space."""
        request = vde_pb2.VDEGetVectorCountRequest(collection_name=collection)
        response = await self._calls(rpcs.VDE.GET_VECTOR_COUNT, request, timeout)
        return VectorCount(response.count, dict(response.spaces))

    @remote
    async def get_stats(self, collection: str, *, timeout: float | None = None) -> CollectionStats:
        """Counts and sizes, in all and by space."""
        request = vde_pb2.VDEGetStatsRequest(collection_name=collection)
        return stats_of(await self._calls(rpcs.VDE.GET_STATS, request, timeout))

    @remote
    async def flush(self, collection: str, *, timeout: float | None = None) -> int:
        """Waits until every write accepted before the call is durable. Returns the commit sequence that is."""
        request = vde_pb2.VDEFlushRequest(collection_name=collection)
        return (await self._calls(rpcs.VDE.FLUSH, request, timeout)).seq

    @remote
    async def optimize(self, collection: str, *, wait: bool = True, timeout: float | None = None) -> list[RebuildTask]:
        """Gives spaces with enough vectors an index and runs what is due, until nothing is. Returns the tasks.

        Without `wait` those that have started are returned at once.
        """
        request = vde_pb2.VDEOptimizeRequest(collection_name=collection, wait=wait)
        return tasks_of((await self._calls(rpcs.VDE.OPTIMIZE, request, timeout)).tasks)

    @remote
    async def rebuild_index(
        self, collection: str, using: str | None = None, *, wait: bool = True, timeout: float | None = None
    ) -> list[RebuildTask]:
        """Builds the indexes of a space (None: of all) anew and waits for it. Returns a task per segment."""
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
        """Starts to build the indexes of a space (None: of all) anew. Returns the ids of the tasks, one per segment.

        `partition_id` makes sure that IVF lists are built by that partition: PartitionNotFoundError when the space has
        another. Raises BuildTooLargeError when a build would take more than `max_build_memory_bytes`.
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
        """How far a task is, of whatever kind. Raises TaskNotFoundError."""
        request = vde_pb2.VDEGetRebuildTaskRequest(task_id=task_id)
        return task_of((await self._calls(rpcs.VDE.GET_REBUILD_TASK, request, timeout)).task)

    @remote
    async def list_rebuild_tasks(
        self, collection: str | None = None, *, timeout: float | None = None
    ) -> list[RebuildTask]:
        """Tasks of all kinds that wait, run or ended lately, newest first; only those of `collection` when given."""
        request = vde_pb2.VDEListRebuildTasksRequest(collection_name=collection)
        return tasks_of((await self._calls(rpcs.VDE.LIST_REBUILD_TASKS, request, timeout)).tasks)

    @remote
    async def cancel_rebuild_task(self, task_id: str, *, timeout: float | None = None) -> RebuildTask:
        """Cancels a task; nothing of it remains. Returns the task after it. Raises TaskNotFoundError."""
        request = vde_pb2.VDECancelRebuildTaskRequest(task_id=task_id)
        return task_of((await self._calls(rpcs.VDE.CANCEL_REBUILD_TASK, request, timeout)).task)

    @remote
    async def compact_collection(
        self, collection: str, *, wait: bool = True, timeout: float | None = None
    ) -> Compaction:
        """Returns the room of deleted vectors to the file system; without `wait` it is only started."""
        request = vde_pb2.VDECompactCollectionRequest(collection_name=collection, wait=wait)
        response = await self._calls(rpcs.VDE.COMPACT_COLLECTION, request, timeout)
        return Compaction(tasks=tasks_of(response.tasks), reclaimed_bytes=response.reclaimed_bytes)

    @remote
    async def get_optimizations(self, collection: str, *, timeout: float | None = None) -> list[RebuildTask]:
        """Background work that runs or is due."""
        request = vde_pb2.VDEGetOptimizationsRequest(collection_name=collection)
        return tasks_of((await self._calls(rpcs.VDE.GET_OPTIMIZATIONS, request, timeout)).tasks)

    @remote
    async def evaluate_recall(
        self,
        collection: str,
        *,
        using: str | None = None,
        k: int | None = None,
        queries: Sequence[VectorLike] = (),
        sample: int | None = None,
        seed: int = 0,
        filter: FilterLike | None = None,
        params: SearchParamsLike | None = None,
        timeout: float | None = None,
    ) -> Recall:
        """Recall of the `k` (None: 10) nearest against exact search on the same commit.

        Asked are `queries`, or else a `sample` (None: 100) of stored vectors, which do not find their own point; equal
        seeds draw equal samples.
        """
        request = vde_pb2.VDEEvaluateRecallRequest(
            collection_name=collection,
            using=using,
            k=unsigned(k, "k"),
            queries=[vector_message(query, f"queries[{position}]") for position, query in enumerate(queries)],
            sample=unsigned(sample, "sample", InvalidQueryError),
            seed=unsigned(seed, "seed", InvalidQueryError, bits=64),
            filter=filter_message(filter),
            params=params_message(params),
        )
        response = await self._calls(rpcs.VDE.EVALUATE_RECALL, request, timeout)
        return Recall(response.average, response.minimum, response.p10, response.queries, response.seq)

    @remote
    async def prewarm(self, collection: str, using: str | None = None, *, timeout: float | None = None) -> int:
        """Reads a space's files (None: all the collection's) into memory. Returns how many bytes."""
        request = vde_pb2.VDEPrewarmRequest(collection_name=collection, using=using)
        return (await self._calls(rpcs.VDE.PREWARM, request, timeout)).bytes


class VDE(VDEMethods, SnapshotMethods, PartitionMethods, BlockingNamespace):
    """`client.vde`."""

    __slots__ = ()


class AsyncVDE(VDEMethods, SnapshotMethods, PartitionMethods, AsyncNamespace):
    """`client.vde` of an AsyncClient."""

    __slots__ = ()
