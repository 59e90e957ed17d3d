"""Opens the collections that were used last, so that the first request after a restart need not wait.

The work starts before the server is ready. The server waits for the fast part. The rest goes on while requests are
served.
"""

import logging
import threading
import time

from planner.engine import Engine
from storage.collection import Collection
from storage.database import Database
from storage.errors import EngineError

log = logging.getLogger(__name__)

MAX_REOPENED = 8
"""Collections that are opened ahead.

Each needs some files and, for its indexes, the memory it had before the restart.
"""

READY_PROCESSOR_SECONDS = 0.5
"""Processor time after which the server becomes ready anyway. Indexing a hundred thousand texts takes a little less."""

READY_SECONDS = 2.0
"""The longest time until the server is ready. It is enough to walk the pages of a small collection after a kill."""

_POLL_SECONDS = 0.005


class Reopening:
    """One thread, which ends when its work is done."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine
        self._stopping = threading.Event()
        self._is_ready = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reopening", daemon=True)

    def start(self) -> None:
        """Starts the work. Returns when it is done, or when the server must not wait longer."""
        processor, ends = time.process_time(), time.monotonic() + READY_SECONDS
        self._thread.start()
        while not self._done.wait(_POLL_SECONDS):
            if time.process_time() - processor >= READY_PROCESSOR_SECONDS or time.monotonic() >= ends:
                log.info("the collections used last are opened while requests are served")
                break
        self._is_ready.set()

    def close(self) -> None:
        """Opens no further collection, and waits for the one that is being opened."""
        self._stopping.set()
        self._is_ready.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            opened = [
                self._open(name) for name in self._database.usage.last_used(MAX_REOPENED) if not self._stopping.is_set()
            ]
            for collection in opened:  # collections that the first pass had to leave
                if collection is not None:
                    self._wait_until_prepared(collection, self._stopping)
                    self._ask(collection)
        except EngineError as error:
            log.debug("no collection is opened ahead: %s", error)
        finally:
            self._done.set()

    def _open(self, name: str) -> Collection | None:
        """Opens a collection. Unless the server is ready by then, also asks it.

        Returns it if it is still to be asked.
        """
        try:
            collection = self._database.collection(name)
        except EngineError as error:  # the next request for it gets the error
            log.debug("collection %r is not opened ahead: %s", name, error)
            return None
        self._wait_until_prepared(collection, self._is_ready)
        if self._is_ready.is_set():
            return collection
        self._ask(collection)
        return None

    def _wait_until_prepared(self, collection: Collection, ended: threading.Event) -> None:
        while self._engine.derived.is_preparing(collection) and not ended.wait(_POLL_SECONDS):
            pass

    def _ask(self, collection: Collection) -> None:
        try:
            if not self._stopping.is_set():
                self._engine.derived.ask_first(collection, self._stopping.is_set)
        except EngineError as error:
            log.debug("collection %r is not asked ahead: %s", collection.name, error)
