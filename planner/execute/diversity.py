"""Maximal marginal relevance: picks points that are near to the query and unlike the points picked before.

The method is that of Carbonell and Goldstein, 1998.
"""

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.schema import Distance
from storage.vectors import score_rows


def pick_diverse(
    relevance: NDArray[np.float32],
    rows: NDArray[np.float32],
    distance: Distance,
    diversity: float,
    picks: int,
    budget: Budget,
) -> NDArray[np.intp]:
    """Positions of at most `picks` of n points, in the order of picking. Of equal points the first is picked.

    `relevance` (n,) are scores of `rows` (n, d) for the query, best first. The first pick is the most relevant point.
    Each next pick has the greatest (1 - diversity) * relevance - diversity * max(similarity to the picked points).
    Relevance and similarity are scores of the metric, negated if lower is better.
    """
    sign = 1.0 if distance.higher_is_better else -1.0
    wanted: NDArray[np.float64] = (1.0 - diversity) * (sign * relevance.astype(np.float64))
    likest = np.full(len(rows), -np.inf)
    left = np.ones(len(rows), np.bool_)
    picked: list[int] = []
    values = wanted
    while len(picked) < min(picks, len(rows)):
        budget.check()
        position = int(np.argmax(np.where(left, values, -np.inf)))
        picked.append(position)
        left[position] = False
        np.maximum(likest, sign * score_rows(distance, rows[position], rows).astype(np.float64), out=likest)
        values = wanted - diversity * likest
    return np.array(picked, np.intp)
