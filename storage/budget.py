"""How much a request may still work: its deadline, whether its caller is still there, rows, memory and reply."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from storage.errors import Cancelled, DeadlineExceeded, ScanTooLarge
from storage.meter import Meter

PULSE_SECONDS = 0.005


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Budget:
    """A deadline in seconds of `time.monotonic()` (None: none) and a way to ask whether the caller gave up.

    `max_scan`: rows that one search may score without an index; None: all. `caller` is who asks: all work of one caller
    counts together where callers take turns; empty: nobody in particular. `meter` counts what the request holds.
    Long loops call `check` between chunks of at most some milliseconds of work.
    """

    deadline: float | None = None
    is_cancelled: Callable[[], bool] = _never
    max_scan: int | None = None
    caller: str = ""
    meter: Meter = field(default_factory=Meter, compare=False)

    @classmethod
    def of_seconds(cls, seconds: float | None) -> "Budget":
        return cls(None if seconds is None else time.monotonic() + seconds)

    def within(self, seconds: float | None, max_scan: int | None) -> "Budget":
        """This budget, with at most `seconds` from now on and `max_scan` rows; None adds no bound."""
        deadline = self.deadline
        if seconds is not None:
            end = time.monotonic() + seconds
            deadline = end if deadline is None else min(deadline, end)
        return replace(self, deadline=deadline, max_scan=self.max_scan if max_scan is None else max_scan)

    def check_scan(self, rows: int) -> None:
        """Raises ScanTooLarge when a search is about to score more rows than it may."""
        if self.max_scan is not None and rows > self.max_scan:
            raise ScanTooLarge(rows=rows, maximum=self.max_scan)

    def pulse(self) -> Callable[[], None]:
        """A function that calls `check` when it did not for PULSE_SECONDS: for loops whose steps differ much."""
        last = time.monotonic()

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
        """Raises DeadlineExceeded or Cancelled when there is no point in going on."""
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise DeadlineExceeded()
        if self.is_cancelled():
            raise Cancelled()


UNLIMITED = Budget()
