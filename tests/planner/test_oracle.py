"""The engine over real storage answers as the oracle: ids, order, scores; alone and in batches; optimised or not."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.engine import Engine, QueryAnswer
from planner.execute.executor import execute
from planner.execute.local_source import LocalSource
from planner.optimize.optimizer import optimize
from planner.plan.builder import build
from planner.query.filter import Filter
from planner.query.query import Query
from storage.budget import UNLIMITED
from storage.collection import Collection
from storage.database import Database
from storage.schema import PointId
from tests.support.ids import id_order
from tests.support.no_indexes import no_indexes
from tests.support.oracle import query as oracle
from tests.support.oracle.query import World
from tests.support.strategies import FILTERS, IDS, SIZES, queries, random_world
from tests.support.worlds import CODEC, create, open_database

Answer = list[tuple[PointId, float]]
WORLD_COUNT = 4


class Fixture:
    """Some worlds, each in a collection of one database: writing a collection per example would take all the time."""

    def __init__(self, database: Database, worlds: list[World]) -> None:
        self.engine = Engine(database.collection)
        self.worlds = worlds
        self.collections = [create(database, f"world {n}", world, SIZES) for n, world in enumerate(worlds)]


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fixture]:
    with open_database(tmp_path_factory.mktemp("oracle") / "data") as database:
        yield Fixture(database, [random_world(seed) for seed in range(WORLD_COUNT)])


def ranking(answer: QueryAnswer) -> Answer:
    return [(hit.id, hit.score) for hit in answer.hits]


def expected(world: World, query: Query) -> Answer:
    return [(point_id, float(score)) for point_id, score in oracle.answer(world, query)]


@pytest.mark.parametrize("number", range(WORLD_COUNT))
@given(st.data())
def test_answers_are_the_oracles(fixture: Fixture, number: int, data: st.DataObject) -> None:
    world, collection = fixture.worlds[number], fixture.collections[number]
    batch = data.draw(st.lists(queries(world), min_size=1, max_size=3))
    answers = fixture.engine.queries.query(collection, batch)
    for query, answer in zip(batch, answers, strict=True):
        assert ranking(answer) == expected(world, query)
        _check_fetched(world, query, answer)
        assert (answer.explanation is not None) == query.explain


def _check_fetched(world: World, query: Query, answer: QueryAnswer) -> None:
    for hit in answer.hits:
        point = world.points[hit.id]
        selector = query.with_payload
        if selector is None:
            assert hit.payload is None
        elif selector.include is None and not selector.exclude:
            assert hit.payload is not None
            assert CODEC.decode(hit.payload) == point.payload
        names = () if query.with_vectors is None else query.with_vectors.include
        wanted = point.vectors.keys() & (SIZES if names is None else names)
        assert hit.vectors.keys() == wanted
        for name in wanted:
            np.testing.assert_array_equal(hit.vectors[name], point.vectors[name], strict=True)


@pytest.mark.parametrize("number", range(WORLD_COUNT))
@given(st.data())
def test_optimised_equals_unoptimised(fixture: Fixture, number: int, data: st.DataObject) -> None:
    world, collection = fixture.worlds[number], fixture.collections[number]
    query = data.draw(queries(world))
    with collection.snapshot() as reader:
        [bound] = fixture.engine.queries.bind(collection, reader, [query])
        plan = build(bound)
        plain, optimised = execute([plan, optimize(plan)], LocalSource(reader, no_indexes(), UNLIMITED))
        np.testing.assert_array_equal(plain.slots, optimised.slots, strict=True)
        np.testing.assert_array_equal(plain.scores, optimised.scores, strict=True)


@pytest.mark.parametrize("number", range(WORLD_COUNT))
@given(FILTERS, st.integers(1, 6), st.none() | st.sampled_from(IDS))
def test_scroll_and_count_are_the_oracles(
    fixture: Fixture, number: int, filter: Filter, limit: int, start: PointId | None
) -> None:
    world, collection = fixture.worlds[number], fixture.collections[number]
    ids = oracle.matching(world, filter)
    assert _scrolled(fixture.engine, collection, filter, limit, start) == _from(ids, start)
    assert fixture.engine.reads.count(collection, filter)[0] == len(ids)
    # Once more, now that count has left the filter's slots in the cache.
    assert _scrolled(fixture.engine, collection, filter, limit, start) == _from(ids, start)
    with collection.snapshot() as reader:
        slots = fixture.engine.writes.selector(reader.schema, filter).select(reader)
        assert sorted(map(repr, reader.point_ids(slots))) == sorted(map(repr, ids))


def _scrolled(
    engine: Engine, collection: Collection, filter: Filter, limit: int, start: PointId | None
) -> list[PointId]:
    found: list[PointId] = []
    while True:
        page = engine.reads.scroll(collection, filter, offset=start, limit=limit)
        found += [point.id for point in page.points]
        if page.next_id is None:
            return found
        assert len(page.points) == limit
        start = page.next_id


def _from(ids: list[PointId], start: PointId | None) -> list[PointId]:
    if start is None:
        return ids
    order = id_order
    return [point_id for point_id in ids if order(point_id) >= order(start)]
