"""Threads of managed indexes: one for each managed index of an open collection, until the collection is closed.

What a thread does is in managed.py.
"""

import threading

from server.embedders import Embedders
from server.indexes.managed import ManagedIndex
from server.indexes.resolve import Index
from storage.collection import Collection
from storage.schema import IndexSource

STOP_SECONDS = 5.0


class IndexWorkers:
    """Starts and stops the threads. Safe for many threads. `notify` is called after each commit and each opening."""

    def __init__(self, embedders: Embedders) -> None:
        self._embedders = embedders
        self._running: dict[tuple[Collection, int], tuple[ManagedIndex, threading.Thread]] = {}
        self._lock = threading.Lock()
        self._stopping = False

    def notify(self, collection: Collection) -> None:
        """Wakes the managed indexes of a collection, and starts those that do not run."""
        for space in collection.schema.dense.values():
            if space.policy is not None and space.policy.source is IndexSource.MANAGED:
                self._wake(collection, space.uid)

    def of(self, index: Index) -> ManagedIndex | None:
        """The running index. None: it is not managed, or does not run yet."""
        with self._lock:
            running = self._running.get((index.collection, index.schema.uid or 0))
        return None if running is None else running[0]

    def closed(self, collection: Collection) -> None:
        """Stops the indexes of a closed collection, without waiting. They start again when it is opened."""
        with self._lock:
            running = [managed for (of, _), (managed, _) in self._running.items() if of is collection]
        for managed in running:
            managed.stop()

    def close(self) -> None:
        """Stops all indexes and waits up to STOP_SECONDS for each."""
        with self._lock:
            self._stopping = True
            running = list(self._running.values())
        for managed, _ in running:
            managed.stop()
        for _, thread in running:
            thread.join(STOP_SECONDS)

    def _wake(self, collection: Collection, space_uid: int) -> None:
        key = (collection, space_uid)
        with self._lock:
            if self._stopping:
                return
            if key in self._running and not self._running[key][0].is_stopping:
                self._running[key][0].wake()
                return
            managed = ManagedIndex(collection, space_uid, self._embedders)
            thread = threading.Thread(target=self._run, args=(key, managed), name="managed-index", daemon=True)
            self._running[key] = (managed, thread)
            thread.start()

    def _run(self, key: tuple[Collection, int], managed: ManagedIndex) -> None:
        try:
            managed.run()
        finally:
            with self._lock:
                if key in self._running and self._running[key][0] is managed:
                    del self._running[key]
