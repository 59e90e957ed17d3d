"""How long a request may still work: its deadline and whether its caller is still there."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from storage.errors import Cancelled, DeadlineExceeded


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Budget:
    """A deadline in seconds of `time.monotonic()` (None: none) and a way to ask whether the caller gave up.

    Long loops call `check` between chunks of at most some milliseconds of work.
    """

    deadline: float | None = None
    is_cancelled: Callable[[], bool] = _never

    @classmethod
    def of_seconds(cls, seconds: float | None) -> "Budget":
        return cls(None if seconds is None else time.monotonic() + seconds)

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
