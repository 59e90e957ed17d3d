"""The executor needs nothing but a source: over several collections that share points out, it answers as over one."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import reduce
from operator import add
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from planner.bind.stages import check_query
from planner.errors import InvalidQuery
from planner.execute.demand import Demand, LeafAnswer
from planner.execute.executor import execute
from planner.execute.fetching import Fetched
from planner.execute.local_source import LocalSource
from planner.execute.source import Inspection, Source, Values
from planner.optimize.optimizer import optimize
from planner.plan.builder import build
from planner.plan.nodes import Plan, Scan
from planner.query.bm25 import Bm25
from planner.query.query import (
    Nearest,
    PayloadSelector,
    Query,
    Rank,
    Sample,
    SearchParams,
    Stage,
    VectorsSelector,
)
from planner.rank.ranker import Ranker, Statistics
from planner.rank.ranking import Ranking, SortKey
from planner.resolve.filters import CheckedFilter
from planner.resolve.stored_vectors import VectorSource
from planner.text.highlights import Highlight, Highlighted
from storage.budget import UNLIMITED
from storage.collection import Collection as Stored
from storage.database import Database
from storage.schema import CollectionSchema, PointId, SparseModifier, SparseSpace
from storage.vectors.sparse import SparseMetric, SparseVector
from storage.write.operations import SpaceBodies, Upsert
from tests.support.no_indexes import no_indexes
from tests.support.oracle.query import World
from tests.support.strategies import BM25, ORDERS, SIZES, queries, random_world
from tests.support.worlds import CODEC, create, open_database

Slots = NDArray[np.uint32]
Told = list[tuple[PointId, float]]


class Parts:
    """Several sources as one, and its points. It numbers points by itself: of n parts each has every n-th number."""

    def __init__(self, parts: Sequence[Source]) -> None:
        self.parts = parts
        self.count = len(parts)
        self.budget = UNLIMITED
        self.seq, self.generation = 0, 0

    @property
    def points(self) -> "Parts":
        return self

    @property
    def inspection(self) -> Inspection:
        raise NotImplementedError

    @property
    def values(self) -> Values:
        raise NotImplementedError

    @property
    def schema(self) -> CollectionSchema:
        return self.parts[0].points.schema

    @property
    def point_count(self) -> int:
        return sum(part.points.point_count for part in self.parts)

    def slots_of(self, ids: Sequence[PointId]) -> NDArray[np.int64]:
        found = np.full(len(ids), -1, np.int64)
        for number, part in enumerate(self.parts):
            slots = part.points.slots_of(ids)
            found[slots >= 0] = self.count * slots[slots >= 0] + number
        return found

    def point_ids(self, slots: Slots) -> list[PointId]:
        return [self._part(slot).points.point_ids(self._one(slot))[0] for slot in slots.tolist()]

    def id_keys(self, slots: Slots) -> list[bytes]:
        return [self._part(slot).points.id_keys(self._one(slot))[0] for slot in slots.tolist()]

    def vectors(self, space: str, slots: Slots) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        each = [self._part(slot).points.vectors(space, self._one(slot)) for slot in slots.tolist()]
        rows = [row for _, row in each] or [np.empty((0, self.schema.dense[space].size), np.float32)]
        return np.array([held[0] for held, _ in each], np.bool_), np.concatenate(rows)

    def statistics(self, rankers: Collection[Ranker], *, in_full: bool = False) -> Mapping[Ranker, Statistics]:
        first, *others = (part.statistics(rankers, in_full=in_full) for part in self.parts)
        return {ranker: reduce(add, (other[ranker] for other in others), first[ranker]) for ranker in first}

    def answer(
        self, demands: Collection[Demand], statistics: Mapping[Ranker, Statistics]
    ) -> Mapping[Demand, LeafAnswer]:
        answers = [part.answer(demands, statistics) for part in self.parts]
        return {demand: self._joined(demand, [answer[demand] for answer in answers]) for demand in demands}

    def _joined(self, demand: Demand, answers: Sequence[LeafAnswer]) -> LeafAnswer:
        ranker = None if isinstance(demand.leaf, Scan) else demand.leaf.ranker
        merged = self._merged([answer.ranking for answer in answers], ranker)
        return replace(answers[0], ranking=merged.take(slice(demand.leaf.limit)), total=None)

    def _merged(self, rankings: Sequence[Ranking], ranker: Ranker | None) -> Ranking:
        """By the keys of the way to rank; by id without one."""
        keys: list[object] = []
        for part, ranking in zip(self.parts, rankings, strict=True):
            keys += part.points.id_keys(ranking.slots) if ranker is None else part.sort_keys(ranker, ranking)
        order = sorted(range(len(keys)), key=keys.__getitem__)  # type: ignore[arg-type]
        slots = [self.count * ranking.slots + number for number, ranking in enumerate(rankings)]
        scores = np.concatenate([ranking.scores for ranking in rankings])
        return Ranking(np.concatenate(slots).astype(np.uint32)[order], scores[order])

    def sort_keys(self, ranker: Ranker, ranking: Ranking) -> list[SortKey]:
        raise NotImplementedError

    def _part(self, slot: int) -> Source:
        return self.parts[slot % self.count]

    def _one(self, slot: int) -> Slots:
        return np.array([slot // self.count], np.uint32)

    def _of_each(self, slots: Slots) -> list[Slots]:
        return [(slots[slots % self.count == number] // self.count).astype(np.uint32) for number in range(self.count)]

    def rank(
        self, ranker: Ranker, slots: Slots, lists: Sequence[Ranking], statistics: Mapping[Ranker, Statistics]
    ) -> Ranking:
        found = []
        for number, part in enumerate(self._of_each(slots)):
            kept = [each.take(each.slots % self.count == number) for each in lists]
            own = [Ranking((each.slots // self.count).astype(np.uint32), each.scores) for each in kept]
            found.append(self.parts[number].rank(ranker, part, own, statistics))
        return self._merged(found, ranker)

    def gate(self, filter: CheckedFilter, slots: Slots) -> NDArray[np.bool_]:
        matching = np.zeros(len(slots), np.bool_)
        for number, part in enumerate(self._of_each(slots)):
            matching[slots % self.count == number] = self.parts[number].gate(filter, part)
        return matching

    def conditions(self, filters: Sequence[CheckedFilter]) -> str:
        raise NotImplementedError

    def fetch(self, slots: Slots, payload: PayloadSelector | None, vectors: VectorsSelector | None) -> list[Fetched]:
        return [self._part(slot).fetch(self._one(slot), payload, vectors)[0] for slot in slots.tolist()]

    def highlights(self, slots: Slots, asked: Sequence[Highlighted]) -> list[tuple[Highlight, ...]]:
        raise NotImplementedError


COUNTS = st.sampled_from((2, 3))
"""How many parts."""
UNSCORED: st.SearchStrategy[Rank] = st.one_of(st.builds(Sample, st.integers(0, 2**64 - 1)), ORDERS)


def part_name(whole: str, count: int, number: int) -> str:
    return f"{whole} in {count}: {number}"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with open_database(tmp_path_factory.mktemp("parts") / "data") as database:
        yield database


@pytest.fixture(scope="module")
def world(database: Database) -> World:
    """In a collection `whole`, and shared out to two others and to three others, of which the last has few points."""
    world = random_world(5)
    create(database, "whole", world, SIZES)
    items = list(world.points.items())
    for number in (0, 1):
        create(database, part_name("whole", 2, number), replace(world, points=dict(items[number::2])), SIZES)
    for number, share in enumerate((items[: len(items) // 2], items[len(items) // 2 : -3], items[-3:])):
        create(database, part_name("whole", 3, number), replace(world, points=dict(share)), SIZES)
    return world


@given(data=st.data(), count=COUNTS)
def test_parts_answer_as_the_whole(database: Database, world: World, data: st.DataObject, count: int) -> None:
    _assert_parts_are_the_whole(database, "whole", data.draw(queries(world)), count)


@given(order=UNSCORED, limit=st.integers(1, 40), offset=st.integers(0, 5), again=st.booleans(), count=COUNTS)
def test_orders_without_scores_are_those_of_the_whole(
    database: Database, world: World, order: Rank, limit: int, offset: int, again: bool, count: int
) -> None:
    prefetch = (Stage(query=Sample(9), limit=25), Stage(query=None, limit=12)) if again else ()
    stage = Stage(query=order, limit=limit, offset=offset, prefetch=prefetch)
    _assert_parts_are_the_whole(database, "whole", Query(root=stage), count)


@given(query=BM25, rank_again=st.booleans(), count=COUNTS)
def test_texts_are_scored_by_the_terms_of_all_parts(
    database: Database, world: World, query: Bm25, rank_again: bool, count: int
) -> None:
    stage = Stage(query=query, limit=5)
    _assert_parts_are_the_whole(database, "whole", _again(stage) if rank_again else Query(root=stage), count)


def _again(stage: Stage) -> Query:
    """Of those in a list that the same query found, or another one, its best."""
    return Query(root=replace(stage, prefetch=(replace(stage, limit=30), Stage(query=None, limit=9))))


def _assert_parts_are_the_whole(database: Database, name: str, query: Query, count: int = 2) -> None:
    with ExitStack() as opened:
        whole = opened.enter_context(database.collection(name).snapshot())
        vectors = VectorSource(name, whole, database.collection, opened)
        plan = optimize(build(check_query(query, whole.schema).read(vectors)))
        parts = [_source(database.collection(part_name(name, count, number)), opened) for number in range(count)]
        expected = _told(plan, LocalSource(whole, no_indexes(), UNLIMITED))
        assert _told(plan, Parts(parts)) == expected


SPARSE = CollectionSchema(spaces={"": SparseSpace(modifier=SparseModifier.IDF)})
TERMS = st.dictionaries(st.integers(0, 6), st.sampled_from([1.0, -0.5, 2.0, 0.25]), min_size=1, max_size=4)


def _sparse(values: Mapping[int, float]) -> SparseVector:
    return SparseVector(
        np.array(sorted(values), np.uint32), np.array([values[key] for key in sorted(values)], np.float32)
    )


def _create_sparse(database: Database, name: str, points: Mapping[PointId, Mapping[int, float]]) -> None:
    collection = database.create_collection(name, SPARSE)
    bodies = tuple(_sparse(values).to_bytes() for values in points.values())
    payload = CODEC.encode({})
    upsert = Upsert(
        ids=tuple(points),
        payloads=(payload,) * len(points),
        vectors={},
        bodies={"": SpaceBodies(np.arange(len(points)), bodies)},
    )
    collection.write([upsert]).result(timeout=30)


@pytest.fixture(scope="module")
def sparse(database: Database) -> Database:
    """Vectors of a space with inverse document frequencies, in `sparse`, and shared out to two parts.

    The second part has far fewer points, so that frequencies within it are others.
    """
    random = Random(4)
    points: dict[PointId, dict[int, float]] = {
        number: {index: random.choice([1.0, 0.5, -2.0]) for index in random.sample(range(7), random.randint(1, 4))}
        for number in range(40)
    }
    _create_sparse(database, "sparse", points)
    _create_sparse(database, part_name("sparse", 2, 0), {number: points[number] for number in points if number % 5})
    _create_sparse(database, part_name("sparse", 2, 1), {number: points[number] for number in points if not number % 5})
    return database


@given(values=TERMS, rank_again=st.booleans(), metric=st.sampled_from(SparseMetric))
def test_inverse_document_frequencies_are_those_of_both_parts(
    sparse: Database, values: dict[int, float], rank_again: bool, metric: SparseMetric
) -> None:
    stage = Stage(query=Nearest(_sparse(values)), params=SearchParams(sparse_metric=metric), limit=9)
    _assert_parts_are_the_whole(sparse, "sparse", _again(stage) if rank_again else Query(root=stage))


def _source(collection: Stored, opened: ExitStack) -> Source:
    return LocalSource(opened.enter_context(collection.snapshot()), no_indexes(), UNLIMITED)


def _told(plan: Plan, source: Source) -> Told | str:
    """What the plan emits: ids and scores, or the field of the formula that has no result for some point."""
    try:
        [ranking] = execute([plan], source)
    except InvalidQuery as error:
        return error.field
    ids = source.points.point_ids(ranking.slots)
    assert [point.id for point in source.fetch(ranking.slots, None, None)] == ids
    return list(zip(ids, ranking.scores.tolist(), strict=True))
