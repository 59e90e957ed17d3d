"""Candidates: rows that may be among the best of a query, with bounds on their scores, and the scan that finds them.

A scanned row stays a candidate while its best possible estimate reaches the worst possible estimate of the k-th best
row, so no row of the true top k is ever lost to float32 rounding. What stays is scored exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage import distance
from storage.block import BlockView
from storage.budget import Budget
from storage.schema import Distance

Bounds = NDArray[np.float32]

CHUNK_ROWS = 16_384
CHUNK_VALUES = 1 << 22  # estimates held at once: 16 MiB
MASK_SHARE = 0.25
"""Share of a block above which masking a scan of the whole block beats gathering the wanted rows."""


@dataclass(frozen=True, slots=True)
class _Scanned:
    """Positions of a block whose estimates (higher is better) lie between `lower` and `upper`."""

    block: BlockView
    positions: NDArray[np.int64]
    lower: Bounds
    upper: Bounds


class Candidates:
    """The candidates of one query in one space, pooled over its blocks. `computations` counts distances."""

    def __init__(self, metric: Distance, query: NDArray[np.float32], limit: int) -> None:
        self.metric = metric
        self.query = query
        self.limit = limit
        self.computations = 0
        self._scanned: list[_Scanned] = []
        self._found: list[tuple[BlockView, NDArray[np.int64]]] = []

    def add_found(self, block: BlockView, positions: NDArray[np.int64]) -> None:
        """Adds rows that a graph found."""
        self._found.append((block, positions))

    def add_scanned(
        self, block: BlockView, start: int, positions: NDArray[np.int64] | None, lower: Bounds, upper: Bounds
    ) -> None:
        """Adds the best of scanned rows: `positions`, or those from `start` on."""
        keep = _may_be_best(lower, upper, self.limit)
        kept = keep + start if positions is None else positions[keep]
        self._scanned.append(_Scanned(block, kept, lower[keep], upper[keep]))

    def scored(self) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """Slots and exact scores of all rows that may be among the best."""
        chosen = self._found + self._best_scanned()
        if not chosen:
            return np.empty(0, np.uint32), np.empty(0, np.float32)
        slots = [block.slots[positions] for block, positions in chosen]
        scores = [distance.scores(self.metric, self.query, block.vectors[positions]) for block, positions in chosen]
        return (slots[0], scores[0]) if len(chosen) == 1 else (np.concatenate(slots), np.concatenate(scores))

    def _best_scanned(self) -> list[tuple[BlockView, NDArray[np.int64]]]:
        if len(self._scanned) < 2:
            return [(part.block, part.positions) for part in self._scanned]
        lower = np.concatenate([part.lower for part in self._scanned])
        worst = _worst_of_best(lower, self.limit)
        return [(part.block, part.positions[part.upper >= worst]) for part in self._scanned]


def _worst_of_best(lower: Bounds, limit: int) -> np.float32:
    """The `limit`-th best lower bound; -inf when there are not so many."""
    if len(lower) <= limit:
        return np.float32(-np.inf)
    worst: np.float32 = np.partition(lower, len(lower) - limit)[len(lower) - limit]
    return worst


def _may_be_best(lower: Bounds, upper: Bounds, limit: int) -> NDArray[np.intp]:
    """Positions whose upper bound reaches the `limit`-th best lower bound. Rows ruled out have -inf."""
    return np.flatnonzero((upper >= _worst_of_best(lower, limit)) & (upper > -np.inf))


def scan_block(
    pools: Sequence[Candidates], block: BlockView, seq: int, positions: NDArray[np.int64] | None, budget: Budget
) -> None:
    """Adds to each of `pools` the best of all rows of `block` alive at `seq`, or of its `positions`."""
    usable = block.alive(seq) if positions is None else None
    if positions is not None and len(positions) > MASK_SHARE * block.count:
        usable = np.zeros(block.count, np.bool_)
        usable[positions] = True
        positions = None
    total = block.count if positions is None else len(positions)
    if total == 0:
        return
    queries = np.stack([pool.query for pool in pools])
    query_norms, row_norms = distance.norms(queries), block.norms()
    step = max(1, min(CHUNK_ROWS, CHUNK_VALUES // len(pools), CHUNK_VALUES // queries.shape[1]))
    for start in range(0, total, step):
        budget.check()
        stop = min(total, start + step)
        part = None if positions is None else positions[start:stop]
        rows = slice(start, stop) if part is None else part
        guess, bound = distance.estimates(pools[0].metric, queries, query_norms, block.vectors[rows], row_norms[rows])
        lower, upper = guess - bound, guess + bound
        if usable is not None:
            lower[:, ~usable[start:stop]] = upper[:, ~usable[start:stop]] = -np.inf
        for number, pool in enumerate(pools):
            pool.add_scanned(block, start, part, lower[number], upper[number])
            pool.computations += stop - start
