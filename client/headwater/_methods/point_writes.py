"""The methods that write points. Each is one write, all or nothing."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from headwater import _rpcs as rpcs
from headwater._methods.batches import BATCH_SIZE, batches
from headwater._methods.progress import Progress, progress_of, total_of
from headwater._plain import points_of
from headwater._rpc import Namespace, remote
from headwater._wire import (
    clear_payload_request,
    delete_payload_request,
    delete_request,
    delete_vectors_request,
    operation_message,
    overwrite_payload_request,
    set_payload_request,
    update_result_of,
    update_vectors_request,
    upsert_request,
)
from headwater.filters import FilterLike
from headwater.models import (
    ClearPayload,
    DeletePayload,
    DeletePoints,
    DeleteVectors,
    OverwritePayload,
    Payload,
    PointIds,
    PointsLike,
    PointStruct,
    PointVectors,
    SetPayload,
    StoredComparison,
    UpdateResult,
    UpdateVectors,
    Upsert,
    UpsertMode,
    WriteOperation,
)
from headwater.v1 import points_pb2


class PointWrites(Namespace):
    """Writes. Each is all or nothing.

    An existing point changes only if it matches `condition`, and if `compare` holds between it and its new payload.
    Where points are selected, give `ids` or `filter`. `wait` False: the call returns once the write is valid and
    queued. If the write then fails (a named point is missing, or there is no room), all of it is dropped.
    `vde.get_stats` counts such writes and shows the last one, and the server logs them. `vde.flush` waits until all
    writes are durable or dropped. `timeout` is in seconds; None: the client's. All raise HeadwaterError.
    """

    __slots__ = ()

    @remote
    async def upsert(
        self,
        collection: str,
        points: PointsLike,
        *,
        mode: UpsertMode | str = UpsertMode.UPSERT,
        condition: FilterLike | None = None,
        compare: Sequence[StoredComparison] = (),
        wait: bool = True,
        timeout: float | None = None,
    ) -> UpdateResult:
        """Inserts points, or replaces them whole, in one commit. If an id is given twice, the last one counts.

        With `mode`, `condition` or `compare`, points are written one after another, also those with the same id.
        """
        request = upsert_request(
            Upsert(cast("Iterable[PointStruct]", points), mode, condition, compare), collection, wait
        )
        return update_result_of((await self._calls(rpcs.Points.UPSERT, request, timeout)).result)

    @remote
    async def upload_points(
        self,
        collection: str,
        points: PointsLike | None = None,
        *,
        ids: PointIds | None = None,
        vectors: Any = None,
        payloads: Any = None,
        batch_size: int = BATCH_SIZE,
        wait: bool = True,
        progress: Progress = False,
        timeout: float | None = None,
    ) -> int:
        """Upserts any number of points in batches and returns how many. Each batch is all or nothing; the whole is not.

        `points` may be a generator, which is read as batches are sent, or a table. Or give columns: `ids`; `vectors` as
        a list or an array of rows, or as a dict of these by space; and `payloads` as dicts or as columns by key. A
        batch has at most `batch_size` points and 32 MiB. `progress` is called with (points done, all points or None);
        True draws a bar when stderr is a terminal. `timeout` holds for each batch.
        """
        given = _points_or_columns(points, ids, vectors, payloads)
        done = 0
        with progress_of(progress, total_of(given)) as report:
            for batch in batches(given, batch_size):
                request = points_pb2.PointsUpsertRequest(collection_name=collection, points=batch, wait=wait)
                await self._calls(rpcs.Points.UPSERT, request, timeout)
                done += len(batch)
                report(done)
        return done

    @remote
    async def delete(
        self,
        collection: str,
        ids: PointIds | None = None,
        *,
        filter: FilterLike | None = None,
        condition: FilterLike | None = None,
        wait: bool = True,
        timeout: float | None = None,
    ) -> UpdateResult:
        """Deletes points. Missing ids are not an error."""
        request = delete_request(DeletePoints(ids=ids, filter=filter, condition=condition), collection, wait)
        return update_result_of((await self._calls(rpcs.Points.DELETE, request, timeout)).result)

    @remote
    async def update_vectors(
        self,
        collection: str,
        points: Iterable[PointVectors | PointStruct],
        *,
        condition: FilterLike | None = None,
        wait: bool = True,
        timeout: float | None = None,
    ) -> UpdateResult:
        """Sets the given vectors of existing points. Everything else stays. Raises PointNotFoundError."""
        request = update_vectors_request(UpdateVectors(points, condition), collection, wait)
        return update_result_of((await self._calls(rpcs.Points.UPDATE_VECTORS, request, timeout)).result)

    @remote
    async def delete_vectors(
        self,
        collection: str,
        using: Sequence[str],
        ids: PointIds | None = None,
        *,
        filter: FilterLike | None = None,
        wait: bool = True,
        timeout: float | None = None,
    ) -> UpdateResult:
        """Removes the vectors of the spaces `using` from the selected points."""
        operation = DeleteVectors(using, ids=ids, filter=filter)
        request = delete_vectors_request(operation, collection, wait)
        return update_result_of((await self._calls(rpcs.Points.DELETE_VECTORS, request, timeout)).result)

    @remote
    async def set_payload(
        self,
        collection: str,
        payload: Payload,
        ids: PointIds | None = None,
        *,
        filter: FilterLike | None = None,
        key: str | None = None,
        condition: FilterLike | None = None,
        compare: Sequence[StoredComparison] = (),
        wait: bool = True,
        timeout: float | None = None,
    ) -> UpdateResult:
        """Merges keys into the payload of the selected points, or into its object at the path `key` (`a.b`)."""
        operation = SetPayload(payload, key, condition, compare, ids=ids, filter=filter)
        request = set_payload_request(operation, collection, wait)
        return update_result_of((await self._calls(rpcs.Points.SET_PAYLOAD, request, timeout)).result)

    @remote
    async def overwrite_payload(
        self,
        collection: str,
        payload: Payload,
        ids: PointIds | None = None,
        *,
        filter: FilterLike | None = None,
        condition: FilterLike | None = None,
        compare: Sequence[StoredComparison] = (),
        wait: bool = True,
        timeout: float | None = None,
    ) -> UpdateResult:
        """Replaces the payload of the selected points."""
        operation = OverwritePayload(payload, condition, compare, ids=ids, filter=filter)
        request = overwrite_payload_request(operation, collection, wait)
        return update_result_of((await self._calls(rpcs.Points.OVERWRITE_PAYLOAD, request, timeout)).result)

    @remote
    async def delete_payload(
        self,
        collection: str,
        keys: Sequence[str],
        ids: PointIds | None = None,
        *,
        filter: FilterLike | None = None,
        wait: bool = True,
        timeout: float | None = None,
    ) -> UpdateResult:
        """Removes the paths `keys` (`a`, `a.b`) from the payload of the selected points."""
        operation = DeletePayload(keys, ids=ids, filter=filter)
        request = delete_payload_request(operation, collection, wait)
        return update_result_of((await self._calls(rpcs.Points.DELETE_PAYLOAD, request, timeout)).result)

    @remote
    async def clear_payload(
        self,
        collection: str,
        ids: PointIds | None = None,
        *,
        filter: FilterLike | None = None,
        wait: bool = True,
        timeout: float | None = None,
    ) -> UpdateResult:
        """Empties the payload of the selected points."""
        request = clear_payload_request(ClearPayload(ids=ids, filter=filter), collection, wait)
        return update_result_of((await self._calls(rpcs.Points.CLEAR_PAYLOAD, request, timeout)).result)

    @remote
    async def update_batch(
        self,
        collection: str,
        operations: Iterable[WriteOperation],
        *,
        wait: bool = True,
        timeout: float | None = None,
    ) -> list[UpdateResult]:
        """Applies up to 256 writes as one: all or nothing, in order, visible at once. Returns one result per write."""
        request = points_pb2.PointsUpdateBatchRequest(
            collection_name=collection, operations=map(operation_message, operations), wait=wait
        )
        response = await self._calls(rpcs.Points.UPDATE_BATCH, request, timeout)
        return [update_result_of(result) for result in response.results]


def _points_or_columns(points: PointsLike | None, ids: PointIds | None, vectors: Any, payloads: Any) -> Any:
    """Raises TypeError when neither is given, or both are."""
    if points is None:
        if ids is None:
            raise TypeError("points are missing: give points, or ids with vectors and payloads")
        return points_of(ids, vectors, payloads)
    if not (ids is None and vectors is None and payloads is None):
        raise TypeError("points are given, so ids, vectors and payloads must not be")
    return points
