"""Walking the graph of a block for rows of which only some may be found.

A walk finds the nearest rows, whatever they are, and the order in which usable ones come among them tells how dense
they are near the query: that decides whether it was wide enough, how wide it must be, or that a scan is cheaper.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.index import Graph, GraphSearch
from storage.kernels import WalkFound, threads_for
from storage.search.candidates import Candidates
from storage.segments import BlockView, RowsInBlock

SCANNED_PER_STEP = 200
"""Rows that a scan passes while a walk gets wider by one: up to so many, matching rows are scanned, and exactly. By
native kernels, `python -m bench.crossover` finds 20 to 60 coded rows in 24,000 of 384 dimensions, 90 to 170 in 250,000
of 96, and 6 to 25 of originals, as are scanned by a filter's first search. Whole searches, whose walks find nothing of
the graph near the processor and may have to go twice, took no longer by scans of 200 rows a step. It must not depend on
what is coded, nor on whether there are kernels, or equal requests could find other rows."""

MARGIN = 5.0
"""How many times as wide as the place of the last row asked for a filtered walk must be: farther out, a walk misses
rows. On a million clustered rows recall at 10 was 0.95 to 0.99 for walks of 2 to 3 times, 0.97 to 0.99 of 3 to 5, and
0.99 to 1 above."""

_GROWTH = 4.0  # how much wider a second walk may be than the first
_SPARE = 1.25  # and how much wider than seems needed
STEPS_AT_ONCE = 8_192
"""Widths of all walks of one call: some milliseconds, in which others may not have a turn."""

WALKS_AT_ONCE = 64  # queries walked between two looks at the budget

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Walk:
    """What one search wants of a graph: the `limit` best rows by walks as wide as `ef` when every row may be found.

    `nominated`: usable rows, nearest first, of those that were found, that are scored exactly.
    """

    limit: int
    ef: int
    nominated: int

    @property
    def margin(self) -> float:
        """How many times as wide as the place of the last row a walk must be: less where little more than the rows
        asked for is looked at without a filter, too."""
        return min(MARGIN, 2 * self.ef / self.limit)

    def first_width(self, share: float) -> int:
        """How wide to walk when a `share` of the rows may be found, spread evenly."""
        return max(self.ef, math.ceil(self.margin * self.limit / share))


@dataclass(frozen=True, slots=True)
class Usable:
    """Which positions of a block may be found, (count,), and how many. `filtered`: by more than being alive."""

    mask: NDArray[np.bool_] | None
    count: int
    filtered: bool


def usable_in(block: BlockView, seq: int, rows: RowsInBlock | None) -> Usable:
    """`rows`: those that a filter allows, which are alive; None: there is no filter."""
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
    """Adds to each pool what its walk of the block's `graph` finds. Returns the pools that need a scan after all.

    What a walk does depends on nothing but its own search, so a batch finds what single searches find.
    """
    if graph.damaged:
        return list(pools)
    share = usable.count / block.count
    widths = {
        number: walk.first_width(share) if usable.filtered else math.ceil(walk.ef / share)
        for number, walk in enumerate(walks)
    }
    scanned: list[Candidates] = []
    for last in (False, True):
        wider: dict[int, int] = {}
        for number, found in _walk(_Walks(graph, block, pools, walks, usable), widths, budget):
            pools[number].computations += found.computed
            budget.meter.graph_steps += found.computed
            if not graph.verified and len(np.unique(found.positions)) < len(found.positions):
                scanned.append(pools[number])  # a damaged file names a row twice
                continue
            needed = _needed_width(walks[number], found, usable) if widths[number] < graph.size else 0
            if found.usable >= min(walks[number].limit, usable.count) and needed <= widths[number]:
                pools[number].add_scored(block, found.positions, found.scores)
            elif last or not _pays(needed, widths[number], usable):
                scanned.append(pools[number])
            else:
                wider[number] = math.ceil(_SPARE * needed)
        widths = wider
    return scanned


@dataclass(frozen=True, slots=True)
class _Walks:
    """Walks of the same block for several searches, each with its pool."""

    graph: Graph
    block: BlockView
    pools: Sequence[Candidates]
    walks: Sequence[Walk]
    usable: Usable

    def find(self, numbers: Sequence[int], width: int, budget: Budget) -> WalkFound:
        """What the searches with these numbers find. Requires: they ask for equally many rows."""
        walk = self.walks[numbers[0]]
        search = GraphSearch(
            queries=np.stack([self.pools[number].query for number in numbers]),
            width=width,
            limit=min(walk.limit, self.usable.count),
            nominated=walk.nominated,
            threads=threads_for(len(numbers)),
            deadline=budget.deadline,
        )
        return self.graph.find(search, self.block.vectors, self.usable.mask)


@dataclass(frozen=True, slots=True)
class _Found:
    """What one walk found: see WalkFound."""

    positions: Positions
    scores: NDArray[np.float32]
    usable: int
    place: int
    computed: int


def _needed_width(walk: Walk, found: _Found, usable: Usable) -> int:
    """How wide a walk must be, as far as one tells that found usable rows; 0: it found too few to tell."""
    if not usable.filtered or found.usable == 0:
        return 0
    asked = min(walk.limit, usable.count)
    return math.ceil(walk.margin * (found.place + 1) * max(1.0, asked / found.usable))


def scan_pays(rows: int, width: int) -> bool:
    """Whether scanning so many rows is cheaper than walks of this width in sum."""
    return rows <= SCANNED_PER_STEP * width


def _pays(needed: int, width: int, usable: Usable) -> bool:
    """Whether to walk again rather than to scan."""
    return 0 < needed <= _GROWTH * width and not scan_pays(usable.count, needed)


def _walk(walks: _Walks, widths: dict[int, int], budget: Budget) -> Iterator[tuple[int, _Found]]:
    """What the searches numbered in `widths` find. Those that ask for the same share a call."""
    alike: dict[tuple[int, int, int], list[int]] = {}
    for number, width in widths.items():
        walk = walks.walks[number]
        alike.setdefault((width, walk.limit, walk.nominated), []).append(number)
    for (width, _, _), numbers in alike.items():
        at_once = min(WALKS_AT_ONCE, max(1, STEPS_AT_ONCE // width))
        for start in range(0, len(numbers), at_once):
            budget.check()
            part = numbers[start : start + at_once]
            found = walks.find(part, width, budget)
            columns = (found.kept, found.usable, found.place, found.computed)
            told = zip(part, *(column.tolist() for column in columns), strict=True)
            for row, (number, kept, usable, place, computed) in enumerate(told):
                yield number, _Found(found.positions[row, :kept], found.scores[row, :kept], usable, place, computed)
