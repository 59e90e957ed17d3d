"""What a sparse vector's score is, in plain Python: sums in the order of indices, rounded to float32 once."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from storage.schema import SparseModifier
from storage.vectors.sparse import SparseMetric

Sparse = Mapping[int, float]
"""Float32 values by index."""


def idf(vectors: Sequence[Sparse], index: int) -> float:
    having = sum(index in vector for vector in vectors)
    return math.log(1.0 + (len(vectors) - having + 0.5) / (having + 0.5))


def weights(query: Sparse, modifier: SparseModifier, vectors: Sequence[Sparse]) -> dict[int, float]:
    """The query's values as the space makes them, of all `vectors` that it holds."""
    if modifier is SparseModifier.NONE:
        return {index: float(query[index]) for index in sorted(query)}
    return {index: float(query[index]) * idf(vectors, index) for index in sorted(query)}


def score(weighted: Mapping[int, float], vector: Sparse, metric: SparseMetric) -> np.float32 | None:
    """None when no index is shared: then the point is no hit."""
    shared = sorted(set(weighted) & set(vector))
    if not shared:
        return None
    if metric is SparseMetric.JACCARD:
        return np.float32(len(shared) / len(set(weighted) | set(vector)))
    total = 0.0
    for index in shared:
        total += weighted[index] * float(vector[index])
    if metric is SparseMetric.COSINE:
        scale = _norm([vector[index] for index in sorted(vector)]) * _norm(list(weighted.values()))
        total = 0.0 if scale == 0 else max(-1.0, min(1.0, total / scale))
    return np.float32(total) + np.float32(0)


def ranking(
    query: Sparse,
    points: Mapping[int, Sparse],
    *,
    metric: SparseMetric = SparseMetric.DOT,
    modifier: SparseModifier = SparseModifier.NONE,
    allowed: set[int] | None = None,
) -> list[tuple[int, np.float32]]:
    """Ids, which are numbers, with their scores, best first, ties by id."""
    weighted = weights(query, modifier, list(points.values()))
    found = []
    for point_id, vector in points.items():
        value = score(weighted, vector, metric)
        if value is not None and (allowed is None or point_id in allowed):
            found.append((point_id, value))
    return sorted(found, key=lambda hit: (-hit[1], hit[0]))


def _norm(values: list[float]) -> float:
    total = 0.0
    for value in values:
        total += float(value) * float(value)
    return math.sqrt(total)
