"""Cursors: views of one commit that stay open between requests, each for a limited time. This module reads no data."""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from storage.bounded_cache import BoundedCache
from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.errors import CursorExpired, InvalidRequest, LimitExceeded, TooManyCursors
from storage.mvcc import Snapshot

MAX_CALLER_CURSORS = 64
"""Open cursors of one caller. One more closes the caller's least recently used cursor."""

MAX_CURSORS = 512
"""Open cursors of all callers. Each one keeps the files of its commit, and the pages written since, from being
reclaimed.

One more closes a cursor of the caller that has the most.
"""

_REMEMBERED = 1_024
"""Cursors that were closed to make room and are remembered, so that their users are told why."""

MAX_CURSOR_SECONDS = 3_600
"""Seconds that a cursor lives after its last use; also the longest that a request may ask for."""


@dataclass(slots=True, eq=False)
class _Cursor:
    """`names`: the names by which a request may call the cursor's collection. `users`: requests that read it or wait to
    read it.

    The lock of Cursors guards all fields except `snapshot`, which belongs to the holder of `turn`.
    """

    token: str
    collection: Collection
    names: frozenset[str]
    snapshot: Snapshot
    caller: str
    seconds: int
    ends: float
    expires: float
    users: int = 0
    closed: bool = False
    turn: threading.Lock = field(default_factory=threading.Lock)


class Cursors:
    """Safe for many threads. Its own thread closes cursors that time out; the thread runs while a cursor is open."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._cursors: dict[str, _Cursor] = {}
        self._changed = threading.Condition()
        self._displaced: BoundedCache[str, str] = BoundedCache(_REMEMBERED)
        self._sweeper: threading.Thread | None = None

    def open(self, collection: Collection, name: str, seconds: int, caller: str = "") -> str:
        """Pins the newest commit of `collection`, which the request called `name`, and returns the token of the cursor.

        When there is no room, it closes the least recently used cursor that nobody reads: one of `caller` when it has
        MAX_CALLER_CURSORS, else one of the caller with the most.
        Raises InvalidRequest, LimitExceeded, CollectionClosed, and TooManyCursors when all of them are being read.
        """
        if seconds < 1:
            raise InvalidRequest("cursor_ttl_seconds", f"{seconds:,} is less than 1")
        if seconds > MAX_CURSOR_SECONDS:
            raise LimitExceeded(
                "cursor_ttl_seconds", limit="MAX_CURSOR_SECONDS", maximum=MAX_CURSOR_SECONDS, actual=seconds
            )
        with collection.hold(), self._changed:  # no files are opened while the lock is held
            self._close_expired()
            # The lock is held here. So `forget` misses no cursor of a collection that is closing.
            snapshot = collection.snapshot()
            try:
                self._make_room(caller)
            except TooManyCursors:
                snapshot.close()
                raise
            now = self._clock()
            token = secrets.token_urlsafe(12)
            names = frozenset((name, collection.name))
            ends = now + MAX_CURSOR_SECONDS
            self._cursors[token] = _Cursor(token, collection, names, snapshot, caller, seconds, ends, now + seconds)
            self._watch()
        return token

    @contextmanager
    def reading(self, token: str, name: str, budget: Budget = UNLIMITED) -> Iterator[Snapshot]:
        """The snapshot of a cursor, for one user at a time. The cursor's time starts again when the context ends.

        Raises CursorExpired, InvalidRequest when the cursor belongs to a collection other than `name`,
        DeadlineExceeded, Cancelled.
        """
        cursor = self._enter(token, name)
        try:
            budget.acquire(cursor.turn)
            try:
                if cursor.closed:
                    raise CursorExpired(token, self._displaced.get(token))
                yield cursor.snapshot
            finally:
                cursor.turn.release()
        finally:
            self._leave(cursor)

    def close(self, token: str) -> bool:
        """Closes a cursor, or marks it so that its last user closes it. Returns False when it is not open."""
        with self._changed:
            self._close_expired()
            cursor = self._cursors.get(token)
            if cursor is not None:
                self._close(cursor)
            return cursor is not None

    def forget(self, collection: Collection) -> None:
        """Closes all cursors of a collection. Requires: the collection gives out no more snapshots."""
        with self._changed:
            for cursor in [cursor for cursor in self._cursors.values() if cursor.collection is collection]:
                self._close(cursor)

    @property
    def count(self) -> int:
        """The number of open cursors."""
        with self._changed:
            self._close_expired()
            return len(self._cursors)

    def _enter(self, token: str, name: str) -> _Cursor:
        with self._changed:
            self._close_expired()
            cursor = self._cursors.get(token)
            if cursor is None:
                raise CursorExpired(token, self._displaced.get(token))
            if name not in cursor.names:
                known = " or ".join(repr(known) for known in sorted(cursor.names))
                raise InvalidRequest("collection_name", f"the cursor belongs to {known}, not to {name!r}")
            cursor.users += 1
            return cursor

    def _leave(self, cursor: _Cursor) -> None:
        with self._changed:
            cursor.users -= 1
            if not cursor.closed:  # moves to the end: the order is that of the last use
                self._cursors[cursor.token] = self._cursors.pop(cursor.token)
            cursor.expires = min(self._clock() + cursor.seconds, cursor.ends)
            if cursor.closed and not cursor.users:
                cursor.snapshot.close()
            self._changed.notify_all()

    def _close(self, cursor: _Cursor) -> None:
        """Requires: the lock. If the cursor has users, the last of them closes the snapshot."""
        del self._cursors[cursor.token]
        cursor.closed = True
        if not cursor.users:
            cursor.snapshot.close()
        self._changed.notify_all()

    def _make_room(self, caller: str) -> None:
        """Closes cursors until `caller` may open one more. Requires: the lock."""
        counts = Counter(cursor.caller for cursor in self._cursors.values())
        if counts[caller] >= MAX_CALLER_CURSORS:
            why = f"its caller opened more than {MAX_CALLER_CURSORS} (MAX_CALLER_CURSORS)"
            self._displace([caller], why, MAX_CALLER_CURSORS)
        elif len(self._cursors) >= MAX_CURSORS:
            most = [name for name, _ in counts.most_common()]  # callers, by how many they have
            self._displace(most, f"callers opened more than {MAX_CURSORS} (MAX_CURSORS)", MAX_CURSORS)

    def _displace(self, callers: Sequence[str], why: str, maximum: int) -> None:
        """Closes the least recently used cursor that nobody reads, of the first of `callers` that has one.

        Raises TooManyCursors when none of them has one. Requires: the lock.
        """
        for caller in callers:
            for cursor in self._cursors.values():  # in the order of their last use
                if cursor.caller == caller and not cursor.users:
                    self._displaced.put(cursor.token, why)
                    return self._close(cursor)
        raise TooManyCursors(maximum)

    def _close_expired(self) -> None:
        """Requires: the lock."""
        now = self._clock()
        for cursor in [cursor for cursor in self._cursors.values() if not cursor.users and cursor.expires <= now]:
            self._close(cursor)

    def _watch(self) -> None:
        """Requires: the lock."""
        if self._sweeper is None:
            self._sweeper = threading.Thread(target=self._sweep, name="cursors", daemon=True)
            self._sweeper.start()
        self._changed.notify_all()

    def _sweep(self) -> None:
        with self._changed:
            while self._cursors:
                next_one = min((each.expires for each in self._cursors.values() if not each.users), default=None)
                self._changed.wait(None if next_one is None else max(0.0, next_one - self._clock()))
                self._close_expired()
            self._sweeper = None
