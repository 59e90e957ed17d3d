"""The collections of a database by uid: one object each, made on first use; which of them people closed or are broken.

Names are the catalog's; opening files is opening/open_on_use.py's.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from storage.budget import Budget
from storage.collection import Collection
from storage.errors import CollectionClosed, CollectionNotFound, EngineError, ShuttingDown
from storage.tables import CollectionState

CLOSE_THREADS = 16
"""Threads that close collections at a stop: most of closing is waiting for the disk."""

_POLL_SECONDS = 0.25  # how soon a caller that went away is noticed


@dataclass(frozen=True, slots=True)
class CollectionStatus:
    """The state of a collection, and the reason when it is ERROR."""

    state: CollectionState
    reason: str = ""


class Registry:
    """Safe for many threads. No lock is held while a collection is opened or closed."""

    def __init__(
        self,
        make: Callable[[str, str], Collection],
        *,
        is_known: Callable[[str], bool],
        leaving: Callable[[Collection], None],
        left: Callable[[Collection], None],
        reopen_on_use: bool,
    ) -> None:
        """`make` makes the object of a name and a uid; `is_known` says whether a uid is one of the catalog's.

        `leaving` is called with each collection that is about to be closed for good, `left` once it is.
        """
        self.make = make
        self._is_known = is_known
        self._leaving_hook = leaving
        self._left_hook = left
        self._reopen_on_use = reopen_on_use
        self._collections: dict[str, Collection] = {}
        self._closed: set[str] = set()
        self._leaving: set[str] = set()
        self._removed: set[str] = set()
        self._broken: dict[str, EngineError] = {}
        self._stopping = False
        self._changed = threading.Condition()

    def get(self, name: str, uid: str, budget: Budget, *, reopen: bool = False) -> Collection:
        """The collection; it need not be open. `reopen`: also when people closed it or it is broken.

        Raises CollectionNotFound, CollectionClosed, ShuttingDown, DeadlineExceeded, Cancelled, or why it is broken.
        """
        collection = self._collections.get(uid)
        if collection is not None and not reopen and uid not in self._broken:
            return collection
        while True:
            with self._changed:
                self.check_running()
                if uid in self._closed and not (reopen or self._reopen_on_use):
                    raise CollectionClosed(name)
                if uid not in self._leaving:
                    return self._made(name, uid, reopen=reopen)
            budget.check()  # not with the lock: it may wait for others
            with budget.idle(), self._changed:
                if uid in self._leaving:
                    self._changed.wait(_POLL_SECONDS)  # one process may have an LMDB environment open only once

    def _made(self, name: str, uid: str, *, reopen: bool) -> Collection:
        """Requires: the lock, and that it may be used."""
        if uid in self._removed or not self._is_known(uid):
            raise CollectionNotFound(name)
        if reopen or uid in self._closed:
            self._closed.discard(uid)
            self._broken.pop(uid, None)
        self.check_sound(uid)
        if uid not in self._collections:
            self._collections[uid] = self.make(name, uid)
        return self._collections[uid]

    @contextmanager
    def adding(self, collection: Collection) -> Iterator[None]:
        """Enters a new collection before the catalog names it; it is closed when the context fails."""
        with self._changed:
            self.check_running()
            self._collections[collection.uid] = collection
        try:
            yield
        except BaseException:
            with self._changed:
                self._collections.pop(collection.uid, None)
            collection.close()
            raise

    @contextmanager
    def removing(self, uid: str) -> Iterator[None]:
        """Nobody begins to use a collection in the context, which takes it out of the catalog; then it is closed."""
        with self._changed:
            self.check_running()
            self._removed.add(uid)
        try:
            yield
            with self._changed:
                while uid in self._leaving:
                    self._changed.wait()
                collection = self._collections.pop(uid, None)
                self._closed.discard(uid)
                self._broken.pop(uid, None)
        finally:
            with self._changed:
                self._removed.discard(uid)
        if collection is not None:
            self._close(collection)

    def close(self, uid: str) -> None:
        """Closes a collection for its people: a use finds it closed, or opens it, as the settings say."""
        with self._changed:
            self.check_running()
            self._closed.add(uid)
            collection = self._collections.pop(uid, None)
            if collection is None:
                return
            self._leaving.add(uid)
        try:
            self._close(collection)
        finally:
            with self._changed:
                self._leaving.discard(uid)
                self._changed.notify_all()

    def stop(self) -> None:
        """Takes no more."""
        with self._changed:
            self._stopping = True

    def close_all(self) -> None:
        """Closes what is there, some at a time. Requires: it was stopped."""
        with self._changed:
            collections = list(self._collections.values())
            self._collections.clear()
        with ThreadPoolExecutor(CLOSE_THREADS, thread_name_prefix="close") as threads:
            for each in [threads.submit(collection.close) for collection in collections]:
                each.result()

    def open_ones(self) -> list[Collection]:
        """Those whose files are open."""
        with self._changed:
            return [collection for collection in self._collections.values() if collection.is_open]

    def status(self, uid: str) -> CollectionStatus:
        """The state of a collection. Does not open it."""
        if uid in self._closed:
            return CollectionStatus(CollectionState.CLOSED)
        collection, broken = self._collections.get(uid), self._broken.get(uid)
        if collection is not None and collection.is_opening:
            return CollectionStatus(CollectionState.LOADING)
        if broken is not None:
            return CollectionStatus(CollectionState.ERROR, broken.message)
        if collection is not None and collection.work.is_running:
            return CollectionStatus(CollectionState.REBUILDING)
        return CollectionStatus(CollectionState.READY)

    def note_broken(self, uid: str, error: EngineError) -> None:
        """Uses of the collection raise `error` from now on, until someone asks to open it."""
        self._broken[uid] = error

    def check_sound(self, uid: str) -> None:
        """Raises why the collection is broken."""
        error = self._broken.get(uid)
        if error is not None:
            raise error

    def check_running(self) -> None:
        if self._stopping:
            raise ShuttingDown()

    def _close(self, collection: Collection) -> None:
        self._leaving_hook(collection)
        collection.close()
        self._left_hook(collection)
