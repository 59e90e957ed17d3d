"""The lists of one segment: a file with the centroids and, for each list, positions and codes. Built once, then mapped.

Lists only find candidates; scores come from the original vectors. Like a graph, this is derived data.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.budget import UNLIMITED, Budget
from storage.files import create, open_arrays
from storage.ivf.codes import Runs, code_of, encode, gathered, layout_of, nearness
from storage.ivf.kmeans import make_partition
from storage.ivf.partition import ROWS_AT_ONCE, Comparison, Partition, directed, fitted, nearest
from storage.phases import Phase
from storage.schema import Datatype, DenseSpace, Distance

MAGIC = b"HWIVF\x00\x00\x02"
_READ_AT_ONCE = 65_536  # rows that a search compares between two checks of its budget: a few milliseconds
_SERVED = (Distance.COSINE, Distance.DOT, Distance.EUCLID)

Report = Callable[[Phase, int, int], None]
"""Called with the phase, the rows done and their total."""


def serves(distance: Distance) -> bool:
    """Whether lists can serve the metric. Spaces of other metrics are scanned."""
    return distance in _SERVED


def build_lists(
    space: DenseSpace,
    vectors: NDArray[np.float32],
    positions: NDArray[np.int64],
    path: Path,
    partition: Partition | None = None,
    report: Report = lambda phase, done, total: None,
) -> None:
    """Writes the lists of `vectors[positions]` to `path`, not synced. `partition` None: it is computed from these
    rows."""
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
"""Under a filter, so many times more rows are found. Matching rows may all be far from the query, and then codes hardly
tell them apart. With 1, recall at 10 was 0.95 where half of 8,000 rows matched and all of them were far."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """What a filter leaves of the lists: the usable rows of each list, and the least number of usable rows to read.

    A filter may leave nothing in the lists near a query. So a search reads as many usable rows as it would read if they
    were spread evenly over the lists.
    """

    usable_rows: NDArray[np.int64]
    least: int


class Lists:
    """Saved lists, mapped read-only. Safe for many threads."""

    verified = True  # before they are opened

    def __init__(self, space: DenseSpace, path: Path) -> None:
        """Requires: `path` matches its checksum. Raises ValueError when it is not a file of lists."""
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
        """The number of nodes that a search follows on each level when it asks for `wanted`."""
        return fitted(wanted, self.partition.lists)

    def rows_read(self, wanted: tuple[int, ...]) -> int:
        """The number of rows that a search for `wanted` reads if all lists are equally long."""
        return self.size * self.nprobe(wanted)[-1] // self.partition.lists[-1]

    def usable_rows(self, usable: NDArray[np.bool_]) -> NDArray[np.int64]:
        """For each list, the number of its rows that are `usable`, a flag by position."""
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
        """Finds the `count` positions that seem nearest to `query` (size,) among the `usable` ones in the lists that it
        reads.

        Returns them nearest first, and the number of distances computed. `nprobe` is what `nprobe()` returned. With
        `filtered` the lists are chosen among all lists, not through their parents; see `_filtered`. Raises
        DeadlineExceeded or Cancelled.
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
            # Keep all that are as near as the last one: position then decides ties, whatever the order of lists.
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
        """Compares the rows of `lists`, which are sorted nearest first, until enough usable rows are found.

        It reads `nprobe` lists, then as many as `filtered` asks for. After that it reads on while a list's centroid is
        at most `slack` farther from the query than the worst of the `count` best usable rows. `slack` is this
        difference without a filter. It is needed because best rows that lie far from the query are spread over more
        lists.
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
            else:  # the squared distances of a centroid and of its rows differ more with distance
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
        """How near the centroids of `lists` are to the query, in the measure of `nearness`."""
        wide, centroids = query.astype(np.float64), self._leaves[lists].astype(np.float64)
        if self._distance is Distance.DOT:
            near: NDArray[np.float64] = centroids @ wide
            return near
        near = -np.square(wide - centroids).sum(axis=1)
        return near

    def _compared(
        self, query: NDArray[np.float32], lists: NDArray[np.int64], budget: Budget
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The positions of the rows of `lists`, list by list in the order on disk, and how near they seem."""
        lists = np.sort(lists[self._offsets[lists] < self._offsets[lists + 1]])
        found = []
        for runs in self._runs(lists):
            budget.check()
            near = nearness(self.datatype, self._distance, query, self._arrays, runs)
            found.append((gathered(self._positions, runs).astype(np.int64), near))
        if not found:
            return np.empty(0, np.int64), np.empty(0)
        if len(found) == 1:
            return found[0]
        return np.concatenate([each for each, _ in found]), np.concatenate([each for _, each in found])

    def _runs(self, lists: NDArray[np.int64]) -> Iterator[Runs]:
        """The rows of `lists`, about _READ_AT_ONCE at a time, for a check of the budget between them."""
        if not len(lists):
            return
        runs_each = -(-(self._offsets[lists + 1] - self._offsets[lists]) // _READ_AT_ONCE)  # cuts long lists
        owners = np.repeat(lists, runs_each)
        cut = np.arange(len(owners)) - np.repeat(np.cumsum(runs_each) - runs_each, runs_each)
        starts = self._offsets[owners] + cut * _READ_AT_ONCE
        stops = np.minimum(starts + _READ_AT_ONCE, self._offsets[owners + 1])
        group = np.cumsum(stops - starts) // _READ_AT_ONCE
        bounds = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), len(owners)]
        for first, last in pairwise(bounds):
            yield Runs(starts[first:last], stops[first:last], self._leaves[owners[first:last]])


def _last_of_best(near: NDArray[np.float64], count: int) -> float:
    """The `count`-th highest value, or the lowest when there are fewer; minus infinity when there are none."""
    if not len(near):
        return -np.inf
    return float(np.partition(near, max(0, len(near) - count))[max(0, len(near) - count)])
