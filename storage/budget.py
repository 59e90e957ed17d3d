"""What a request may still use: time, rows to score, memory and bytes of reply. It also tells when the caller went
away."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from storage.errors import Cancelled, DeadlineExceeded, ScanTooLarge
from storage.meter import Meter

PULSE_SECONDS = 0.005
_POLL_SECONDS = 0.05  # how soon a caller that went away is noticed while it waits for a lock


class Turn(Protocol):
    """Decides who works now, where callers take turns. In threads other than the request's own it does nothing."""

    def pause(self) -> None:
        """Lets others work if it is their turn. Returns when it is the request's turn again.

        Raises DeadlineExceeded, Cancelled or ShuttingDown when the request must not go on.
        """

    def idle(self) -> AbstractContextManager[None]:
        """A context in which the request waits for something else while others work."""


class Watcher(Protocol):
    """Wants to know how the queries of a request are planned and run. Its methods do not wait."""

    @property
    def traces(self) -> bool:
        """Whether all is wanted that happens while they run, which then takes longer."""

    def is_slow(self) -> bool:
        """Whether the request has taken so long that the plans of its queries are wanted."""

    def ran(self, run: Any) -> None:
        """Is told of a run of queries: see planner/explain/runs.py."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Budget:
    """The deadline of a request, in seconds of `time.monotonic()` (None: none), and a way to ask whether the caller
    gave up.

    `max_scan`: rows that one search may score without an index; None: all. `caller`: who asks. Where callers take
    turns, the work of one caller is counted together; empty means nobody in particular. `meter` counts what the request
    holds. `turn` is the request's turn to work; None: it need not wait for others. `watcher`: see Watcher.
    Long loops call `check` between chunks of a few milliseconds of work. `check` may let others work before it returns.
    So take a lock that is held across `check` with `acquire`: while it waits, others work too.
    """

    deadline: float | None = None
    is_cancelled: Callable[[], bool] = _never
    max_scan: int | None = None
    caller: str = ""
    meter: Meter = field(default_factory=Meter, compare=False)
    turn: Turn | None = None
    watcher: Watcher | None = None

    @classmethod
    def of_seconds(cls, seconds: float | None) -> "Budget":
        return cls(None if seconds is None else time.monotonic() + seconds)

    def within(self, seconds: float | None, max_scan: int | None) -> "Budget":
        """Returns this budget, limited to `seconds` from now and to `max_scan` rows; None adds no bound."""
        if seconds is None and max_scan is None:
            return self
        deadline = self.deadline
        if seconds is not None:
            end = time.monotonic() + seconds
            deadline = end if deadline is None else min(deadline, end)
        return replace(self, deadline=deadline, max_scan=self.max_scan if max_scan is None else max_scan)

    def check_scan(self, rows: int) -> None:
        """Raises ScanTooLarge when a search is about to score more than `max_scan` rows."""
        if self.max_scan is not None and rows > self.max_scan:
            raise ScanTooLarge(rows=rows, maximum=self.max_scan)

    def pulse(self) -> Callable[[], None]:
        """Returns a function for loops whose steps take very different times.

        The function calls `check` the first time, and again when PULSE_SECONDS have passed since the last `check`.
        """
        last = -PULSE_SECONDS

        def beat() -> None:
            nonlocal last
            now = time.monotonic()
            if now - last > PULSE_SECONDS:
                last = now
                self.check()

        return beat

    def hold(self, size: int, what: str) -> None:
        """Counts `size` bytes of memory that `what` takes until the request ends. Raises RequestTooLarge."""
        self.meter.hold(size, what)

    @contextmanager
    def holding(self, size: int, what: str) -> Iterator[None]:
        """Counts `size` bytes of memory while the context lasts. Raises RequestTooLarge."""
        self.meter.hold(size, what)
        try:
            yield
        finally:
            self.meter.release(size)

    def answer(self, size: int) -> None:
        """Counts `size` bytes that the reply is about to grow by. Raises ReplyTooLarge."""
        self.meter.answer(size)

    def remaining(self) -> float | None:
        """Seconds left, at least 0; None without a deadline."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def check(self) -> None:
        """Raises DeadlineExceeded, Cancelled or ShuttingDown when the work is of no more use."""
        self._check_end()
        if self.turn is not None:
            self.turn.pause()

    def idle(self) -> AbstractContextManager[None]:
        """A context for waiting: for a disk, another thread or another server. Others work meanwhile."""
        return nullcontext() if self.turn is None else self.turn.idle()

    def acquire(self, lock: threading.Lock) -> None:
        """Waits for `lock` and lets others work meanwhile. Raises what `check` raises."""
        if lock.acquire(blocking=False):
            return
        held = False
        try:
            with self.idle():
                while not lock.acquire(timeout=_POLL_SECONDS):
                    self._check_end()
                held = True
        except BaseException:
            if held:
                lock.release()
            raise

    def _check_end(self) -> None:
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise DeadlineExceeded()
        if self.is_cancelled():
            raise Cancelled()


UNLIMITED = Budget()
