"""Admission: all lanes of a server, the bounds on what waits, and the drain at a stop. It knows no messages."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import assert_never

from server.errors import TooManyRequests
from server.lanes.costs import Kind
from server.lanes.lane import Lane, LaneBounds, LaneCounts
from server.lanes.threads import Threads
from server.lanes.turn import Turn
from server.lanes.watchdog import Watchdog
from storage.errors import DeadlineExceeded, EngineError, ShuttingDown

_CHEAP_BEGUN = 256  # most of them wait for a commit to be durable
_CHEAP_BEGUN_OF_CALLER = 128
_DEAR_BEGUN = 16
_TASK_BEGUN = 64
_TASK_BEGUN_OF_CALLER = 16
_TASK_PLACES = 4
_HEALTH_PLACES = 2
_WATCH_PLACES = 8
_HEALTH_WAITING = 4_096
_REFLECTION_PLACES = 2
_REFLECTIONS = 16
_REFLECTIONS_OF_CALLER = 2
_STREAMS_OF_CALLER = 4
_WAIT_STEP_SECONDS = 0.02
# At a stop, a server that has answered all calls ends after _QUIET_SECONDS without a new call. If callers keep asking,
# it ends after _MAX_QUIET_SECONDS.
_QUIET_SECONDS = 0.1
_MAX_QUIET_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionBounds:
    """Settings of admission.

    `workers` cheap and `dear_workers` dear requests work at a time; None: half the processors, or one. `streams` may be
    open, and each may stand still for `stream_idle_seconds`. `waiting` requests and `waiting_bytes` of messages may
    wait.
    """

    workers: int = 8
    dear_workers: int | None = None
    streams: int = 16
    stream_idle_seconds: float = 30.0
    waiting: int = 4_096
    waiting_bytes: int = 512 * 2**20


class Admission:
    """The lanes by name. Safe for many threads."""

    def __init__(self, bounds: AdmissionBounds) -> None:
        self._bounds = bounds
        self._threads = Threads("request")
        self.watchdog = Watchdog()
        self._lock = threading.Lock()
        self._turns: set[Turn] = set()
        self._bytes = 0
        self._arrived = 0.0
        self._refuses = False
        self.ended = False
        """Whether running requests must end too."""
        dear = bounds.dear_workers or max(1, (os.cpu_count() or 1) // 2)
        few = max(1, bounds.waiting // 8)
        self.cheap = _lane("cheap", bounds.workers, _CHEAP_BEGUN, _CHEAP_BEGUN_OF_CALLER, bounds.waiting)
        self.dear = _lane("dear", dear, max(_DEAR_BEGUN, dear), max(_DEAR_BEGUN // 2, dear), few)
        self.tasks = _lane("task", _TASK_PLACES, _TASK_BEGUN, _TASK_BEGUN_OF_CALLER, few)
        self.health = _lane("health", _HEALTH_PLACES, _HEALTH_PLACES, _HEALTH_PLACES, _HEALTH_WAITING)
        self.watches = _lane("watch", _WATCH_PLACES, _WATCH_PLACES, 1, _HEALTH_WAITING)
        self.reflection = _lane("reflection", _REFLECTION_PLACES, _REFLECTIONS, _REFLECTIONS_OF_CALLER, few)
        self.streams = _lane("stream", dear, bounds.streams, min(_STREAMS_OF_CALLER, bounds.streams), few)

    def of_kind(self, kind: Kind) -> Lane:
        """The lane of requests of a kind."""
        match kind:
            case Kind.CHEAP:
                return self.cheap
            case Kind.DEAR:
                return self.dear
            case Kind.TASK:
                return self.tasks
        assert_never(kind)

    def standing(self, turn: Turn) -> AbstractContextManager[None]:
        """A context in which a stream waits for its client. After `stream_idle_seconds` the stream is ended."""
        seconds = self._bounds.stream_idle_seconds

        def give_up() -> None:
            call = turn.call
            if call is not None:
                call.cancel(DeadlineExceeded(f"the stream stood still for {seconds:g} s"))

        return self.watchdog.within(seconds, give_up)

    def check_open(self) -> None:
        """Raises ShuttingDown if the server accepts nothing new."""
        if self._refuses:
            self._arrived = time.monotonic()
            raise ShuttingDown()

    def start(self, turn: Turn) -> None:
        """Lets a request begin when it is its turn. If there is no room, a request is refused."""
        with self._lock:
            full = self._bytes + turn.size > self._bounds.waiting_bytes and self._bytes > 0
            if not full:
                self._bytes += turn.size
                self._turns.add(turn)
        if full:
            what = "too many bytes of requests are waiting"
            _refuse(turn, TooManyRequests(what, self._bounds.waiting_bytes, 1.0))
        else:
            self.place(turn)

    def place(self, turn: Turn) -> None:
        """As `start`, for a request that has begun: it moves to another lane."""
        lane = turn.lane
        refused = lane.start(turn)
        if isinstance(refused, Turn):
            self.left(refused)
            _refuse(refused, lane.full())

    def left(self, turn: Turn) -> None:
        """Tells admission that a request has ended, or no longer waits."""
        with self._lock:
            if turn in self._turns:
                self._turns.discard(turn)
                self._bytes -= turn.size

    def run(self, work: Callable[[], None]) -> None:
        """Runs `work` in a thread. Does not wait."""
        self._threads.run(work)

    def drain(self, seconds: float) -> None:
        """Accepts nothing new, and waits until all requests are answered, at most `seconds`.

        Then it refuses the requests that still wait, and tells those that work to end.
        """
        self._arrived = time.monotonic()
        end = self._arrived + seconds
        self._refuses = True
        for turn in list(self._turns):
            if turn.lane is self.reflection:
                _cancel(turn)
        empty_since = None
        while (now := time.monotonic()) < end:
            empty_since = None if self._turns else now if empty_since is None else empty_since
            if empty_since is not None and (
                now - self._arrived > _QUIET_SECONDS or now - empty_since > _MAX_QUIET_SECONDS
            ):
                return
            time.sleep(_WAIT_STEP_SECONDS)
        self.ended = True
        for lane in self._lanes():
            for waiting in lane.clear():
                assert isinstance(waiting, Turn)
                self.left(waiting)
                _refuse(waiting, ShuttingDown())
        for turn in list(self._turns):
            turn.interrupt()

    def await_answers(self, seconds: float) -> None:
        """Returns when all accepted requests are answered, or after `seconds`."""
        end = time.monotonic() + seconds
        while self._turns and time.monotonic() < end:
            time.sleep(_WAIT_STEP_SECONDS)

    def cancel_all(self) -> None:
        """Ends all calls that are not answered yet as UNAVAILABLE."""
        for turn in list(self._turns):
            _cancel(turn)

    def close(self, seconds: float) -> bool:
        """Ends the threads. False if some still work after `seconds`."""
        return self._threads.close(seconds)

    @property
    def accepted_bytes(self) -> int:
        """Bytes of the messages of requests that wait or are served."""
        return self._bytes

    def counts(self) -> Mapping[str, LaneCounts]:
        """The counts of each lane now."""
        return {lane.name: lane.counts() for lane in self._lanes()}

    def _lanes(self) -> tuple[Lane, ...]:
        return self.cheap, self.dear, self.tasks, self.health, self.watches, self.reflection, self.streams


def _lane(name: str, places: int, begun: int, begun_of_caller: int, waiting: int) -> Lane:
    return Lane(name, LaneBounds(places=places, begun=begun, begun_of_caller=begun_of_caller, waiting=waiting))


def _refuse(turn: Turn, error: EngineError) -> None:
    call, turn.call = turn.call, None
    if call is not None:
        call.refuse(error)


def _cancel(turn: Turn) -> None:
    call = turn.call
    if call is not None:
        call.cancel(ShuttingDown())
