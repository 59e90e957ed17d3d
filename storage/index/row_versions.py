"""Versions of records in an index in memory: which row is whose, and from which commit to which it is current."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

NEVER = np.iinfo(np.int64).max
"""The commit that ends what is current."""

Number = TypeVar("Number", bound=np.generic)


class Growing(Generic[Number]):
    """A column that grows at its end. Views stay as they were when they were taken, but for entries set later."""

    def __init__(self, dtype: type[Number], values: NDArray[Number] | None = None) -> None:
        self._values: NDArray[Number] = np.empty(0, dtype) if values is None else values
        self._count = len(self._values)

    def __len__(self) -> int:
        return self._count

    def extend(self, values: NDArray[Number]) -> None:
        if not len(values):  # what it was made of may be read-only until it grows
            return
        self._reserve(len(values))
        self._values[self._count : self._count + len(values)] = values
        self._count += len(values)

    def put(self, start: int, values: NDArray[Number]) -> None:
        """Sets the entries from `start` on; those that are left out before it are 0."""
        gap = start - self._count
        if gap > 0:
            self.extend(np.zeros(gap, self._values.dtype))
        inside = self._values[start : min(self._count, start + len(values))]
        inside[:] = values[: len(inside)]
        self.extend(values[len(inside) :])

    def __setitem__(self, place: int, value: float) -> None:
        self._values[place] = value

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
    """Row i is of the point in `slots[i]`, current from commit `born[i]` until before `died[i]`."""

    slots: NDArray[np.uint32]
    born: NDArray[np.int64]
    died: NDArray[np.int64]

    def alive(self, seq: int) -> NDArray[np.bool_]:
        """Which rows are current as of a commit, (n,)."""
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
    """Rows in the order in which they came. Good for the commits from `valid_from` to `seq`."""

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
        """Rows that are not current any more."""
        return len(self._slots) - len(self._row_of)

    def begin(self, slots: NDArray[np.uint32], seq: int) -> NDArray[np.int32]:
        """New rows, current from commit `seq`. Requires: no slot twice, and none has a row that is current."""
        first = len(self._slots)
        self._slots.extend(slots)
        self._born.extend(np.full(len(slots), seq, np.int64))
        self._died.extend(np.full(len(slots), NEVER, np.int64))
        self._row_of.update(zip(slots.tolist(), range(first, first + len(slots)), strict=True))
        return np.arange(first, first + len(slots), dtype=np.int32)

    def end(self, slot: int, seq: int) -> int | None:
        """Commit `seq` takes away what the slot has, if anything; its row."""
        row = self._row_of.pop(slot, None)
        if row is not None:
            self._died[row] = seq
        return row

    def view(self) -> VersionsView:
        return VersionsView(self._slots.view(), self._born.view(), self._died.view())

    def forget_dead(self) -> NDArray[np.int32]:
        """Drops the rows that are not current; returns the new row of every old one, -1 of those that are gone."""
        alive = self._died.view() == NEVER
        new_rows = np.where(alive, np.cumsum(alive) - 1, -1).astype(np.int32)
        self._slots = Growing(np.uint32, self._slots.view()[alive])
        self._born = Growing(np.int64, self._born.view()[alive])
        self._died = Growing(np.int64, self._died.view()[alive])
        self._row_of = {slot: row for row, slot in enumerate(self._slots.view().tolist())}
        self.valid_from = self.seq
        return new_rows
