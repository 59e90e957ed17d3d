"""Counts the commits of all collections of a database: how many, of how many writes, and how long they took."""

import threading
from typing import NamedTuple

from storage.histogram import Buckets, Histogram

COMMIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Bounds of the histograms. A sync takes under a millisecond on good disks, and tens of milliseconds on bad ones."""


class Commits(NamedTuple):
    """Seconds of commits from their first change to their publication, seconds of these in which files were synced,
    and the writes that they hold."""

    seconds: Buckets
    sync_seconds: Buckets
    writes: int
    failed: int


class CommitCounts:
    """Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds = Histogram(COMMIT_SECONDS)
        self._sync_seconds = Histogram(COMMIT_SECONDS)
        self._writes = 0
        self._failed = 0

    def add(self, writes: int, *, seconds: float, sync_seconds: float) -> None:
        """Counts a commit of so many writes, of which `sync_seconds` were spent on writing to files and syncing."""
        with self._lock:
            self._seconds.add(seconds)
            self._sync_seconds.add(sync_seconds)
            self._writes += writes

    def fail(self) -> None:
        """Counts a commit that failed."""
        with self._lock:
            self._failed += 1

    def read(self) -> Commits:
        """What was counted so far."""
        with self._lock:
            return Commits(self._seconds.read(), self._sync_seconds.read(), self._writes, self._failed)
