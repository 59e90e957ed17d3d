"""Errors on the wire: the status and reason of each error class, and the details that it carries. It raises nothing."""

import logging
import uuid
from collections.abc import Mapping

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode

from headwater.v1 import errors_pb2 as reasons
from planner import errors as planner
from server.errors import embedders, indexes, keys, lanes
from storage import errors as storage
from storage.files import told

DOMAIN = "headwater"
MAX_MESSAGE_BYTES = 1024
"""Longer texts are cut. Errors travel in HTTP/2 trailers, and by default a client accepts 8 KiB of them."""
MAX_DETAIL_BYTES = 512

logger = logging.getLogger(__name__)


WireStatus = tuple[StatusCode, reasons.ErrorReason]

STATUS_OF: Mapping[type[storage.EngineError], WireStatus] = {
    storage.InvalidRequest: (StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_INVALID_ARGUMENT),
    storage.InvalidName: (StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_INVALID_NAME),
    storage.InvalidPointId: (StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_INVALID_POINT_ID),
    storage.DimensionMismatch: (StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_DIMENSION_MISMATCH),
    storage.EmptyVector: (StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_EMPTY_VECTOR),
    storage.NotFinite: (StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_NOT_FINITE),
    storage.ZeroVector: (StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_ZERO_VECTOR),
    storage.InvalidPayload: (StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_INVALID_PAYLOAD),
    storage.InvalidPartition: (StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_INVALID_PARTITION),
    storage.LimitExceeded: (StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_LIMIT_EXCEEDED),
    planner.InvalidLimit: (StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_INVALID_LIMIT),
    planner.InvalidFilter: (StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_INVALID_FILTER),
    planner.InvalidQuery: (StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_INVALID_QUERY),
    planner.AmbiguousSpace: (StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_AMBIGUOUS_SPACE),
    storage.CollectionNotFound: (StatusCode.NOT_FOUND, reasons.ERROR_REASON_COLLECTION_NOT_FOUND),
    storage.AliasNotFound: (StatusCode.NOT_FOUND, reasons.ERROR_REASON_ALIAS_NOT_FOUND),
    storage.SpaceNotFound: (StatusCode.NOT_FOUND, reasons.ERROR_REASON_SPACE_NOT_FOUND),
    storage.PartitionNotFound: (StatusCode.NOT_FOUND, reasons.ERROR_REASON_PARTITION_NOT_FOUND),
    storage.PointNotFound: (StatusCode.NOT_FOUND, reasons.ERROR_REASON_POINT_NOT_FOUND),
    storage.VectorNotFound: (StatusCode.NOT_FOUND, reasons.ERROR_REASON_VECTOR_NOT_FOUND),
    storage.SnapshotNotFound: (StatusCode.NOT_FOUND, reasons.ERROR_REASON_SNAPSHOT_NOT_FOUND),
    storage.TaskNotFound: (StatusCode.NOT_FOUND, reasons.ERROR_REASON_TASK_NOT_FOUND),
    storage.CollectionAlreadyExists: (StatusCode.ALREADY_EXISTS, reasons.ERROR_REASON_COLLECTION_ALREADY_EXISTS),
    storage.SnapshotAlreadyExists: (StatusCode.ALREADY_EXISTS, reasons.ERROR_REASON_SNAPSHOT_ALREADY_EXISTS),
    storage.IndexAlreadyExists: (StatusCode.ALREADY_EXISTS, reasons.ERROR_REASON_INDEX_ALREADY_EXISTS),
    storage.SpaceAlreadyExists: (StatusCode.ALREADY_EXISTS, reasons.ERROR_REASON_SPACE_ALREADY_EXISTS),
    storage.FieldIndexAlreadyExists: (StatusCode.ALREADY_EXISTS, reasons.ERROR_REASON_FIELD_INDEX_ALREADY_EXISTS),
    planner.NoTextIndex: (StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_NO_TEXT_INDEX),
    storage.CollectionClosed: (StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_COLLECTION_CLOSED),
    storage.CursorExpired: (StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_CURSOR_EXPIRED),
    storage.NoPartitionPhase: (StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_NO_PARTITION_PHASE),
    storage.UnknownFormat: (StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_UNKNOWN_FORMAT),
    storage.BuildTooLarge: (StatusCode.RESOURCE_EXHAUSTED, reasons.ERROR_REASON_BUILD_TOO_LARGE),
    storage.ReplyTooLarge: (StatusCode.RESOURCE_EXHAUSTED, reasons.ERROR_REASON_REPLY_TOO_LARGE),
    storage.RequestTooLarge: (StatusCode.RESOURCE_EXHAUSTED, reasons.ERROR_REASON_REQUEST_TOO_LARGE),
    planner.PatternTooCostly: (StatusCode.RESOURCE_EXHAUSTED, reasons.ERROR_REASON_PATTERN_TOO_COSTLY),
    storage.ScanTooLarge: (StatusCode.RESOURCE_EXHAUSTED, reasons.ERROR_REASON_SCAN_TOO_LARGE),
    storage.StorageFull: (StatusCode.RESOURCE_EXHAUSTED, reasons.ERROR_REASON_STORAGE_FULL),
    storage.TooManyCursors: (StatusCode.RESOURCE_EXHAUSTED, reasons.ERROR_REASON_TOO_MANY_CURSORS),
    storage.TooManyOpenCollections: (
        StatusCode.RESOURCE_EXHAUSTED,
        reasons.ERROR_REASON_TOO_MANY_OPEN_COLLECTIONS,
    ),
    storage.SystemLimitReached: (StatusCode.RESOURCE_EXHAUSTED, reasons.ERROR_REASON_SYSTEM_LIMIT_REACHED),
    storage.TooManyWrites: (StatusCode.RESOURCE_EXHAUSTED, reasons.ERROR_REASON_TOO_MANY_WRITES),
    storage.DeadlineExceeded: (StatusCode.DEADLINE_EXCEEDED, reasons.ERROR_REASON_DEADLINE_EXCEEDED),
    storage.Cancelled: (StatusCode.CANCELLED, reasons.ERROR_REASON_CANCELLED),
    storage.CorruptStore: (StatusCode.DATA_LOSS, reasons.ERROR_REASON_CORRUPT_STORE),
    storage.NotImplementedYet: (StatusCode.UNIMPLEMENTED, reasons.ERROR_REASON_NOT_IMPLEMENTED),
    storage.ShuttingDown: (StatusCode.UNAVAILABLE, reasons.ERROR_REASON_SHUTTING_DOWN),
    storage.StorageFailed: (StatusCode.UNAVAILABLE, reasons.ERROR_REASON_STORAGE_FAILED),
    embedders.EmbedderNotConfigured: (StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_EMBEDDER_NOT_CONFIGURED),
    embedders.EmbedderUnavailable: (StatusCode.UNAVAILABLE, reasons.ERROR_REASON_EMBEDDER_UNAVAILABLE),
    embedders.EmbedderFailed: (StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_EMBEDDER_FAILED),
    indexes.IndexNotFound: (StatusCode.NOT_FOUND, reasons.ERROR_REASON_INDEX_NOT_FOUND),
    indexes.AmbiguousIndex: (StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_AMBIGUOUS_INDEX),
    lanes.TooManyRequests: (StatusCode.RESOURCE_EXHAUSTED, reasons.ERROR_REASON_TOO_MANY_REQUESTS),
    keys.PermissionDenied: (StatusCode.PERMISSION_DENIED, reasons.ERROR_REASON_PERMISSION_DENIED),
    keys.Unauthenticated: (StatusCode.UNAUTHENTICATED, reasons.ERROR_REASON_UNAUTHENTICATED),
}
INTERNAL = (StatusCode.INTERNAL, reasons.ERROR_REASON_INTERNAL)
OF_WHAT_WAS_SENT = (storage.InvalidRequest, storage.NotFound, storage.AlreadyExists)
"""Errors that repeat what the caller sent, unchanged, and reveal no files of this server."""
OPERATOR_MUST_ACT = (storage.CorruptStore, storage.StorageFailed, storage.StorageFull, storage.SystemLimitReached)


def status_of(error: Exception) -> Status:
    """The status to send for `error`.

    An error that is not in the table is a bug of ours. It is logged with its traceback, and the caller gets only an id.
    """
    if not isinstance(error, storage.EngineError) or type(error) not in STATUS_OF:
        error_id = uuid.uuid4().hex
        logger.error("internal error %s", error_id, exc_info=error)
        return _status(INTERNAL, f"internal error {error_id}; the server's log has the details", {"id": error_id})
    if isinstance(error, OPERATOR_MUST_ACT):
        logger.error("%s: %s", type(error).__name__, error.message)
    show = str if isinstance(error, OF_WHAT_WAS_SENT) else told  # the log has whole paths, clients get none
    facts = {key: show(value) for key, value in error.metadata.items()}
    status = _status(STATUS_OF[type(error)], show(error.message), facts)
    field, description = _violation(error)
    if field:
        violation = {"field": _cut(field, MAX_DETAIL_BYTES), "description": _cut(show(description), MAX_DETAIL_BYTES)}
        status.details.add().Pack(BadRequest(field_violations=[violation]))
    if isinstance(error, lanes.TooManyRequests):
        retry = RetryInfo()
        retry.retry_delay.FromMilliseconds(round(error.retry_seconds * 1e3))
        status.details.add().Pack(retry)
    return status


def code_of(status: Status) -> str:
    """Name of the status code, as logs show it."""
    return next(code.name for code in grpc.StatusCode if code.value[0] == status.code)


def _violation(error: storage.EngineError) -> tuple[str, str]:
    """The field that is wrong (empty if none is named), and what is wrong with it."""
    if isinstance(error, storage.InvalidRequest):
        return error.field, error.description
    return error.metadata.get("field", ""), error.message


def _status(wire: WireStatus, message: str, metadata: Mapping[str, str]) -> Status:
    code, reason = wire
    info = ErrorInfo(
        reason=reasons.ErrorReason.Name(reason).removeprefix("ERROR_REASON_"),
        domain=DOMAIN,
        metadata={key: _cut(value, MAX_DETAIL_BYTES) for key, value in metadata.items()},
    )
    status = Status(code=code.value[0], message=_cut(message, MAX_MESSAGE_BYTES))
    status.details.add().Pack(info)
    return status


def _cut(text: str, most: int) -> str:
    """`text`, or its beginning and an ellipsis, in at most `most` bytes of UTF-8."""
    data = text.encode()
    return text if len(data) <= most else data[: most - 3].decode(errors="ignore") + "…"
