"""Candidates: rows that may be among the best of a query, some with exact scores, some with bounds on them.

A row with bounds stays a candidate while its best possible estimate reaches the worst possible estimate of the k-th
best row, so no row of the true top k is ever lost to float32 rounding. What stays is scored exactly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.schema import Distance
from storage.segments import BlockView
from storage.vectors import score_rows

Bounds = NDArray[np.float32]

_ROUNDED = 2.0**-20  # how far rounding may move a score and its square, as a share, with a wide margin
_LEAST_MARGIN = 1e-37
_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class _Scanned:
    """Positions of a block whose estimates (higher is better) lie between `lower` and `upper`."""

    block: BlockView
    positions: NDArray[np.int64]
    lower: Bounds
    upper: Bounds


@dataclass(frozen=True, slots=True)
class _Start:
    """Where the wanted part of a ranking begins, as estimates (higher is better) tell: rows above `most` come before
    it, rows below `least` after it, and of those between only the exact score says."""

    least: np.float32
    most: np.float32


def _start_after(metric: Distance, score: np.float32) -> _Start:
    """Where rows that score worse than `score` begin. A score is rounded, and so is the estimate that is made of it."""
    wide = float(score)
    estimate = -(wide * wide) if metric is Distance.EUCLID else wide if metric.higher_is_better else -wide
    margin = _ROUNDED * abs(estimate) + _LEAST_MARGIN
    least, most = np.clip([estimate - margin, estimate + margin], -_FLOAT32_MAX, _FLOAT32_MAX).astype(np.float32)
    return _Start(least, most)


class Candidates:
    """The candidates of one query in one space, pooled over its blocks: the best, or the best of those that score at
    most as well as `after`.

    `computations` counts distances, `fallbacks` segments that were scanned because a walk did not do.
    """

    def __init__(
        self, metric: Distance, query: NDArray[np.float32], limit: int, after: np.float32 | None = None
    ) -> None:
        self.metric = metric
        self.query = query
        self.limit = limit
        self.after = after
        self._start = None if after is None else _start_after(metric, after)
        self.computations = 0
        self.fallbacks = 0
        self._scanned: list[_Scanned] = []
        self._found: list[tuple[BlockView, NDArray[np.int64]]] = []
        self._scored: list[tuple[NDArray[np.uint32], NDArray[np.float32]]] = []
        self._best_lower = np.empty(0, np.float32)  # the `limit` best lower bounds so far
        self._floor = np.float32(-np.inf)  # the worst of them: what cannot reach it is not among the best

    def add_found(self, block: BlockView, positions: NDArray[np.int64]) -> None:
        """Adds rows that a graph found."""
        self._found.append((block, positions))

    def add_scored(self, block: BlockView, positions: NDArray[np.int64], scores: NDArray[np.float32]) -> None:
        """Adds rows that were found and scored already."""
        self._scored.append((block.slots[positions], scores))

    def add_scanned(
        self, block: BlockView, start: int, positions: NDArray[np.int64] | None, lower: Bounds, upper: Bounds
    ) -> None:
        """Adds the best of scanned rows: `positions`, or those from `start` on."""
        possible = (upper >= self._floor) & (upper > -np.inf)
        if self._start is None:
            keep = np.flatnonzero(possible)
            self._raise_floor(lower[keep])
        else:
            keep = np.flatnonzero(possible & (lower <= self._start.most))
            self._raise_floor(lower[keep[upper[keep] < self._start.least]])
        keep = keep[upper[keep] >= self._floor]
        kept = keep + start if positions is None else positions[keep]
        self._scanned.append(_Scanned(block, kept, lower[keep], upper[keep]))

    def scored(self) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """Slots and exact scores of all rows that may be among the best."""
        parts = list(self._scored)
        for block, positions in self._found + self._best_scanned():
            parts.append((block.slots[positions], score_rows(self.metric, self.query, block.vectors, positions)))
        if not parts:
            return np.empty(0, np.uint32), np.empty(0, np.float32)
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([slots for slots, _ in parts]), np.concatenate([scores for _, scores in parts])

    def worst_wanted(self) -> np.float32:
        """The score of the last of the best among the rows that are scored: no worse one is wanted. NaN while there are
        too few."""
        scores = np.concatenate([np.empty(0, np.float32), *(scores for _, scores in self._scored)])
        keys = scores if self.metric.higher_is_better else -scores
        if self.after is not None:
            keys = keys[keys < (self.after if self.metric.higher_is_better else -self.after)]
        if len(keys) < self.limit:
            return np.float32(np.nan)
        worst: np.float32 = np.partition(keys, len(keys) - self.limit)[len(keys) - self.limit]
        return worst if self.metric.higher_is_better else -worst

    def _best_scanned(self) -> list[tuple[BlockView, NDArray[np.int64]]]:
        return [(part.block, part.positions[part.upper >= self._floor]) for part in self._scanned]

    def _raise_floor(self, lower: Bounds) -> None:
        best = np.concatenate((self._best_lower, lower))
        if len(best) > self.limit:
            best = np.partition(best, len(best) - self.limit)[len(best) - self.limit :]
        if len(best) == self.limit:
            self._floor = best.min()
        self._best_lower = best
