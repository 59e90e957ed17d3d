"""Remembers in memory which points recent commits changed, so that data derived from payloads can be updated."""

import threading
from collections import deque
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

MAX_REMEMBERED = 1_000_000
"""Slots remembered per collection, about 4 MB. Beyond it, older commits are forgotten."""

_COMMIT_COST = 16
"""A commit counts as so many slots, besides the slots that it changed."""


Slots = TypeVar("Slots", NDArray[np.uint32], NDArray[np.int64])


class ChangeLog:
    """The writer's thread adds to it after each commit; many threads read it."""

    def __init__(self, seq: int) -> None:
        """It will know the commits after `seq`, which is the newest."""
        self._oldest = seq
        self._newest = seq
        self._commits: deque[tuple[int, NDArray[np.uint32]]] = deque()
        self._size = 0
        self._lock = threading.Lock()

    def add(self, seq: int, slots: Sequence[int]) -> None:
        """Commit `seq` inserted, changed or deleted the points in `slots`; more than it did is no harm."""
        changed = distinct(np.asarray(slots, np.uint32))
        with self._lock:
            self._commits.append((seq, changed))
            self._size += len(changed) + _COMMIT_COST
            self._newest = seq
            while self._size > MAX_REMEMBERED:
                self._oldest, forgotten = self._commits.popleft()
                self._size -= len(forgotten) + _COMMIT_COST

    def between(self, seq: int, until: int) -> NDArray[np.uint32] | None:
        """Slots (ascending) that the commits after `seq` up to `until` changed; None when some of these are
        forgotten."""
        with self._lock:
            if seq < self._oldest or until > self._newest:
                return None
            parts = [slots for commit, slots in self._commits if seq < commit <= until]
        return np.unique(np.concatenate([np.empty(0, np.uint32), *parts]))


def distinct(slots: Slots) -> Slots:
    """The slots ascending, each once. Those of new points are so already."""
    return slots if bool((slots[1:] > slots[:-1]).all()) else np.unique(slots)
