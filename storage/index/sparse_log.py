"""Remembers in memory what recent commits changed in one sparse space, so that its index can be updated."""

import threading
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

MAX_REMEMBERED = 16 * 2**20
"""Bytes remembered per space. Beyond it, older commits are forgotten, and an index that missed them is built again."""

_CHANGE_COST = 64
"""Bytes that a change counts in addition to its vector."""


class SparseChange(NamedTuple):
    """The vector of a slot, as bytes, after a commit; None when the commit removed it."""

    slot: int
    body: bytes | None


class SparseLog:
    """The writer's thread adds to it before each commit; many threads read it.

    It may hold a commit that fails later. So a reader asks only for commits up to its own, which cannot fail any more.
    """

    def __init__(self, seq: int) -> None:
        """It will know the commits after `seq`, which is the newest."""
        self._oldest = seq
        self._commits: deque[tuple[int, Sequence[SparseChange], int]] = deque()
        self._size = 0
        self._lock = threading.Lock()

    def add(self, seq: int, changes: Sequence[SparseChange]) -> None:
        """Notes that commit `seq` is about to make these changes, in this order."""
        cost = sum(_CHANGE_COST + len(change.body or b"") for change in changes)
        with self._lock:
            self._commits.append((seq, changes, cost))
            self._size += cost
            while self._size > MAX_REMEMBERED:
                self._oldest, _, forgotten = self._commits.popleft()
                self._size -= forgotten

    def take_back(self, seq: int) -> None:
        """Forgets commit `seq`, which failed."""
        with self._lock:
            while self._commits and self._commits[-1][0] == seq:
                self._size -= self._commits.pop()[2]

    def between(self, seq: int, until: int) -> list[tuple[int, Sequence[SparseChange]]] | None:
        """The commits after `seq` up to `until`, in order; None when some of them are forgotten. Requires: `until` is
        committed."""
        with self._lock:
            if seq < self._oldest:
                return None
            return [(commit, changes) for commit, changes, _ in self._commits if seq < commit <= until]
