"""The errors that a call can raise. The class follows from the reason that the server sends, never from its message.

HeadwaterError                      any answer that is not a success
├── InvalidArgumentError            the request itself breaks a rule; names the field
│   ├── InvalidNameError
│   ├── InvalidPointIdError
│   ├── DimensionMismatchError      expected, actual
│   ├── EmptyVectorError
│   ├── NotFiniteError
│   ├── ZeroVectorError
│   ├── InvalidLimitError
│   ├── InvalidFilterError
│   ├── InvalidQueryError
│   ├── LimitExceededError
│   ├── InvalidPartitionError       malformation, row
│   ├── InvalidPayloadError
│   ├── AmbiguousIndexError
│   └── AmbiguousSpaceError
├── NotFoundError                   it names something that does not exist
│   ├── CollectionNotFoundError
│   ├── AliasNotFoundError
│   ├── SpaceNotFoundError
│   ├── IndexNotFoundError
│   ├── PointNotFoundError
│   ├── SnapshotNotFoundError
│   ├── PartitionNotFoundError
│   ├── TaskNotFoundError
│   └── VectorNotFoundError
├── AlreadyExistsError
│   ├── CollectionAlreadyExistsError
│   ├── FieldIndexAlreadyExistsError
│   ├── IndexAlreadyExistsError
│   ├── SnapshotAlreadyExistsError
│   └── SpaceAlreadyExistsError
├── FailedPreconditionError         right request, wrong state
│   ├── ClientClosedError           raised by the client itself: its close() was called
│   ├── CollectionClosedError
│   ├── CursorExpiredError
│   ├── NoPartitionPhaseError
│   ├── EmbedderFailedError
│   ├── EmbedderNotConfiguredError
│   ├── ServerNotInstalledError     raised by the client itself: Client.local needs the server's package
│   ├── NoTextIndexError
│   └── UnknownFormatError
├── ResourceExhaustedError          try again later, or with more room
│   ├── BuildTooLargeError
│   ├── PatternTooCostlyError
│   ├── ReplyTooLargeError
│   ├── RequestTooLargeError
│   ├── ScanTooLargeError
│   ├── StorageFullError
│   ├── SystemLimitReachedError
│   ├── TooManyCursorsError
│   ├── TooManyOpenCollectionsError
│   ├── TooManyWritesError
│   └── TooManyRequestsError
├── UnavailableError                no server, or not now
│   ├── EmbedderUnavailableError
│   ├── LocalServerError            raised by the client itself: the server of Client.local did not start
│   ├── ShuttingDownError
│   └── StorageFailedError
├── DataLossError
│   └── CorruptStoreError
├── DeadlineExceededError           a write that was queued may still be applied
├── RequestCancelledError
├── UnauthenticatedError
├── PermissionDeniedError
├── UnimplementedError              named in the contract, not built yet
└── InternalError                   a bug of the server

An argument of a wrong Python type raises TypeError; those that do not fit together raise ValueError. No call is made.
"""

from grpc import StatusCode

from headwater._errors import FieldViolation as FieldViolation
from headwater._errors import HeadwaterError as HeadwaterError
from headwater._errors import error_class as error_class


class InvalidArgumentError(HeadwaterError):
    """The request breaks a rule; `field_violations` say where."""

    CODE = StatusCode.INVALID_ARGUMENT
    REASON = "INVALID_ARGUMENT"


class InvalidNameError(InvalidArgumentError):
    """A name of a collection, alias or space that breaks the rules for names."""

    REASON = "INVALID_NAME"


class InvalidPointIdError(InvalidArgumentError):
    """A point id that is missing, empty, too long or out of range."""

    REASON = "INVALID_POINT_ID"


class DimensionMismatchError(InvalidArgumentError):
    """A vector does not have as many dimensions as its space."""

    REASON = "DIMENSION_MISMATCH"

    @property
    def expected(self) -> int:
        """Dimensions of the space."""
        return int(self.metadata["expected"])

    @property
    def actual(self) -> int:
        """Dimensions of the vector that was sent."""
        return int(self.metadata["actual"])


class EmptyVectorError(InvalidArgumentError):
    """A vector without components."""

    REASON = "EMPTY_VECTOR"


class NotFiniteError(InvalidArgumentError):
    """NaN or infinity where a finite number is needed. A value beyond the range of float32 becomes infinite."""

    REASON = "NOT_FINITE"


class ZeroVectorError(InvalidArgumentError):
    """A zero vector as a cosine query."""

    REASON = "ZERO_VECTOR"


class InvalidLimitError(InvalidArgumentError):
    """A limit of 0, or a limit above the greatest one that is allowed."""

    REASON = "INVALID_LIMIT"


class InvalidFilterError(InvalidArgumentError):
    """A filter that is not valid."""

    REASON = "INVALID_FILTER"


class InvalidQueryError(InvalidArgumentError):
    """A query tree that is not valid."""

    REASON = "INVALID_QUERY"


class LimitExceededError(InvalidArgumentError):
    """A tree that is too deep or too wide, or a batch that is too long."""

    REASON = "LIMIT_EXCEEDED"


class InvalidPartitionError(InvalidArgumentError):
    """A tree of centroids that is not a valid partition."""

    REASON = "INVALID_PARTITION"

    @property
    def malformation(self) -> str:
        """The kind of fault, such as NULL_ID or CYCLE: the metadata of ERROR_REASON_INVALID_PARTITION list all."""
        return self.metadata["malformation"]

    @property
    def row(self) -> int | None:
        """The number of the wrong row, counted from 0; None when the whole tree is wrong."""
        return int(self.metadata["row"]) if "row" in self.metadata else None


class InvalidPayloadError(InvalidArgumentError):
    """A payload that cannot be stored. Also raised before anything is sent, for integers beyond 64 bits."""

    REASON = "INVALID_PAYLOAD"


class AmbiguousSpaceError(InvalidArgumentError):
    """The collection has several spaces, and the request does not say which: it needs `using`."""

    REASON = "AMBIGUOUS_SPACE"


class AmbiguousIndexError(InvalidArgumentError):
    """More than one index fits the request; `candidates` names them."""

    REASON = "AMBIGUOUS_INDEX"

    @property
    def candidates(self) -> list[str]:
        """The ids of the indexes."""
        return self.metadata["candidates"].split(", ")


class NotFoundError(HeadwaterError):
    """The request names something that does not exist."""

    CODE = StatusCode.NOT_FOUND


class CollectionNotFoundError(NotFoundError):
    """No collection or alias of this name."""

    REASON = "COLLECTION_NOT_FOUND"


class AliasNotFoundError(NotFoundError):
    """No alias of this name."""

    REASON = "ALIAS_NOT_FOUND"


class SpaceNotFoundError(NotFoundError):
    """No vector space of this name."""

    REASON = "SPACE_NOT_FOUND"


class IndexNotFoundError(NotFoundError):
    """No index has this id, or the property has no index."""

    REASON = "INDEX_NOT_FOUND"


class PointNotFoundError(NotFoundError):
    """A write or a query names points that do not exist."""

    REASON = "POINT_NOT_FOUND"


class VectorNotFoundError(NotFoundError):
    """A query names a point that has no vector in the space."""

    REASON = "VECTOR_NOT_FOUND"


class SnapshotNotFoundError(NotFoundError):
    """The collection has no snapshot of this name."""

    REASON = "SNAPSHOT_NOT_FOUND"


class PartitionNotFoundError(NotFoundError):
    """The space has no such partition."""

    REASON = "PARTITION_NOT_FOUND"


class TaskNotFoundError(NotFoundError):
    """No task has this id, or it ended long ago."""

    REASON = "TASK_NOT_FOUND"


class AlreadyExistsError(HeadwaterError):
    """Something of this name exists."""

    CODE = StatusCode.ALREADY_EXISTS


class CollectionAlreadyExistsError(AlreadyExistsError):
    """A collection or alias of this name exists."""

    REASON = "COLLECTION_ALREADY_EXISTS"


class FieldIndexAlreadyExistsError(AlreadyExistsError):
    """The payload path already has an index of another type or with other settings."""

    REASON = "FIELD_INDEX_ALREADY_EXISTS"


class SnapshotAlreadyExistsError(AlreadyExistsError):
    """The collection has a snapshot of this name."""

    REASON = "SNAPSHOT_ALREADY_EXISTS"


class SpaceAlreadyExistsError(AlreadyExistsError):
    """A vector space of this name exists."""

    REASON = "SPACE_ALREADY_EXISTS"


class IndexAlreadyExistsError(AlreadyExistsError):
    """An index of the same property, source, similarity and dimensions exists."""

    REASON = "INDEX_ALREADY_EXISTS"


class FailedPreconditionError(HeadwaterError):
    """The request is valid, but not in the present state of the server or of the collection."""

    CODE = StatusCode.FAILED_PRECONDITION


class ClientClosedError(FailedPreconditionError):
    """The client was closed, before the call or during it."""


class ServerNotInstalledError(FailedPreconditionError):
    """This Python has no server to start. The message says what to install."""


class CollectionClosedError(FailedPreconditionError):
    """The collection was closed; `vde.open` opens it."""

    REASON = "COLLECTION_CLOSED"


class CursorExpiredError(FailedPreconditionError):
    """The cursor was closed, or not used for too long: scroll from the start with a new one."""

    REASON = "CURSOR_EXPIRED"


class NoPartitionPhaseError(FailedPreconditionError):
    """A partition was given for an index that uses none."""

    REASON = "NO_PARTITION_PHASE"


class EmbedderNotConfiguredError(FailedPreconditionError):
    """A text was given for a vector, and the space has no embedder, or the server does not have the one it names."""

    REASON = "EMBEDDER_NOT_CONFIGURED"


class EmbedderFailedError(FailedPreconditionError):
    """The embedder refused the text, or its answer is not a vector of the space. Nothing was written."""

    REASON = "EMBEDDER_FAILED"


class NoTextIndexError(FailedPreconditionError):
    """A query by Bm25 names a field that has no text index; `points.create_text_index` makes one."""

    REASON = "NO_TEXT_INDEX"


class UnknownFormatError(FailedPreconditionError):
    """Stored data has a format that this version of the server does not know."""

    REASON = "UNKNOWN_FORMAT"


class ResourceExhaustedError(HeadwaterError):
    """Too much at once, or no room left."""

    CODE = StatusCode.RESOURCE_EXHAUSTED


class BuildTooLargeError(ResourceExhaustedError):
    """A build would take more memory than is allowed. Nothing was started."""

    REASON = "BUILD_TOO_LARGE"


class PatternTooCostlyError(ResourceExhaustedError):
    """A pattern of a filter would take too long on a stored text."""

    REASON = "PATTERN_TOO_COSTLY"


class ReplyTooLargeError(ResourceExhaustedError):
    """The reply would be larger than the server allows; ask for less at a time."""

    REASON = "REPLY_TOO_LARGE"


class RequestTooLargeError(ResourceExhaustedError):
    """The request would take more memory in the server than one request may."""

    REASON = "REQUEST_TOO_LARGE"


class ScanTooLargeError(ResourceExhaustedError):
    """A search would scan more rows than the server allows."""

    REASON = "SCAN_TOO_LARGE"


class StorageFullError(ResourceExhaustedError):
    """No space is left on the disk, or in the space reserved for ids and payloads. Nothing was written."""

    REASON = "STORAGE_FULL"


class TooManyCursorsError(ResourceExhaustedError):
    """The server has the greatest number of cursors open; close one or try again later."""

    REASON = "TOO_MANY_CURSORS"


class TooManyOpenCollectionsError(ResourceExhaustedError):
    """The server has the greatest number of collections open, and all of them are in use; try again."""

    REASON = "TOO_MANY_OPEN_COLLECTIONS"


class SystemLimitReachedError(ResourceExhaustedError):
    """The system gives the server no more open files, mappings or address space. Nothing was changed; try again."""

    REASON = "SYSTEM_LIMIT_REACHED"


class TooManyWritesError(ResourceExhaustedError):
    """Too many writes are waiting; try again."""

    REASON = "TOO_MANY_WRITES"


class TooManyRequestsError(ResourceExhaustedError):
    """Too many requests wait on the server. Nothing was done. The client tries again by itself until its timeout."""

    REASON = "TOO_MANY_REQUESTS"


class UnavailableError(HeadwaterError):
    """No server answers. Idempotent calls were retried before this was raised."""

    CODE = StatusCode.UNAVAILABLE


class ShuttingDownError(UnavailableError):
    """The server is starting or stopping; try again."""

    REASON = "SHUTTING_DOWN"


class LocalServerError(UnavailableError):
    """The server of `Client.local` did not start, for instance since another process has the folder open."""


class EmbedderUnavailableError(UnavailableError):
    """The embedder gave no answer, though the server tried again. Nothing was written."""

    REASON = "EMBEDDER_UNAVAILABLE"


class StorageFailedError(UnavailableError):
    """The server could not read or write a file; the collection must be opened again."""

    REASON = "STORAGE_FAILED"


class DataLossError(HeadwaterError):
    """Stored data is lost."""

    CODE = StatusCode.DATA_LOSS


class CorruptStoreError(DataLossError):
    """Stored data is damaged; `metadata` names file and offset."""

    REASON = "CORRUPT_STORE"


class DeadlineExceededError(HeadwaterError):
    """The timeout of the call passed. A write that was queued may still be applied."""

    CODE = StatusCode.DEADLINE_EXCEEDED
    REASON = "DEADLINE_EXCEEDED"


class RequestCancelledError(HeadwaterError):
    """The call was cancelled."""

    CODE = StatusCode.CANCELLED
    REASON = "CANCELLED"


class UnauthenticatedError(HeadwaterError):
    """The api-key is missing or wrong."""

    CODE = StatusCode.UNAUTHENTICATED
    REASON = "UNAUTHENTICATED"


class PermissionDeniedError(HeadwaterError):
    """The key is good, and may not do this."""

    CODE = StatusCode.PERMISSION_DENIED
    REASON = "PERMISSION_DENIED"


class UnimplementedError(HeadwaterError):
    """The call is not built yet, or this server does not know it."""

    CODE = StatusCode.UNIMPLEMENTED
    REASON = "NOT_IMPLEMENTED"


class InternalError(HeadwaterError):
    """A bug of the server."""

    CODE = StatusCode.INTERNAL
    REASON = "INTERNAL"
