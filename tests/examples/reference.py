"""The meaning of the examples' queries in a few lines of numpy: what a ranking must be. Knows no client or server."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Ranking = list[tuple[int, float]]
"""(row, score), best first. Rows are in the order of their ids, so ties go to the smaller row."""
Vectors = NDArray[np.float32]
Keep = Callable[[int], bool]


def sort(scores: dict[int, float]) -> Ranking:
    return sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))


def nearest(vectors: Vectors, query: Vectors, limit: int, keep: Keep = lambda row: True) -> Ranking:
    """The best rows by cosine, of those to keep."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = unit @ (query / np.linalg.norm(query))
    return sort({row: float(score) for row, score in enumerate(scores) if keep(row)})[:limit]


def by_rank(lists: Sequence[Ranking], weights: Sequence[float] | None = None, k: float = 60.0) -> Ranking:
    """Reciprocal rank fusion: sum of weight / (k + rank) over the lists that hold the row."""
    scores: dict[int, float] = {}
    for weight, ranking in zip(weights or [1.0] * len(lists), lists, strict=True):
        for rank, (row, _) in enumerate(ranking, start=1):
            scores[row] = scores.get(row, 0.0) + weight / (k + rank)
    return sort(scores)


def by_score(lists: Sequence[Ranking]) -> Ranking:
    """Distribution-based score fusion: mean over all lists of the score within mean ± 3 sample deviations, as 0..1."""
    scores: dict[int, float] = {}
    for ranking in lists:
        values = np.array([score for _, score in ranking])
        mean, deviation = values.mean(), values.std(ddof=1)
        for row, score in ranking:
            place = (score - (mean - 3 * deviation)) / (6 * deviation)
            scores[row] = scores.get(row, 0.0) + float(np.clip(place, 0, 1)) / len(lists)
    return sort(scores)


def gate(ranking: Ranking, keep: Keep) -> Ranking:
    """What passes a filter, with the scores it had."""
    return [(row, score) for row, score in ranking if keep(row)]


def rerank(ranking: Ranking, vectors: Vectors, query: Vectors) -> Ranking:
    """The same rows, scored by cosine."""
    rows = {row for row, _ in ranking}
    return nearest(vectors, query, len(rows), lambda row: row in rows)
