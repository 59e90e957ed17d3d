"""The lists of one segment: a file with its centroids and, list by list, positions and codes. Built once, then mapped.

Lists find candidates; scores come from the originals. Like a graph this is derived data.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.budget import UNLIMITED, Budget
from storage.files import create, open_arrays
from storage.ivf.codes import Part, code_of, encode, gathered, layout_of, nearness
from storage.ivf.kmeans import make_partition
from storage.ivf.partition import ROWS_AT_ONCE, Comparison, Partition, directed, fitted, nearest
from storage.phases import Phase
from storage.schema import Datatype, DenseSpace, Distance

MAGIC = b"HWIVF\x00\x00\x02"
_READ_AT_ONCE = 65_536  # rows that a search compares between two looks at its budget: some milliseconds
_SERVED = (Distance.COSINE, Distance.DOT, Distance.EUCLID)

Report = Callable[[Phase, int, int], None]
"""Called with phase, done and total."""


def serves(distance: Distance) -> bool:
    """Whether lists can serve the metric; others are scanned."""
    return distance in _SERVED


def build_lists(
    space: DenseSpace,
    vectors: NDArray[np.float32],
    positions: NDArray[np.int64],
    path: Path,
    partition: Partition | None = None,
    report: Report = lambda phase, done, total: None,
) -> None:
    """Writes the lists of `vectors[positions]` to `path`, not synced. `partition` None: one is made of these rows."""
    if partition is None:
        config = space.ivf
        partition = make_partition(
            vectors, positions, space.distance, config, lambda done, total: report(Phase.PARTITIONING, done, total)
        )
    assigned = nearest(
        vectors,
        partition.leaves,
        positions=positions,
        distance=space.distance,
        report=lambda done: report(Phase.ASSIGNING, done, len(positions)),
    )
    _write(space, vectors, positions, assigned, partition, path, report)


def _write(
    space: DenseSpace,
    vectors: NDArray[np.float32],
    positions: NDArray[np.int64],
    assigned: NDArray[np.int64],
    partition: Partition,
    path: Path,
    report: Report,
) -> None:
    code = code_of(space.datatype)
    order = np.argsort(assigned, kind="stable")
    leaves = directed(partition.leaves, space.distance)
    layout: dict[str, tuple[str, tuple[int, ...]]] = {}
    for level, (centroids, starts) in enumerate(zip(partition.centroids, partition.starts, strict=True)):
        layout |= {f"centroids{level}": ("<f4", centroids.shape), f"starts{level}": ("<i8", starts.shape)}
    layout |= {"offsets": ("<i8", (len(leaves) + 1,)), "positions": ("<u4", (len(positions),))}
    layout |= layout_of(code, len(positions), space.size)
    out = create(path, MAGIC, {"code": code.value, "levels": len(partition.centroids)}, layout)
    for level, (centroids, starts) in enumerate(zip(partition.centroids, partition.starts, strict=True)):
        out[f"centroids{level}"][:], out[f"starts{level}"][:] = centroids, starts
    out["offsets"][:] = np.concatenate(([0], np.cumsum(np.bincount(assigned, minlength=len(leaves)))))
    out["positions"][:] = positions[order]
    for start in range(0, len(order), ROWS_AT_ONCE):
        chunk = order[start : start + ROWS_AT_ONCE]
        rows = directed(np.ascontiguousarray(vectors[positions[chunk]], dtype=np.float32), space.distance)
        for name, values in encode(code, rows, leaves[assigned[chunk]]).items():
            out[name][start : start + len(chunk)] = values
        report(Phase.BUILDING, start + len(chunk), len(order))
    for values in out.values():
        if isinstance(values, np.memmap):
            values.flush()


FILTERED_OVERSAMPLING = 4
"""How many times as many rows are found under a filter: rows that match, but lie far from the query, differ less than
codes tell. Where half of 8,000 rows match, all of them far, recall at 10 was 0.95 with 1."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """What a filter leaves of lists: usable rows of each, and how many of them a search reads at least.

    A filter may leave nothing of the lists near a query. Reading as many usable rows as were read without it, were they
    spread evenly, makes up for that.
    """

    usable_rows: NDArray[np.int64]
    least: int


class Lists:
    """Saved lists, mapped read-only. Safe for many threads."""

    verified = True  # before they are opened

    def __init__(self, space: DenseSpace, path: Path) -> None:
        """Requires: `path` has been verified by its checksum. ValueError: it is no file of lists."""
        about, arrays, self.bytes = open_arrays(path, MAGIC)
        self.datatype = Datatype(about["code"])
        levels = range(int(about["levels"]))
        self.partition = Partition(
            tuple(arrays[f"centroids{level}"] for level in levels), tuple(arrays[f"starts{level}"] for level in levels)
        )
        self._leaves = directed(self.partition.leaves, space.distance)
        self._levels = [Comparison(level, space.distance) for level in self.partition.centroids]
        self._distance = space.distance
        self._arrays = arrays
        self._offsets = arrays["offsets"]
        self._positions = arrays["positions"]
        self.size = len(self._positions)

    def nprobe(self, wanted: tuple[int, ...]) -> tuple[int, ...]:
        """How many nodes of each level a search follows that asks for `wanted`."""
        return fitted(wanted, self.partition.lists)

    def rows_read(self, wanted: tuple[int, ...]) -> int:
        """Rows that a search which asks for `wanted` reads, were lists equally long."""
        return self.size * self.nprobe(wanted)[-1] // self.partition.lists[-1]

    def usable_rows(self, usable: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many of the rows of each list are `usable`, a flag for each position."""
        upto = np.concatenate(([0], np.cumsum(usable[self._positions])))
        counts: NDArray[np.int64] = upto[self._offsets[1:]] - upto[self._offsets[:-1]]
        return counts

    def search(
        self,
        query: NDArray[np.float32],
        nprobe: tuple[int, ...],
        count: int,
        usable: NDArray[np.bool_] | None,
        filtered: Filtered | None = None,
        budget: Budget = UNLIMITED,
    ) -> tuple[NDArray[np.int64], int]:
        """(the `count` positions that seem nearest to `query` (size,), nearest first, of those in the lists read and
        `usable`; distances computed). `nprobe` is what `nprobe()` returned. Raises DeadlineExceeded or Cancelled.

        With `filtered` the nearest of all lists are read, however their parents lie, as `_filtered` says.
        """
        query = directed(query[None], self._distance)[0]
        lists, compared = self.partition.nearest_lists(
            query, self._levels, nprobe if filtered is None else self.partition.lists
        )
        if filtered is None or usable is None:
            positions, near = self._compared(query, lists, budget)
        else:
            positions, near = self._filtered(query, lists, nprobe[-1], count, usable, filtered, budget)
            count *= FILTERED_OVERSAMPLING
        computed = compared + len(near)
        if usable is not None:
            kept = usable[positions]
            positions, near = positions[kept], near[kept]
        if count < len(near):
            # With all that are as near as the last, so that ties are by position, however the lists are.
            best = near >= np.partition(near, len(near) - count)[len(near) - count]
            positions, near = positions[best], near[best]
        return positions[np.lexsort((positions, -near))[:count]], computed

    def _filtered(
        self,
        query: NDArray[np.float32],
        lists: NDArray[np.int64],
        nprobe: int,
        count: int,
        usable: NDArray[np.bool_],
        filtered: Filtered,
        budget: Budget,
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """What is compared of `lists`, nearest first: `nprobe` of them, as many as `filtered` wants, and then those
        whose centroids are as near beside the last of the best usable rows as without a filter.

        Best rows that a filter leaves far from the query are spread over more lists than those near it.
        """
        wanted = int(np.searchsorted(np.cumsum(filtered.usable_rows[lists]), filtered.least)) + 1
        positions, near = self._compared(query, lists[:nprobe], budget)
        best = _last_of_best(near, count)
        slack = min(0.0, self._centroids_near(query, lists[nprobe - 1 : nprobe])[0] - best)
        done = nprobe
        while done < len(lists):
            budget.check()
            next_lists = lists[done : 2 * done]
            floor = _last_of_best(near[usable[positions]], count)
            if usable[positions].sum() < count:
                floor = -np.inf
            elif self._distance is Distance.DOT:
                floor += slack
            else:  # how far a centroid's squared distance is from that of its rows grows with the distance
                floor += slack * max(1.0, np.sqrt(floor / best)) if best < 0 else slack
            needed = (self._centroids_near(query, next_lists) >= floor) | (np.arange(len(next_lists)) + done < wanted)
            taken = len(needed) if needed.all() else int(np.argmin(needed))
            more_positions, more_near = self._compared(query, next_lists[:taken], budget)
            positions, near = np.concatenate((positions, more_positions)), np.concatenate((near, more_near))
            done += taken
            if taken < len(next_lists):
                break
        return positions, near

    def _centroids_near(self, query: NDArray[np.float32], lists: NDArray[np.int64]) -> NDArray[np.float64]:
        """How near the centroids of `lists` are, in the measure of `nearness`."""
        wide, centroids = query.astype(np.float64), self._leaves[lists].astype(np.float64)
        if self._distance is Distance.DOT:
            near: NDArray[np.float64] = centroids @ wide
            return near
        near = -np.square(wide - centroids).sum(axis=1)
        return near

    def _compared(
        self, query: NDArray[np.float32], lists: NDArray[np.int64], budget: Budget
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Positions of the rows of `lists`, list by list in their order on disk, and how near they seem."""
        lists = np.sort(lists[self._offsets[lists] < self._offsets[lists + 1]])
        found = []
        for part in self._parts(lists):
            budget.check()
            near = nearness(self.datatype, self._distance, query, self._arrays, part)
            found.append((gathered(self._positions, part).astype(np.int64), near))
        if not found:
            return np.empty(0, np.int64), np.empty(0)
        if len(found) == 1:
            return found[0]
        return np.concatenate([each for each, _ in found]), np.concatenate([each for _, each in found])

    def _parts(self, lists: NDArray[np.int64]) -> Iterator[Part]:
        """The rows of `lists`, about as many at once as are compared between two looks at the budget."""
        if not len(lists):
            return
        pieces = -(-(self._offsets[lists + 1] - self._offsets[lists]) // _READ_AT_ONCE)  # long lists are cut
        owners = np.repeat(lists, pieces)
        cut = np.arange(len(owners)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        starts = self._offsets[owners] + cut * _READ_AT_ONCE
        stops = np.minimum(starts + _READ_AT_ONCE, self._offsets[owners + 1])
        group = np.cumsum(stops - starts) // _READ_AT_ONCE
        bounds = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), len(owners)]
        for first, last in pairwise(bounds):
            yield Part(starts[first:last], stops[first:last], self._leaves[owners[first:last]])


def _last_of_best(near: NDArray[np.float64], count: int) -> float:
    """The `count`-th highest, or the lowest of fewer; of none minus infinity."""
    if not len(near):
        return -np.inf
    return float(np.partition(near, max(0, len(near) - count))[max(0, len(near) - count)])
