"""Why a point is not in an answer: each stage's reason, rank and score are the oracle's, and read as they should."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.engine import Engine
from planner.explain.absence import AbsenceReason, PointExplanation
from planner.explain.explain_node import ExplainNode
from planner.query.filter import Equal, Filter, HasId, MinShould
from planner.query.query import (
    FilterScope,
    Mmr,
    Nearest,
    OrderBy,
    Query,
    QueryVector,
    Rank,
    Rrf,
    SearchParams,
    Stage,
    StoredVector,
)
from storage.collection import Collection
from storage.errors import InvalidRequest, LimitExceeded
from storage.schema import PointId
from tests.planner.shop import SHOP
from tests.support.oracle import absence as oracle_absence
from tests.support.oracle import query as oracle
from tests.support.oracle.query import World
from tests.support.strategies import SIZES, queries, random_world
from tests.support.worlds import create, open_database

FEWER = settings().max_examples // 3
"""The oracle runs the tree below every stage anew."""


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[World, Collection, Engine]]]:
    with open_database(tmp_path_factory.mktemp("explained") / "data") as database:
        engine = Engine(database.collection)
        made = [random_world(seed) for seed in (11, 12)]
        yield [(world, create(database, f"world {n}", world, SIZES), engine) for n, world in enumerate(made)]


@pytest.mark.parametrize("number", range(2))
@settings(max_examples=FEWER)
@given(st.data())
def test_every_stage_says_what_the_oracle_says(
    worlds: list[tuple[World, Collection, Engine]], number: int, data: st.DataObject
) -> None:
    world, collection, engine = worlds[number]
    query = data.draw(queries(world))
    asked = data.draw(st.lists(st.sampled_from(list(world.points)), min_size=1, max_size=5))
    returned = {point_id: (rank, float(s)) for rank, (point_id, s) in enumerate(oracle.answer(world, query), 1)}
    *points, missing = engine.queries.explain_points(collection, query, [*asked, 99_999]).points
    for point_id, point in zip(asked, points, strict=True):
        assert point.id == point_id
        assert _outcomes(point) == oracle_absence.outcomes(world, query, point_id)
        assert point.returned == (point_id in returned) == (point.reason is None)
        assert point.verdict.startswith(f"{point_id!r} is {'in' if point.returned else 'not in'} the answer: ")
        _check_failed_conditions(world, query, point)
    assert (missing.exists, missing.stages, missing.reason) == (False, (), AbsenceReason.NOT_STORED)


@settings(max_examples=FEWER)
@given(st.data())
def test_every_hit_has_its_place_in_every_list_that_holds_it(
    worlds: list[tuple[World, Collection, Engine]], data: st.DataObject
) -> None:
    world, collection, engine = worlds[0]
    query = replace(data.draw(queries(world)), explain=True)
    [answer] = engine.queries.query(collection, [query])
    assert answer.explanation is not None
    assert [hit.id for hit in answer.explanation.hits] == [hit.id for hit in answer.hits]
    lengths = _lengths(answer.explanation.root)
    for hit in answer.explanation.hits[:3]:
        outcomes = oracle_absence.outcomes(world, query, hit.id)
        held = [
            (stage, rank, score)
            for stage, (reason, rank, score) in outcomes.items()
            if reason is None and rank is not None and rank <= lengths[stage]
        ]
        assert [(place.stage, place.rank, place.score) for place in hit.stages] == held


def _lengths(node: ExplainNode) -> dict[str, int]:
    """How many rows each stage gave. A list of which the answer needs only the head was cut there."""
    found = {stage: length for child in node.children for stage, length in _lengths(child).items()}
    return found if node.rows_out is None else found | {node.stage: node.rows_out}


def _outcomes(point: PointExplanation) -> dict[str, oracle_absence.Outcome]:
    return {
        each.stage: (
            None if each.absence is None else each.absence.reason.name,
            None if each.place is None else each.place.rank,
            None if each.place is None else each.place.score,
        )
        for each in point.stages
    }


def _check_failed_conditions(world: World, query: Query, point: PointExplanation) -> None:
    """Conditions are named with FILTERED alone, and the filter that holds each of them is one that the point fails."""
    for outcome in point.stages:
        filtered = outcome.absence is not None and outcome.absence.reason is AbsenceReason.FILTERED
        failed = outcome.absence.failed if outcome.absence is not None else ()
        assert bool(failed) == filtered
        for each in failed:
            stage = query.root
            head, _, _ = f".{each.path}".partition(".filter")
            for index in head.split(".prefetch[")[1:]:
                stage = stage.prefetch[int(index.removesuffix("]"))]
            assert stage.filter is not None
            assert not oracle.holds(stage.filter, point.id, world.points[point.id])


def near(x: float, y: float) -> Nearest:
    return Nearest(QueryVector(np.array([x, y], np.float32)))


def why(engine: Engine, shop: Collection, point_id: PointId, stage: Stage) -> PointExplanation:
    return engine.queries.explain_points(shop, Query(root=stage), [point_id]).points[0]


def test_each_failed_condition_is_named_where_the_request_holds_it(engine: Engine, shop: Collection) -> None:
    red, lamp, cheap = Equal("color", "red"), Equal("kind", "lamp"), Equal("price", 30)
    filter = Filter(
        must=(Equal("price", 45), red, Filter(must=(lamp, Filter(should=(cheap, red))))),
        should=(cheap, HasId((7,))),
        must_not=(lamp, cheap),
        min_should=MinShould((lamp, red, cheap), 2),
    )
    point = why(engine, shop, 2, Stage(query=near(1, 0), using="text", filter=filter))
    assert point.stages[0].absence is not None
    assert {each.path: each.condition for each in point.stages[0].absence.failed} == {
        "filter.must[1]": 'color = "red"',
        "filter.must[2].filter.must[1].filter.should": '(price = 30 or color = "red")',
        "filter.should": "(price = 30 or id in [7])",
        "filter.must_not[0]": 'not kind = "lamp"',
        "filter.min_should": 'at least 2 of (kind = "lamp", color = "red", price = 30)',
    }


def test_a_filter_that_was_pushed_down_is_named_where_it_came_from(engine: Engine, shop: Collection) -> None:
    leaf = Stage(query=near(1, 0), using="text", filter=Filter(must=(Equal("kind", "desk"),)))
    root = Stage(
        query=Rrf(), prefetch=(leaf,), filter=Filter(must=(Equal("color", "red"),)), filter_scope=FilterScope.PUSH_DOWN
    )
    root_outcome, leaf_outcome = why(engine, shop, 2, root).stages
    assert root_outcome.absence is not None
    assert root_outcome.absence.reason is AbsenceReason.NOT_IN_PREFETCHES
    assert leaf_outcome.absence is not None
    assert [each.path for each in leaf_outcome.absence.failed] == ["filter.must[0]", "prefetch[0].filter.must[0]"]


def test_the_verdict_names_every_place_where_the_point_was_lost(engine: Engine, shop: Collection) -> None:
    text = Stage(query=near(1, 0), using="text", limit=2)
    image = Stage(query=Nearest(StoredVector(5)), using="image")
    point = why(engine, shop, 6, Stage(query=Rrf(), prefetch=(Stage(query=Rrf(), prefetch=(text,)), image)))
    assert point.text.splitlines() == [
        "6 is not in the answer: "
        "root.prefetch[0].prefetch[0]: rank 7 of 7 by score -0.894427 is beyond the limit of 2; "
        "root.prefetch[1]: it has no vector in 'image'.",
        "root (rrf): lost, not in the prefetches: no prefetch passes it on",
        "  root.prefetch[0] (rrf): lost, not in the prefetches: no prefetch passes it on",
        "    root.prefetch[0].prefetch[0] (search): lost, beyond the limit: "
        "rank 7 of 7 by score -0.894427 is beyond the limit of 2",
        "  root.prefetch[1] (search): lost, no vector: it has no vector in 'image'",
    ]
    assert why(engine, shop, 1, Stage(query=near(1, 0), using="text")).verdict == (
        "1 is in the answer: rank 1 of 7 by score 1."
    )
    assert why(engine, shop, "b", Stage()).verdict == "'b' is not in the answer: there is no such point."


@pytest.mark.parametrize(
    ("point_id", "query", "rest", "reason", "text"),
    [
        (
            5,
            near(1, 0),
            {"score_threshold": 0.5},
            "THRESHOLD",
            "score -0.707107 is less than the score_threshold",
        ),
        (1, near(1, 0), {"offset": 1}, "BEFORE_OFFSET", "rank 1 of 7 by score 1 is skipped by the offset of 1"),
        (
            6,
            near(1, 0),
            {"offset": 1, "limit": 2},
            "BEYOND_LIMIT",
            "by score -0.894427 is beyond the limit of 2 after the offset of 1",
        ),
        (3, Nearest(StoredVector(3)), {}, "EXAMPLE", "its vector is an example"),
        (1, OrderBy("price", start_from=100), {"using": None}, "NOT_RANKED", "the order by price starts from 100"),
        (2, None, {"using": None, "limit": 1}, "BEYOND_LIMIT", "rank 2 of 8 by score 0 is beyond the limit of 1"),
        (2, replace(near(1, 0), mmr=Mmr(0.9, 7)), {"limit": 2}, "NOT_DIVERSE", "rank 2 of 7"),
        (6, replace(near(1, 0), mmr=Mmr(0.9, 3)), {"limit": 2}, "BEYOND_LIMIT", "rank 7 of 7"),
    ],
)
def test_reasons_of_one_stage(
    engine: Engine,
    shop: Collection,
    point_id: PointId,
    query: Rank | None,
    rest: dict[str, object],
    reason: str,
    text: str,
) -> None:
    stage = Stage(**({"query": query, "using": "text"} | rest))  # type: ignore[arg-type]
    point = why(engine, shop, point_id, stage)
    assert point.reason is AbsenceReason[reason]
    assert text in point.stages[0].text


def test_lists_are_the_requests_own_also_where_less_would_do(engine: Engine, shop: Collection) -> None:
    """Rank 4 of a prefetch of 5 is in its list, though the root looks at 2 only, and push_limit makes use of that."""
    prefetch = Stage(query=near(1, 0), using="text", params=SearchParams(exact=True), limit=5)
    root, leaf = why(engine, shop, 4, Stage(query=Rrf(), prefetch=(prefetch,), limit=2)).stages
    assert root.absence is not None
    assert (root.absence.reason, root.text.split(" by ")[0]) == (AbsenceReason.BEYOND_LIMIT, "rank 4 of 5")
    assert (leaf.absence, leaf.place and leaf.place.rank) == (None, 4)


def test_ids_are_checked_and_bounded(engine: Engine, shop: Collection) -> None:
    query = Query(root=Stage())
    with pytest.raises(InvalidRequest, match="at least one id"):
        engine.queries.explain_points(shop, query, [])
    with pytest.raises(LimitExceeded, match="MAX_EXPLAINED"):
        engine.queries.explain_points(shop, query, list(range(101)))
    assert len(engine.queries.explain_points(shop, query, [1] * 100).points) == 100


def test_without_a_graph_nothing_is_missed(engine: Engine, shop: Collection) -> None:
    stage = Stage(query=near(1, 0), using="text", limit=3, params=SearchParams(hnsw_ef=1))
    points = engine.queries.explain_points(shop, Query(root=stage), list(SHOP.points)).points
    assert {point.reason for point in points} == {None, AbsenceReason.BEYOND_LIMIT, AbsenceReason.NO_VECTOR}
