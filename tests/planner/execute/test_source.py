"""The executor needs nothing but a source: over two collections that share out the points, it answers as over one."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from planner.bind.bound import Highlighted
from planner.bind.stages import check_query
from planner.bind.stored_vectors import VectorSource
from planner.errors import InvalidQuery
from planner.execute.demand import Demand, LeafAnswer
from planner.execute.executor import execute
from planner.execute.fetching import Fetched
from planner.execute.local_source import LocalSource
from planner.execute.source import Inspection, Source, Values
from planner.optimize.optimizer import optimize
from planner.plan.builder import build
from planner.plan.nodes import Plan, RankAll, Rerank, Search, higher_is_better, walk
from planner.query.filter import Filter
from planner.query.query import PayloadSelector, VectorsSelector
from planner.rank.by_text import ByText
from planner.rank.ranker import Ranker
from planner.rank.ranking import Ranking, ranked
from planner.text.highlights import Highlight
from storage.budget import UNLIMITED
from storage.collection import Collection as Stored
from storage.database import Database
from storage.schema import CollectionSchema, PointId
from tests.support.no_indexes import no_indexes
from tests.support.oracle.query import World
from tests.support.strategies import SIZES, queries, random_world
from tests.support.worlds import create, open_database

Slots = NDArray[np.uint32]
Told = list[tuple[PointId, float]]


class TwoHalves:
    """Two sources as one, and its points. It numbers points by itself: those of each half are every other number."""

    def __init__(self, halves: Sequence[Source]) -> None:
        self.halves = halves
        self.budget = UNLIMITED
        self.seq, self.generation = 0, 0

    @property
    def points(self) -> "TwoHalves":
        return self

    @property
    def inspection(self) -> Inspection:
        raise NotImplementedError

    @property
    def values(self) -> Values:
        raise NotImplementedError

    @property
    def schema(self) -> CollectionSchema:
        return self.halves[0].points.schema

    @property
    def point_count(self) -> int:
        return sum(half.points.point_count for half in self.halves)

    def slots_of(self, ids: Sequence[PointId]) -> NDArray[np.int64]:
        found = np.full(len(ids), -1, np.int64)
        for number, half in enumerate(self.halves):
            slots = half.points.slots_of(ids)
            found[slots >= 0] = 2 * slots[slots >= 0] + number
        return found

    def point_ids(self, slots: Slots) -> list[PointId]:
        return [self.halves[slot % 2].points.point_ids(_one(slot))[0] for slot in slots.tolist()]

    def id_keys(self, slots: Slots) -> list[bytes]:
        return [self.halves[slot % 2].points.id_keys(_one(slot))[0] for slot in slots.tolist()]

    def vectors(self, space: str, slots: Slots) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        each = [self.halves[slot % 2].points.vectors(space, _one(slot)) for slot in slots.tolist()]
        rows = [row for _, row in each] or [np.empty((0, self.schema.dense[space].size), np.float32)]
        return np.array([held[0] for held, _ in each], np.bool_), np.concatenate(rows)

    def answer(self, demands: Collection[Demand]) -> Mapping[Demand, LeafAnswer]:
        answers = [half.answer(demands) for half in self.halves]
        return {demand: self._joined(demand, [answer[demand] for answer in answers]) for demand in demands}

    def _joined(self, demand: Demand, answers: Sequence[LeafAnswer]) -> LeafAnswer:
        higher = higher_is_better(demand.leaf)
        merged = self._merged([answer.ranking for answer in answers], higher=higher)
        return replace(answers[0], ranking=merged.take(slice(demand.leaf.limit)), total=None)

    def _merged(self, rankings: Sequence[Ranking], *, higher: bool) -> Ranking:
        slots = [2 * ranking.slots + number for number, ranking in enumerate(rankings)]
        scores = np.concatenate([ranking.scores for ranking in rankings])
        return ranked(np.concatenate(slots).astype(np.uint32), scores, self, higher_is_better=higher)

    def _of_each(self, slots: Slots) -> list[Slots]:
        return [((slots[slots % 2 == number]) // 2).astype(np.uint32) for number in (0, 1)]

    def rank(self, ranker: Ranker, slots: Slots, lists: Sequence[Ranking]) -> Ranking:
        found = []
        for number, part in enumerate(self._of_each(slots)):
            kept = [each.take(each.slots % 2 == number) for each in lists]
            own = [Ranking((each.slots // 2).astype(np.uint32), each.scores) for each in kept]
            found.append(self.halves[number].rank(ranker, part, own))
        return self._merged(found, higher=ranker.higher_is_better)

    def gate(self, filter: Filter, slots: Slots) -> NDArray[np.bool_]:
        matching = np.zeros(len(slots), np.bool_)
        for number, part in enumerate(self._of_each(slots)):
            matching[slots % 2 == number] = self.halves[number].gate(filter, part)
        return matching

    def conditions(self, filters: Sequence[Filter]) -> str:
        raise NotImplementedError

    def statistics(self, ranker: Ranker) -> Mapping[str, str]:
        raise NotImplementedError

    def fetch(self, slots: Slots, payload: PayloadSelector | None, vectors: VectorsSelector | None) -> list[Fetched]:
        return [self.halves[slot % 2].fetch(_one(slot), payload, vectors)[0] for slot in slots.tolist()]

    def highlights(self, slots: Slots, asked: Sequence[Highlighted]) -> list[tuple[Highlight, ...]]:
        raise NotImplementedError


def _one(slot: int) -> Slots:
    return np.array([slot // 2], np.uint32)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with open_database(tmp_path_factory.mktemp("halves") / "data") as database:
        yield database


@pytest.fixture(scope="module")
def world(database: Database) -> World:
    """In a collection `whole`, and shared out to `half 0` and `half 1`."""
    world = random_world(5)
    create(database, "whole", world, SIZES)
    for number in (0, 1):
        points = dict(list(world.points.items())[number::2])
        create(database, f"half {number}", replace(world, points=points), SIZES)
    return world


@given(st.data())
def test_two_halves_answer_as_the_whole(database: Database, world: World, data: st.DataObject) -> None:
    query = data.draw(queries(world))
    with ExitStack() as opened:
        whole = opened.enter_context(database.collection("whole").snapshot())
        vectors = VectorSource("whole", whole, database.collection, opened)
        plan = optimize(build(check_query(query, whole.schema).read(vectors)))
        assume(_scores_alone_decide(plan))
        halves = [_source(database.collection(f"half {number}"), opened) for number in (0, 1)]
        expected = _told(plan, LocalSource(whole, no_indexes(), UNLIMITED))
        assert _told(plan, TwoHalves(halves)) == expected


def _source(collection: Stored, opened: ExitStack) -> Source:
    return LocalSource(opened.enter_context(collection.snapshot()), no_indexes(), UNLIMITED)


def _scores_alone_decide(plan: Plan) -> bool:
    """Whether lists of two halves can be merged by their scores: not orders without any, and not texts, whose scores
    depend on how often a term is in all points."""
    rankers = [node.ranker for node in walk(plan.root) if isinstance(node, Search | RankAll | Rerank)]
    return all(ranker.is_scored and not isinstance(ranker, ByText) for ranker in rankers)


def _told(plan: Plan, source: Source) -> Told | str:
    """What the plan emits: ids and scores, or the field of the formula that has no result for some point."""
    try:
        [ranking] = execute([plan], source)
    except InvalidQuery as error:
        return error.field
    ids = source.points.point_ids(ranking.slots)
    assert [point.id for point in source.fetch(ranking.slots, None, None)] == ids
    return list(zip(ids, ranking.scores.tolist(), strict=True))
