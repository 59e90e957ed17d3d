"""The meaning of queries and filters in plain loops: no index, no plan, no shortcut, nothing of the planner but words.

A World is what a collection holds. `answer` says what a query returns of it: [(id, score)], best first.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.filter import AnyOf, Condition, Equal, ExceptOf, Filter, HasId, HasVector, IsEmpty, IsNull, Range
from planner.query import Dbsf, FilterScope, Nearest, Query, QueryVector, Rrf, ScoreMode, Stage
from storage.schema import Distance, PointId

Vector = NDArray[np.float32]
Payload = dict[str, object]
List = list[tuple[PointId, np.float32]]


@dataclass(frozen=True)
class Point:
    payload: Payload
    vectors: Mapping[str, Vector]


@dataclass(frozen=True)
class World:
    """Points by id, and the metric of each space."""

    points: Mapping[PointId, Point]
    distances: Mapping[str, Distance]

    def space(self, using: str | None) -> str:
        if using is not None:
            return using
        return "" if "" in self.distances else next(iter(self.distances))


@dataclass(frozen=True)
class _Scope:
    """What stages further up decide for the leaves: restrictions that were pushed down, and points left out."""

    restrictions: tuple[Filter, ...] = ()
    left_out: tuple[PointId, ...] = ()


def answer(world: World, query: Query) -> List:
    found, _ = _run(world, query.root, 10, _Scope())
    if query.root.score_mode is ScoreMode.RAW or not isinstance(query.root.query, Nearest):
        return found
    distance = world.distances[world.space(query.root.using)]
    return [(point_id, _convert(query.root.score_mode, distance, score)) for point_id, score in found]


def matching(world: World, filter: Filter) -> list[PointId]:
    """Ids of the points that match, in id order."""
    return sorted((key for key, point in world.points.items() if holds(filter, key, point)), key=id_order)


def _run(world: World, stage: Stage, default_limit: int, scope: _Scope) -> tuple[List, bool]:
    """The stage's list, and whether higher scores are better in it."""
    limit = default_limit if stage.limit is None else stage.limit
    if isinstance(stage.query, Nearest) and not isinstance(stage.query.vector, QueryVector):
        scope = _Scope(scope.restrictions, (*scope.left_out, *_own_id(stage)))
    if stage.prefetch and stage.filter is not None and stage.filter_scope is FilterScope.PUSH_DOWN:
        scope = _Scope((*scope.restrictions, stage.filter), scope.left_out)
    if stage.prefetch:
        children = [_run(world, child, limit + stage.offset, scope) for child in stage.prefetch]
        found, higher = _merge(world, stage, children)
        if stage.filter is not None and stage.filter_scope is FilterScope.GATE:
            found = [hit for hit in found if holds(stage.filter, hit[0], world.points[hit[0]])]
    else:
        found, higher = _leaf(world, stage, scope)
    if stage.score_threshold is not None:
        threshold = np.float32(stage.score_threshold)
        found = [hit for hit in found if (hit[1] >= threshold if higher else hit[1] <= threshold)]
    found = sorted(found, key=lambda hit: (-hit[1] if higher else hit[1], id_order(hit[0])))
    return found[stage.offset : stage.offset + limit], higher


def _own_id(stage: Stage) -> tuple[PointId, ...]:
    assert isinstance(stage.query, Nearest)
    stored = stage.query.vector
    return () if isinstance(stored, QueryVector) or stored.collection is not None else (stored.id,)


def _leaf(world: World, stage: Stage, scope: _Scope) -> tuple[List, bool]:
    filters = [*scope.restrictions, *([stage.filter] if stage.filter else [])]
    ids = [
        point_id
        for point_id, point in world.points.items()
        if point_id not in scope.left_out and all(holds(filter, point_id, point) for filter in filters)
    ]
    if not isinstance(stage.query, Nearest):
        return [(point_id, np.float32(0)) for point_id in ids], True
    return _score(world, stage, ids)


def _score(world: World, stage: Stage, ids: Sequence[PointId]) -> tuple[List, bool]:
    assert isinstance(stage.query, Nearest)
    space = world.space(stage.using)
    distance = world.distances[space]
    vector = stage.query.vector
    if isinstance(vector, QueryVector):
        query = vector.values
    else:
        query = world.points[vector.id].vectors[space if vector.using is None else vector.using]
    scored = [
        (point_id, score_of(distance, query, world.points[point_id].vectors[space]))
        for point_id in ids
        if space in world.points[point_id].vectors
    ]
    return scored, distance in (Distance.COSINE, Distance.DOT)


def score_of(distance: Distance, query: Vector, row: Vector) -> np.float32:
    q, v = [float(x) for x in query], [float(x) for x in row]
    match distance:
        case Distance.DOT:
            score = sum(a * b for a, b in zip(q, v, strict=True))
        case Distance.COSINE:
            norms = math.sqrt(sum(a * a for a in v)) * math.sqrt(sum(a * a for a in q))
            score = sum(a * b for a, b in zip(q, v, strict=True)) / norms if norms else 0.0
            score = min(1.0, max(-1.0, score))
        case Distance.EUCLID:
            score = math.sqrt(sum((a - b) ** 2 for a, b in zip(q, v, strict=True)))
        case Distance.MANHATTAN:
            score = sum(abs(a - b) for a, b in zip(q, v, strict=True))
        case Distance.HAMMING:
            score = sum(a != b for a, b in zip(q, v, strict=True))
        case Distance.JACCARD:
            either = sum(a == 1 or b == 1 for a, b in zip(q, v, strict=True))
            score = 1 - sum(a == b == 1 for a, b in zip(q, v, strict=True)) / either if either else 0.0
    return np.float32(score)


def _convert(mode: ScoreMode, distance: Distance, score: np.float32) -> np.float32:
    raw = float(score)
    if mode is ScoreMode.SIMILARITY:
        if distance is Distance.JACCARD:
            return np.float32(1 - raw)
        return score if distance in (Distance.COSINE, Distance.DOT) else np.float32(1 / (1 + raw))
    return np.float32({Distance.COSINE: 1 - raw, Distance.DOT: -raw, Distance.EUCLID: raw * raw}.get(distance, raw))


def _merge(world: World, stage: Stage, children: Sequence[tuple[List, bool]]) -> tuple[List, bool]:
    everyone = list(dict.fromkeys(point_id for found, _ in children for point_id, _ in found))
    match stage.query:
        case Rrf(k=k, weights=weights):
            return rrf([found for found, _ in children], k, weights or [1.0] * len(children)), True
        case Dbsf(weights=weights):
            return dbsf(children, weights or [1.0] * len(children)), True
        case _:
            return _score(world, stage, everyone)


def rrf(lists: Sequence[List], k: float, weights: Sequence[float]) -> List:
    """Unsorted."""
    sums: dict[PointId, float] = {}
    for found, weight in zip(lists, weights, strict=True):
        for rank, (point_id, _) in enumerate(found, 1):
            sums[point_id] = sums.get(point_id, 0.0) + weight / (k + rank)
    return [(point_id, np.float32(total)) for point_id, total in sums.items()]


def dbsf(lists: Sequence[tuple[List, bool]], weights: Sequence[float]) -> List:
    """Unsorted. Each list comes with whether higher scores are better in it."""
    sums: dict[PointId, float] = {}
    for (found, higher), weight in zip(lists, weights, strict=True):
        scores = np.array([float(score) if higher else -float(score) for _, score in found])
        flat = len(scores) < 2 or scores.std(ddof=1) == 0
        for (point_id, _), score in zip(found, scores, strict=True):
            x = 0.5
            if not flat:
                mean, deviation = scores.mean(), scores.std(ddof=1)
                x = min(1.0, max(0.0, float((score - (mean - 3 * deviation)) / (6 * deviation))))
            sums[point_id] = sums.get(point_id, 0.0) + weight * x
    return [(point_id, np.float32(total / sum(weights))) for point_id, total in sums.items()]


def id_order(point_id: PointId) -> tuple[int, int, bytes]:
    return (0, point_id, b"") if isinstance(point_id, int) else (1, 0, point_id.encode())


def holds(condition: Condition, point_id: PointId, point: Point) -> bool:
    match condition:
        case Filter():
            clause = [holds(part, point_id, point) for part in condition.should]
            enough = condition.min_should
            return (
                all(holds(part, point_id, point) for part in condition.must)
                and (not clause or any(clause))
                and not any(holds(part, point_id, point) for part in condition.must_not)
                and (
                    enough is None
                    or sum(holds(part, point_id, point) for part in enough.conditions) >= enough.min_count
                )
            )
        case HasId(ids=ids):
            return point_id in ids
        case HasVector(using=using):
            return using in point.vectors
        case IsNull(path=path):
            return any(value is None for value in _tested(point.payload, path))
        case IsEmpty(path=path):
            return all(value is None or value == [] or value == "" for value in _values(point.payload, path.split(".")))
        case Equal() | AnyOf() | ExceptOf() | Range():
            return any(_passes(condition, value) for value in _tested(point.payload, condition.path))


def _passes(condition: Equal | AnyOf | ExceptOf | Range, value: object) -> bool:
    match condition:
        case Equal(value=wanted):
            return _same(value, wanted)
        case AnyOf(values=wanted):
            return any(_same(value, one) for one in wanted)
        case ExceptOf(values=unwanted):
            return isinstance(value, str | bool | int | float) and not any(_same(value, one) for one in unwanted)
        case Range(gt=gt, gte=gte, lt=lt, lte=lte):
            if isinstance(value, bool) or not isinstance(value, int | float):
                return False
            above = (gt is None or value > gt) and (gte is None or value >= gte)
            return above and (lt is None or value < lt) and (lte is None or value <= lte)


def _same(value: object, wanted: object) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    return type(value) in (int, float, str) and value == wanted


def _tested(payload: Payload, path: str) -> Iterator[object]:
    """The values at a path, arrays opened once."""
    for value in _values(payload, path.split(".")):
        if isinstance(value, list):
            yield from value
        else:
            yield value


def _values(value: object, steps: Sequence[str]) -> Iterator[object]:
    if not steps:
        yield value
        return
    key, arrays = steps[0].removesuffix("[]"), steps[0].endswith("[]")
    if isinstance(value, dict) and key in value:
        if not arrays:
            yield from _values(value[key], steps[1:])
        elif isinstance(value[key], list):
            for element in value[key]:
                yield from _values(element, steps[1:])
