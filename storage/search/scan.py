"""Scanning rows of a block for the best of some queries: by the kernels, or by their twin in numpy.

Both estimate every row with bounds and score exactly what may be among the best, so both find the same rows. The
kernels do so block by block, and also from codes of rows; the twin gathers what is left of all blocks first.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.kernels import Codes, Metric, Scan, Scanned, has_kernels, native_scan, threads_for
from storage.search.candidates import Candidates
from storage.segments import BlockView
from storage.vectors import CodedRows, estimate_rows, norms_of

Positions = NDArray[np.int64]

ROWS_AT_ONCE = 16_384
ESTIMATES_AT_ONCE = 1 << 22  # estimates held at once: 16 MiB
MASK_SHARE = 0.25
"""Share of a block above which numpy is faster by masking a scan of the whole block than by gathering wanted rows."""

COMPARED_AT_ONCE = 1 << 25
"""Components that the kernels compare between two looks at the budget: some milliseconds of work."""

_QUERIES_TOGETHER = 16  # that share rows while these are near the processor


def scan_block(
    pools: Sequence[Candidates], block: BlockView, seq: int, positions: Positions | None, budget: Budget
) -> None:
    """Adds to each of `pools` the best of all rows of `block` alive at `seq`, or of its `positions`."""
    if has_kernels():
        _scan_natively(pools, block, block.alive(seq) if positions is None else None, positions, None, budget)
    else:
        scan_in_numpy(pools, block, seq, positions, budget)


def scan_codes(pools: Sequence[Candidates], block: BlockView, coded: Sequence[CodedRows], budget: Budget) -> None:
    """Adds to each of `pools` the best of the rows of `block` that `coded` holds, which may all be found."""
    for part in coded:
        _scan_natively(pools, block, None, part.positions, part.codes, budget)


def _scan_natively(
    pools: Sequence[Candidates],
    block: BlockView,
    usable: NDArray[np.bool_] | None,
    positions: Positions | None,
    codes: Codes | None,
    budget: Budget,
) -> None:
    metric, size = Metric[pools[0].metric.name], block.vectors.shape[1]
    norms = block.norms(budget.check)
    total = block.count if positions is None else len(positions)
    step = max(1, COMPARED_AT_ONCE // (size * min(len(pools), _QUERIES_TOGETHER)))
    for start in range(0, total, step):
        stop = min(total, start + step)
        part = slice(start, stop)
        rows = Scanned(
            metric=metric,
            vectors=block.vectors[part] if positions is None else block.vectors,
            norms=norms[part] if positions is None else norms,
            positions=None if positions is None else positions[part],
            usable=None if usable is None else usable[part],
            codes=None if codes is None else codes.part(part),
        )
        for some in _in_turn(pools, max(1, COMPARED_AT_ONCE // ((stop - start) * size))):
            budget.check()
            budget.meter.rows_scanned += len(some) * (stop - start)
            for pool, (found, scores) in zip(some, native_scan(rows, _asked(some, budget)), strict=True):
                pool.add_scored(block, found + start if positions is None else found, scores)
                pool.computations += stop - start


def _in_turn(pools: Sequence[Candidates], at_once: int) -> Iterator[Sequence[Candidates]]:
    for start in range(0, len(pools), at_once):
        yield pools[start : start + at_once]


def _asked(pools: Sequence[Candidates], budget: Budget) -> Scan:
    return Scan(
        queries=np.stack([pool.query for pool in pools]),
        limits=np.array([pool.limit for pool in pools], np.int64),
        floors=np.array([pool.worst_wanted() for pool in pools], np.float32),
        after=np.array([np.nan if pool.after is None else pool.after for pool in pools], np.float32),
        threads=threads_for(len(pools)),
        deadline=budget.deadline,
    )


def scan_in_numpy(
    pools: Sequence[Candidates], block: BlockView, seq: int, positions: Positions | None, budget: Budget
) -> None:
    """What `scan_block` does, without the library of kernels."""
    usable = block.alive(seq) if positions is None else None
    compared = block.count if positions is None else len(positions)
    budget.meter.rows_scanned += len(pools) * compared
    for pool in pools:
        pool.computations += compared
    if positions is not None and len(positions) > MASK_SHARE * block.count:
        usable = np.zeros(block.count, np.bool_)
        usable[positions] = True
        positions = None
    total = block.count if positions is None else len(positions)
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
