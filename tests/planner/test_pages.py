"""Pages of one request are parts of one ranking: by offset, and by going on after a hit. Totals count that ranking."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.engine import Engine, QueryAnswer
from planner.errors import InvalidQuery
from planner.query.query import (
    Mmr,
    Nearest,
    OrderBy,
    Query,
    QueryVector,
    Recommend,
    RecommendStrategy,
    Rrf,
    Sample,
    ScoreMode,
    SearchAfter,
    SearchParams,
    Stage,
    StoredVector,
)
from storage.collection import Collection
from storage.database import Database
from storage.errors import EngineError, InvalidPointId, NotFinite
from storage.schema import PointId
from tests.planner.refused_fields import field_of
from tests.support.oracle import query as oracle
from tests.support.strategies import SIZES, queries, random_world
from tests.support.worlds import create, open_database

Ranking = list[tuple[PointId, float]]
WORLD_COUNT = 3
MOST_PAGES = 100


class Worlds:
    """Some worlds, each in a collection."""

    def __init__(self, database: Database) -> None:
        self.engine = Engine(database.collection)
        self.worlds = [random_world(seed) for seed in range(WORLD_COUNT)]
        self.collections = [create(database, f"world {n}", world, SIZES) for n, world in enumerate(self.worlds)]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    with open_database(tmp_path_factory.mktemp("pages") / "data") as database:
        yield Worlds(database)


def whole(query: Query) -> Query:
    """The query without a limit of its own, so that its answer is the whole ranking."""
    rank = query.root.query
    if isinstance(rank, Nearest) and rank.mmr is not None:
        rank = replace(rank, mmr=replace(rank.mmr, candidates=None))
    return replace(query, root=replace(query.root, query=rank, limit=1_000, offset=0))


def page(query: Query, limit: int, **where: object) -> Query:
    return replace(query, root=replace(query.root, limit=limit, **where))  # type: ignore[arg-type]


def ranking(answer: QueryAnswer) -> Ranking:
    return [(hit.id, hit.score) for hit in answer.hits]


def by_offset(ask: Callable[[Query], Ranking], query: Query, limit: int) -> Ranking:
    found: Ranking = []
    for number in range(MOST_PAGES):
        hits = ask(page(query, limit, offset=number * limit))
        found += hits
        if len(hits) < limit:
            return found
    raise AssertionError("the ranking never ends")


def by_hit(ask: Callable[[Query], Ranking], query: Query, limit: int) -> Ranking:
    found: Ranking = []
    after: SearchAfter | None = None
    for _ in range(MOST_PAGES):
        hits = ask(page(query, limit, search_after=after))
        found += hits
        if len(hits) < limit:
            return found
        after = SearchAfter(hits[-1][1], hits[-1][0])
    raise AssertionError("the ranking never ends")


@pytest.mark.parametrize("number", range(WORLD_COUNT))
@pytest.mark.parametrize("paging", [by_offset, by_hit])
@settings(max_examples=30)  # each asks many times
@given(st.data())
def test_pages_are_parts_of_one_ranking(
    worlds: Worlds, number: int, paging: Callable[..., Ranking], data: st.DataObject
) -> None:
    query = whole(data.draw(queries(worlds.worlds[number])))
    if paging is by_hit:
        query = page(query, 1_000, score_mode=ScoreMode.RAW)
    expected = [(point_id, float(score)) for point_id, score in oracle.answer(worlds.worlds[number], query)]
    [answer] = worlds.engine.queries.query(worlds.collections[number], [query])
    assert ranking(answer) == expected
    assert answer.total in (None, len(expected))
    totals: set[int | None] = set()

    def ask(one: Query) -> Ranking:
        [found] = worlds.engine.queries.query(worlds.collections[number], [one])
        totals.add(found.total)
        return ranking(found)

    limit = data.draw(st.integers(2, 9))
    if isinstance(query.root.query, Nearest) and query.root.query.mmr is not None:
        limit = min(limit, 100)
    assert paging(ask, query, limit) == expected
    assert totals - {None} <= {len(expected)}


def test_a_total_is_known_where_it_costs_nothing(engine: Engine, shop: Collection) -> None:
    near = Stage(query=Nearest(QueryVector(np.array([1, 0], np.float32))), using="text", limit=2)
    cases: list[tuple[Stage, int | None]] = [
        (near, 7),
        (replace(near, query=Nearest(StoredVector(1))), 6),
        (replace(near, search_after=SearchAfter(0.5, 1)), 7),
        (replace(near, score_threshold=0.0), None),
        (Stage(query=Rrf(), prefetch=(near, replace(near, limit=5)), limit=1), 5),
        (Stage(query=Sample(1), limit=1), 8),
        (Stage(limit=1), None),
        (Stage(limit=100), 8),
    ]
    for stage, expected in cases:
        [answer] = engine.queries.query(shop, [Query(root=stage)])
        assert answer.total == expected, stage


def test_the_best_of_a_fusion_is_on_a_page(engine: Engine, shop: Collection) -> None:
    """Prefetches without a limit are as deep for every page."""
    text = Stage(query=Nearest(QueryVector(np.array([1, 0], np.float32))), using="text")
    image = Stage(query=Nearest(QueryVector(np.array([0, 1, 0], np.float32))), using="image")
    fused = Stage(query=Rrf(), prefetch=(text, image))
    [everything] = engine.queries.query(shop, [Query(root=replace(fused, limit=100))])
    pages = [
        hit.id
        for offset in range(0, 10, 2)
        for hit in engine.queries.query(shop, [Query(root=replace(fused, limit=2, offset=offset))])[0].hits
    ]
    assert pages == [hit.id for hit in everything.hits]


def test_what_a_query_by_id_leaves_out_changes_nothing_below(engine: Engine, shop: Collection) -> None:
    text = Stage(query=Nearest(QueryVector(np.array([1, 0], np.float32))), using="text", limit=3)
    fused = Stage(query=Rrf(), prefetch=(text,), limit=3)
    [below] = engine.queries.query(shop, [Query(root=fused)])
    assert [hit.id for hit in below.hits] == [1, 2, "a-2"]
    by_id = Stage(query=Nearest(StoredVector(1)), using="text", prefetch=(fused,), limit=3)
    [answer] = engine.queries.query(shop, [Query(root=by_id)])
    assert [hit.id for hit in answer.hits] == [2, "a-2"]
    likes = Recommend((StoredVector(1),), (), RecommendStrategy.BEST_SCORE)
    [answer] = engine.queries.query(shop, [Query(root=replace(by_id, query=likes))])
    assert [hit.id for hit in answer.hits] == [2, "a-2"]


NEAR = Nearest(QueryVector(np.array([1, 0], np.float32)))


@pytest.mark.parametrize(
    ("stage", "error", "field"),
    [
        (Stage(query=NEAR, using="text", offset=1, search_after=SearchAfter(1, 1)), InvalidQuery, "offset"),
        (
            Stage(query=NEAR, using="text", score_mode=ScoreMode.SIMILARITY, search_after=SearchAfter(1, 1)),
            InvalidQuery,
            "score_mode",
        ),
        (Stage(query=NEAR, using="text", search_after=SearchAfter(np.nan, 1)), NotFinite, "search_after.score"),
        (Stage(query=NEAR, using="text", search_after=SearchAfter(1, "")), InvalidPointId, "search_after.id"),
        (
            Stage(query=Rrf(), prefetch=(Stage(query=NEAR, using="text", limit=3, search_after=SearchAfter(1, 1)),)),
            InvalidQuery,
            "prefetch[0].search_after",
        ),
        (Stage(query=OrderBy("price"), search_after=SearchAfter(0, 77)), InvalidQuery, "search_after.id"),
        (
            Stage(
                query=replace(NEAR, mmr=Mmr(0.5, 2)),
                using="text",
                params=SearchParams(exact=True),
                limit=2,
                search_after=SearchAfter(0, 6),
            ),
            InvalidQuery,
            "search_after.id",
        ),
    ],
)
def test_what_cannot_go_on(
    engine: Engine, shop: Collection, stage: Stage, error: type[EngineError], field: str
) -> None:
    with pytest.raises(error) as raised:
        engine.queries.query(shop, [Query(root=stage)])
    assert field_of(raised.value) == field
