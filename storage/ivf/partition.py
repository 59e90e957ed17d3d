"""A partition: the tree of centroids that decides which list a row belongs to. k-means or a client makes it.

tree.py checks trees of rows `id, parent, vector`.
"""

import io
import math
import uuid
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.errors import CorruptStore
from storage.files import failure, publish
from storage.schema import Distance, PartitionFile
from storage.vectors import norms_of

MAX_CENTROID_VALUES = 1 << 26
"""Components of all centroids of a partition together: 256 MiB."""

ROWS_AT_ONCE = 4096
"""Rows that are compared with centroids, or coded, at once."""

_LARGEST_COMPONENT = np.float32(1e30)  # in units of the largest centroid component; larger components are cut to this


@dataclass(frozen=True, slots=True)
class Partition:
    """The levels of centroids, from the children of the root down. The last level is the lists, in order.

    `centroids[l]` (n_l, size) float32. The children of node i of level l - 1 are nodes `starts[l][i]` to `starts[l][i +
    1]` of level l (int64, (n_(l-1) + 1,)). Level 0 has one parent, the root.
    """

    centroids: tuple[NDArray[np.float32], ...]
    starts: tuple[NDArray[np.int64], ...]

    @property
    def lists(self) -> tuple[int, ...]:
        """Nodes of each level."""
        return tuple(len(level) for level in self.centroids)

    @property
    def leaves(self) -> NDArray[np.float32]:
        return self.centroids[-1]

    def nearest_lists(
        self, query: NDArray[np.float32], levels: Sequence["Comparison"], nprobe: tuple[int, ...]
    ) -> tuple[NDArray[np.int64], int]:
        """The lists that a search for `query` (size,) reads, nearest first, and the number of centroids compared.

        `levels`: the centroids of each level, in the metric that ranks rows. `nprobe`: nodes followed on each level, at
        least one.
        """
        nodes, compared = np.zeros(1, np.int64), 0
        for level, starts, wanted in zip(levels, self.starts, nprobe, strict=True):
            below = np.concatenate([np.arange(starts[node], starts[node + 1]) for node in np.sort(nodes).tolist()])
            compared += len(below)
            near = level.nearness(query[None], below)[0]
            best = np.argpartition(-near, wanted - 1)[:wanted] if wanted < len(below) else np.arange(len(below))
            nodes = below[best[np.argsort(-near[best], kind="stable")]]
        return nodes, compared

    def to_bytes(self) -> bytes:
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {f"centroids{level}": values for level, values in enumerate(self.centroids)}
        arrays |= {f"starts{level}": values for level, values in enumerate(self.starts)}
        np.savez(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Partition":
        with np.load(io.BytesIO(data)) as arrays:
            levels = len(arrays.files) // 2
            return cls(
                tuple(arrays[f"centroids{level}"] for level in range(levels)),
                tuple(arrays[f"starts{level}"] for level in range(levels)),
            )


def write_partition(path: Path, partition: Partition) -> PartitionFile:
    """Writes the file of a partition, durably. Raises StorageFull or StorageFailed."""
    data = partition.to_bytes()
    temporary = path.with_suffix(".new")
    try:
        temporary.write_bytes(data)
        publish(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise failure(error, f"writing {path}") from error
    return PartitionFile(id=uuid.uuid4().hex[:16], name=path.name, checksum=zlib.crc32(data), lists=partition.lists)


def read_partition(path: Path, checksum: int) -> Partition:
    """Reads the file of a partition. It is an original: raises CorruptStore when it is missing or damaged."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise CorruptStore(path, 0, "the partition is missing") from None
    if zlib.crc32(data) != checksum:
        raise CorruptStore(path, 0, "the partition does not match its checksum")
    return Partition.from_bytes(data)


def directed(rows: NDArray[np.float32], distance: Distance) -> NDArray[np.float32]:
    """`rows` as lists compare them: scaled to length 1 under Cosine, zero rows unchanged."""
    if distance is not Distance.COSINE:
        return rows
    lengths = norms_of(rows)[:, None]
    result: NDArray[np.float32] = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return result


class Comparison:
    """Centroids in a form that rows are compared with, for a metric that lists serve.

    Under Euclid, rows and centroids are moved by the mean of the centroids: else large lengths would hide small
    distances. Both are also divided by a power of two, so that squares neither overflow nor vanish in float32. Neither
    step changes the order.
    """

    def __init__(self, centroids: NDArray[np.float32], distance: Distance) -> None:
        """`centroids` (n, size), n at least 1."""
        largest = float(np.abs(centroids).max())
        self._exponent = math.frexp(largest)[1] if largest > 0 else 0
        wide = np.ldexp(directed(centroids, distance), -self._exponent if distance is not Distance.COSINE else 0)
        if distance is Distance.COSINE:
            self._exponent = 0
        self._origin: NDArray[np.float32] | None = None
        self._half_squares: NDArray[np.float32] | None = None
        if distance is Distance.EUCLID:
            self._origin = wide.mean(axis=0, dtype=np.float64).astype(np.float32)
            wide = wide - self._origin
            self._half_squares = np.square(wide).sum(axis=1) / 2
        self._centroids: NDArray[np.float32] = wide

    def nearness(self, rows: NDArray[np.float32], nodes: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """How near the centroids are to `rows` (n, size), as (n, m); higher is nearer.

        `nodes`, ascending, selects centroids; None: all.
        """
        if self._exponent:
            rows = np.clip(np.ldexp(rows, -self._exponent), -_LARGEST_COMPONENT, _LARGEST_COMPONENT)
        if self._origin is not None:
            rows = rows - self._origin
        every = nodes is None or len(nodes) == len(self._centroids)
        near: NDArray[np.float32] = rows @ (self._centroids if every else self._centroids[nodes]).T
        if self._half_squares is not None:
            near -= self._half_squares if every else self._half_squares[nodes]
        return near


def nearest(
    vectors: NDArray[np.float32],
    centroids: NDArray[np.float32],
    *,
    positions: NDArray[np.int64] | None = None,
    distance: Distance = Distance.EUCLID,
    report: Callable[[int], None] = lambda done: None,
) -> NDArray[np.int64]:
    """The nearest of `centroids` for each of `vectors[positions]` (None: all vectors), by Euclid, or by angle under
    Cosine.

    `report` is called with the number of rows that are done.
    """
    comparison = Comparison(directed(centroids, distance), Distance.EUCLID)
    labels = np.empty(len(vectors) if positions is None else len(positions), np.int64)
    for start in range(0, len(labels), ROWS_AT_ONCE):
        stop = min(start + ROWS_AT_ONCE, len(labels))
        rows = vectors[start:stop] if positions is None else vectors[positions[start:stop]]
        labels[start:stop] = np.argmax(comparison.nearness(directed(rows, distance)), axis=1)
        report(stop)
    return labels


def default_nprobe(lists: tuple[int, ...]) -> tuple[int, ...]:
    """The number of nodes that a search follows on each level by default.

    Measured on 24,000 embeddings in 48 and in 200 lists: recall at 10 was above .95.
    """
    return tuple(min(count, max(8, round(4 * math.sqrt(count)))) for count in lists)


def fitted(nprobe: tuple[int, ...], lists: tuple[int, ...]) -> tuple[int, ...]:
    """Fits `nprobe` to a tree of `lists` whose number of levels may differ; the last value is for the lists.

    The levels of a segment depend on its rows, so the values set for the space may be more or fewer than its levels.
    """
    defaults = default_nprobe(lists)
    taken = nprobe[-len(lists) :]
    full = defaults[: len(lists) - len(taken)] + taken
    return tuple(min(wanted, count) for wanted, count in zip(full, lists, strict=True))
