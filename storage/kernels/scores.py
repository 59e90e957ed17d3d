"""Exact scores of rows by the library. storage/vectors/distance.py is the twin, and says what a score is."""

import numpy as np
from numpy.typing import NDArray

from storage.kernels.library import address, check, check_sizes, contiguous, library
from storage.kernels.metric import Metric

Scores = NDArray[np.float32]


def native_scores(
    metric: Metric,
    query: NDArray[np.float32],
    vectors: NDArray[np.float32],
    positions: NDArray[np.int64] | None = None,
) -> Scores | None:
    """Scores for `query` (d,) of the rows of `vectors` (n, d) at `positions` (k,), or of all rows; float32.

    None: there is no library, so the twin must do it. Raises KernelFailed when a position is not that of a row.
    """
    loaded = library()
    if loaded is None:
        return None
    asked, rows = contiguous(query, np.float32), contiguous(vectors, np.float32)
    check_sizes((rows.shape[1:], asked.shape))
    chosen = None if positions is None else contiguous(positions, np.int64)
    count = len(rows) if chosen is None else len(chosen)
    scores = np.empty(count, np.float32)
    where = None if chosen is None else address(chosen)
    check(loaded.hw_scores(metric, address(asked), len(asked), address(rows), len(rows), where, count, address(scores)))
    return scores
