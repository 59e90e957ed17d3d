"""Maintenance: the RPCs of `VDE` that start, follow and cancel background work, measure recall and warm up."""

from collections.abc import Sequence

from headwater.v1 import vde_pb2 as wire
from planner.analyze import RecallTest, Sample
from planner.engine import Engine
from planner.query import QueryVector
from planner.resolve import space_of
from server.convert import filter_of, search_params_of, task_message, task_messages, vector_of
from server.embedders import Texts
from storage.budget import Budget
from storage.collection import Collection
from storage.database import Database
from storage.errors import BuildTooLarge, InvalidRequest, NoPartitionPhase, PartitionNotFound
from storage.maintenance import SpaceEstimate, Task, estimates
from storage.schema import CollectionSchema, IndexKind
from storage.search import prewarm

DEFAULT_K = RecallTest().k
DEFAULT_SAMPLE = Sample().count


class VectorDataMaintenance:
    """The RPCs of `VDE` that maintain stored data. An RPC that waits keeps its worker while it waits."""

    def __init__(
        self, database: Database, engine: Engine, texts: Texts, *, max_build_memory: int | None = None
    ) -> None:
        """`max_build_memory` is how many bytes a rebuild may take if its request does not say; None: no bound."""
        self._max_build_memory = max_build_memory
        self._database = database
        self._engine = engine
        self._texts = texts
        self._maintenance = database.maintenance

    def optimize(self, request: wire.VDEOptimizeRequest, budget: Budget) -> wire.VDEOptimizeResponse:
        collection = self._database.collection(request.collection_name, budget)
        before = {task.id for task in self._maintenance.tasks.all(collection.uid) if task.ended}
        started = self._maintenance.optimize(collection)
        if not _waits(request):
            return wire.VDEOptimizeResponse(tasks=task_messages(self._tasks(started)))
        self._maintenance.wait_until_idle(collection, budget)
        tasks = [task for task in self._maintenance.tasks.all(collection.uid) if task.id not in before]
        return wire.VDEOptimizeResponse(tasks=task_messages(tasks))

    def rebuild_index(self, request: wire.VDERebuildIndexRequest, budget: Budget) -> wire.VDERebuildIndexResponse:
        ids = self._rebuild(request, budget)
        return wire.VDERebuildIndexResponse(tasks=task_messages(self._outcomes(request, ids, budget)))

    def trigger_rebuild(self, request: wire.VDETriggerRebuildRequest, budget: Budget) -> wire.VDETriggerRebuildResponse:
        collection = self._database.collection(request.collection_name, budget)
        using = _using(request, collection.schema)
        if request.partition_id:
            using = _partitioned(collection, using, request.partition_id)
        expected = estimates(collection.spaces(), using)
        messages = [_estimate_message(each) for each in expected]
        if request.dry_run:
            return wire.VDETriggerRebuildResponse(estimates=messages)
        asked = request.HasField("max_build_memory_bytes")
        maximum = request.max_build_memory_bytes if asked else self._max_build_memory
        if maximum is not None:
            _check_memory(expected, maximum)
        ids = self._maintenance.rebuild(collection, using)
        return wire.VDETriggerRebuildResponse(task_id=next(iter(ids), ""), task_ids=ids, estimates=messages)

    def compact_collection(
        self, request: wire.VDECompactCollectionRequest, budget: Budget
    ) -> wire.VDECompactCollectionResponse:
        ids = self._maintenance.compact(self._database.collection(request.collection_name, budget))
        tasks = self._outcomes(request, ids, budget)
        return wire.VDECompactCollectionResponse(
            task_id=next(iter(ids), ""),
            reclaimed_bytes=sum(task.reclaimed_bytes for task in tasks),
            tasks=task_messages(tasks),
        )

    def get_rebuild_task(
        self, request: wire.VDEGetRebuildTaskRequest, budget: Budget
    ) -> wire.VDEGetRebuildTaskResponse:
        return wire.VDEGetRebuildTaskResponse(task=task_message(self._maintenance.tasks.get(request.task_id)))

    def list_rebuild_tasks(
        self, request: wire.VDEListRebuildTasksRequest, budget: Budget
    ) -> wire.VDEListRebuildTasksResponse:
        uid = self._database.names.uid(request.collection_name) if request.HasField("collection_name") else None
        return wire.VDEListRebuildTasksResponse(tasks=task_messages(self._maintenance.tasks.all(uid)))

    def cancel_rebuild_task(
        self, request: wire.VDECancelRebuildTaskRequest, budget: Budget
    ) -> wire.VDECancelRebuildTaskResponse:
        return wire.VDECancelRebuildTaskResponse(task=task_message(self._maintenance.cancel(request.task_id)))

    def get_optimizations(
        self, request: wire.VDEGetOptimizationsRequest, budget: Budget
    ) -> wire.VDEGetOptimizationsResponse:
        collection = self._database.collection(request.collection_name, budget)
        running = [task for task in self._maintenance.tasks.all(collection.uid) if not task.ended]
        return wire.VDEGetOptimizationsResponse(tasks=task_messages([*running, *self._maintenance.due(collection)]))

    def evaluate_recall(self, request: wire.VDEEvaluateRecallRequest, budget: Budget) -> wire.VDEEvaluateRecallResponse:
        collection = self._database.collection(request.collection_name, budget)
        self._texts.of_vectors(request.queries, request, collection.schema, budget)
        recall = self._engine.analyses.recall(collection, _test_of(request), budget)
        return wire.VDEEvaluateRecallResponse(
            average=recall.average,
            minimum=recall.minimum,
            p10=recall.p10,
            queries=recall.queries,
            seq=recall.seq,
        )

    def prewarm(self, request: wire.VDEPrewarmRequest, budget: Budget) -> wire.VDEPrewarmResponse:
        collection = self._database.collection(request.collection_name, budget)
        with collection.snapshot() as snapshot:
            using = space_of(request.using, snapshot.schema, "using") if request.HasField("using") else None
            return wire.VDEPrewarmResponse(bytes=prewarm(snapshot, using, budget))

    def _rebuild(self, request: wire.VDERebuildIndexRequest, budget: Budget) -> list[str]:
        collection = self._database.collection(request.collection_name, budget)
        return self._maintenance.rebuild(collection, _using(request, collection.schema))

    def _outcomes(
        self,
        request: wire.VDERebuildIndexRequest | wire.VDECompactCollectionRequest,
        ids: Sequence[str],
        budget: Budget,
    ) -> list[Task]:
        """The tasks after they have ended. If `request` does not wait, the tasks as they are now."""
        return self._maintenance.tasks.wait(ids, budget) if _waits(request) else self._tasks(ids)

    def _tasks(self, ids: Sequence[str]) -> list[Task]:
        return [self._maintenance.tasks.get(task_id) for task_id in ids]


def _partitioned(collection: Collection, using: str | None, partition_id: str) -> str:
    """The space to build with the partition. Raises PartitionNotFound and NoPartitionPhase."""
    space = space_of(using, collection.schema, "using")
    partition = None if space not in collection.schema.dense else collection.spaces()[space].manifest.partition
    if partition is None or partition.id != partition_id:
        raise PartitionNotFound(partition_id, space)
    if collection.schema.dense[space].index is not IndexKind.IVF:
        raise NoPartitionPhase(space, collection.schema.dense[space].index.name)
    return space


def _check_memory(expected: Sequence[SpaceEstimate], maximum: int) -> None:
    needed = max((each.estimate.peak_bytes for each in expected), default=0)
    if needed > maximum:
        raise BuildTooLarge(needed=needed, maximum=maximum)


def _estimate_message(expected: SpaceEstimate) -> wire.BuildEstimate:
    estimate = expected.estimate
    return wire.BuildEstimate(
        using=expected.space,
        rows=estimate.rows,
        index=estimate.index.value,
        lists=estimate.lists,
        sample_rows=estimate.sample_rows,
        peak_memory_bytes=estimate.peak_bytes,
        seconds=estimate.seconds,
    )


def _waits(
    request: wire.VDEOptimizeRequest | wire.VDERebuildIndexRequest | wire.VDECompactCollectionRequest,
) -> bool:
    return request.wait or not request.HasField("wait")


def _using(
    request: wire.VDERebuildIndexRequest | wire.VDETriggerRebuildRequest,
    schema: CollectionSchema,
) -> str | None:
    """The space that `request` names; None: all. Raises SpaceNotFound, and InvalidRequest for a sparse one."""
    if not request.HasField("using"):
        return None
    space = space_of(request.using, schema, "using")
    if space not in schema.row_spaces:
        raise InvalidRequest("using", f"the space {space!r} is sparse, and its index is never built on disk")
    return space


def _test_of(request: wire.VDEEvaluateRecallRequest) -> RecallTest:
    queries = tuple(QueryVector(vector_of(query, f"queries[{index}]")) for index, query in enumerate(request.queries))
    sample = Sample(request.sample if request.HasField("sample") else DEFAULT_SAMPLE, request.seed)
    return RecallTest(
        queries=queries or sample,
        using=request.using if request.HasField("using") else None,
        k=request.k if request.HasField("k") else DEFAULT_K,
        filter=filter_of(request.filter, "filter") if request.HasField("filter") else None,
        params=search_params_of(request.params, "params"),
    )
