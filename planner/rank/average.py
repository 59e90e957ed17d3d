"""The vector that stands for examples: 2 mean(positive) - mean(negative), to be searched for like any other."""

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from planner.query import QueryVector
from storage.schema import Distance

_FLOAT32_MAX = float(np.finfo(np.float32).max)


def average(
    positive: Sequence[QueryVector], negative: Sequence[QueryVector], distance: Distance
) -> NDArray[np.float32]:
    """Computed in float64, rounded once. Under Cosine examples count by their direction alone.

    Without negatives it is mean(positive). Requires: a positive; under Cosine, no zeros.
    """
    middle = _mean(positive, distance)
    if negative:
        middle = 2.0 * middle - _mean(negative, distance)
    return np.clip(middle, -_FLOAT32_MAX, _FLOAT32_MAX).astype(np.float32)


def _mean(vectors: Sequence[QueryVector], distance: Distance) -> NDArray[np.float64]:
    rows = [vector.values.astype(np.float64) for vector in vectors]
    if distance is Distance.COSINE:
        rows = [row / np.sqrt(np.vecdot(row, row)) for row in rows]
    mean: NDArray[np.float64] = reduce(np.add, rows) / len(rows)
    return mean
