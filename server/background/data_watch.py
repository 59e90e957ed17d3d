"""Checks regularly whether the data directory can be written, and tells health. It repairs nothing."""

import logging
import threading
from collections.abc import Callable

from server.rpc import Health
from storage.errors import StorageFailed

log = logging.getLogger("server")

PERIOD_SECONDS = 1.0


class DataWatch:
    """A thread that checks every PERIOD_SECONDS until it is closed."""

    def __init__(self, health: Health, check: Callable[[], None]) -> None:
        """`check` raises StorageFailed while the data directory cannot be written."""
        self._health = health
        self._check = check
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="data-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the checks."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        lost = False
        while not self._stopping.wait(PERIOD_SECONDS):
            try:
                self._check()
            except StorageFailed as error:
                if not lost:
                    log.error("not serving: %s", error.message)
                    self._health.not_ready()
                lost = True
            else:
                if lost:
                    log.info("serving again: the data directory is back")
                    self._health.ready()
                lost = False
