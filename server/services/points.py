"""Points: the RPCs that write points, and read them by id or filter. convert/writes.py says what a write is."""

from collections.abc import Callable
from functools import partial
from typing import Any

from headwater.v1 import points_pb2 as wire
from planner.engine import Engine
from server.convert import (
    Target,
    UpdateVectorsRequest,
    UpsertRequest,
    clear_payload_of,
    delete_of,
    delete_payload_of,
    delete_vectors_of,
    filter_of,
    operations_of,
    overwrite_payload_of,
    payload_selector_of,
    point_id_message,
    point_ids_of,
    points_reply_of,
    set_payload_of,
    update_vectors_of,
    upsert_of,
    vectors_selector_of,
)
from server.embedders import Texts
from server.wire import message_of
from storage.budget import UNLIMITED, Budget
from storage.database import Database
from storage.write import Operation, WriteResult, wait_for


class PointWrites:
    """The RPCs of `Points` that write. Each writes everything or nothing."""

    def __init__(self, database: Database, engine: Engine, texts: Texts) -> None:
        self._database = database
        self._engine = engine
        self._texts = texts

    def upsert(self, request: UpsertRequest, budget: Budget) -> wire.PointsUpsertResponse:
        return wire.PointsUpsertResponse(result=self._write_one(request, upsert_of, budget))

    def delete(self, request: wire.PointsDeleteRequest, budget: Budget) -> wire.PointsDeleteResponse:
        return wire.PointsDeleteResponse(result=self._write_one(request, delete_of, budget))

    def update_vectors(self, request: UpdateVectorsRequest, budget: Budget) -> wire.PointsUpdateVectorsResponse:
        return wire.PointsUpdateVectorsResponse(result=self._write_one(request, update_vectors_of, budget))

    def delete_vectors(
        self, request: wire.PointsDeleteVectorsRequest, budget: Budget
    ) -> wire.PointsDeleteVectorsResponse:
        return wire.PointsDeleteVectorsResponse(result=self._write_one(request, delete_vectors_of, budget))

    def set_payload(self, request: wire.PointsSetPayloadRequest, budget: Budget) -> wire.PointsSetPayloadResponse:
        return wire.PointsSetPayloadResponse(result=self._write_one(request, set_payload_of, budget))

    def overwrite_payload(
        self, request: wire.PointsOverwritePayloadRequest, budget: Budget
    ) -> wire.PointsOverwritePayloadResponse:
        return wire.PointsOverwritePayloadResponse(result=self._write_one(request, overwrite_payload_of, budget))

    def delete_payload(
        self, request: wire.PointsDeletePayloadRequest, budget: Budget
    ) -> wire.PointsDeletePayloadResponse:
        return wire.PointsDeletePayloadResponse(result=self._write_one(request, delete_payload_of, budget))

    def clear_payload(self, request: wire.PointsClearPayloadRequest, budget: Budget) -> wire.PointsClearPayloadResponse:
        return wire.PointsClearPayloadResponse(result=self._write_one(request, clear_payload_of, budget))

    def update_batch(self, request: wire.PointsUpdateBatchRequest, budget: Budget) -> wire.PointsUpdateBatchResponse:
        return wire.PointsUpdateBatchResponse(
            results=self._write(request, lambda target: operations_of(request, target), budget)
        )

    def _write_one(
        self, request: Any, operation_of: Callable[[Any, str, Target], Operation], budget: Budget
    ) -> wire.UpdateResult:
        return self._write(message_of(request), lambda target: [operation_of(request, "", target)], budget)[0]

    def _write(
        self, request: Any, operations_of: Callable[[Target], list[Operation]], budget: Budget
    ) -> list[wire.UpdateResult]:
        """Applies the operations together and returns the result of each.

        `request` names the collection and says whether to wait. Points that are columns are not in it: these hold no
        texts.
        """
        collection = self._database.collection(request.collection_name, budget)
        schema = collection.schema
        self._texts.of_write(request, schema, budget)
        wait = request.wait or not request.HasField("wait")
        # A write that nobody waits for is applied even if its request ends.
        budget = budget if wait else UNLIMITED
        select = partial(self._engine.writes.selector, schema, budget=budget)
        condition = partial(self._engine.writes.stored_condition, schema, budget=budget)
        target = Target(
            schema,
            lambda filter, field: select(filter, field=field),
            lambda filter, comparisons, path: condition(filter, comparisons, path=path),
        )
        operations = operations_of(target)
        unattended = "" if wait else f"Points/{request.DESCRIPTOR.name.removeprefix('Points').removesuffix('Request')}"
        future = collection.write(operations, budget, unattended=unattended)
        if not wait:
            return [wire.UpdateResult(status=wire.UPDATE_STATUS_ACKNOWLEDGED) for _ in operations]
        result: WriteResult = wait_for(future, budget)
        return [
            wire.UpdateResult(status=wire.UPDATE_STATUS_COMPLETED, seq=result.seq, affected=affected, skipped=skipped)
            for affected, skipped in zip(result.affected, result.skipped, strict=True)
        ]


class PointReads:
    """The RPCs of `Points` that read by id or filter, each from one snapshot."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine

    def get(self, request: wire.PointsGetRequest, budget: Budget) -> bytes:
        collection = self._database.collection(request.collection_name, budget)
        found = self._engine.reads.get(
            collection,
            point_ids_of(request.ids, "ids"),
            with_payload=payload_selector_of(request),
            with_vectors=vectors_selector_of(request),
            budget=budget,
        )
        missing = [point_id_message(point_id) for point_id in found.missing]
        return points_reply_of(wire.PointsGetResponse(missing_ids=missing), found.points)

    def count(self, request: wire.PointsCountRequest, budget: Budget) -> wire.PointsCountResponse:
        collection = self._database.collection(request.collection_name, budget)
        filter = filter_of(request.filter, "filter") if request.HasField("filter") else None
        count, seq = self._engine.reads.count(collection, filter, budget)
        return wire.PointsCountResponse(count=count, seq=seq)
