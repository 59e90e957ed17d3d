"""The errors of everything below the server. Each class is one meaning; the server maps each class to a status.

EngineError
├── InvalidRequest            the request itself breaks a rule; names the field
│   ├── InvalidName
│   ├── InvalidPointId
│   ├── DimensionMismatch
│   ├── EmptyVector
│   ├── NotFinite
│   ├── ZeroVector
│   ├── InvalidPartition
│   ├── InvalidPayload
│   └── LimitExceeded
├── NotFound                  it names something that does not exist
│   ├── CollectionNotFound
│   ├── PartitionNotFound
│   ├── AliasNotFound
│   ├── SpaceNotFound
│   ├── PointNotFound
│   ├── SnapshotNotFound
│   ├── TaskNotFound
│   └── VectorNotFound
├── AlreadyExists
│   ├── CollectionAlreadyExists
│   ├── FieldIndexAlreadyExists
│   ├── SnapshotAlreadyExists
│   ├── SpaceAlreadyExists
│   └── IndexAlreadyExists
├── WrongState                right request, wrong time
│   ├── CollectionClosed
│   ├── CursorExpired
│   ├── NoPartitionPhase
│   └── UnknownFormat
├── Exhausted                 try again later, or with more room
│   ├── BuildTooLarge
│   ├── ReplyTooLarge
│   ├── RequestTooLarge
│   ├── ScanTooLarge
│   ├── StorageFull
│   ├── SystemLimitReached
│   ├── TooManyCursors
│   ├── TooManyOpenCollections
│   └── TooManyWrites
├── DeadlineExceeded
├── Cancelled
├── ShuttingDown
├── NotImplementedYet
├── CorruptStore              stored originals are damaged; names file and offset
└── StorageFailed             the operating system refused to read or write

The planner adds its own subclasses of InvalidRequest in planner/errors.py.
"""

from collections.abc import Iterable


class EngineError(Exception):
    """Root of the tree. `metadata` holds facts for programs; the message is for people."""

    def __init__(self, message: str, **metadata: object) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = {key: str(value) for key, value in metadata.items()}


class InvalidRequest(EngineError):
    """The request breaks a rule. `field` is the path of the field in the request; empty: the whole request."""

    def __init__(self, field: str, message: str, **metadata: object) -> None:
        super().__init__(f"{field}: {message}" if field else message, **metadata)
        self.field = field
        self.description = message


class InvalidName(InvalidRequest):
    """A collection, alias or space name that breaks the rules for names."""


class InvalidPointId(InvalidRequest):
    """A point id that is missing, empty, too long or out of range."""


class DimensionMismatch(InvalidRequest):
    """A vector whose length differs from the dimensions of its space."""

    def __init__(self, field: str, *, expected: int, actual: int) -> None:
        super().__init__(field, f"expected {expected} dimensions, got {actual}", expected=expected, actual=actual)
        self.expected = expected
        self.actual = actual


class EmptyVector(InvalidRequest):
    """A vector without components."""

    def __init__(self, field: str) -> None:
        super().__init__(field, "the vector is empty")


class NotFinite(InvalidRequest):
    """NaN or infinity where a finite number is needed."""


class ZeroVector(InvalidRequest):
    """A zero vector as a cosine query: it has no direction."""

    def __init__(self, field: str) -> None:
        super().__init__(field, "a zero vector has no direction, so it cannot be a cosine query")


class InvalidPayload(InvalidRequest):
    """A payload that cannot be stored."""


class InvalidPartition(InvalidRequest):
    """A tree of centroids that cannot be a partition.

    `row`: the number of the faulty row, from 0; None: the whole tree. `malformation` is the kind of fault, see
    ivf/tree.py.
    """

    def __init__(self, malformation: str, message: str, row: int | None = None, field: str = "rows") -> None:
        path = field if row is None else f"{field}[{row}]"
        where = {} if row is None else {"row": row}
        super().__init__(path, message, malformation=malformation, **where)
        self.malformation = malformation
        self.row = row


class LimitExceeded(InvalidRequest):
    """A count or size is above a named limit."""

    def __init__(self, field: str, *, limit: str, maximum: int, actual: int) -> None:
        super().__init__(
            field, f"{actual:,} is more than {limit} allows ({maximum:,})", limit=limit, maximum=maximum, actual=actual
        )


class NotFound(EngineError):
    """The request names something that does not exist."""


class CollectionNotFound(NotFound):
    def __init__(self, name: str) -> None:
        super().__init__(f"no collection or alias is named {name!r}", collection=name)


class AliasNotFound(NotFound):
    def __init__(self, name: str) -> None:
        super().__init__(f"no alias is named {name!r}", alias=name)


class SpaceNotFound(NotFound):
    def __init__(self, name: str, spaces: Iterable[str], field: str = "", place: str = "") -> None:
        """`place` says where the name stands inside the field, when the field is itself a text."""
        known = ", ".join(repr(space) for space in sorted(spaces)) or "none"
        where = "".join(f"{part}: " for part in (field, place) if part)
        super().__init__(
            f"{where}no vector space is named {name!r} (there are: {known})",
            space=name,
            spaces=known,
            field=field,
        )


class PointNotFound(NotFound):
    """`ids` are the missing ids in the order of the request. The message and the metadata show the first 16."""

    SHOWN = 16

    def __init__(self, ids: Iterable[int | str]) -> None:
        self.ids = tuple(ids)
        shown = ", ".join(repr(point_id) for point_id in self.ids[: self.SHOWN])
        more = f" and {len(self.ids) - self.SHOWN:,} more" if len(self.ids) > self.SHOWN else ""
        super().__init__(f"no such point: {shown}{more}", ids=shown, count=len(self.ids))


class PartitionNotFound(NotFound):
    def __init__(self, partition_id: str, space: str) -> None:
        super().__init__(f"space {space!r} has no partition {partition_id!r}", partition=partition_id, space=space)


class SnapshotNotFound(NotFound):
    def __init__(self, collection: str, name: str) -> None:
        super().__init__(
            f"collection {collection!r} has no snapshot named {name!r}", collection=collection, snapshot=name
        )


class TaskNotFound(NotFound):
    def __init__(self, task_id: str) -> None:
        super().__init__(f"no task has the id {task_id!r}", task=task_id)


class VectorNotFound(NotFound):
    def __init__(self, point_id: int | str, space: str) -> None:
        super().__init__(f"point {point_id!r} has no vector in space {space!r}", id=repr(point_id), space=space)


class AlreadyExists(EngineError):
    """Something with this name exists."""


class CollectionAlreadyExists(AlreadyExists):
    def __init__(self, name: str) -> None:
        super().__init__(f"a collection or alias named {name!r} exists", collection=name)


class FieldIndexAlreadyExists(AlreadyExists):
    """The payload path has an index of another type or with other settings."""

    def __init__(self, path: str, type: str, *, lazy: bool) -> None:
        how = f"a lazy index of type {type}" if lazy else f"an index of type {type}"
        super().__init__(f"the payload path {path!r} has {how}; delete it first", path=path, type=type, lazy=lazy)


class SnapshotAlreadyExists(AlreadyExists):
    def __init__(self, collection: str, name: str) -> None:
        super().__init__(
            f"collection {collection!r} has a snapshot named {name!r}", collection=collection, snapshot=name
        )


class SpaceAlreadyExists(AlreadyExists):
    def __init__(self, name: str, field: str = "") -> None:
        super().__init__(
            f"{field + ': ' if field else ''}a vector space named {name!r} exists", space=name, field=field
        )


class IndexAlreadyExists(AlreadyExists):
    """An index of the same property, source, similarity and dimensions."""

    def __init__(self, space: str) -> None:
        super().__init__(
            f"an index of this property, source, similarity and dimensions exists: the space {space!r}", space=space
        )


class WrongState(EngineError):
    """The request is right but the state is not."""


class CollectionClosed(WrongState):
    def __init__(self, name: str) -> None:
        super().__init__(f"collection {name!r} is closed; open it first", collection=name)


class CursorExpired(WrongState):
    """The cursor was closed, timed out, made room for others, or never existed. `why` says which, where it is known."""

    def __init__(self, token: str, why: str | None = None) -> None:
        reason = "" if why is None else f": {why}"
        super().__init__(f"cursor {token!r} is not open{reason}; scroll from the start with a new cursor", cursor=token)


class NoPartitionPhase(WrongState):
    """A partition was sent for a space without IVF lists."""

    def __init__(self, space: str, index: str) -> None:
        message = f"the index of space {space!r} is {index}, which has no partition; make it IVF first"
        super().__init__(message, space=space, index=index)


class UnknownFormat(WrongState):
    def __init__(self, what: str, *, found: int, known: int) -> None:
        super().__init__(
            f"{what} has format version {found}, but this program knows versions up to {known} only",
            found=found,
            known=known,
        )


class Exhausted(EngineError):
    """A resource is used up. Nothing was written."""


class BuildTooLarge(Exhausted):
    """A build would take more memory than is allowed. It was not started."""

    def __init__(self, *, needed: int, maximum: int) -> None:
        message = f"the build would take about {needed:,} bytes of memory; {maximum:,} are allowed"
        super().__init__(message, needed=needed, maximum=maximum)


class ReplyTooLarge(Exhausted):
    """A reply would be larger than `limit` allows. `size`: its bytes when the server gave up."""

    def __init__(self, *, size: int, maximum: int, limit: str = "max_reply_bytes") -> None:
        message = f"the reply is {size:,} bytes so far; {limit} allows {maximum:,}: ask for less at a time"
        super().__init__(message, size=size, maximum=maximum)


class RequestTooLarge(Exhausted):
    """A request would take more memory than one may. `what` would add `size` bytes to the `held` bytes."""

    def __init__(self, what: str, *, size: int, held: int, maximum: int) -> None:
        message = (
            f"{what} would take {size:,} bytes of memory in addition to the {held:,} that the request holds; "
            f"max_request_memory allows {maximum:,}"
        )
        super().__init__(message, what=what, size=size, held=held, maximum=maximum)


class ScanTooLarge(Exhausted):
    """A search would score more rows without an index than the server allows."""

    def __init__(self, *, rows: int, maximum: int) -> None:
        message = f"the search would scan {rows:,} rows; max_scan allows {maximum:,}"
        super().__init__(message, rows=rows, maximum=maximum)


class StorageFull(Exhausted):
    """No space is left on the disk, or in the address space reserved for ids and payloads."""


class TooManyCursors(Exhausted):
    """The most cursors are open, and all of them are being read."""

    def __init__(self, maximum: int) -> None:
        super().__init__(f"{maximum:,} cursors are open and being read; try again", maximum=maximum)


class TooManyOpenCollections(Exhausted):
    """The most collections are open, and all of them are in use."""

    def __init__(self, maximum: int) -> None:
        super().__init__(f"{maximum:,} collections are open and all are in use; try again", maximum=maximum)


class SystemLimitReached(Exhausted):
    """The operating system gives this process no more open files, mappings or address space. Nothing was changed."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what}: the operating system gives this process no more: {reason}; try again", reason=reason)


class TooManyWrites(Exhausted):
    """The write queue is full."""


class DeadlineExceeded(EngineError):
    """The caller's deadline passed."""

    def __init__(self, message: str = "the deadline passed") -> None:
        super().__init__(message)


class Cancelled(EngineError):
    """The caller went away."""

    def __init__(self, message: str = "the caller cancelled the request") -> None:
        super().__init__(message)


class ShuttingDown(EngineError):
    """The server is stopping."""

    def __init__(self, message: str = "the server is shutting down") -> None:
        super().__init__(message)


class NotImplementedYet(EngineError):
    """Named in the contract, but not built yet."""


class CorruptStore(EngineError):
    """Stored originals are damaged."""

    def __init__(self, file: object, offset: int, message: str) -> None:
        super().__init__(f"{file} at byte {offset:,}: {message}", file=file, offset=offset)
        self.what = message
        """The message without the place."""


class StorageFailed(EngineError):
    """The operating system refused a read, write or sync. The collection refuses work until it is opened again."""
