"""Which commit a page is read from: the newest, or the commit of a cursor. Opens and finds cursors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from headwater.v1 import points_pb2 as wire
from storage.budget import Budget
from storage.database import Database
from storage.errors import InvalidRequest
from storage.mvcc import Snapshot


@dataclass(slots=True)
class Reading:
    """What one request reads. Its user sets `goes_on`: whether another page may follow."""

    snapshot: Snapshot
    token: str | None = None
    goes_on: bool = False

    @property
    def cursor(self) -> str | None:
        """The cursor for the next page."""
        return self.token if self.goes_on else None


@contextmanager
def reading(
    database: Database, request: wire.PointsScrollRequest | wire.PointsQueryRequest, budget: Budget
) -> Iterator[Reading]:
    """A context with the snapshot to read. A cursor that is opened here is closed again unless its first page goes on.

    Raises what opening and reading cursors and collections raise, and InvalidRequest for an open cursor with a time.
    """
    cursors, name = database.cursors, request.collection_name
    if request.HasField("cursor"):
        if request.HasField("cursor_ttl_seconds"):
            raise InvalidRequest("cursor_ttl_seconds", "leave it out: the cursor got its time when it was opened")
        with cursors.reading(request.cursor, name, budget) as snapshot:
            yield Reading(snapshot, request.cursor)
        return
    collection = database.collection(name, budget)
    if not request.HasField("cursor_ttl_seconds"):
        with collection.snapshot() as snapshot:
            yield Reading(snapshot)
        return
    token = cursors.open(collection, name, request.cursor_ttl_seconds, budget.caller)
    is_needed = False
    try:
        with cursors.reading(token, name, budget) as snapshot:
            read = Reading(snapshot, token)
            yield read
            is_needed = read.goes_on
    finally:
        if not is_needed:
            cursors.close(token)
