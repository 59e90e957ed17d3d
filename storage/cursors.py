"""Cursors: snapshots that are kept open between requests, each for a limited time. They read nothing themselves."""

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
"""Cursors that one caller has open: its next one takes the place of the one that it used last the longest ago."""

MAX_CURSORS = 512
"""Cursors open at once: each keeps the files of its commit, and what was written since, from being reclaimed.

The next one takes the place of one of the caller that has the most.
"""

_REMEMBERED = 1_024
"""Cursors that made room for others, whose users are told so."""

MAX_CURSOR_SECONDS = 3_600
"""Seconds that a cursor lives after its last use, and in all."""


@dataclass(slots=True, eq=False)
class _Cursor:
    """`names`: how a request may call its collection. `users`: requests that read it or wait to. Guarded by the lock
    of the registry, but for `snapshot`, which is for the holder of `turn`."""

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
    """Safe for many threads. A thread of its own closes what is not used in time; it runs while a cursor is open."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._cursors: dict[str, _Cursor] = {}
        self._changed = threading.Condition()
        self._displaced: BoundedCache[str, str] = BoundedCache(_REMEMBERED)
        self._sweeper: threading.Thread | None = None

    def open(self, collection: Collection, name: str, seconds: int, caller: str = "") -> str:
        """Keeps the newest commit of `collection`, which the request called `name`; returns the cursor's token.

        Where there is no room, a cursor that nobody reads is closed: of `caller` when it has as many as it may, else of
        whoever has the most, the one used last the longest ago.
        Raises InvalidRequest, LimitExceeded, CollectionClosed, TooManyCursors when all are being read.
        """
        if seconds < 1:
            raise InvalidRequest("cursor_ttl_seconds", f"{seconds:,} is less than 1")
        if seconds > MAX_CURSOR_SECONDS:
            raise LimitExceeded(
                "cursor_ttl_seconds", limit="MAX_CURSOR_SECONDS", maximum=MAX_CURSOR_SECONDS, actual=seconds
            )
        with collection.hold(), self._changed:  # held, so that nobody waits for the lock while files are opened
            self._close_expired()
            # With the lock held, so that `forget` finds every cursor of a collection that gives out no more snapshots.
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
        """The snapshot of a cursor, for one user at a time. Its time begins anew at the end.

        Raises CursorExpired, InvalidRequest when it is of another collection than `name`, DeadlineExceeded, Cancelled.
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
                raise CursorExpired(token, self._displaced.get(token))
            if name not in cursor.names:
                known = " or ".join(repr(known) for known in sorted(cursor.names))
                raise InvalidRequest("collection_name", f"the cursor is of {known}, not of {name!r}")
            cursor.users += 1
            return cursor

    def _leave(self, cursor: _Cursor) -> None:
        with self._changed:
            cursor.users -= 1
            if not cursor.closed:  # behind those that were not used since
                self._cursors[cursor.token] = self._cursors.pop(cursor.token)
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

    def _make_room(self, caller: str) -> None:
        """Closes as many cursors as keep a new one of `caller` from being opened. Requires: the lock."""
        counts = Counter(cursor.caller for cursor in self._cursors.values())
        if counts[caller] >= MAX_CALLER_CURSORS:
            why = f"its caller opened more than {MAX_CALLER_CURSORS} (MAX_CALLER_CURSORS)"
            self._displace([caller], why, MAX_CALLER_CURSORS)
        elif len(self._cursors) >= MAX_CURSORS:
            most = [name for name, _ in counts.most_common()]  # the first whose cursors are not all being read
            self._displace(most, f"callers opened more than {MAX_CURSORS} (MAX_CURSORS)", MAX_CURSORS)

    def _displace(self, callers: Sequence[str], why: str, maximum: int) -> None:
        """Closes the cursor, of the first of `callers` that has one at rest, that was used last the longest ago.

        Raises TooManyCursors without one. Requires: the lock.
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
