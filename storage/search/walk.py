"""Walks the graph of a block when only some of its rows may be found.

A walk finds the nearest rows, usable or not. The order in which usable rows appear among them tells how dense they are
near the query. This decides whether the walk was wide enough, how wide it must be, or that a scan is cheaper.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.index import Graph
from storage.search.candidates import Candidates
from storage.segments import BlockView, RowsInBlock

SCANNED_PER_STEP = 200
"""Rows that a scan compares in the time in which a walk gets wider by one.

Matching rows are scanned, exactly, if they are at most so many per step of the walk. `python -m bench.selectivity`
finds 35 to 330 for coded rows (most in large spaces) and 5 to 40 for original vectors, which a filter's first search
scans. The value must not depend on what is coded, or equal requests could find different rows.
"""

MARGIN = 5.0
"""How many times wider a filtered walk must be than the rank of the last row asked for. Far out, a walk misses rows.

Recall at 10 on a million clustered rows: 0.95 to 0.99 for 2 to 3 times, 0.97 to 0.99 for 3 to 5 times, 0.99 to 1 above.
"""

_GROWTH = 4.0  # the most that a second walk may be wider than the first, as a factor
_SPARE = 1.25  # how much wider it is than seems needed, as a factor
_STEPS_AT_ONCE = 4_096
"""Sum of the widths of the walks in one call: usearch lets nobody else search the graph during a call."""

_WALKS_AT_ONCE = 16  # queries walked between two checks of the budget

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Walk:
    """What one search wants of a graph: the `limit` best rows, by walks of width `ef` when every row may be found.

    `nominated`: the number of usable rows, nearest first, that are scored exactly.
    """

    limit: int
    ef: int
    nominated: int

    @property
    def margin(self) -> float:
        """How many times wider a walk must be than the rank of the last row asked for.

        It is less than MARGIN where a search without a filter also looks at hardly more rows than it is asked for.
        """
        return min(MARGIN, 2 * self.ef / self.limit)

    def first_width(self, share: float) -> int:
        """The width of the first walk when a `share` of the rows may be found, as if they were spread evenly."""
        return max(self.ef, math.ceil(self.margin * self.limit / share))


@dataclass(frozen=True, slots=True)
class Usable:
    """Which positions of a block may be found, (count,), and how many. `filtered`: a filter excludes some, not only
    deletion."""

    mask: NDArray[np.bool_] | None
    count: int
    filtered: bool

    def of(self, found: Positions) -> NDArray[np.intp]:
        """The ranks in `found` of the rows that may be found."""
        return np.arange(len(found)) if self.mask is None else np.flatnonzero(self.mask[found])


def usable_in(block: BlockView, seq: int, rows: RowsInBlock | None) -> Usable:
    """`rows`: the living rows that a filter allows; None: there is no filter."""
    if rows is None:
        alive = block.alive(seq)
        return Usable(alive, block.count if alive is None else int(np.count_nonzero(alive)), filtered=False)
    return Usable(rows.mask(block), len(rows.positions), filtered=True)


def walk_block(
    pools: Sequence[Candidates],
    walks: Sequence[Walk],
    block: BlockView,
    graph: Graph,
    usable: Usable,
    budget: Budget,
) -> list[Candidates]:
    """Adds to each pool the rows that its walk of `graph` finds. Returns the pools that need a scan after all.

    A walk depends only on its own search, so a batch finds the same rows as single searches.
    """
    share = usable.count / block.count
    widths = {
        number: walk.first_width(share) if usable.filtered else math.ceil(walk.ef / share)
        for number, walk in enumerate(walks)
    }
    scanned: list[Candidates] = []
    for last in (False, True):
        wider: dict[int, int] = {}
        for number, found in _walk(graph, pools, widths, budget):
            walk, ranks = walks[number], usable.of(found)
            needed = _needed_width(walk, ranks, usable) if widths[number] < graph.size else 0
            if len(ranks) >= min(walk.limit, usable.count) and needed <= widths[number]:
                pools[number].add_found(block, found[ranks[: walk.nominated]])
            elif last or not _pays(needed, widths[number], usable):
                scanned.append(pools[number])
            else:
                wider[number] = math.ceil(_SPARE * needed)
        widths = wider
    return scanned


def _needed_width(walk: Walk, ranks: NDArray[np.intp], usable: Usable) -> int:
    """How wide a walk must be, judged by the `ranks` of the usable rows that were found; 0: too few to judge."""
    asked = min(walk.limit, usable.count)
    if not usable.filtered:
        return 0
    if len(ranks) >= asked:
        return math.ceil(walk.margin * (int(ranks[asked - 1]) + 1))
    return math.ceil(walk.margin * asked / len(ranks) * (int(ranks[-1]) + 1)) if len(ranks) else 0


def scan_pays(rows: int, width: int) -> bool:
    """Whether scanning `rows` rows is cheaper than walks with the total width `width`."""
    return rows <= SCANNED_PER_STEP * width


def _pays(needed: int, width: int, usable: Usable) -> bool:
    """Whether to walk again rather than scan."""
    return 0 < needed <= _GROWTH * width and not scan_pays(usable.count, needed)


def _walk(
    graph: Graph, pools: Sequence[Candidates], widths: dict[int, int], budget: Budget
) -> Iterator[tuple[int, Positions]]:
    """Yields the number of each search in `widths` and the positions that it finds, nearest first. Equal widths share a
    call."""
    by_width: dict[int, list[int]] = {}
    for number, width in widths.items():
        by_width.setdefault(width, []).append(number)
    for width, numbers in by_width.items():
        at_once = min(_WALKS_AT_ONCE, max(1, _STEPS_AT_ONCE // width))
        for start in range(0, len(numbers), at_once):
            budget.check()
            part = numbers[start : start + at_once]
            keys, counts, computed = graph.search(np.stack([pools[number].query for number in part]), width)
            for row, number in enumerate(part):
                pools[number].computations += computed // len(part)
                yield number, keys[row, : counts[row]].astype(np.int64)
