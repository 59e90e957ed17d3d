"""What becomes of a point in each stage of a query, in plain loops over the oracle's lists."""

from collections.abc import Iterator

import numpy as np

from planner.query.query import (
    ByMetrics,
    FilterScope,
    Nearest,
    OrderBy,
    Query,
    Recommend,
    RecommendStrategy,
    Sample,
    Stage,
    VectorRank,
)
from storage.schema import PointId
from tests.support.ids import id_order
from tests.support.oracle import query as oracle
from tests.support.oracle import ranks
from tests.support.oracle.query import List, Restrictions, World

Outcome = tuple[str | None, int | None, float | None]
"""The name of the reason (None: the stage passes the point on), rank and score; None where there is none."""


def outcomes(world: World, query: Query, point_id: PointId) -> dict[str, Outcome]:
    """By stage, root first."""
    found = dict(_outcomes(world, query.root, "root", 10, (), point_id))
    reason, rank, _ = found["root"]
    if reason is None:  # scores that are returned are converted after everything else
        found["root"] = (None, rank, float(dict(oracle.answer(world, query))[point_id]))
    return found


def _outcomes(
    world: World, stage: Stage, name: str, default_limit: int, restrictions: Restrictions, point_id: PointId
) -> Iterator[tuple[str, Outcome]]:
    limit = default_limit if stage.limit is None else stage.limit
    if stage.prefetch and stage.filter is not None and stage.filter_scope is FilterScope.PUSH_DOWN:
        restrictions = (*restrictions, stage.filter)
    yield name, _outcome(world, stage, limit, _reach(stage, limit), restrictions, point_id)
    for index, child in enumerate(stage.prefetch):
        yield from _outcomes(world, child, f"{name}.prefetch[{index}]", oracle.DEPTH, restrictions, point_id)


def _reach(stage: Stage, limit: int) -> int:
    """Points that the leaf of a stage gives it, or among which it picks diverse ones."""
    page = limit + stage.offset
    if isinstance(stage.query, Nearest) and stage.query.mmr is not None:
        return ranks.diverse_candidates(stage.query, limit)
    by_vector = isinstance(stage.query, Nearest) or (
        isinstance(stage.query, Recommend) and stage.query.strategy is RecommendStrategy.AVERAGE
    )
    if not by_vector or stage.params.exact or stage.offset == 0:
        return page
    return 1_000 if page <= 500 else 20_000


def _outcome(
    world: World, stage: Stage, limit: int, reach: int, restrictions: Restrictions, point_id: PointId
) -> Outcome:
    point = world.points[point_id]
    lacking = any(space not in point.vectors for space in _spaces(world, stage))
    if stage.prefetch:
        children = [oracle._run(world, child, oracle.DEPTH, restrictions) for child in stage.prefetch]
        if not any(point_id in dict(found) for found, _ in children):
            return "NOT_IN_PREFETCHES", None, None
        if lacking:
            return "NO_VECTOR", None, None
        if point_id in ranks.own_ids(stage.query):
            return "EXAMPLE", None, None
        found, higher = oracle._merge(world, stage, children)
    else:
        if lacking:
            return "NO_VECTOR", None, None
        if point_id in ranks.own_ids(stage.query):
            return "EXAMPLE", None, None
        filters = [*restrictions, *([stage.filter] if stage.filter else [])]
        if not all(oracle.holds(filter, point_id, point) for filter in filters):
            return "FILTERED", None, None
        found, higher = oracle._leaf(world, stage, restrictions)
    found = _sorted(stage, found, higher)
    if point_id not in dict(found):
        return "NOT_RANKED", None, None
    if not stage.prefetch:
        if _rank(found, point_id) > reach:
            return "BEYOND_LIMIT", *_place(found, point_id)
    elif stage.filter is not None and stage.filter_scope is FilterScope.GATE:
        if not oracle.holds(stage.filter, point_id, point):
            return "FILTERED", *_place(found, point_id)
        found = [hit for hit in found if oracle.holds(stage.filter, hit[0], world.points[hit[0]])]
    return _late_outcome(world, stage, limit, reach, found[:] if stage.prefetch else found[:reach], higher, point_id)


def _spaces(world: World, stage: Stage) -> list[str]:
    """Where a point needs a vector to be ranked."""
    if isinstance(stage.query, ByMetrics):
        parts = stage.query.composite or (None,)
        return [world.space(stage.using if part is None or part.using is None else part.using) for part in parts]
    return [world.space(stage.using)] if isinstance(stage.query, VectorRank) else []


def _late_outcome(
    world: World, stage: Stage, limit: int, reach: int, found: List, higher: bool, point_id: PointId
) -> Outcome:
    if stage.score_threshold is not None:
        threshold = np.float32(stage.score_threshold)
        kept = [hit for hit in found if (hit[1] >= threshold if higher else hit[1] <= threshold)]
        if point_id not in dict(kept):
            return "THRESHOLD", *_place(found, point_id)
        found = kept
    if isinstance(stage.query, Nearest) and stage.query.mmr is not None:
        if _rank(found, point_id) > reach:
            return "BEYOND_LIMIT", *_place(found, point_id)
        picked = oracle._diverse(world, stage, found[:reach])[: limit + stage.offset]
        if point_id not in dict(picked):
            return "NOT_DIVERSE", *_place(found, point_id)
        found = picked
    rank = _rank(found, point_id)
    if rank <= stage.offset:
        return "BEFORE_OFFSET", *_place(found, point_id)
    if rank > stage.offset + limit:
        return "BEYOND_LIMIT", *_place(found, point_id)
    return None, *_place(found[stage.offset :], point_id)


def _sorted(stage: Stage, found: List, higher: bool) -> List:
    if isinstance(stage.query, OrderBy | Sample):
        return found
    return sorted(found, key=lambda hit: (-hit[1] if higher else hit[1], id_order(hit[0])))


def _rank(found: List, point_id: PointId) -> int:
    return [key for key, _ in found].index(point_id) + 1


def _place(found: List, point_id: PointId) -> tuple[int, float]:
    return _rank(found, point_id), float(dict(found)[point_id])
