"""Matching rows: the rows of a space that a filter matches at a commit, kept with their codes for later searches.

Callers that evaluate the same filter again pass an equal set of slots. Finding its rows takes as long as scanning them,
so they are kept. Once a filter is searched repeatedly, coding its rows pays.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.bounded_cache import BoundedCache
from storage.budget import Budget
from storage.kernels import has_kernels
from storage.schema import Distance
from storage.segments.block import BlockView
from storage.segments.slot_set import SlotSet
from storage.vectors import CodedRows, code_rows, has_codes

KEPT_BYTES = 256 * 2**20
"""Bytes of matching rows and codes that a process keeps."""

MAX_SHARE = 0.5
"""Share of KEPT_BYTES that one filter may take. Larger ones would push out the others, and be coded again each time."""

KEPT_ROWS = 1_024
"""Filters with at least so many rows are worth keeping."""

CODED_SEARCHES = 2
"""Searches of one filter before its rows are coded: coding takes as long as several scans of the originals."""

_BYTES_BESIDE = 128  # about what a row takes beside its codes: positions, factors, padding
_PART_VALUES = 1 << 23  # values coded between two looks at the budget: some milliseconds

Coded = tuple[CodedRows, ...]
Key = tuple[int, int, SlotSet]
"""The uid of a space, a commit, and the points that may be found."""


class RowsInBlock:
    """The rows of a filter in one block: positions (int64, ascending), and data made from them.

    It keeps no view of the block, because the files of the block may be closed earlier.
    """

    def __init__(self, positions: NDArray[np.int64]) -> None:
        self._mask: NDArray[np.bool_] | None = None
        self._coded: Coded | None = None
        self._may_be_coded = len(positions) >= KEPT_ROWS
        self.positions = positions

    @property
    def nbytes(self) -> int:
        """The bytes that it takes."""
        mask = 0 if self._mask is None else self._mask.nbytes
        return self.positions.nbytes + mask + sum(part.nbytes for part in self._coded or ())

    def mask(self, block: BlockView) -> NDArray[np.bool_]:
        """A flag for each position of the block: whether it is one of these rows, (count,)."""
        if self._mask is None:
            mask = np.zeros(block.count, np.bool_)
            mask[self.positions] = True
            self._mask = mask
        return self._mask

    def coded(self, block: BlockView, metric: Distance, budget: Budget) -> Coded | None:
        """The codes of the rows, made on first use; None when scanning the original vectors is as fast."""
        if self._coded is None and self._may_be_coded and has_codes(metric):
            self._coded = _code(block, self.positions, metric, budget)
            self._may_be_coded = self._coded is not None
        return self._coded


class MatchingRows:
    """The rows of one filter in one space at one commit. `rows`: int64, ascending."""

    def __init__(self, rows: NDArray[np.int64], key: Key | None = None) -> None:
        """`key`: later searches find the rows by it; None: they do not."""
        self.rows = rows
        self.key = key
        self.searches = 0
        self._counted = 0
        self._blocks: dict[Path, RowsInBlock] = {}

    def worth_coding(self, size: int) -> bool:
        """Whether codes of the rows, of `size` components, will be used often enough, and leave room for others."""
        often = has_kernels() and self.key is not None and self.searches >= CODED_SEARCHES
        return often and len(self.rows) * (size + _BYTES_BESIDE) <= MAX_SHARE * KEPT_BYTES

    def has_grown(self) -> bool:
        """Whether it takes more memory than at the last call."""
        before, self._counted = self._counted, self.nbytes
        return self._counted > before

    @property
    def nbytes(self) -> int:
        """The bytes that it takes, with the slots of its key."""
        held = 0 if self.key is None else self.key[2].nbytes
        return held + self.rows.nbytes + sum(part.nbytes for part in list(self._blocks.values()))

    def in_block(self, block: BlockView) -> RowsInBlock:
        """The rows that lie in `block`."""
        found = self._blocks.get(block.block.path)
        if found is None:
            low, high = np.searchsorted(self.rows, (block.first_row, block.end_row))
            found = self._blocks[block.block.path] = RowsInBlock(block.positions_of(self.rows[low:high]))
        return found


def _code(block: BlockView, positions: NDArray[np.int64], metric: Distance, budget: Budget) -> Coded | None:
    norms = block.norms()
    parts = []
    step = max(1, _PART_VALUES // block.vectors.shape[1])
    for start in range(0, len(positions), step):
        budget.check()
        part = code_rows(metric, block.vectors, norms, positions[start : start + step])
        if part is None:
            return None
        parts.append(part)
    return tuple(parts)


class MatchingRowsCache:
    """Removes the least recently used rows when they exceed `capacity` bytes. Safe for many threads.

    Rows belong to a set of slots, a space and a commit. Rows are kept only for sets with an origin: a set without one
    is never equal to a later one.
    """

    def __init__(self, capacity: int = KEPT_BYTES) -> None:
        self._entries: BoundedCache[Key, MatchingRows] = BoundedCache(capacity, _cost)

    def rows(
        self, allowed: SlotSet, space_uid: int, seq: int, find: Callable[[NDArray[np.uint32]], NDArray[np.int64]]
    ) -> MatchingRows:
        """The rows of `allowed` in a space at commit `seq`. `find` computes rows (int64, ascending) from slots."""
        key = (space_uid, seq, allowed)
        known = self._entries.get(key)
        if known is not None:
            return known
        rows = find(allowed.slots)
        if allowed.origin is None or len(rows) < KEPT_ROWS:
            return MatchingRows(rows)
        matching = MatchingRows(rows, key)
        return matching if self._entries.put(key, matching) else MatchingRows(rows)

    def note_growth(self, matching: MatchingRows) -> None:
        """Measures `matching` again and makes room for it when it takes more memory than before."""
        if matching.key is not None and matching.has_grown():
            self._entries.put(matching.key, matching)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def used(self) -> int:
        """The bytes in use."""
        return self._entries.used


def _cost(matching: MatchingRows) -> int:
    return matching.nbytes
