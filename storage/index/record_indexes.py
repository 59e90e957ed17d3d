"""Indexes in memory of the spaces of records: made by the first search, then brought up to date by commits."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from storage.budget import Budget
from storage.index.record_log import RecordChange, RecordLog
from storage.index.row_versions import Versions

Copy = TypeVar("Copy")


class RecordIndex(Protocol):
    """An index of one space, good for the commits that its versions say."""

    versions: Versions

    def advance(self, commits: Iterable[tuple[int, Sequence[RecordChange]]], seq: int, budget: Budget) -> None: ...

    def view(self) -> Any: ...


@dataclass(slots=True, eq=False)
class _Entry:
    """`lock`: held by the thread that makes or changes the index."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    index: RecordIndex | None = None


class RecordIndexes:
    """The newest index of each space by uid. Safe for many threads."""

    def __init__(self, logs: Mapping[int, RecordLog]) -> None:
        self._logs = logs
        self._entries: dict[int, _Entry] = {}
        self._lock = threading.Lock()

    def view(self, uid: int, seq: int, build: Callable[[], RecordIndex], budget: Budget) -> Any:
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

    def copied(self, uid: int, copy: Callable[[RecordIndex], Copy]) -> Copy | None:
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

    def _reaches(self, index: RecordIndex, uid: int, seq: int, budget: Budget) -> bool:
        """Brings the index up to `seq` if it is behind; whether it is good for that commit then."""
        if index.versions.seq < seq:
            commits = self._logs[uid].between(index.versions.seq, seq)
            if commits is None:
                return False
            index.advance(commits, seq, budget)
        return index.versions.valid_from <= seq
