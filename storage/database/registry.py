"""The objects of collections by uid, made on first use, and the collections that are closed by people or broken.

The catalog holds the names. opening/open_on_use.py opens files.
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
"""Threads that close collections at shutdown: closing mostly waits for the disk."""

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
        """`make` makes the object for a name and a uid. `is_known` says whether the catalog has a uid.

        `leaving` is called with each collection before it is closed for good, `left` after it.
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
        """The object of a collection; it need not be open. `reopen`: return it also when it was closed by people or is
        broken.

        Raises CollectionNotFound, CollectionClosed, ShuttingDown, DeadlineExceeded, Cancelled, or the error that broke
        it.
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
            budget.check()  # not while the lock is held: `check` may wait for others
            with budget.idle(), self._changed:
                if uid in self._leaving:
                    self._changed.wait(_POLL_SECONDS)  # one process may have an LMDB environment open only once

    def _made(self, name: str, uid: str, *, reopen: bool) -> Collection:
        """Requires: the lock, and that the collection may be used."""
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
        """Registers a new collection before the catalog names it. The collection is closed when the context fails."""
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
        """No new use of the collection begins in this context, which removes it from the catalog. Then it is closed."""
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
        """Closes a collection because people asked for it. `reopen_on_use` says whether the next use opens it or is
        refused."""
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
        """Accepts no more collections."""
        with self._changed:
            self._stopping = True

    def close_all(self) -> None:
        """Closes all collections, several at a time. Requires: `stop` was called."""
        with self._changed:
            collections = list(self._collections.values())
            self._collections.clear()
        with ThreadPoolExecutor(CLOSE_THREADS, thread_name_prefix="close") as threads:
            for each in [threads.submit(collection.close) for collection in collections]:
                each.result()

    def open_ones(self) -> list[Collection]:
        """The collections whose files are open."""
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
        """From now on, uses of the collection raise `error`, until somebody asks to open it."""
        self._broken[uid] = error

    def check_sound(self, uid: str) -> None:
        """Raises the error that broke the collection, if it is broken."""
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
