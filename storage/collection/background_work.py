"""The background work on one collection: the spaces that it runs on, and the spaces on which it failed for good."""

import threading
from collections.abc import Mapping


class BackgroundWork:
    """Maintenance writes it; code that reports the state of a space reads it. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[int, int] = {}
        self._failures: dict[int, str] = {}

    def begin(self, space_uid: int) -> None:
        """Work on a space begins."""
        self._count(space_uid, +1)

    def end(self, space_uid: int) -> None:
        """Work on a space ends."""
        self._count(space_uid, -1)

    def note_failure(self, space_uid: int, reason: str) -> None:
        """Work on a space failed for good, or there is no room for it."""
        self._failures[space_uid] = reason

    def forgive(self, space_uid: int | None = None) -> None:
        """Forgets failures on a space; None: on all spaces."""
        if space_uid is None:
            self._failures.clear()
        else:
            self._failures.pop(space_uid, None)

    @property
    def failures(self) -> Mapping[int, str]:
        """The reason of each failure, by the uid of the space."""
        return self._failures

    @property
    def is_running(self) -> bool:
        return any(self._running.values())

    def runs_on(self, space_uid: int) -> bool:
        return self._running.get(space_uid, 0) > 0

    def _count(self, space_uid: int, step: int) -> None:
        with self._lock:
            self._running[space_uid] = self._running.get(space_uid, 0) + step
