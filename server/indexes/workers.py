"""The managed indexes at work: a thread for each that is in an open collection, ended when that is closed. What they do
is in managed.py."""

import threading

from server.embedders import Embedders
from server.indexes.managed import ManagedIndex
from server.indexes.resolve import Index
from storage.collection import Collection
from storage.schema import IndexSource

STOP_SECONDS = 5.0


class IndexWorkers:
    """Safe for many threads. `notify` is told of every commit, and of collections that are opened."""

    def __init__(self, embedders: Embedders) -> None:
        self._embedders = embedders
        self._running: dict[tuple[Collection, int], tuple[ManagedIndex, threading.Thread]] = {}
        self._lock = threading.Lock()
        self._stopping = False

    def notify(self, collection: Collection) -> None:
        """Wakes the managed indexes of a collection, or begins with them."""
        for space in collection.schema.dense.values():
            if space.policy is not None and space.policy.source is IndexSource.MANAGED:
                self._wake(collection, space.uid)

    def of(self, index: Index) -> ManagedIndex | None:
        """The index at work; None when it is not managed, or not at work yet."""
        with self._lock:
            running = self._running.get((index.collection, index.schema.uid or 0))
        return None if running is None else running[0]

    def closed(self, collection: Collection) -> None:
        """Ends those of a collection that was closed; they begin again when it is opened. Does not wait."""
        with self._lock:
            running = [managed for (of, _), (managed, _) in self._running.items() if of is collection]
        for managed in running:
            managed.stop()

    def close(self) -> None:
        """Ends them all."""
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
