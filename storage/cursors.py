"""Cursors: snapshots that are kept open between requests, each for a limited time. They read nothing themselves."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.errors import CursorExpired, InvalidRequest, LimitExceeded, TooManyCursors
from storage.snapshot import Snapshot

MAX_CURSORS = 64
"""Cursors open at once: each keeps the files of its commit, and what was written since, from being reclaimed."""

MAX_CURSOR_SECONDS = 3_600
"""Seconds that a cursor lives after its last use, and in all."""

_POLL_SECONDS = 0.25  # how soon a caller that went away is noticed


@dataclass(slots=True, eq=False)
class _Cursor:
    """`names`: how a request may call its collection. `users`: requests that read it or wait to. Guarded by the lock
    of the registry, but for `snapshot`, which is for the holder of `turn`."""

    token: str
    collection: Collection
    names: frozenset[str]
    snapshot: Snapshot
    seconds: int
    ends: float
    expires: float
    users: int = 0
    closed: bool = False
    turn: threading.Lock = field(default_factory=threading.Lock)


class Cursors:
    """Safe for many threads. A thread of its own closes what is not used in time; it runs while a cursor is open."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._cursors: dict[str, _Cursor] = {}
        self._changed = threading.Condition()
        self._sweeper: threading.Thread | None = None

    def open(self, collection: Collection, name: str, seconds: int) -> str:
        """Keeps the newest commit of `collection`, which the request called `name`; returns the cursor's token.

        Raises InvalidRequest, LimitExceeded, TooManyCursors, CollectionClosed.
        """
        if seconds < 1:
            raise InvalidRequest("cursor_ttl_seconds", f"{seconds:,} is less than 1")
        if seconds > MAX_CURSOR_SECONDS:
            raise LimitExceeded(
                "cursor_ttl_seconds", limit="MAX_CURSOR_SECONDS", maximum=MAX_CURSOR_SECONDS, actual=seconds
            )
        with collection.hold(), self._changed:  # held, so that nobody waits for the lock while files are opened
            self._close_expired()
            if len(self._cursors) >= MAX_CURSORS:
                raise TooManyCursors(MAX_CURSORS)
            # With the lock held, so that `forget` finds every cursor of a collection that gives out no more snapshots.
            snapshot = collection.snapshot()
            now = self._clock()
            token = secrets.token_urlsafe(12)
            names = frozenset((name, collection.name))
            ends = now + MAX_CURSOR_SECONDS
            self._cursors[token] = _Cursor(token, collection, names, snapshot, seconds, ends, now + seconds)
            self._watch()
        return token

    @contextmanager
    def reading(self, token: str, name: str, budget: Budget = UNLIMITED) -> Iterator[Snapshot]:
        """The snapshot of a cursor, for one user at a time. Its time begins anew at the end.

        Raises CursorExpired, InvalidRequest when it is of another collection than `name`, DeadlineExceeded, Cancelled.
        """
        cursor = self._enter(token, name)
        try:
            while not cursor.turn.acquire(timeout=_POLL_SECONDS):
                budget.check()
            try:
                if cursor.closed:
                    raise CursorExpired(token)
                yield cursor.snapshot
            finally:
                cursor.turn.release()
        finally:
            self._leave(cursor)

    def close(self, token: str) -> bool:
        """Closes a cursor, at the latest when its users are done. False when it is not open."""
        with self._changed:
            self._close_expired()
            cursor = self._cursors.get(token)
            if cursor is not None:
                self._close(cursor)
            return cursor is not None

    def forget(self, collection: Collection) -> None:
        """Closes the cursors of a collection. Requires: it gives out no more snapshots."""
        with self._changed:
            for cursor in [cursor for cursor in self._cursors.values() if cursor.collection is collection]:
                self._close(cursor)

    @property
    def count(self) -> int:
        """Cursors that are open."""
        with self._changed:
            self._close_expired()
            return len(self._cursors)

    def _enter(self, token: str, name: str) -> _Cursor:
        with self._changed:
            self._close_expired()
            cursor = self._cursors.get(token)
            if cursor is None:
                raise CursorExpired(token)
            if name not in cursor.names:
                known = " or ".join(repr(known) for known in sorted(cursor.names))
                raise InvalidRequest("collection_name", f"the cursor is of {known}, not of {name!r}")
            cursor.users += 1
            return cursor

    def _leave(self, cursor: _Cursor) -> None:
        with self._changed:
            cursor.users -= 1
            cursor.expires = min(self._clock() + cursor.seconds, cursor.ends)
            if cursor.closed and not cursor.users:
                cursor.snapshot.close()
            self._changed.notify_all()

    def _close(self, cursor: _Cursor) -> None:
        """Requires: the lock. The last user, if there is one, closes the snapshot."""
        del self._cursors[cursor.token]
        cursor.closed = True
        if not cursor.users:
            cursor.snapshot.close()
        self._changed.notify_all()

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
