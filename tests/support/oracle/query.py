"""The meaning of queries and filters in plain loops: no index, no plan, no shortcut, nothing of the planner but words.

A World is what a collection holds. `answer` says what a query returns of it: [(id, score)], best first.
"""

import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.query.bm25 import Bm25
from planner.query.filter import (
    AnyOf,
    Condition,
    Equal,
    ExceptOf,
    Exists,
    FieldCondition,
    Filter,
    HasId,
    HasVector,
    IsEmpty,
    IsNull,
    Nested,
    Range,
    TextTest,
    ValuesCount,
)
from planner.query.formula import Formula
from planner.query.metrics import Metric
from planner.query.query import (
    ByMetrics,
    Context,
    Dbsf,
    Discover,
    FilterScope,
    Nearest,
    OrderBy,
    Query,
    Recommend,
    Rrf,
    Sample,
    ScoreMode,
    Stage,
    VectorInput,
    WeightedMetric,
    is_by_metric,
)
from storage.schema import Distance, PointId
from storage.schema.text_settings import TextSettings
from tests.support.ids import id_order
from tests.support.oracle import ranks
from tests.support.oracle import text as oracle_text
from tests.support.oracle.formula import NoValueError, PointFormula, convert_metric, metric_score, rounded
from tests.support.oracle.operators import passes

Vector = NDArray[np.float32]
Payload = dict[str, object]
List = list[tuple[PointId, np.float32]]


@dataclass(frozen=True)
class Point:
    payload: Payload
    vectors: Mapping[str, Vector]


@dataclass(frozen=True)
class World:
    """Points by id, the metric of each space, and text indexes by path."""

    points: Mapping[PointId, Point]
    distances: Mapping[str, Distance]
    texts: Mapping[str, TextSettings] = field(default_factory=dict)

    def space(self, using: str | None) -> str:
        if using is not None:
            return using
        return "" if "" in self.distances else next(iter(self.distances))


DEPTH = 100
"""Points that a prefetch without a limit passes on."""

Restrictions = tuple[Filter, ...]
"""What stages further up decide for the leaves: filters that were pushed down."""


def answer(world: World, query: Query) -> List:
    found, _ = _run(world, query.root, 10, ())
    if query.root.score_mode is ScoreMode.RAW or not is_by_metric(query.root.query):
        return found
    if isinstance(query.root.query, ByMetrics):
        metric = query.root.query.metric
        assert metric is not None
        return [(key, convert_metric(query.root.score_mode, metric, score)) for key, score in found]
    distance = world.distances[world.space(query.root.using)]
    return [(point_id, _convert(query.root.score_mode, distance, score)) for point_id, score in found]


def matching(world: World, filter: Filter) -> list[PointId]:
    """Ids of the points that match, in id order."""
    return sorted((key for key, point in world.points.items() if holds(filter, key, point)), key=id_order)


def _run(world: World, stage: Stage, default_limit: int, restrictions: Restrictions) -> tuple[List, bool]:
    """The stage's list, and whether higher scores are better in it."""
    limit = default_limit if stage.limit is None else stage.limit
    if stage.prefetch and stage.filter is not None and stage.filter_scope is FilterScope.PUSH_DOWN:
        restrictions = (*restrictions, stage.filter)
    if stage.prefetch:
        children = [_run(world, child, DEPTH, restrictions) for child in stage.prefetch]
        found, higher = _merge(world, stage, children)
        if stage.filter is not None and stage.filter_scope is FilterScope.GATE:
            found = [hit for hit in found if holds(stage.filter, hit[0], world.points[hit[0]])]
    else:
        found, higher = _leaf(world, stage, restrictions)
    if stage.score_threshold is not None:
        threshold = np.float32(stage.score_threshold)
        found = [hit for hit in found if (hit[1] >= threshold if higher else hit[1] <= threshold)]
    if not isinstance(stage.query, OrderBy | Sample):
        found = sorted(found, key=lambda hit: (-hit[1] if higher else hit[1], id_order(hit[0])))
    if isinstance(stage.query, Nearest) and stage.query.mmr is not None:
        found = _diverse(world, stage, found[: ranks.diverse_candidates(stage.query, limit)])
    return found[stage.offset : stage.offset + limit], higher


def _leaf(world: World, stage: Stage, restrictions: Restrictions) -> tuple[List, bool]:
    filters = [*restrictions, *([stage.filter] if stage.filter else [])]
    left_out = ranks.own_ids(stage.query)
    ids = [
        point_id
        for point_id, point in world.points.items()
        if point_id not in left_out and all(holds(filter, point_id, point) for filter in filters)
    ]
    return _score(world, stage, ids)


def _score(world: World, stage: Stage, ids: Sequence[PointId]) -> tuple[List, bool]:
    """Ranks given points by all but fusion. Unsorted, except where scores do not tell the order."""
    match stage.query:
        case OrderBy() | Sample():
            return [(key, np.float32(0)) for key in ranks.ordered(stage.query, world.points, ids)], True
        case Recommend() | Discover() | Context():
            return _by_examples(world, stage, stage.query, ids)
        case Bm25():
            scores = oracle_text.scores(world.points, world.texts, stage.query)
            return [(key, scores[key]) for key in ids if key in scores], True
        case Nearest(vector=vector):
            return _by_vector(world, stage, ranks.values_of(vector, world.points, world.space(stage.using)), ids)
        case ByMetrics():
            return _by_metrics(world, stage, stage.query, ids)
        case Formula():
            return _by_formula(world, stage.query, ids, []), True
        case _:
            return [(point_id, np.float32(0)) for point_id in ids], True


def _by_examples(
    world: World, stage: Stage, rank: Recommend | Discover | Context, ids: Sequence[PointId]
) -> tuple[List, bool]:
    space = world.space(stage.using)
    distance = world.distances[space]
    if is_by_metric(rank):
        assert isinstance(rank, Recommend)
        return _by_vector(world, stage, ranks.average(rank, world.points, space, distance), ids)

    def likeness(point_id: PointId, example: VectorInput) -> float:
        query = ranks.values_of(example, world.points, space)
        score = float(score_of(distance, query, world.points[point_id].vectors[space]))
        return score if distance in (Distance.COSINE, Distance.DOT) else -score

    held = [point_id for point_id in ids if space in world.points[point_id].vectors]
    return [(key, np.float32(ranks.example_score(rank, partial(likeness, key)))) for key in held], True


def _by_metrics(world: World, stage: Stage, rank: ByMetrics, ids: Sequence[PointId]) -> tuple[List, bool]:
    parts = rank.composite or ((WeightedMetric(rank.metric),) if rank.metric else ())
    found: List = []
    for key in ids:
        total = 0.0
        for part in parts:
            space = world.space(stage.using if part.using is None else part.using)
            vector = rank.vector if part.vector is None else part.vector
            assert vector is not None
            if space not in world.points[key].vectors:
                break
            query = ranks.values_of(vector, world.points, space)
            score = metric_score(part.metric, query, world.points[key].vectors[space])
            positive = rank.metric is not None or part.metric in (Metric.COSINE, Metric.DOT)
            total += part.weight * score if positive else -part.weight * score
        else:
            found.append((key, np.float32(total)))
    return found, rank.metric in (None, Metric.COSINE, Metric.DOT)


def _by_formula(world: World, formula: Formula, ids: Sequence[PointId], lists: Sequence[List]) -> List:
    """Points without a value drop out: the oracle is asked of no formula that refuses them."""
    places = [{key: float(score) for key, score in found} for found in lists]
    scored: List = []
    for key in ids:
        point = world.points[key]
        matches = partial(holds, point_id=key, point=point)
        one = PointFormula(formula, [place.get(key) for place in places], partial(_tested, point.payload), matches)
        with suppress(NoValueError):
            scored.append((key, rounded(one.value(formula.expression))))
    return scored


def _diverse(world: World, stage: Stage, found: List) -> List:
    """All of `found`, best first, in the order of maximal marginal relevance."""
    assert isinstance(stage.query, Nearest)
    assert stage.query.mmr is not None
    space, diversity = world.space(stage.using), stage.query.mmr.diversity
    distance = world.distances[space]
    sign = 1 if distance in (Distance.COSINE, Distance.DOT) else -1
    rows = {key: world.points[key].vectors[space] for key, _ in found}
    left: List = list(found)
    picked: List = []
    while left:

        def value(hit: tuple[PointId, np.float32]) -> float:
            alike = max(sign * float(score_of(distance, rows[one], rows[hit[0]])) for one, _ in picked)
            return (1 - diversity) * (sign * float(hit[1])) - diversity * alike

        best = max(left, key=value) if picked else left[0]
        left.remove(best)
        picked.append(best)
    return picked


def _by_vector(world: World, stage: Stage, query: Vector, ids: Sequence[PointId]) -> tuple[List, bool]:
    space = world.space(stage.using)
    distance = world.distances[space]
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
    left_out = ranks.own_ids(stage.query)
    everyone = [key for key in dict.fromkeys(key for found, _ in children for key, _ in found) if key not in left_out]
    match stage.query:
        case Rrf(k=k, weights=weights):
            return rrf([found for found, _ in children], k, weights or [1.0] * len(children)), True
        case Dbsf(weights=weights):
            return dbsf(children, weights or [1.0] * len(children)), True
        case Formula():
            return _by_formula(world, stage.query, everyone, [found for found, _ in children]), True
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
        case Equal() | AnyOf() | ExceptOf() | Range() | TextTest() if condition.path == "$id":
            return _passes(condition, point_id)
        case Exists(path="$id"):
            return True
        case HasVector(using=using):
            return using in point.vectors
        case IsNull(path=path):
            return any(value is None for value in _tested(point.payload, path))
        case IsEmpty(path=path):
            return all(value is None or value == [] or value == "" for value in _values(point.payload, path.split(".")))
        case Exists(path=path):
            return list(_values(point.payload, path.split("."))) != []
        case Nested(path=path, filter=filter):
            elements = [value for value in _tested(point.payload, path) if isinstance(value, dict)]
            return any(holds(filter, point_id, Point(element, {})) for element in elements)
        case ValuesCount(path=path):
            values = _values(point.payload, path.split("."))
            return any(_within(condition, len(x) if isinstance(x, list) else int(x is not None)) for x in values)
        case _:
            return any(_passes(condition, value) for value in _tested(point.payload, condition.path))


def _passes(condition: FieldCondition, value: object) -> bool:
    match condition:
        case Equal(value=wanted):
            return _same(value, wanted)
        case AnyOf(values=wanted):
            return any(_same(value, one) for one in wanted)
        case ExceptOf(values=unwanted):
            return isinstance(value, str | bool | int | float) and not any(_same(value, one) for one in unwanted)
        case Range():
            bounds = [condition.gt, condition.gte, condition.lt, condition.lte]
            if any(isinstance(bound, str) for bound in bounds):
                encoded = Range(path="", **{k: v.encode() for k, v in _given(condition).items()})
                return isinstance(value, str) and _within(encoded, value.encode())
            return not isinstance(value, bool) and isinstance(value, int | float) and _within(condition, value)
        case _:
            return passes(condition, value)


def _given(bounds: Range | ValuesCount) -> dict[str, Any]:
    named = {"gt": bounds.gt, "gte": bounds.gte, "lt": bounds.lt, "lte": bounds.lte}
    return {name: bound for name, bound in named.items() if bound is not None}


def _within(bounds: Range | ValuesCount, value: Any) -> bool:
    compare = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
    return all(compare[name](value, bound) for name, bound in _given(bounds).items())


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
