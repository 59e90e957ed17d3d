"""Matching rows: the rows of a space that a filter lets through, kept with their codes while the filter is remembered.

Whoever evaluates filters remembers which slots match and passes the same array again. Finding its rows takes as long as
scanning them; and once a filter is searched repeatedly, coding them pays.
"""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.schema import Distance
from storage.segments.block import BlockView
from storage.vectors import PART_ROWS, CodedRows, code_rows, has_codes

KEPT_BYTES = 256 * 2**20
"""Bytes of matching rows and codes that a process keeps."""

MAX_SHARE = 0.5
"""Share of these bytes that one filter may take: what does not fit beside others is coded again and again."""

KEPT_ROWS = 1_024
"""Rows from which keeping them pays."""

CODED_SEARCHES = 2
"""Searches of one filter from which its rows are coded: coding them takes as long as some scans of the originals."""

_BYTES_BESIDE = 128  # about what a row takes beside its codes: positions, factors, padding
_PART_VALUES = 1 << 24  # values coded between two looks at the budget

Coded = tuple[CodedRows, ...]


class RowsInBlock:
    """Those of a filter's rows that lie in one block: their positions (int64, ascending), and what is made of them.

    It keeps no view of the block, whose files may go before it does.
    """

    def __init__(self, positions: NDArray[np.int64]) -> None:
        self._mask: NDArray[np.bool_] | None = None
        self._coded: Coded | None = None
        self._may_be_coded = len(positions) >= KEPT_ROWS
        self.positions = positions

    @property
    def nbytes(self) -> int:
        """Bytes it takes."""
        mask = 0 if self._mask is None else self._mask.nbytes
        return self.positions.nbytes + mask + sum(part.nbytes for part in self._coded or ())

    def mask(self, block: BlockView) -> NDArray[np.bool_]:
        """Which positions of their block they are, (count,)."""
        if self._mask is None:
            mask = np.zeros(block.count, np.bool_)
            mask[self.positions] = True
            self._mask = mask
        return self._mask

    def coded(self, block: BlockView, metric: Distance, budget: Budget) -> Coded | None:
        """Their codes, made on first use; None when scanning the originals is as well."""
        if self._coded is None and self._may_be_coded and has_codes(metric):
            self._coded = _code(block, self.positions, metric, budget)
            self._may_be_coded = self._coded is not None
        return self._coded


class MatchingRows:
    """The rows of one filter in one space at one commit. `rows`: int64, ascending."""

    def __init__(self, rows: NDArray[np.int64], kept: bool) -> None:
        """`kept`: later searches will find it."""
        self.rows = rows
        self.searches = 0
        self._kept = kept
        self._counted = 0
        self._blocks: dict[Path, RowsInBlock] = {}

    def worth_coding(self, size: int) -> bool:
        """Whether codes of the rows, of `size` components, will be used often enough, and leave room for others."""
        often = self._kept and self.searches >= CODED_SEARCHES
        return often and len(self.rows) * (size + _BYTES_BESIDE) <= MAX_SHARE * KEPT_BYTES

    def has_grown(self) -> bool:
        """Whether it takes more memory than when this was asked last."""
        before, self._counted = self._counted, self.nbytes
        return self._counted > before

    @property
    def nbytes(self) -> int:
        """Bytes it takes."""
        return self.rows.nbytes + sum(part.nbytes for part in list(self._blocks.values()))

    def in_block(self, block: BlockView) -> RowsInBlock:
        """Those of the rows that lie in `block`."""
        found = self._blocks.get(block.block.path)
        if found is None:
            low, high = np.searchsorted(self.rows, (block.first_row, block.end_row))
            found = self._blocks[block.block.path] = RowsInBlock(block.positions_of(self.rows[low:high]))
        return found


def _code(block: BlockView, positions: NDArray[np.int64], metric: Distance, budget: Budget) -> Coded | None:
    norms = block.norms()
    parts = []
    step = max(1, min(PART_ROWS, _PART_VALUES // block.vectors.shape[1]))
    for start in range(0, len(positions), step):
        budget.check()
        part = code_rows(metric, block.vectors, norms, positions[start : start + step])
        if part is None:
            return None
        parts.append(part)
    return tuple(parts)


class MatchingRowsCache:
    """Least recently used rows go first when `capacity` bytes are exceeded. Safe for many threads.

    An entry belongs to an array of slots, by identity, and goes when the array does. Only arrays that are read-only
    are remembered: others may change.
    """

    def __init__(self, capacity: int = KEPT_BYTES) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[tuple[int, str], tuple[weakref.ref[NDArray[np.uint32]], MatchingRows]]
        self._entries = OrderedDict()
        self._lock = threading.RLock()  # an array may die, and its entry go, while this thread holds the lock

    def rows(
        self, allowed: NDArray[np.uint32], state: str, find: Callable[[NDArray[np.uint32]], NDArray[np.int64]]
    ) -> MatchingRows:
        """The rows of `allowed` in what `state` names, a space at a commit; `find` makes them."""
        key = (id(allowed), state)
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry[0]() is allowed:
                self._entries.move_to_end(key)
                return entry[1]
        rows = find(allowed)
        if allowed.flags.writeable or len(rows) < KEPT_ROWS or rows.nbytes > self._capacity:
            return MatchingRows(rows, kept=False)
        matching = MatchingRows(rows, kept=True)
        with self._lock:
            self._entries[key] = (weakref.ref(allowed, lambda _: self._entries.pop(key, None)), matching)
        return matching

    def __len__(self) -> int:
        return len(self._entries)

    def trim(self) -> None:
        """Forgets what exceeds the capacity. To be called when rows or codes were made."""
        with self._lock:
            used = sum(matching.nbytes for _, matching in list(self._entries.values()))
            while used > self._capacity and self._entries:
                _, (_, matching) = self._entries.popitem(last=False)
                used -= matching.nbytes
