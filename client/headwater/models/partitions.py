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
    """A node of a partition, or a list: its number, that of its parent (None: it is the root, or no row has one), and
    its centroid."""

    id: int | None
    parent: int | None
    vector: ArrayLike


PartitionRowLike = PartitionRow | tuple[int | None, int | None, ArrayLike]
PartitionRowsLike = Iterable[PartitionRowLike]


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition that the server keeps. `lists`: nodes of each level from the top, the last being the lists."""

    partition_id: str
    lists: tuple[int, ...]
    checksum: int


@dataclass(frozen=True, slots=True)
class BuildEstimate:
    """What building the index of one segment is estimated to take.

    `sample_rows`: rows that k-means clusters. `peak_memory_bytes` without mapped files. `seconds`: of one core.
    """

    using: str
    rows: int
    index: str
    lists: Sequence[int]
    sample_rows: int
    peak_memory_bytes: int
    seconds: float
