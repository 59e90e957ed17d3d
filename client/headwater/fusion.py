"""Fuses ranked lists on the client, with the same results as the server. For lists from more than one request.

Sums are computed in float64 and rounded to float32 once. Equal scores are ordered by id, numbers before strings.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headwater.models import Hits, PayloadNotAskedFor, PointId, ScoredPoint

Hitlist = Sequence[ScoredPoint]

_FLOAT32_MAX = float(np.finfo(np.float32).max)


def reciprocal_rank_fusion(
    lists: Sequence[Hitlist],
    limit: int = 10,
    ranking_constant_k: float = 60,
    weights: Sequence[float] | None = None,
) -> Hits:
    """Returns the best `limit` points. A point's score is the sum of weight / (k + rank) over the lists that hold it.

    Ranks count from 1. Each list is ordered best first; its scores are not used. Source: Cormack, Clarke and Buettcher,
    "Reciprocal Rank Fusion", SIGIR 2009. Raises ValueError for a `limit` below 1, a negative `ranking_constant_k`,
    weights that are negative or all 0, a number of weights other than that of the lists, or a list that holds a point
    twice.
    """
    if not (np.isfinite(ranking_constant_k) and ranking_constant_k >= 0):
        raise ValueError("ranking_constant_k is finite and at least 0")
    shares = [
        weight / (ranking_constant_k + np.arange(1, len(hits) + 1, dtype=np.float64))
        for hits, weight in zip(lists, _weights(weights, len(lists)), strict=True)
    ]
    return _fuse(lists, shares, limit)


def distribution_based_score_fusion(
    lists: Sequence[Hitlist],
    limit: int = 10,
    weights: Sequence[float] | None = None,
    higher_is_better: bool | Sequence[bool] = True,
) -> Hits:
    """Returns the best `limit` points. A point's score is the weighted mean of its normalised scores, in [0, 1].

    In a list with mean m and sample standard deviation s, the normalised score is (score - (m - 3s)) / 6s, clamped to
    [0, 1]. It is 0.5 when s is 0 or the list has one hit. A point counts 0 in a list that lacks it. `higher_is_better`
    is one flag, or one per list: False for lists of distances, of every metric but Cosine and Dot. Raises ValueError
    for a `limit` below 1, weights that are negative or all 0, a number of weights or flags other than that of the
    lists, or a list that holds a point twice.
    """
    flags = [higher_is_better] * len(lists) if isinstance(higher_is_better, bool) else list(higher_is_better)
    if len(flags) != len(lists):
        raise ValueError(f"{len(flags)} flags of higher_is_better for {len(lists)} lists")
    factors = _weights(weights, len(lists))
    shares = [factor * _normalized(hits, flag) for hits, factor, flag in zip(lists, factors, flags, strict=True)]
    return _fuse(lists, shares, limit, divisor=sum(factors))


def _normalized(hits: Hitlist, higher_is_better: bool) -> NDArray[np.float64]:
    scores = np.array([hit.score for hit in hits], dtype=np.float64)
    if not higher_is_better:
        scores = -scores
    deviation = float(np.std(scores, ddof=1)) if len(scores) > 1 else 0.0
    if deviation == 0.0:
        return np.full(len(scores), 0.5)
    lowest = float(np.mean(scores)) - 3 * deviation
    return np.clip((scores - lowest) / (6 * deviation), 0.0, 1.0)


def _fuse(lists: Sequence[Hitlist], shares: Sequence[NDArray[np.float64]], limit: int, divisor: float = 1.0) -> Hits:
    """Returns the best `limit` points by the sum of their shares. `shares` has an array per list, a value per hit."""
    if limit < 1:
        raise ValueError("limit is at least 1")
    scores: dict[PointId, float] = {}
    points: dict[PointId, ScoredPoint] = {}
    for hits, parts in zip(lists, shares, strict=True):
        if len({hit.id for hit in hits}) < len(hits):
            raise ValueError("a list holds a point twice")
        for hit, part in zip(hits, parts, strict=True):
            scores[hit.id] = scores.get(hit.id, 0.0) + float(part)
            points[hit.id] = _merged(points[hit.id], hit) if hit.id in points else hit
    rounded = {point_id: float(np.float32(min(score / divisor, _FLOAT32_MAX))) for point_id, score in scores.items()}
    best = sorted(rounded, key=lambda point_id: (-rounded[point_id], _order(point_id)))[:limit]
    return Hits([replace(points[point_id], score=rounded[point_id]) for point_id in best])


def _merged(first: ScoredPoint, second: ScoredPoint) -> ScoredPoint:
    """Merges two copies of a point, since lists may hold different fields of it. The first copy wins."""
    payload = second.payload if isinstance(first.payload, PayloadNotAskedFor) else first.payload
    asked = first.vectors is not None or second.vectors is not None
    vectors = {**(second.vectors or {}), **(first.vectors or {})} if asked else None
    return replace(first, payload=payload, vectors=vectors)


def _order(point_id: PointId) -> tuple[bool, int, bytes]:
    """The sort key of an id: numbers come before strings, and strings are ordered by their UTF-8 bytes."""
    return (True, 0, point_id.encode()) if isinstance(point_id, str) else (False, point_id, b"")


def _weights(weights: Sequence[float] | None, count: int) -> list[float]:
    if weights is None:
        return [1.0] * count
    factors = [float(weight) for weight in weights]
    if len(factors) != count:
        raise ValueError(f"{len(factors)} weights for {count} lists")
    if not all(np.isfinite(factor) and factor >= 0 for factor in factors) or not any(factors):
        raise ValueError("weights are finite, not negative, and not all 0")
    return factors
