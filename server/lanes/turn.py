"""A turn follows one request through the lanes: it waits, works, rests while it waits for something else, and ends.

It does not choose the lane; admission does. It knows gRPC only through the functions that it is given.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from server.lanes.lane import Lane
from storage.errors import Cancelled, DeadlineExceeded, EngineError, ShuttingDown

SLICE_SECONDS = 0.02
"""A request works for this time before waiting requests may get its place.

It is short, so that nobody waits long. It is long enough that the change of requests costs almost nothing in
comparison."""

CHEAP_SECONDS = 0.03
"""A cheap request that has used this much processor time continues in the dear lane."""


class _State(Enum):
    NEW = 1
    WORKING = 2
    RESTING = 3
    WAITING = 4  # for its next turn
    ENDED = 5


class House(Protocol):
    """What a turn needs from admission."""

    cheap: Lane
    dear: Lane
    ended: bool

    def run(self, work: Callable[[], None]) -> None: ...
    def left(self, turn: "Turn") -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The functions that answer the call of a turn. `work` needs a thread, and may wait; the others do not wait."""

    work: Callable[[], None]
    refuse: Callable[[EngineError], None]
    cancel: Callable[[EngineError], None]


class Turn:
    """One request of `size` bytes, made when it has arrived. Only the thread that works for it may pause or rest."""

    __slots__ = (
        "_began",
        "_cpu",
        "_gone",
        "_has_place",
        "_house",
        "_state",
        "_thread",
        "_until",
        "_wake",
        "access",
        "arrived",
        "call",
        "caller",
        "deadline",
        "is_begun",
        "lane",
        "request",
        "size",
    )

    def __init__(self, house: House, lane: Lane, caller: str, size: int) -> None:
        self._house = house
        self.lane = lane
        self.caller = caller
        self.size = size
        self.call: Call | None = None
        self.request: object = None
        self.access: object = None
        self.deadline: float | None = None
        self.arrived = time.monotonic()
        self.is_begun = False
        self._state = _State.NEW
        self._gone = False
        self._has_place = False
        self._wake: threading.Lock | None = None
        self._thread = 0
        self._began = self._cpu = self._until = 0.0

    def granted(self) -> None:
        """See Member. A new request begins in a thread of admission.

        A request that has begun continues in its own thread.
        """
        self._has_place = True
        if self.is_begun:
            assert self._wake is not None
            self._wake.release()
        else:
            self.is_begun = True
            assert self.call is not None
            self._house.run(self.call.work)

    @property
    def is_over(self) -> bool:
        """Whether the caller has left or was answered."""
        return self._gone

    def begin(self) -> None:
        """Says that the current thread works for the request from now on. Requires: a place was granted."""
        self._thread = threading.get_ident()
        self._began = time.monotonic()
        self._cpu = time.thread_time()
        self._until = self._began + SLICE_SECONDS
        self._state = _State.WORKING

    def reroute(self, lane: Lane) -> None:
        """Moves the request to the end of another lane, as if it came now. The current thread stops working for it."""
        self._leave()
        self.is_begun = False
        self._state = _State.NEW
        self.lane = lane

    def pause(self) -> None:
        """See storage.budget.Turn."""
        if time.monotonic() < self._until:
            return
        if self._house.ended:
            raise ShuttingDown()
        if self._state is not _State.WORKING or threading.get_ident() != self._thread:
            return
        if self.lane is self._house.cheap:
            if time.thread_time() - self._cpu >= CHEAP_SECONDS:
                self._move(self._house.dear)
        elif self.lane.is_wanted:
            self._rest()
            self._wait()
        self._until = time.monotonic() + SLICE_SECONDS

    def idle(self) -> AbstractContextManager[None]:
        """See storage.budget.Turn."""
        if self._state is not _State.WORKING or threading.get_ident() != self._thread:
            return nullcontext()
        return self._resting()

    def end(self) -> None:
        """Says that the request was answered.

        Drops the call, because for gRPC a call is open as long as it is referenced.
        """
        self._leave()
        self._state = _State.ENDED
        self._house.left(self)
        self.call = None

    def caller_left(self) -> None:
        """Says that the call is over: it was answered, or its caller has left. The request stops waiting."""
        self._gone = True
        if self._state is _State.NEW:
            if self.lane.forget(self):
                self._state = _State.ENDED
                self._house.left(self)
                self.call = None
        else:
            self.interrupt()

    def interrupt(self) -> None:
        """Makes the request fail if it waits for its next turn. Does nothing otherwise."""
        if self._state is _State.WAITING and self.lane.forget(self):
            assert self._wake is not None
            self._wake.release()

    @contextmanager
    def _resting(self) -> Iterator[None]:
        self._rest()
        yield
        # After an error this line is not reached: what is left to do then needs no place.
        self._wait()

    def _rest(self) -> None:
        self._state = _State.RESTING
        self._has_place = False
        self.lane.rest()

    def _move(self, lane: Lane) -> None:
        """Moves the request to another lane, and waits for a place there."""
        lane.adopt(self)
        self._leave()
        self._state = _State.RESTING
        self.lane = lane
        self._wait()

    def _leave(self) -> None:
        has_place, self._has_place = self._has_place, False
        self.lane.end(self, time.monotonic() - self._began, working=has_place)

    def _wait(self) -> None:
        """Waits for a place. Raises DeadlineExceeded, Cancelled or ShuttingDown if the request gets none."""
        if self._wake is None:
            self._wake = threading.Lock()
            self._wake.acquire()
        self._state = _State.WAITING
        self.lane.resume(self)
        if self._gone:
            self.interrupt()
        remaining = -1.0 if self.deadline is None else max(0.0, self.deadline - time.monotonic())
        if not self._wake.acquire(timeout=min(remaining, threading.TIMEOUT_MAX)) and not self.lane.forget(self):
            self._wake.acquire()  # a place was granted at the last moment
        if not self._has_place:
            self._state = _State.RESTING
            raise ShuttingDown() if self._house.ended else Cancelled() if self._gone else DeadlineExceeded()
        self._state = _State.WORKING
