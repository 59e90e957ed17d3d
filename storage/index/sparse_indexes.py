"""The indexes of sparse spaces in memory: the first search makes one, and later searches bring it up to date."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from storage.budget import Budget
from storage.index.inverted import SparseIndex, SparseView
from storage.index.sparse_log import SparseLog

Copy = TypeVar("Copy")


@dataclass(slots=True, eq=False)
class _Entry:
    """`lock`: held by the thread that makes or changes the index."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    index: SparseIndex | None = None


class SparseIndexes:
    """The newest index of each space by uid. Safe for many threads."""

    def __init__(self, logs: Mapping[int, SparseLog]) -> None:
        self._logs = logs
        self._entries: dict[int, _Entry] = {}
        self._lock = threading.Lock()

    def view(self, uid: int, seq: int, build: Callable[[], SparseIndex], budget: Budget) -> SparseView:
        """A view that is good for commit `seq`, which the caller reads; `build` makes an index as of it.

        Raises DeadlineExceeded or Cancelled, also while another thread makes the index.
        """
        with self._lock:
            entry = self._entries.setdefault(uid, _Entry())
        budget.acquire(entry.lock)
        try:
            index = entry.index
            if index is None or not self._reaches(index, uid, seq, budget):
                newer = index is not None and index.versions.seq > seq
                index = build()
                if not newer:  # what is good for an old commit alone is not worth keeping
                    entry.index = index
            return index.view()
        finally:
            entry.lock.release()

    def has(self, uid: int) -> bool:
        """Whether an index of the space is in memory."""
        with self._lock:
            entry = self._entries.get(uid)
        return entry is not None and entry.index is not None

    def copied(self, uid: int, copy: Callable[[SparseIndex], Copy]) -> Copy | None:
        """What `copy` takes of the newest index, which nobody changes meanwhile; None when there is none in memory."""
        with self._lock:
            entry = self._entries.get(uid)
        if entry is None:
            return None
        with entry.lock:
            return None if entry.index is None else copy(entry.index)

    def forget(self, uid: int) -> None:
        """The space is gone."""
        with self._lock:
            self._entries.pop(uid, None)

    def clear(self) -> None:
        """Lets go of all memory."""
        with self._lock:
            self._entries.clear()

    def _reaches(self, index: SparseIndex, uid: int, seq: int, budget: Budget) -> bool:
        """Brings the index up to `seq` if it is behind; whether it is good for that commit then."""
        if index.versions.seq < seq:
            commits = self._logs[uid].between(index.versions.seq, seq)
            if commits is None:
                return False
            index.advance(commits, seq, budget)
        return index.versions.valid_from <= seq
