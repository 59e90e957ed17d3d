"""The namespace `.vde`, the vector data engine: state and statistics of collections, blocking and async."""

from collections.abc import Sequence

from headwater import _rpcs as rpcs
from headwater._methods.maintenance import MaintenanceMethods
from headwater._methods.partitions import PartitionMethods
from headwater._methods.snapshots import SnapshotMethods
from headwater._rpc import AsyncNamespace, BlockingNamespace, Namespace, remote
from headwater._wire import (
    filter_message,
    params_message,
    state_info_of,
    state_of,
    stats_of,
    unsigned,
    vector_message,
)
from headwater.errors import InvalidQueryError
from headwater.filters import FilterLike
from headwater.models import (
    CollectionState,
    CollectionStats,
    Recall,
    SearchParamsLike,
    StateInfo,
    VectorCount,
    VectorLike,
)
from headwater.v1 import vde_pb2


class VDEMethods(Namespace):
    """State and statistics of collections. `timeout` is in seconds; None: the client's. All raise HeadwaterError."""

    __slots__ = ()

    @remote
    async def open(self, collection: str, *, timeout: float | None = None) -> CollectionState:
        """Opens a closed collection. Returns its state after that."""
        request = vde_pb2.VDEOpenRequest(collection_name=collection)
        return state_of((await self._calls(rpcs.VDE.OPEN, request, timeout)).state)

    @remote
    async def close(self, collection: str, *, timeout: float | None = None) -> CollectionState:
        """Closes a collection, which frees its memory. Its next use opens it, unless the server is set to refuse that.

        Returns its state after that.
        """
        request = vde_pb2.VDECloseRequest(collection_name=collection)
        return state_of((await self._calls(rpcs.VDE.CLOSE, request, timeout)).state)

    @remote
    async def get_state(self, collection: str, *, timeout: float | None = None) -> StateInfo:
        """Returns the state of a collection and of the indexes of its spaces."""
        request = vde_pb2.VDEGetStateRequest(collection_name=collection)
        return state_info_of(await self._calls(rpcs.VDE.GET_STATE, request, timeout))

    @remote
    async def get_vector_count(self, collection: str, *, timeout: float | None = None) -> VectorCount:
        """Counts the points that have a vector; `.spaces` has the counts by space."""
        request = vde_pb2.VDEGetVectorCountRequest(collection_name=collection)
        response = await self._calls(rpcs.VDE.GET_VECTOR_COUNT, request, timeout)
        return VectorCount(response.count, dict(response.spaces))

    @remote
    async def get_stats(self, collection: str, *, timeout: float | None = None) -> CollectionStats:
        """Returns counts and sizes of the collection, in total and by space."""
        request = vde_pb2.VDEGetStatsRequest(collection_name=collection)
        return stats_of(await self._calls(rpcs.VDE.GET_STATS, request, timeout))

    @remote
    async def flush(self, collection: str, *, timeout: float | None = None) -> int:
        """Waits until every write that was accepted before the call is durable. Returns the number of that commit."""
        request = vde_pb2.VDEFlushRequest(collection_name=collection)
        return (await self._calls(rpcs.VDE.FLUSH, request, timeout)).seq

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
        """Measures the recall of the `k` (None: 10) nearest points against exact search on the same commit.

        It asks `queries`, or else a `sample` (None: 100) of stored vectors, which do not find their own point. Equal
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
        """Reads the files of a space (None: of all spaces) into memory. Returns how many bytes."""
        request = vde_pb2.VDEPrewarmRequest(collection_name=collection, using=using)
        return (await self._calls(rpcs.VDE.PREWARM, request, timeout)).bytes


class VDE(VDEMethods, MaintenanceMethods, SnapshotMethods, PartitionMethods, BlockingNamespace):
    """`client.vde`."""

    __slots__ = ()


class AsyncVDE(VDEMethods, MaintenanceMethods, SnapshotMethods, PartitionMethods, AsyncNamespace):
    """`client.vde` of an AsyncClient."""

    __slots__ = ()
