"""Counts and logs writes that failed after they were acknowledged, so that somebody learns of them.

It changes nothing about the writes: each one is all or nothing, and a failed one has written nothing.
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
"""Shortest time between two log lines about one collection. The later line says how many writes failed in between."""


@dataclass(frozen=True, slots=True)
class FailedWrites:
    """How many writes of a collection failed after they were acknowledged, and the last of them with its error."""

    count: int = 0
    last: str = ""


class FailedWriteLog:
    """Failed writes by collection, since the process began. Safe for many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failed: dict[str, FailedWrites] = {}
        self._logged: dict[str, tuple[float, int]] = {}  # time of the last log line, and the count at that time

    def follow(self, future: "Future[Any]", uid: str, collection: str, operation: str) -> None:
        """Notes `future` if it fails: an `operation` on the collection with this uid and name."""

        def note(done: "Future[Any]") -> None:
            error = None if done.cancelled() else done.exception()
            if error is not None:
                self._note(uid, collection, operation, error)

        future.add_done_callback(note)

    def of(self, uid: str) -> FailedWrites:
        return self._failed.get(uid, FailedWrites())

    def forget(self, uid: str) -> None:
        """Forgets a collection that was deleted."""
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
