"""Counts which commits of a collection are being read. What only those commits need is released with their last
reader."""

import threading
from collections import Counter


class ActiveSnapshots:
    """Counts readers by commit.

    `lock` is held while a snapshot begins. Whoever changes the newest view or the handles of tables holds it too, since
    a beginning snapshot reads them.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._readers: Counter[int] = Counter()

    def begin(self, seq: int) -> None:
        """A snapshot of commit `seq` began. Requires: the lock."""
        self._readers[seq] += 1

    def end(self, seq: int) -> None:
        """A snapshot of commit `seq` was closed."""
        with self.lock:
            self._readers[seq] -= 1
            if not self._readers[seq]:
                del self._readers[seq]

    def is_read(self, first: int, until: int) -> bool:
        """Whether a commit from `first` to before `until` is being read.

        If none is, and a later commit is the newest, none of them will ever be read again.
        """
        with self.lock:
            return any(first <= seq < until for seq in self._readers)
