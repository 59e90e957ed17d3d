"""Candidates: rows that may be among the best for a query, with bounds on their scores, and the scan that finds them.

A scanned row stays a candidate while its highest possible score reaches the lowest possible score of the k-th best row.
So float32 rounding never loses a row of the true top k. The candidates that stay are scored exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.schema import Distance
from storage.segments import BlockView
from storage.vectors import CodedRows, code_queries, estimate_codes, estimate_rows, norms_of, score_rows

Bounds = NDArray[np.float32]

ROWS_AT_ONCE = 16_384
ESTIMATES_AT_ONCE = 1 << 22  # estimates held at once: 16 MiB
REFINED_SHARE, REFINED_ROWS = 2, 100
"""If a scan of codes leaves more than REFINED_SHARE * limit + REFINED_ROWS rows, they are first estimated in
float32."""
_ROUNDED = 2.0**-20  # relative error that rounding may add to a score or its square, with a wide margin
_LEAST_MARGIN = 1e-37
_FLOAT32_MAX = float(np.finfo(np.float32).max)
MASK_SHARE = 0.25
"""If more than this share of a block is wanted, scanning all of it under a mask is faster than gathering rows."""


@dataclass(frozen=True, slots=True)
class _Scanned:
    """Positions of a block, with bounds of their estimates (higher is better)."""

    block: BlockView
    positions: NDArray[np.int64]
    lower: Bounds
    upper: Bounds


@dataclass(frozen=True, slots=True)
class Start:
    """Where the wanted part of a ranking begins, in estimates (higher is better).

    Rows above `most` come before it and rows below `least` after it. For rows between them, the exact score decides.
    """

    least: np.float32
    most: np.float32


def start_after(metric: Distance, score: np.float32) -> Start:
    """The start of the rows that score worse than `score`. Both the score and its estimate are rounded."""
    wide = float(score)
    estimate = -(wide * wide) if metric is Distance.EUCLID else wide if metric.higher_is_better else -wide
    margin = _ROUNDED * abs(estimate) + _LEAST_MARGIN
    least, most = np.clip([estimate - margin, estimate + margin], -_FLOAT32_MAX, _FLOAT32_MAX).astype(np.float32)
    return Start(least, most)


class Candidates:
    """The candidates of one query in one space, over all blocks: the best ones, or the best ones from `start` on.

    `computations` counts distances. `fallbacks` counts segments that were scanned because the walk was not good enough.
    """

    def __init__(self, metric: Distance, query: NDArray[np.float32], limit: int, start: Start | None = None) -> None:
        self.metric = metric
        self.query = query
        self.limit = limit
        self.start = start
        self.computations = 0
        self.fallbacks = 0
        self._scanned: list[_Scanned] = []
        self._found: list[tuple[BlockView, NDArray[np.int64]]] = []
        self._best_lower = np.empty(0, np.float32)  # the `limit` highest lower bounds so far
        self._floor = np.float32(-np.inf)  # the lowest of them: rows that cannot reach it are out

    def add_found(self, block: BlockView, positions: NDArray[np.int64]) -> None:
        """Adds rows that a graph found."""
        self._found.append((block, positions))

    def add_scanned(
        self, block: BlockView, start: int, positions: NDArray[np.int64] | None, lower: Bounds, upper: Bounds
    ) -> None:
        """Adds the best of scanned rows: those at `positions`, or consecutive ones from `start` on."""
        possible = (upper >= self._floor) & (upper > -np.inf)
        if self.start is None:
            keep = np.flatnonzero(possible)
            self._raise_floor(lower[keep])
        else:
            keep = np.flatnonzero(possible & (lower <= self.start.most))
            self._raise_floor(lower[keep[upper[keep] < self.start.least]])
        keep = keep[upper[keep] >= self._floor]
        kept = keep + start if positions is None else positions[keep]
        self._scanned.append(_Scanned(block, kept, lower[keep], upper[keep]))

    def scored(self) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """Slots and exact scores of all rows that may be among the best."""
        chosen = self._found + self._best_scanned()
        if not chosen:
            return np.empty(0, np.uint32), np.empty(0, np.float32)
        slots = [block.slots[positions] for block, positions in chosen]
        scores = [score_rows(self.metric, self.query, block.vectors[positions]) for block, positions in chosen]
        return (slots[0], scores[0]) if len(chosen) == 1 else (np.concatenate(slots), np.concatenate(scores))

    def scanned_in(self, block: BlockView) -> NDArray[np.int64]:
        """Positions of the scanned rows of `block` that may be among the best."""
        parts = [part.positions[part.upper >= self._floor] for part in self._scanned if part.block is block]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def _best_scanned(self) -> list[tuple[BlockView, NDArray[np.int64]]]:
        return [(part.block, part.positions[part.upper >= self._floor]) for part in self._scanned]

    def _raise_floor(self, lower: Bounds) -> None:
        best = np.concatenate((self._best_lower, lower))
        if len(best) > self.limit:
            best = np.partition(best, len(best) - self.limit)[len(best) - self.limit :]
        if len(best) == self.limit:
            self._floor = best.min()
        self._best_lower = best


def scan_block(
    pools: Sequence[Candidates], block: BlockView, seq: int, positions: NDArray[np.int64] | None, budget: Budget
) -> None:
    """Adds to each of `pools` the best rows of `block`: of all rows alive at `seq`, or of those at `positions`."""
    usable = block.alive(seq) if positions is None else None
    if positions is not None and len(positions) > MASK_SHARE * block.count:
        usable = np.zeros(block.count, np.bool_)
        usable[positions] = True
        positions = None
    total = block.count if positions is None else len(positions)
    if total == 0:
        return
    queries = np.stack([pool.query for pool in pools])
    query_norms, row_norms = norms_of(queries), block.norms(budget.check)
    step = max(1, min(ROWS_AT_ONCE, ESTIMATES_AT_ONCE // len(pools), ESTIMATES_AT_ONCE // queries.shape[1]))
    for start in range(0, total, step):
        budget.check()
        stop = min(total, start + step)
        part = None if positions is None else positions[start:stop]
        rows = slice(start, stop) if part is None else part
        guess, bound = estimate_rows(pools[0].metric, queries, query_norms, block.vectors[rows], row_norms[rows])
        lower, upper = guess - bound, guess + bound
        if usable is not None:
            lower[:, ~usable[start:stop]] = upper[:, ~usable[start:stop]] = -np.inf
        for number, pool in enumerate(pools):
            budget.check()
            pool.add_scanned(block, start, part, lower[number], upper[number])
            pool.computations += stop - start


def scan_codes(
    pools: Sequence[Candidates], block: BlockView, seq: int, coded: Sequence[CodedRows], budget: Budget
) -> None:
    """Adds to each of `pools` the best of the coded rows of `block`. Requires: all of them are alive at `seq`.

    Rows that their codes cannot rule out are estimated once more in float32, unless they are so few that they are
    scored at once.
    """
    queries = code_queries(pools[0].metric, np.stack([pool.query for pool in pools]))
    if queries is None:  # float32 cannot hold these queries either, but scan_block handles that
        scan_block(pools, block, seq, np.concatenate([part.positions for part in coded]), budget)
        return
    rough = [Candidates(pool.metric, pool.query, pool.limit, pool.start) for pool in pools]
    for part in coded:
        budget.check()
        for number, guess, bound in estimate_codes(queries, part):
            rough[number].add_scanned(block, 0, part.positions, guess - bound, guess + bound)
            pools[number].computations += len(guess)
    for pool, survey in zip(pools, rough, strict=True):
        left = survey.scanned_in(block)
        if len(left) > REFINED_SHARE * pool.limit + REFINED_ROWS:
            scan_block([pool], block, seq, left, budget)
        else:
            pool.add_found(block, left)
