"""Samples of stored vectors, for those who partition a space elsewhere."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.mvcc import VALUES_READ_AT_ONCE, Snapshot
from storage.schema import PointId
from storage.search.random_order import seeded_order

ROWS_AT_ONCE = 512
"""Rows of one part, of few dimensions: a part is a message."""


def sample_vectors(
    snapshot: Snapshot, space: str, count: int, seed: int, budget: Budget
) -> Iterator[tuple[list[PointId], NDArray[np.float32]]]:
    """`count` points with their vectors (n, size) float32, without repeats, in parts; all when there are fewer.

    Drawn uniformly by seed and ids: equal seeds draw equal samples, in equal order, from all stores of equal points.
    Raises CorruptStore, or as `budget` says.
    """
    chosen = seeded_order(seed, snapshot.slots_with_vector(space), snapshot, budget)[:count]
    step = max(1, min(ROWS_AT_ONCE, VALUES_READ_AT_ONCE // snapshot.schema.dense[space].size))
    for start in range(0, len(chosen), step):
        budget.check()
        part = chosen[start : start + step]
        _, vectors = snapshot.vectors(space, part)
        yield snapshot.point_ids(part), vectors
