"""The namespace `.vde`, the vector data engine: life cycle, statistics and maintenance, blocking and async."""

from collections.abc import Sequence

from headwater._surface import AsyncNamespace, BlockingNamespace, Namespace, remote
from headwater._wire import rpcs
from headwater._wire.filters import filter_message
from headwater._wire.maintenance import state_info_of, state_of, stats_of, task_of
from headwater._wire.queries import params_message
from headwater._wire.vectors import vector_message
from headwater.filters import FilterLike
from headwater.models.maintenance import (
    CollectionState,
    CollectionStats,
    Compaction,
    RebuildTask,
    Recall,
    StateInfo,
    VectorCount,
)
from headwater.models.points import VectorLike
from headwater.models.queries import SearchParams
from headwater.v1 import vde_pb2


class VDEMethods(Namespace):
    """The data of a collection. `timeout` is in seconds; None: the client's. All raise HeadwaterError.

    A server that has not built a maintenance method yet answers UnimplementedError.
    """

    __slots__ = ()

    @remote
    async def open(self, collection: str, *, timeout: float | None = None) -> CollectionState:
        """Opens a closed collection. Returns the state after it."""
        request = vde_pb2.VDEOpenRequest(collection_name=collection)
        return state_of((await self._calls(rpcs.VDE.OPEN, request, timeout)).state)

    @remote
    async def close(self, collection: str, *, timeout: float | None = None) -> CollectionState:
        """Closes a collection: requests are refused until it is opened. Returns the state after it."""
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
    async def optimize(self, collection: str, *, timeout: float | None = None) -> None:
        """Runs all background work that is due, and waits for it."""
        await self._calls(rpcs.VDE.OPTIMIZE, vde_pb2.VDEOptimizeRequest(collection_name=collection), timeout)

    @remote
    async def rebuild_index(self, collection: str, using: str | None = None, *, timeout: float | None = None) -> None:
        """Rebuilds the index of a space (None: of all) and waits for it."""
        request = vde_pb2.VDERebuildIndexRequest(collection_name=collection, using=using)
        await self._calls(rpcs.VDE.REBUILD_INDEX, request, timeout)

    @remote
    async def trigger_rebuild(self, collection: str, using: str | None = None, *, timeout: float | None = None) -> str:
        """Starts to rebuild the index of a space (None: of all). Returns the id of the task."""
        request = vde_pb2.VDETriggerRebuildRequest(collection_name=collection, using=using)
        return (await self._calls(rpcs.VDE.TRIGGER_REBUILD, request, timeout)).task_id

    @remote
    async def get_rebuild_task(self, task_id: str, *, timeout: float | None = None) -> RebuildTask:
        """How far a rebuild is."""
        request = vde_pb2.VDEGetRebuildTaskRequest(task_id=task_id)
        return task_of((await self._calls(rpcs.VDE.GET_REBUILD_TASK, request, timeout)).task)

    @remote
    async def list_rebuild_tasks(
        self, collection: str | None = None, *, timeout: float | None = None
    ) -> list[RebuildTask]:
        """All rebuilds, or those of one collection, newest first."""
        request = vde_pb2.VDEListRebuildTasksRequest(collection_name=collection)
        return [task_of(task) for task in (await self._calls(rpcs.VDE.LIST_REBUILD_TASKS, request, timeout)).tasks]

    @remote
    async def cancel_rebuild_task(self, task_id: str, *, timeout: float | None = None) -> RebuildTask:
        """Cancels a rebuild. Returns the task after it."""
        request = vde_pb2.VDECancelRebuildTaskRequest(task_id=task_id)
        return task_of((await self._calls(rpcs.VDE.CANCEL_REBUILD_TASK, request, timeout)).task)

    @remote
    async def compact_collection(
        self, collection: str, *, wait: bool = True, timeout: float | None = None
    ) -> Compaction:
        """Returns the room of deleted data to the file system; without `wait` as a task."""
        request = vde_pb2.VDECompactCollectionRequest(collection_name=collection, wait=wait)
        response = await self._calls(rpcs.VDE.COMPACT_COLLECTION, request, timeout)
        return Compaction(task_id=response.task_id, reclaimed_bytes=response.reclaimed_bytes)

    @remote
    async def get_optimizations(self, collection: str, *, timeout: float | None = None) -> list[RebuildTask]:
        """Background work that runs or is due."""
        request = vde_pb2.VDEGetOptimizationsRequest(collection_name=collection)
        return [task_of(task) for task in (await self._calls(rpcs.VDE.GET_OPTIMIZATIONS, request, timeout)).tasks]

    @remote
    async def evaluate_recall(
        self,
        collection: str,
        *,
        using: str | None = None,
        k: int | None = None,
        queries: Sequence[VectorLike] = (),
        sample: int | None = None,
        filter: FilterLike | None = None,
        params: SearchParams | None = None,
        timeout: float | None = None,
    ) -> Recall:
        """Recall of the `k` nearest against exact search, over `queries` or a `sample` of stored vectors."""
        request = vde_pb2.VDEEvaluateRecallRequest(
            collection_name=collection,
            using=using,
            k=k,
            queries=[vector_message(query, f"queries[{position}]") for position, query in enumerate(queries)],
            sample=sample,
            filter=filter_message(filter),
            params=params_message(params),
        )
        response = await self._calls(rpcs.VDE.EVALUATE_RECALL, request, timeout)
        return Recall(average=response.average, minimum=response.minimum, p10=response.p10)

    @remote
    async def prewarm(self, collection: str, *, timeout: float | None = None) -> int:
        """Reads a collection's files into memory. Returns how many bytes."""
        request = vde_pb2.VDEPrewarmRequest(collection_name=collection)
        return (await self._calls(rpcs.VDE.PREWARM, request, timeout)).bytes

    @remote
    async def clone_collection(self, collection: str, target: str, *, timeout: float | None = None) -> None:
        """Copies a collection to a name that is free."""
        request = vde_pb2.VDECloneCollectionRequest(collection_name=collection, target_collection_name=target)
        await self._calls(rpcs.VDE.CLONE_COLLECTION, request, timeout)


class VDE(VDEMethods, BlockingNamespace):
    """`client.vde`."""

    __slots__ = ()


class AsyncVDE(VDEMethods, AsyncNamespace):
    """`client.vde` of an AsyncClient."""

    __slots__ = ()
