"""Remembers the vectors of texts within a bound of bytes. The least recently used go first."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from storage.bounded_cache import BoundedCache

_ENTRY_BYTES = 200  # about how many bytes an entry takes besides its text and its vector


class _Known(NamedTuple):
    """The vector of a text, and how long the text is."""

    row: NDArray[np.float32]
    characters: int


class VectorCache:
    """Safe for many threads. With `most_bytes` 0 it remembers nothing."""

    def __init__(self, most_bytes: int) -> None:
        self._known: BoundedCache[str, _Known] = BoundedCache(most_bytes, _cost)

    def get(self, text: str) -> NDArray[np.float32] | None:
        known = self._known.get(text)
        return None if known is None else known.row

    def put(self, text: str, row: NDArray[np.float32]) -> None:
        """Keeps a copy of `row`, which may be a view of something larger."""
        row = row.copy()
        row.flags.writeable = False  # many requests read the same array
        self._known.put(text, _Known(row, len(text)))


def _cost(known: _Known) -> int:
    return _ENTRY_BYTES + 4 * known.characters + known.row.nbytes
