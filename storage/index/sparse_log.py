"""What recent commits changed in one sparse space, kept in memory so that its index need not be made anew."""

import threading
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

MAX_REMEMBERED = 16 * 2**20
"""Bytes remembered per space; older commits are forgotten beyond it, and an index that missed them is made anew."""

_CHANGE_COST = 64
"""What a change counts besides the bytes of its vector."""


class SparseChange(NamedTuple):
    """The bytes of the vector of a slot as a commit left it; None when the commit removed the vector."""

    slot: int
    body: bytes | None


class SparseLog:
    """Written by the writer's thread before each commit, read by many.

    It may hold a commit that fails after all, so a reader asks for commits up to its own, which cannot fail any more.
    """

    def __init__(self, seq: int) -> None:
        """Knows of the commits after `seq`, which is the newest."""
        self._oldest = seq
        self._commits: deque[tuple[int, Sequence[SparseChange], int]] = deque()
        self._size = 0
        self._lock = threading.Lock()

    def add(self, seq: int, changes: Sequence[SparseChange]) -> None:
        """Commit `seq` is about to change these, in this order."""
        cost = sum(_CHANGE_COST + len(change.body or b"") for change in changes)
        with self._lock:
            self._commits.append((seq, changes, cost))
            self._size += cost
            while self._size > MAX_REMEMBERED:
                self._oldest, _, forgotten = self._commits.popleft()
                self._size -= forgotten

    def take_back(self, seq: int) -> None:
        """Commit `seq` failed."""
        with self._lock:
            while self._commits and self._commits[-1][0] == seq:
                self._size -= self._commits.pop()[2]

    def between(self, seq: int, until: int) -> list[tuple[int, Sequence[SparseChange]]] | None:
        """The commits after `seq` up to `until`, in order; None when they are not all known. Requires: `until` is
        committed."""
        with self._lock:
            if seq < self._oldest:
                return None
            return [(commit, changes) for commit, changes, _ in self._commits if seq < commit <= until]
