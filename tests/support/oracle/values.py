"""The meaning of groups, facets, aggregations and distance matrices in plain loops over a World."""

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from planner.analyze.aggregation import AggregateKind, AggregateQuery
from planner.analyze.group_query import GroupQuery
from planner.analyze.matrix import MatrixQuery
from planner.query.filter import Filter, Scalar
from planner.query.query import Nearest, Sample
from storage.schema import Distance, PointId
from tests.support.ids import id_order
from tests.support.oracle import query as oracle
from tests.support.oracle import ranks
from tests.support.oracle.query import List, Point, World

Key = tuple[str, Scalar]
EVERYONE = 10**6


def scalars(point: Point, path: str) -> list[Scalar]:
    """The values at a path, repeats included; doubles that are 64-bit integers as these."""
    found: list[Scalar] = []
    for value in oracle._tested(point.payload, path):
        if isinstance(value, str | int | float):
            whole = isinstance(value, float) and value.is_integer() and -(2**63) <= value < 2**63
            found.append(int(value) if whole else value)
    return found


def key(value: Scalar | None) -> Key | None:
    """Tells True from 1."""
    return None if value is None else (type(value).__name__, value)


def order(value: Scalar) -> tuple[int, Scalar | bytes]:
    if isinstance(value, bool):
        return 0, value
    return (2, value.encode()) if isinstance(value, str) else (1, value)


def distinct(point: Point, path: str) -> list[Scalar]:
    """Each value once, in their order."""
    return sorted({key(value): value for value in scalars(point, path)}.values(), key=order)


def matching(world: World, filter: Filter | None) -> list[PointId]:
    return oracle.matching(world, Filter() if filter is None else filter)


def groups(world: World, asked: GroupQuery) -> list[tuple[Key | None, List]]:
    """Ranks all that the root may rank, then groups it."""
    root = asked.query.root
    limit = 10 if root.limit is None else root.limit
    query = root.query
    if isinstance(query, Nearest) and query.mmr is not None:
        candidates = ranks.diverse_candidates(query, limit * asked.size)
        query = replace(query, mmr=replace(query.mmr, candidates=candidates))
    everyone = replace(root, query=query, limit=EVERYONE, offset=0)
    found: dict[Key | None, List] = {}
    for point_id, score in oracle.answer(world, replace(asked.query, root=everyone)):
        for value in distinct(world.points[point_id], asked.path):
            found.setdefault(key(value), []).append((point_id, score))
    listed = list(found.items())[root.offset : root.offset + limit]
    return [(value, hits[: asked.size]) for value, hits in listed]


def facet(world: World, path: str, filter: Filter | None, limit: int) -> list[tuple[Key | None, int]]:
    counts: dict[Key | None, int] = {}
    values: dict[Key | None, Scalar] = {}
    for point_id in matching(world, filter):
        for value in distinct(world.points[point_id], path):
            counts[key(value)] = counts.get(key(value), 0) + 1
            values[key(value)] = value
    return sorted(counts.items(), key=lambda pair: (-pair[1], order(values[pair[0]])))[:limit]


Row = tuple[Key | None, int, list[Key | None]]


def aggregate(world: World, asked: AggregateQuery) -> list[Row]:
    """Value, count and results of each group."""
    ids = matching(world, asked.filter)
    members: dict[Key | None, list[Point]] = {} if asked.group_by is not None else {None: []}
    values: dict[Key | None, Scalar] = {}
    for point in (world.points[point_id] for point_id in ids):
        if asked.group_by is None:
            members[None].append(point)
            continue
        for value in distinct(point, asked.group_by):
            members.setdefault(key(value), []).append(point)
            values[key(value)] = value
    names = sorted(members, key=lambda name: (0, 0) if name is None else order(values[name]))[: asked.limit]
    return [
        (
            name,
            len(members[name]),
            [key(_reduced(each.kind, members[name], each.path)) for each in asked.aggregations],
        )
        for name in names
    ]


def _reduced(kind: AggregateKind, points: Sequence[Point], path: str | None) -> Scalar | None:
    if path is None:
        return len(points)
    values = [value for point in points for value in scalars(point, path)]
    ordered = sorted((value for value in values if not isinstance(value, bool)), key=order)
    numbers = [value for value in ordered if isinstance(value, int | float)]
    match kind:
        case AggregateKind.COUNT:
            return len(values)
        case AggregateKind.COUNT_DISTINCT:
            return len({key(value) for value in values})
        case AggregateKind.MIN:
            return ordered[0] if ordered else None
        case AggregateKind.MAX:
            return ordered[-1] if ordered else None
        case AggregateKind.SUM:
            return _sum(numbers)
        case AggregateKind.AVG:
            if all(isinstance(number, int) for number in numbers):
                return float(Fraction(sum(map(int, numbers)), len(numbers))) if numbers else None
            total = _sum(numbers)
            assert total is not None
            return total / len(numbers)


def _sum(numbers: Sequence[int | float]) -> int | float | None:
    if not numbers:
        return None
    exact = sum(map(Fraction, numbers), Fraction(0))
    if all(isinstance(number, int) for number in numbers) and -(2**63) <= exact < 2**63:
        return int(exact)
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def matrix(world: World, asked: MatrixQuery, seed: int) -> tuple[list[PointId], list[List]]:
    """Ids of the sample, and of each its neighbours."""
    space = world.space(asked.using)
    held = [point_id for point_id in matching(world, asked.filter) if space in world.points[point_id].vectors]
    ids = sorted(ranks.ordered(Sample(seed), world.points, held)[: asked.sample], key=id_order)
    distance = world.distances[space]
    sign = -1 if distance in (Distance.COSINE, Distance.DOT) else 1
    rows: list[List] = []
    for one in ids:
        vector = world.points[one].vectors[space]
        others = [
            (other, oracle.score_of(distance, vector, world.points[other].vectors[space]))
            for other in ids
            if other != one
        ]
        rows.append(sorted(others, key=lambda hit: (sign * float(hit[1]), id_order(hit[0])))[: asked.limit])
    return ids, rows
