"""Versions of the rows of an index in memory: the slot of each row, and the commits in which it is current."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

NEVER = np.iinfo(np.int64).max
"""The `died` of a row that is still current."""

Number = TypeVar("Number", bound=np.generic)


class Growing(Generic[Number]):
    """An array that grows at its end. A view keeps its length; entries that are set later may change in it."""

    def __init__(self, dtype: type[Number], values: NDArray[Number] | None = None) -> None:
        self._values: NDArray[Number] = np.empty(0, dtype) if values is None else values
        self._count = len(self._values)

    def __len__(self) -> int:
        return self._count

    def extend(self, values: NDArray[Number]) -> None:
        if not len(values):  # the first array may be read-only, so do not touch it until it must grow
            return
        self._reserve(len(values))
        self._values[self._count : self._count + len(values)] = values
        self._count += len(values)

    def put(self, start: int, values: NDArray[Number]) -> None:
        """Sets the entries from `start` on. Entries that are skipped before it are 0."""
        gap = start - self._count
        if gap > 0:
            self.extend(np.zeros(gap, self._values.dtype))
        inside = self._values[start : min(self._count, start + len(values))]
        inside[:] = values[: len(inside)]
        self.extend(values[len(inside) :])

    def __setitem__(self, position: int, value: float) -> None:
        self._values[position] = value

    def view(self) -> NDArray[Number]:
        return self._values[: self._count]

    def _reserve(self, more: int) -> None:
        needed = self._count + more
        if needed > len(self._values):
            grown = np.empty(max(needed, 2 * len(self._values), 64), self._values.dtype)
            grown[: self._count] = self.view()
            self._values = grown


@dataclass(frozen=True, slots=True)
class VersionsView:
    """Row i belongs to the point in `slots[i]`. It is current from commit `born[i]` until before `died[i]`."""

    slots: NDArray[np.uint32]
    born: NDArray[np.int64]
    died: NDArray[np.int64]

    def alive(self, seq: int) -> NDArray[np.bool_]:
        """Which rows are current as of commit `seq`, (n,)."""
        current: NDArray[np.bool_] = (self.born <= seq) & (self.died > seq)
        return current

    def usable(self, seq: int, allowed: NDArray[np.uint32] | None) -> NDArray[np.bool_]:
        """Which rows are current as of a commit, and of points whose slots are `allowed` (None: all), (n,)."""
        kept = self.alive(seq)
        if allowed is not None:
            mask = np.zeros(int(max(self.slots.max(initial=0), allowed.max(initial=0))) + 1, np.bool_)
            mask[allowed] = True
            kept &= mask[self.slots]
        return kept


class Versions:
    """Rows in the order of insertion. They answer for the commits from `valid_from` to `seq`."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.valid_from = seq
        self._slots: Growing[np.uint32] = Growing(np.uint32)
        self._born: Growing[np.int64] = Growing(np.int64)
        self._died: Growing[np.int64] = Growing(np.int64)
        self._row_of: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def dead(self) -> int:
        """The number of rows that are not current any more."""
        return len(self._slots) - len(self._row_of)

    def begin(self, slots: NDArray[np.uint32], seq: int) -> NDArray[np.int32]:
        """Adds rows that are current from commit `seq`; returns their numbers. Requires: slots differ, and none has a
        current row."""
        first = len(self._slots)
        self._slots.extend(slots)
        self._born.extend(np.full(len(slots), seq, np.int64))
        self._died.extend(np.full(len(slots), NEVER, np.int64))
        self._row_of.update(zip(slots.tolist(), range(first, first + len(slots)), strict=True))
        return np.arange(first, first + len(slots), dtype=np.int32)

    def end(self, slot: int, seq: int) -> int | None:
        """Ends the current row of the slot at commit `seq`. Returns that row, or None when there was none."""
        row = self._row_of.pop(slot, None)
        if row is not None:
            self._died[row] = seq
        return row

    def view(self) -> VersionsView:
        return VersionsView(self._slots.view(), self._born.view(), self._died.view())

    def forget_dead(self) -> NDArray[np.int32]:
        """Drops the rows that are not current. Returns the new number of each old row, -1 for dropped ones."""
        alive = self._died.view() == NEVER
        new_rows = np.where(alive, np.cumsum(alive) - 1, -1).astype(np.int32)
        self._slots = Growing(np.uint32, self._slots.view()[alive])
        self._born = Growing(np.int64, self._born.view()[alive])
        self._died = Growing(np.int64, self._died.view()[alive])
        self._row_of = {slot: row for row, slot in enumerate(self._slots.view().tolist())}
        self.valid_from = self.seq
        return new_rows
