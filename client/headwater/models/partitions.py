"""Partitions of a space that are made elsewhere: samples, rows of the tree, estimates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headwater.models.points import PointId


@dataclass(frozen=True, slots=True, eq=False)
class VectorSample:
    """Stored vectors drawn at random: `vectors` (n, size) float32, of the points `ids`."""

    ids: list[PointId]
    vectors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class PartitionRow:
    """A node or a list of a partition: its number, the number of its parent, and its centroid, (size,).

    `parent` is None for the root, or for all rows when none has a parent.
    """

    id: int | None
    parent: int | None
    vector: ArrayLike


PartitionRowLike = PartitionRow | tuple[int | None, int | None, ArrayLike]
PartitionRowsLike = Iterable[PartitionRowLike]


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition on the server. `lists`: the number of nodes of each level from the top; the last: of lists."""

    partition_id: str
    lists: tuple[int, ...]
    checksum: int


@dataclass(frozen=True, slots=True)
class BuildEstimate:
    """An estimate of what it takes to build the index of one segment.

    `sample_rows`: rows that k-means clusters. `peak_memory_bytes` without mapped files. `seconds`: of one core.
    """

    using: str
    rows: int
    index: str
    lists: Sequence[int]
    sample_rows: int
    peak_memory_bytes: int
    seconds: float
