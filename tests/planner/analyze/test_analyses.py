"""Groups, facets, aggregations and matrices over real storage are the oracle's, with indexes and without."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.analyze.aggregation import AggregateKind, AggregateQuery, Aggregation, tally
from planner.analyze.facets import FacetQuery
from planner.analyze.group_query import GroupQuery
from planner.analyze.matrix import MatrixQuery
from planner.engine import Engine
from planner.payload_index.columns import Column
from planner.query.filter import Filter
from planner.query.query import Query, Stage
from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.database import Database
from storage.errors import DeadlineExceeded, LimitExceeded, ReplyTooLarge
from storage.meter import Meter
from tests.support.analysis_strategies import AGGREGATE_QUERIES, group_queries
from tests.support.oracle import values as oracle
from tests.support.oracle.query import Point, World
from tests.support.strategies import FILTERS, PATHS, SIZES, random_world, seldom
from tests.support.worlds import create, open_database

WORLD_COUNT = 3
NUMBERS = st.integers(0, WORLD_COUNT - 1)
INDEXED = st.booleans()


class Fixture:
    """Some worlds, each in a collection; one engine that makes indexes, and one that makes none."""

    def __init__(self, database: Database, worlds: list[World]) -> None:
        self.engines = {True: Engine(database.collection), False: Engine(database.collection, field_index_bytes=0)}
        self.worlds = worlds
        self.collections: list[Collection] = [
            create(database, f"world {n}", world, SIZES) for n, world in enumerate(worlds)
        ]


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fixture]:
    with open_database(tmp_path_factory.mktemp("analyses") / "data") as database:
        yield Fixture(database, [random_world(seed) for seed in range(WORLD_COUNT)])


@given(st.data(), NUMBERS, INDEXED)
def test_groups_are_the_oracles(fixture: Fixture, data: st.DataObject, number: int, indexed: bool) -> None:
    world, collection = fixture.worlds[number], fixture.collections[number]
    asked = data.draw(group_queries(world))
    answer = fixture.engines[indexed].analyses.groups(collection, asked)
    found = [
        (
            oracle.key(group.value),
            [(point.id, score) for point, score in zip(group.points, group.scores, strict=True)],
        )
        for group in answer.groups
    ]
    wanted = [(value, [(key, float(score)) for key, score in hits]) for value, hits in oracle.groups(world, asked)]
    assert found == wanted
    assert (answer.explanation is not None) == asked.query.explain


@given(NUMBERS, INDEXED, PATHS, seldom(FILTERS), st.integers(1, 8))
def test_facets_are_the_oracles(
    fixture: Fixture, number: int, indexed: bool, path: str, filter: Filter | None, limit: int
) -> None:
    world, collection = fixture.worlds[number], fixture.collections[number]
    answer = fixture.engines[indexed].analyses.facet(collection, FacetQuery(path=path, filter=filter, limit=limit))
    found = [(oracle.key(each.value), each.count) for each in answer.counts]
    assert found == oracle.facet(world, path, filter, limit)
    assert answer.value_count == len(oracle.facet(world, path, filter, 10**6))


@given(NUMBERS, INDEXED, AGGREGATE_QUERIES)
def test_aggregations_are_the_oracles(fixture: Fixture, number: int, indexed: bool, asked: AggregateQuery) -> None:
    world, collection = fixture.worlds[number], fixture.collections[number]
    answer = fixture.engines[indexed].analyses.aggregate(collection, asked)
    found = [(oracle.key(group.value), group.count, list(map(oracle.key, group.results))) for group in answer.groups]
    assert found == oracle.aggregate(world, asked)
    assert answer.group_count == len(oracle.aggregate(world, replace(asked, limit=10_000)))


@given(
    NUMBERS,
    st.sampled_from([None, *SIZES]),
    seldom(FILTERS),
    st.integers(2, 40),
    st.integers(1, 40),
    st.none() | st.sampled_from([0, 7, 2**64 - 1]),
)
def test_matrices_are_the_oracles(
    fixture: Fixture, number: int, using: str | None, filter: Filter | None, sample: int, limit: int, seed: int | None
) -> None:
    world, collection = fixture.worlds[number], fixture.collections[number]
    asked = MatrixQuery(using=using, filter=filter, sample=sample, limit=limit, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("storage.search.random_order.HASHED_AT_ONCE", 7)
        answer = fixture.engines[True].analyses.matrix(collection, asked)
    ids, rows = oracle.matrix(world, asked, answer.seq if seed is None else seed)
    assert answer.ids == ids
    for row, wanted in zip(answer.rows, rows, strict=True):
        found = [
            (ids[position], score) for position, score in zip(row.positions.tolist(), row.scores.tolist(), strict=True)
        ]
        assert found == [(key, float(score)) for key, score in wanted]


@pytest.mark.parametrize("indexed", [True, False])
def test_all_end_when_their_time_does(fixture: Fixture, indexed: bool) -> None:
    analyses, collection = fixture.engines[indexed].analyses, fixture.collections[0]
    over = Budget.of_seconds(0)
    asked = AggregateQuery(aggregations=(Aggregation(AggregateKind.SUM, "a"),), group_by="b")
    for call in (
        lambda: analyses.groups(collection, GroupQuery(query=Query(root=Stage()), path="a"), over),
        lambda: analyses.facet(collection, FacetQuery(path="a"), over),
        lambda: analyses.aggregate(collection, asked, over),
        lambda: analyses.matrix(collection, MatrixQuery(), over),
    ):
        with pytest.raises(DeadlineExceeded):
            call()


def test_pairs_of_groups_and_values_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    many = Column(np.zeros(9, np.uint32), np.arange(9), list(range(9)))
    assert len(tally(many, many, UNLIMITED).keys) == 81
    monkeypatch.setattr("planner.analyze.aggregation.MAX_VALUE_PAIRS", 80)
    with pytest.raises(LimitExceeded, match="MAX_VALUE_PAIRS"):
        tally(many, many, UNLIMITED)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), max_size=30),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), max_size=30),
    st.integers(1, 9),
)
def test_tallies_are_those_of_loops(groups: list[tuple[int, int]], values: list[tuple[int, int]], at_once: int) -> None:
    wanted: dict[int, int] = {}
    for slot, group in groups:
        for other, value in values:
            if slot == other:
                wanted[group * 5 + value] = wanted.get(group * 5 + value, 0) + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("planner.analyze.aggregation.PAIRS_PER_CHECK", at_once)
        found = tally(_column(groups), _column(values), UNLIMITED)
    assert dict(zip(found.keys.tolist(), found.counts.tolist(), strict=True)) == wanted
    assert found.keys.tolist() == sorted(wanted)


def _column(entries: list[tuple[int, int]]) -> Column:
    slots, codes = np.array([slot for slot, _ in entries], np.uint32), np.array([code for _, code in entries], np.int64)
    return Column(slots, codes, list(range(5)))


def test_a_point_counts_against_the_reply_in_every_group_that_it_is_in(tmp_path: Path) -> None:
    """It is refused before the groups are made, which would hold the same payload over and over."""
    size, count = 10_000, 20
    point = Point({"text": "x" * size, "many": list(range(count))}, {})
    with open_database(tmp_path / "data") as database:
        collection = create(database, "repeated", World({1: point}, {}), {})
        asked = GroupQuery(query=Query(root=Stage(limit=count)), path="many", size=1)
        analyses = Engine(database.collection).analyses
        with pytest.raises(ReplyTooLarge):
            analyses.groups(collection, asked, Budget(meter=Meter(max_reply=size * count)))
        roomy = Meter(max_reply=2 * size * count)
        assert len(analyses.groups(collection, asked, Budget(meter=roomy)).groups) == count
        assert roomy.reply > size * count
