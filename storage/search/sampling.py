"""Draws samples of stored vectors, for users who partition a space elsewhere."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.mvcc import VALUES_READ_AT_ONCE, Snapshot
from storage.schema import PointId
from storage.search.random_order import seeded_order

ROWS_AT_ONCE = 512
"""Most rows of one chunk, which becomes one message; fewer if they have many dimensions."""


def sample_vectors(
    snapshot: Snapshot, space: str, count: int, seed: int, budget: Budget
) -> Iterator[tuple[list[PointId], NDArray[np.float32]]]:
    """Draws `count` points without repeats; all points when there are fewer. Yields chunks of ids and vectors (n, size)
    float32.

    The draw is uniform, by seed and ids: for one seed, stores with equal points give equal samples in equal order.
    Raises CorruptStore, or as `budget` says.
    """
    chosen = seeded_order(seed, snapshot.slots_with_vector(space), snapshot, budget)[:count]
    step = max(1, min(ROWS_AT_ONCE, VALUES_READ_AT_ONCE // snapshot.schema.dense[space].size))
    for start in range(0, len(chosen), step):
        budget.check()
        part = chosen[start : start + step]
        _, vectors = snapshot.vectors(space, part)
        yield snapshot.point_ids(part), vectors
