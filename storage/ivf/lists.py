"""The lists of one segment: a file with its centroids and, list by list, positions and codes. Built once, then mapped.

Lists find candidates; scores come from the originals. Like a graph this is derived data.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.ivf import arrays as files
from storage.ivf.codes import Probe, code_of, encode, gathered, layout_of, nearness
from storage.ivf.kmeans import make_partition
from storage.ivf.partition import Comparison, Partition, directed, fitted
from storage.schema import Datatype, Distance, SpaceSchema

_MAGIC = b"HWIVF\x00\x00\x01"
_ROWS_AT_ONCE = 4096
_SERVED = (Distance.COSINE, Distance.DOT, Distance.EUCLID)

Report = Callable[[str, int, int], None]
"""Called with phase, done and total."""


def serves(distance: Distance) -> bool:
    """Whether lists can serve the metric; others are scanned."""
    return distance in _SERVED


def build_lists(
    space: SpaceSchema,
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
            vectors, positions, space.distance, config, lambda done, total: report("partitioning", done, total)
        )
    assigned = np.empty(len(positions), np.int64)
    for start in range(0, len(positions), _ROWS_AT_ONCE):
        chunk = positions[start : start + _ROWS_AT_ONCE]
        assigned[start : start + len(chunk)] = partition.assign(vectors[chunk], space.distance)
        report("assigning", start + len(chunk), len(positions))
    _write(space, vectors, positions, assigned, partition, path, report)


def _write(
    space: SpaceSchema,
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
    out = files.create(path, _MAGIC, {"code": code.value, "levels": len(partition.centroids)}, layout)
    for level, (centroids, starts) in enumerate(zip(partition.centroids, partition.starts, strict=True)):
        out[f"centroids{level}"][:], out[f"starts{level}"][:] = centroids, starts
    out["offsets"][:] = np.concatenate(([0], np.cumsum(np.bincount(assigned, minlength=len(leaves)))))
    out["positions"][:] = positions[order]
    for start in range(0, len(order), _ROWS_AT_ONCE):
        chunk = order[start : start + _ROWS_AT_ONCE]
        rows = directed(np.ascontiguousarray(vectors[positions[chunk]], dtype=np.float32), space.distance)
        for name, values in encode(code, rows, leaves[assigned[chunk]]).items():
            out[name][start : start + len(chunk)] = values
        report("building", start + len(chunk), len(order))
    for values in out.values():
        if isinstance(values, np.memmap):
            values.flush()


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

    def __init__(self, space: SpaceSchema, path: Path) -> None:
        """Requires: `path` has been verified by its checksum. ValueError: it is no file of lists."""
        about, arrays, self.bytes = files.open_arrays(path, _MAGIC)
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
    ) -> tuple[NDArray[np.int64], int]:
        """(the `count` positions that seem nearest to `query` (size,), nearest first, of those in the lists read and
        `usable`; distances computed). `nprobe` is what `nprobe()` returned.

        With `filtered` the nearest of all lists are read, however their parents lie, until enough usable rows were.
        """
        query = directed(query[None], self._distance)[0]
        lists, compared = self.partition.nearest_lists(
            query, self._levels, nprobe if filtered is None else self.partition.lists
        )
        if filtered is not None:
            read = np.cumsum(filtered.usable_rows[lists])
            lists = lists[: max(nprobe[-1], int(np.searchsorted(read, filtered.least)) + 1)]
        lists = np.sort(lists[self._offsets[lists] < self._offsets[lists + 1]])
        if not len(lists):
            return np.empty(0, np.int64), compared
        probes = self._probes(lists)
        counts = self._offsets[lists + 1] - self._offsets[lists]
        positions = gathered(self._positions, probes).astype(np.int64)
        near = nearness(self.datatype, self._distance, query, self._arrays, probes, self._leaves[lists], counts)
        computed = compared + len(near)
        if usable is not None:
            kept = usable[positions]
            positions, near = positions[kept], near[kept]
        if count < len(near):
            # With all that are as near as the last, so that ties are by position, however the lists are.
            best = near >= np.partition(near, len(near) - count)[len(near) - count]
            positions, near = positions[best], near[best]
        return positions[np.lexsort((positions, -near))[:count]], computed

    def _probes(self, lists: NDArray[np.int64]) -> list[Probe]:
        """What is read for ascending `lists`, none empty: neighbours at once, and over empty lists."""
        starts, stops = self._offsets[lists], self._offsets[lists + 1]
        apart = starts[1:] != stops[:-1]
        first = starts[np.concatenate(([True], apart))].tolist()
        last = stops[np.concatenate((apart, [True]))].tolist()
        return [Probe(start, stop) for start, stop in zip(first, last, strict=True)]
