"""Opens the collections that were used last, after the server became ready: whoever asks for one next need not wait."""

import logging
import threading

from storage.database import Database
from storage.errors import EngineError

log = logging.getLogger(__name__)

MOST = 8
"""Collections opened so. Each takes some files and, with its indexes, memory that it took before the restart."""


class Reopening:
    """One thread, which ends by itself when it is done."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reopening", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Opens no further one; waits for the one that is being opened."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            for name in self._database.last_used(MOST):
                if self._stopping.is_set():
                    return
                self._open(name)
        except EngineError as error:
            log.debug("no collection is opened ahead: %s", error)

    def _open(self, name: str) -> None:
        try:
            self._database.collection(name)
        except EngineError as error:  # whoever asks for it is told
            log.debug("collection %r is not opened ahead: %s", name, error)
