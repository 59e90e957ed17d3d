"""Writes: messages -> storage operations. Mistakes in a message are found here, before anything is queued."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from headwater.v1 import points_pb2
from planner.limits import check_batch
from planner.predicate import Comparison, StoredComparison, parse_path, remove
from planner.query import Filter
from server.convert.field_paths import enum_value, join, kind_of
from server.convert.filters import filter_of
from server.convert.ids import point_ids_of
from server.convert.payload import payload_of, stored_payload
from server.convert.payload_changes import merged, replaced
from server.convert.written_points import (
    UpdateVectorsRequest,
    UpsertRequest,
    check_some,
    updated_points,
    upserted_points,
)
from server.wire import message_of
from storage.errors import InvalidRequest, SpaceNotFound
from storage.schema import CollectionSchema
from storage.write import (
    ByIds,
    BySlots,
    ChangePayload,
    DeletePoints,
    DeleteVectors,
    Operation,
    Selector,
    StoredCondition,
    UpdateVectors,
    Upsert,
    UpsertMode,
)

ConditionalRequest = (
    points_pb2.PointsUpsertRequest
    | points_pb2.PointsDeleteRequest
    | points_pb2.PointsUpdateVectorsRequest
    | points_pb2.PointsSetPayloadRequest
    | points_pb2.PointsOverwritePayloadRequest
)

_UPSERT_MODES: Mapping[int, UpsertMode] = {
    points_pb2.UPSERT_MODE_UNSPECIFIED: UpsertMode.UPSERT,
    points_pb2.UPSERT_MODE_UPSERT: UpsertMode.UPSERT,
    points_pb2.UPSERT_MODE_INSERT_ONLY: UpsertMode.INSERT_ONLY,
    points_pb2.UPSERT_MODE_UPDATE_ONLY: UpsertMode.UPDATE_ONLY,
}

COMPARISONS: Mapping[int, Comparison] = {
    points_pb2.COMPARISON_LESS: Comparison.LESS,
    points_pb2.COMPARISON_LESS_OR_EQUAL: Comparison.LESS_OR_EQUAL,
    points_pb2.COMPARISON_EQUAL: Comparison.EQUAL,
    points_pb2.COMPARISON_GREATER_OR_EQUAL: Comparison.GREATER_OR_EQUAL,
    points_pb2.COMPARISON_GREATER: Comparison.GREATER,
}


@dataclass(frozen=True, slots=True)
class Target:
    """The collection for which a write is converted: its schema, and functions that make selectors and conditions.

    `select` takes a filter and the path of its field. `condition` takes a filter, comparisons, and the path of the
    write.
    """

    schema: CollectionSchema
    select: Callable[[Filter, str], BySlots]
    condition: Callable[[Filter | None, Sequence[StoredComparison], str], StoredCondition | None]


def upsert_of(request: UpsertRequest, path: str, target: Target) -> Upsert:
    """Inserts or replaces points. Payloads go to storage as they came, without becoming Python values."""
    points, message = upserted_points(request, path, target.schema), message_of(request)
    return Upsert(
        ids=points.ids,
        payloads=points.payloads,
        vectors=points.vectors,
        bodies=points.bodies,
        mode=_mode_of(message, path),
        condition=_condition_of(message, path, target, message.compare),
    )


def delete_of(request: points_pb2.PointsDeleteRequest, path: str, target: Target) -> DeletePoints:
    """Deletes points."""
    return DeletePoints(
        selector=_selector_of(request.selector, path, target), condition=_condition_of(request, path, target)
    )


def update_vectors_of(request: UpdateVectorsRequest, path: str, target: Target) -> UpdateVectors:
    """Sets vectors. Each point must have at least one."""
    points = updated_points(request, path, target.schema)
    condition = _condition_of(message_of(request), path, target)
    return UpdateVectors(ids=points.ids, vectors=points.vectors, bodies=points.bodies, condition=condition)


def delete_vectors_of(request: points_pb2.PointsDeleteVectorsRequest, path: str, target: Target) -> DeleteVectors:
    """Removes vectors in the named spaces."""
    here = join(path, "using")
    check_some(len(request.using), here)
    for index, space in enumerate(request.using):
        if space not in target.schema.names:
            raise SpaceNotFound(space, target.schema.names, field=f"{here}[{index}]")
    return DeleteVectors(selector=_selector_of(request.selector, path, target), spaces=tuple(request.using))


def set_payload_of(request: points_pb2.PointsSetPayloadRequest, path: str, target: Target) -> ChangePayload:
    """Merges values into the payload, at the top or into the object at `key`."""
    keys = _object_path(request.key, join(path, "key")) if request.HasField("key") else ()
    change = partial(merged, keys=keys, values=_payload_of(request, path))
    condition = _condition_of(request, path, target, request.compare)
    return ChangePayload(selector=_selector_of(request.selector, path, target), change=change, condition=condition)


def overwrite_payload_of(request: points_pb2.PointsOverwritePayloadRequest, path: str, target: Target) -> ChangePayload:
    """Replaces whole payloads."""
    change = partial(replaced, values=_payload_of(request, path))
    condition = _condition_of(request, path, target, request.compare)
    return ChangePayload(selector=_selector_of(request.selector, path, target), change=change, condition=condition)


def delete_payload_of(request: points_pb2.PointsDeletePayloadRequest, path: str, target: Target) -> ChangePayload:
    """Removes what paths lead to from payloads."""
    here = join(path, "keys")
    check_some(len(request.keys), here)
    for index, key in enumerate(request.keys):
        _check_path(key, f"{here}[{index}]")
    change = partial(remove, paths=tuple(request.keys))
    return ChangePayload(selector=_selector_of(request.selector, path, target), change=change, removes=True)


def clear_payload_of(request: points_pb2.PointsClearPayloadRequest, path: str, target: Target) -> ChangePayload:
    """Makes payloads empty."""
    change = partial(replaced, values={})
    return ChangePayload(selector=_selector_of(request.selector, path, target), change=change, removes=True)


OPERATION_OF: Mapping[str, Callable[[Any, str, Target], Operation]] = {
    "upsert": upsert_of,
    "delete_points": delete_of,
    "update_vectors": update_vectors_of,
    "delete_vectors": delete_vectors_of,
    "set_payload": set_payload_of,
    "overwrite_payload": overwrite_payload_of,
    "delete_payload": delete_payload_of,
    "clear_payload": clear_payload_of,
}
"""For each kind of `UpdateOperation`, the function that converts it."""


def operations_of(request: points_pb2.PointsUpdateBatchRequest, target: Target) -> list[Operation]:
    """The writes of a batch, in order."""
    check_batch(len(request.operations), "operations")
    return [
        _operation_of(operation, f"operations[{index}]", target) for index, operation in enumerate(request.operations)
    ]


def _operation_of(operation: points_pb2.UpdateOperation, path: str, target: Target) -> Operation:
    kind = kind_of(operation, path)
    write, here = getattr(operation, kind), join(path, kind)
    if write.collection_name:
        raise InvalidRequest(join(here, "collection_name"), "leave it out: the batch names the collection")
    if write.HasField("wait"):
        raise InvalidRequest(join(here, "wait"), "leave it out: the batch says whether to wait")
    return OPERATION_OF[kind](write, here, target)


def _selector_of(message: points_pb2.PointsSelector, path: str, target: Target) -> Selector:
    here = join(path, "selector")
    if kind_of(message, here) == "ids":
        return ByIds(point_ids_of(message.ids.ids, join(here, "ids.ids")))
    field = join(here, "filter")
    return target.select(filter_of(message.filter, field), field)


def _mode_of(request: points_pb2.PointsUpsertRequest, path: str) -> UpsertMode:
    mode = enum_value(_UPSERT_MODES, request.mode, join(path, "mode"))
    if mode is UpsertMode.INSERT_ONLY and (request.HasField("condition") or request.compare):
        raise InvalidRequest(join(path, "mode"), "a condition is about existing points, but INSERT_ONLY skips those")
    return mode


def _condition_of(
    request: ConditionalRequest, path: str, target: Target, compare: Sequence[points_pb2.StoredComparison] = ()
) -> StoredCondition | None:
    filter = filter_of(request.condition, join(path, "condition")) if request.HasField("condition") else None
    comparisons = [
        _comparison_of(message, f"{join(path, 'compare')}[{index}]") for index, message in enumerate(compare)
    ]
    return target.condition(filter, comparisons, path)


def _comparison_of(message: points_pb2.StoredComparison, path: str) -> StoredComparison:
    comparison = enum_value(COMPARISONS, message.comparison, join(path, "comparison"))
    return StoredComparison(
        message.path, comparison, message.new_path if message.HasField("new_path") else message.path
    )


def _payload_of(
    request: points_pb2.PointsSetPayloadRequest | points_pb2.PointsOverwritePayloadRequest, path: str
) -> dict[str, object]:
    here = join(path, "payload")
    if not request.HasField("payload"):
        raise InvalidRequest(here, "the payload is missing; an empty one must be sent as such")
    stored_payload(request.payload, here)
    return payload_of(request.payload)


def _object_path(text: str, path: str) -> tuple[str, ...]:
    """The keys of a path through objects, such as `a.b`. Raises InvalidRequest."""
    _check_path(text, path)
    steps = parse_path(text)
    if any(step.arrays for step in steps):
        raise InvalidRequest(path, f"{text!r} leads into an array; values are merged into one object")
    return tuple(step.key for step in steps)


def _check_path(text: str, path: str) -> None:
    try:
        parse_path(text)
    except ValueError as error:
        raise InvalidRequest(path, str(error)) from None
