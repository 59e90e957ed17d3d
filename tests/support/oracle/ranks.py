"""The oracle's ways to rank other than by a vector or a fusion, in plain loops."""

import math
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from planner.query.query import (
    ByMetrics,
    Context,
    ContextPair,
    Discover,
    Nearest,
    OrderBy,
    QueryVector,
    Rank,
    Recommend,
    RecommendStrategy,
    Sample,
    StoredVector,
    VectorInput,
)
from storage.schema import Distance, PointId
from tests.support.ids import id_order

Vector = NDArray[np.float32]
Likeness = Callable[[VectorInput], float]
"""Of one point to a vector: higher is more alike."""


class Held(Protocol):
    """What the oracle knows of a point."""

    @property
    def payload(self) -> dict[str, object]: ...

    @property
    def vectors(self) -> Mapping[str, Vector]: ...


Points = Mapping[PointId, Held]


def inputs(rank: Rank | None) -> list[VectorInput]:
    match rank:
        case Nearest():
            return [rank.vector]
        case Recommend():
            return [*rank.positive, *rank.negative]
        case Discover():
            return [rank.target, *_sides(rank.pairs)]
        case Context():
            return _sides(rank.pairs)
        case ByMetrics(vector=vector, composite=composite):
            used = [vector if part.vector is None else part.vector for part in composite] or [vector]
            return [one for one in used if one is not None]
        case _:
            return []


def _sides(pairs: Sequence[ContextPair]) -> list[VectorInput]:
    return [side for pair in pairs for side in (pair.positive, pair.negative)]


def own_ids(rank: Rank | None) -> list[PointId]:
    """Points of the searched collection that gave vectors."""
    return [one.id for one in inputs(rank) if isinstance(one, StoredVector) and one.collection is None]


def diverse_candidates(rank: Nearest, limit: int) -> int:
    """Points among which a diverse stage picks."""
    assert rank.mmr is not None
    return max(100, limit) if rank.mmr.candidates is None else rank.mmr.candidates


def values_of(vector: VectorInput, points: Points, space: str) -> Vector:
    if isinstance(vector, QueryVector):
        return vector.values
    assert isinstance(vector, StoredVector), "worlds hold dense vectors"
    return points[vector.id].vectors[space if vector.using is None else vector.using]


def ordered(rank: OrderBy | Sample, points: Points, ids: Sequence[PointId]) -> list[PointId]:
    if isinstance(rank, Sample):
        return sorted(ids, key=lambda point_id: _draw(rank, point_id))
    keys = {point_id: _field_key(rank, points[point_id].payload) for point_id in ids}
    by_id = sorted(ids, key=id_order)
    found = sorted((one for one in by_id if keys[one]), key=lambda one: keys[one], reverse=rank.descending)
    if rank.start_from is not None:
        start = _kind(rank.start_from)
        found = [one for one in found if (keys[one] <= start if rank.descending else keys[one] >= start)]
    return found + [one for one in by_id if not keys[one]]


def _draw(rank: Sample, point_id: PointId) -> bytes:
    assert rank.seed is not None
    name = b"\x01" + point_id.to_bytes(8, "big") if isinstance(point_id, int) else b"\x02" + point_id.encode()
    return blake2b(name, digest_size=8, key=rank.seed.to_bytes(8, "big")).digest()


def _field_key(rank: OrderBy, payload: dict[str, object]) -> tuple[int, float | str] | tuple[()]:
    value = payload.get(rank.path)
    keys = [key for one in (value if isinstance(value, list) else [value]) if (key := _kind(one))]
    return (max(keys) if rank.descending else min(keys)) if keys else ()


def _kind(value: object) -> tuple[int, float | str] | tuple[()]:
    if isinstance(value, str):
        return 1, value
    return (0, value) if isinstance(value, int | float) and not isinstance(value, bool) else ()


def average(rank: Recommend, points: Points, space: str, distance: Distance) -> Vector:
    def mean(examples: Sequence[VectorInput]) -> list[float]:
        rows = [[float(x) for x in values_of(example, points, space)] for example in examples]
        if distance is Distance.COSINE:
            rows = [[x / math.sqrt(sum(y * y for y in row)) for x in row] for row in rows]
        return [sum(column) / len(rows) for column in zip(*rows, strict=True)]

    middle = mean(rank.positive)
    if rank.negative:
        middle = [2 * good - bad for good, bad in zip(middle, mean(rank.negative), strict=True)]
    return np.array(middle, np.float32)


def example_score(rank: Recommend | Discover | Context, likeness: Likeness) -> float:
    match rank:
        case Discover():
            wins = [np.sign(likeness(pair.positive) - likeness(pair.negative)) for pair in rank.pairs]
            return float(sum(wins)) + _sigmoid(likeness(rank.target))
        case Context():
            margins = [likeness(pair.positive) - likeness(pair.negative) - 2**-23 for pair in rank.pairs]
            return sum(_soft(min(0.0, margin)) for margin in margins)
        case Recommend(strategy=RecommendStrategy.SUM_SCORES):
            return sum([*map(likeness, rank.positive), *(-likeness(one) for one in rank.negative)])
        case Recommend():
            like = max(map(likeness, rank.positive), default=-math.inf)
            unlike = max(map(likeness, rank.negative), default=-math.inf)
            return _sigmoid(like) if like > unlike else -_sigmoid(unlike)


def _sigmoid(x: float) -> float:
    return (_soft(x) + 1) / 2


def _soft(x: float) -> float:
    return x / (1 + abs(x))
