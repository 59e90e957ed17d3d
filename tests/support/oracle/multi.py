"""What MaxSim is, in plain Python: float64 sums over rows in order, rounded to float32 once."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from storage.schema import Distance

Matrix = Sequence[Sequence[float]]
"""Rows of float32 values."""


def similarity(distance: Distance, one: Sequence[float], other: Sequence[float]) -> float:
    """The metric's score, or a distance negated."""
    pairs = [(float(left), float(right)) for left, right in zip(one, other, strict=True)]
    match distance:
        case Distance.DOT:
            return math.fsum(left * right for left, right in pairs)
        case Distance.COSINE:
            length = math.sqrt(
                math.fsum(left * left for left, _ in pairs) * math.fsum(right * right for _, right in pairs)
            )
            return math.fsum(left * right for left, right in pairs) / length if length else 0.0
        case Distance.EUCLID:
            return -math.sqrt(math.fsum((left - right) ** 2 for left, right in pairs))
        case _:
            return -math.fsum(abs(left - right) for left, right in pairs)


def max_sim(distance: Distance, query: Matrix, document: Matrix) -> np.float32:
    return np.float32(sum(max(similarity(distance, asked, row) for row in document) for asked in query))


def ranking(
    distance: Distance, query: Matrix, points: Mapping[int, Matrix], allowed: set[int] | None = None
) -> list[tuple[int, np.float32]]:
    """Ids, which are numbers, with their scores, best first, ties by id."""
    found = [
        (point_id, max_sim(distance, query, document))
        for point_id, document in points.items()
        if allowed is None or point_id in allowed
    ]
    return sorted(found, key=lambda hit: (-hit[1], hit[0]))
