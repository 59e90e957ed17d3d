"""Remembers the vectors of texts within a bound of bytes; the least recently used go first."""

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

_ENTRY_BYTES = 200  # what an entry costs besides its text and its vector, about


class VectorCache:
    """Safe for many threads. `most_bytes` 0 remembers nothing."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._size = 0
        self._rows: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, text: str) -> NDArray[np.float32] | None:
        with self._lock:
            row = self._rows.get(text)
            if row is not None:
                self._rows.move_to_end(text)
            return row

    def put(self, text: str, row: NDArray[np.float32]) -> None:
        """Keeps a copy of `row`, which may be a view of something larger."""
        size = _size(text, row)
        if size > self._most:
            return
        row = row.copy()
        row.flags.writeable = False
        with self._lock:
            before = self._rows.pop(text, None)
            self._size += size - (0 if before is None else _size(text, before))
            self._rows[text] = row
            while self._size > self._most:
                self._size -= _size(*self._rows.popitem(last=False))


def _size(text: str, row: NDArray[np.float32]) -> int:
    return _ENTRY_BYTES + 4 * len(text) + row.nbytes
