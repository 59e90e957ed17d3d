"""A lane holds the requests of one kind: a few work at a time, and the others wait for their turn.

It does not choose the lane of a request, and knows nothing of gRPC.
"""

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from server.errors import TooManyRequests
from server.lanes.fair_queue import FairQueue

MIN_RETRY_SECONDS, MAX_RETRY_SECONDS = 0.1, 5.0
_SMOOTHING = 0.05  # weight of the newest request in the mean time that a request works


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneBounds:
    """The most requests that a lane lets in.

    `places`: requests that work at the same time.
    `begun`: requests that have begun and not ended. Each keeps a thread and its results so far, also while it waits.
    `begun_of_caller`: the same for one caller.
    `waiting`: requests that have not begun.
    """

    places: int
    begun: int
    begun_of_caller: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneCounts:
    """Counts of requests in a lane.

    `working`, `begun` and `waiting` are those of now; `started` and `refused` are totals since the server started.
    `waited_seconds` is the total time that requests waited before they began.
    """

    working: int
    begun: int
    waiting: int
    started: int
    refused: int
    waited_seconds: float


class Member(Protocol):
    """A request in a lane."""

    caller: str
    arrived: float
    is_begun: bool

    def granted(self) -> None:
        """Tells the request that it has a place. The lane's lock is held during the call, so this must not wait."""


class Lane:
    """Gives places to requests, within its bounds. Safe for many threads."""

    def __init__(self, name: str, bounds: LaneBounds) -> None:
        self.name = name
        self._bounds = bounds
        self._lock = threading.Lock()
        self._queue: FairQueue[Member] = FairQueue()
        self._working = 0
        self._begun = 0
        self._begun_of: Counter[str] = Counter()
        self._started = self._refused = 0
        self._waited = 0.0
        self._mean_seconds = 0.01

    def start(self, member: Member) -> Member | None:
        """Lets a request begin, now or later. If the lane is full, returns the request that must be refused; else None.

        The refused request is the last one of the caller that has the most waiting. So a caller with many requests does
        not shut out a caller with few.
        """
        with self._lock:
            if not self._queue and self._working < self._bounds.places and self._may_begin(member.caller):
                self._begin(member)
                return None
            refused: Member | None = None
            if len(self._queue) >= self._bounds.waiting:
                refused = self._queue.take_from_longest(member.caller) or member
                self._refused += 1
            if refused is not member:
                self._queue.add(member, begun=False)
                self._grant()
            return refused

    def resume(self, member: Member) -> None:
        """Gives a place, now or later, to a request that has begun.

        Such a request is never refused, and comes before new requests of its caller."""
        with self._lock:
            if not self._queue and self._working < self._bounds.places:
                self._working += 1
                member.granted()
            else:
                self._queue.add(member, begun=True)
                self._grant()

    def adopt(self, member: Member) -> None:
        """Counts a request that began in another lane. It has no place here yet."""
        with self._lock:
            self._begun += 1
            self._begun_of[member.caller] += 1

    def rest(self) -> None:
        """Takes back the place of a request that has not ended."""
        with self._lock:
            self._working -= 1
            self._grant()

    def end(self, member: Member, seconds: float, *, working: bool) -> None:
        """Removes a request that has ended after `seconds`. `working`: it still had its place."""
        with self._lock:
            self._working -= working
            self._begun -= 1
            self._begun_of[member.caller] -= 1
            if not self._begun_of[member.caller]:
                del self._begun_of[member.caller]
            self._mean_seconds += _SMOOTHING * (seconds - self._mean_seconds)
            self._grant()

    def forget(self, member: Member) -> bool:
        """Removes a request that waits. Returns False if it did not wait here."""
        with self._lock:
            return self._queue.remove(member)

    def clear(self) -> list[Member]:
        """Takes out and returns all requests that have not begun."""
        with self._lock:
            return self._queue.take_all_new()

    @property
    def is_wanted(self) -> bool:
        """Whether a request waits here."""
        return len(self._queue) > 0

    def full(self) -> TooManyRequests:
        """Makes the error for a request that is refused. It holds an estimate, in seconds, of when to try again."""
        seconds = self._mean_seconds * len(self._queue) / self._bounds.places
        retry = min(max(seconds, MIN_RETRY_SECONDS), MAX_RETRY_SECONDS)
        return TooManyRequests(f"too many {self.name} requests are waiting", self._bounds.waiting, retry)

    def counts(self) -> LaneCounts:
        """Returns the counts of this lane."""
        with self._lock:
            return LaneCounts(
                working=self._working,
                begun=self._begun,
                waiting=len(self._queue),
                started=self._started,
                refused=self._refused,
                waited_seconds=self._waited,
            )

    def _grant(self) -> None:
        while self._queue and self._working < self._bounds.places:
            member = self._queue.next(self._may_begin)
            if member is None:
                return
            if member.is_begun:
                self._working += 1
                member.granted()
            else:
                self._begin(member)

    def _begin(self, member: Member) -> None:
        self._working += 1
        self._begun += 1
        self._begun_of[member.caller] += 1
        self._started += 1
        self._waited += time.monotonic() - member.arrived
        member.granted()

    def _may_begin(self, caller: str) -> bool:
        return self._begun < self._bounds.begun and self._begun_of[caller] < self._bounds.begun_of_caller
