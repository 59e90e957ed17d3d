"""Converts writes to the contract. Each kind of operation makes its request, alone or in a batch."""

from collections.abc import Sequence

from headwater._plain import member_of
from headwater._wire.filters import filter_message
from headwater._wire.points import point_messages, point_vectors_messages
from headwater._wire.values import id_messages, name_list, payload_message
from headwater.models import (
    ClearPayload,
    DeletePayload,
    DeletePoints,
    DeleteVectors,
    OverwritePayload,
    Selected,
    SetPayload,
    StoredComparison,
    UpdateResult,
    UpdateStatus,
    UpdateVectors,
    Upsert,
    UpsertMode,
    WriteOperation,
)
from headwater.v1 import common_pb2, points_pb2

# A batch itself holds the collection and `wait`, so its operations leave both unset.


def upsert_request(
    operation: Upsert, collection: str | None = None, wait: bool | None = None
) -> points_pb2.PointsUpsertRequest:
    return points_pb2.PointsUpsertRequest(
        collection_name=collection,
        points=point_messages(operation.points),
        wait=wait,
        mode=_mode(operation.mode),
        condition=filter_message(operation.condition),
        compare=_comparisons(operation.compare),
    )


def delete_request(
    operation: DeletePoints, collection: str | None = None, wait: bool | None = None
) -> points_pb2.PointsDeleteRequest:
    return points_pb2.PointsDeleteRequest(
        collection_name=collection,
        selector=_selector(operation),
        wait=wait,
        condition=filter_message(operation.condition),
    )


def update_vectors_request(
    operation: UpdateVectors, collection: str | None = None, wait: bool | None = None
) -> points_pb2.PointsUpdateVectorsRequest:
    return points_pb2.PointsUpdateVectorsRequest(
        collection_name=collection,
        points=point_vectors_messages(operation.points),
        wait=wait,
        condition=filter_message(operation.condition),
    )


def delete_vectors_request(
    operation: DeleteVectors, collection: str | None = None, wait: bool | None = None
) -> points_pb2.PointsDeleteVectorsRequest:
    return points_pb2.PointsDeleteVectorsRequest(
        collection_name=collection, selector=_selector(operation), using=name_list(operation.using, "using"), wait=wait
    )


def set_payload_request(
    operation: SetPayload, collection: str | None = None, wait: bool | None = None
) -> points_pb2.PointsSetPayloadRequest:
    return points_pb2.PointsSetPayloadRequest(
        collection_name=collection,
        selector=_selector(operation),
        payload=payload_message(operation.payload),
        key=operation.key,
        wait=wait,
        condition=filter_message(operation.condition),
        compare=_comparisons(operation.compare),
    )


def overwrite_payload_request(
    operation: OverwritePayload, collection: str | None = None, wait: bool | None = None
) -> points_pb2.PointsOverwritePayloadRequest:
    return points_pb2.PointsOverwritePayloadRequest(
        collection_name=collection,
        selector=_selector(operation),
        payload=payload_message(operation.payload),
        wait=wait,
        condition=filter_message(operation.condition),
        compare=_comparisons(operation.compare),
    )


def delete_payload_request(
    operation: DeletePayload, collection: str | None = None, wait: bool | None = None
) -> points_pb2.PointsDeletePayloadRequest:
    return points_pb2.PointsDeletePayloadRequest(
        collection_name=collection, selector=_selector(operation), keys=name_list(operation.keys, "keys"), wait=wait
    )


def clear_payload_request(
    operation: ClearPayload, collection: str | None = None, wait: bool | None = None
) -> points_pb2.PointsClearPayloadRequest:
    return points_pb2.PointsClearPayloadRequest(collection_name=collection, selector=_selector(operation), wait=wait)


def operation_message(operation: WriteOperation) -> points_pb2.UpdateOperation:
    """One operation of a batch."""
    match operation:
        case Upsert():
            return points_pb2.UpdateOperation(upsert=upsert_request(operation))
        case DeletePoints():
            return points_pb2.UpdateOperation(delete_points=delete_request(operation))
        case UpdateVectors():
            return points_pb2.UpdateOperation(update_vectors=update_vectors_request(operation))
        case DeleteVectors():
            return points_pb2.UpdateOperation(delete_vectors=delete_vectors_request(operation))
        case SetPayload():
            return points_pb2.UpdateOperation(set_payload=set_payload_request(operation))
        case OverwritePayload():
            return points_pb2.UpdateOperation(overwrite_payload=overwrite_payload_request(operation))
        case DeletePayload():
            return points_pb2.UpdateOperation(delete_payload=delete_payload_request(operation))
        case ClearPayload():
            return points_pb2.UpdateOperation(clear_payload=clear_payload_request(operation))
        case _:
            raise TypeError(f"a batch is made of write operations, not of {type(operation).__name__}")


def update_result_of(message: points_pb2.UpdateResult) -> UpdateResult:
    return UpdateResult(
        status=UpdateStatus(points_pb2.UpdateStatus.Name(message.status)),
        seq=message.seq,
        affected=message.affected,
        skipped=message.skipped,
    )


def _mode(mode: UpsertMode | str) -> str | None:
    """The contract's name of the mode; None for the default, which is not sent."""
    member = member_of(UpsertMode, mode, "mode")
    return None if member is UpsertMode.UPSERT else member.value


def _comparisons(comparisons: Sequence[StoredComparison]) -> list[points_pb2.StoredComparison]:
    return [
        points_pb2.StoredComparison(path=each.path, comparison=each.comparison.value, new_path=each.new_path)
        for each in comparisons
    ]


def _selector(operation: Selected) -> points_pb2.PointsSelector:
    if operation.ids is None:
        return points_pb2.PointsSelector(filter=filter_message(operation.filter))
    return points_pb2.PointsSelector(ids=common_pb2.PointIdList(ids=id_messages(operation.ids)))
