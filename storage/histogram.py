"""A histogram: how many values were at most each bound, and their sum. It does not know what its values are."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple


class Buckets(NamedTuple):
    """What a histogram counted: the values above the bound before and up to each of `bounds`, and above the last."""

    bounds: Sequence[float]
    counts: Sequence[int]
    total: float


class Histogram:
    """Not safe for many threads by itself: its owner holds a lock."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds` ascend."""
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, value: float) -> None:
        """Counts a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def read(self) -> Buckets:
        """What was counted so far."""
        return Buckets(self._bounds, tuple(self._counts), self._total)
