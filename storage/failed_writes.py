"""What became of writes that nobody waits for: those that failed after they were acknowledged are counted and logged.

It changes nothing about them: each is all or nothing, and one that failed has written nothing.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)

LOG_SECONDS = 10.0
"""Between two log lines about one collection; the later one says how many writes failed in between."""


@dataclass(frozen=True, slots=True)
class FailedWrites:
    """How many writes of a collection failed after they were acknowledged, and which was the last, and why."""

    count: int = 0
    last: str = ""


class FailedWriteLog:
    """By collection, since the process began. Safe to use from many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failed: dict[str, FailedWrites] = {}
        self._logged: dict[str, tuple[float, int]] = {}  # when, and the count then

    def follow(self, future: "Future[Any]", uid: str, collection: str, operation: str) -> None:
        """Notes if `future`, an `operation` on the collection of this uid and name, fails."""

        def note(done: "Future[Any]") -> None:
            error = None if done.cancelled() else done.exception()
            if error is not None:
                self._note(uid, collection, operation, error)

        future.add_done_callback(note)

    def of(self, uid: str) -> FailedWrites:
        return self._failed.get(uid, FailedWrites())

    def forget(self, uid: str) -> None:
        """For a collection that was deleted."""
        with self._lock:
            self._failed.pop(uid, None)
            self._logged.pop(uid, None)

    def _note(self, uid: str, collection: str, operation: str, error: BaseException) -> None:
        last = f"{operation}: {type(error).__name__}: {error}"
        with self._lock:
            count = self.of(uid).count + 1
            self._failed[uid] = FailedWrites(count, last)
            when, before = self._logged.get(uid, (-LOG_SECONDS, 0))
            if before and self._clock() - when < LOG_SECONDS:
                return
            self._logged[uid] = self._clock(), count
        log.warning(
            "collection %r: a write with wait=false failed after it was acknowledged, and wrote nothing: %s "
            "(%d since the last such line, %d in all)",
            collection,
            last,
            count - before,
            count,
        )
