"""One vector that replaces examples: 2 mean(positive) - mean(negative). It is then searched for as any other vector."""

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
    """The vector (d,), float32. It is computed in float64 and rounded once. Under Cosine, only directions of examples
    count.

    Without negatives it is mean(positive). Requires: at least one positive; under Cosine, no zero vectors.
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
