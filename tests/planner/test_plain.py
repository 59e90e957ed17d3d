"""Plain plans answer what the executor answers: hits, order of equal scores, totals and errors."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.engine import Engine, HitColumns, QueryAnswer
from planner.engine.plain import Plain
from planner.query import (
    Filter,
    Nearest,
    PayloadSelector,
    Query,
    QueryShape,
    QueryVector,
    Range,
    SearchParams,
    ShapedQuery,
    Stage,
    shaped,
)
from storage.budget import Budget
from storage.collection import Collection
from storage.database import Database
from storage.errors import Cancelled, EngineError, ReplyTooLarge, RequestTooLarge
from storage.meter import Meter
from storage.schema import CollectionSchema, DenseSpace, Distance, PointId
from storage.search import SpaceSearch, search_plainly
from storage.write import ByIds, DeletePoints, SpaceVectors, Upsert
from tests.support.worlds import CODEC, open_database

SIZE, ROWS = 6, 150
METRICS = (Distance.COSINE, Distance.DOT, Distance.EUCLID)
RANDOM = np.random.default_rng(5)
VECTORS = RANDOM.integers(-2, 3, (60, SIZE)).astype(np.float32) + np.float32(0.5)
"""Rows are taken of these, so that many are equal, and many scores."""


FILTERS = [Filter(must=(Range(path="number", lt=number),)) for number in (0, 40, 290)]


class Fixture:
    """A collection of two segments of which some points are deleted; and one that has rows without index, too."""

    def __init__(self, database: Database) -> None:
        self.engine = Engine(database.collection)
        self.collections = [_collection(database, name, tail) for name, tail in (("graphs", 0), ("tail", 20))]


def _collection(database: Database, name: str, tail: int) -> Collection:
    spaces = {metric.value: DenseSpace(size=SIZE, distance=metric) for metric in METRICS}
    collection = database.create_collection(name, CollectionSchema(spaces=spaces, indexing_threshold=ROWS))
    for start, count in ((0, ROWS), (ROWS, ROWS), (2 * ROWS, tail)):
        if count:
            _write(collection, range(start, start + count))
            _await_graphs(collection, (start + count) // ROWS * ROWS)
    collection.write([DeletePoints(selector=ByIds(tuple(map(_id, range(0, 2 * ROWS, 9)))))]).result(timeout=30)
    return collection


def _id(number: int) -> PointId:
    return number if number % 3 else f"point {number}"


def _write(collection: Collection, numbers: range) -> None:
    rows = VECTORS[RANDOM.integers(len(VECTORS), size=len(numbers))]
    vectors = {metric.value: SpaceVectors(np.arange(len(rows)), rows) for metric in METRICS}
    payloads = tuple(CODEC.encode({"number": number}) for number in numbers)
    upsert = Upsert(ids=tuple(map(_id, numbers)), payloads=payloads, vectors=vectors)
    collection.write([upsert]).result(timeout=30)


def _await_graphs(collection: Collection, rows: int) -> None:
    deadline = time.monotonic() + 120
    while any(_indexed(collection, metric) < rows for metric in METRICS):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _indexed(collection: Collection, metric: Distance) -> int:
    blocks = collection.spaces()[metric.value].blocks
    return sum(block.count for block in blocks if block.index is not None)


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fixture]:
    with open_database(tmp_path_factory.mktemp("plain") / "data") as database:
        yield Fixture(database)


def plain_of(fixture: Fixture, collection: Collection, queries: Sequence[ShapedQuery]) -> Plain | None:
    with collection.snapshot() as reader:
        return fixture.engine.queries.plans.plain(reader, queries)


Outcome = list[tuple[object, ...]] | tuple[type, str]


def outcome(
    fixture: Fixture, collection: Collection, queries: Sequence[Query | ShapedQuery], budget: Budget
) -> Outcome:
    try:
        answers = fixture.engine.queries.query(collection, queries, budget)
    except EngineError as error:
        return type(error), str(error)
    return [(list(each.hits), each.seq, each.total, each.explanation) for each in answers]


@st.composite
def batches(draw: st.DrawFn) -> list[ShapedQuery]:
    """Queries of one shape."""
    params = SearchParams(
        hnsw_ef=draw(st.sampled_from([None, 1, 16, 400])),
        exact=draw(st.sampled_from([False, False, True])),
        indexed_only=draw(st.booleans()),
        rescore=draw(st.booleans()),
        oversampling=draw(st.sampled_from([None, 1.0, 3.0])),
    )
    stage = Stage(
        query=Nearest(QueryVector(VECTORS[0])),
        using=draw(st.sampled_from(METRICS)).value,
        params=params,
        filter=draw(st.sampled_from([None, None, *FILTERS])),
        limit=draw(st.sampled_from([None, 1, 7, 50, 400])),
        offset=draw(st.sampled_from([0, 0, 3, 500])),
    )
    first = shaped(Query(root=stage, with_payload=draw(st.sampled_from([None, PayloadSelector()]))))
    count = draw(st.sampled_from([1, 1, 3, 70]))
    numbers = draw(st.lists(st.integers(0, 1_000), min_size=count, max_size=count))
    rows = [_query(number) for number in numbers]
    return [replace(first, vectors=(QueryVector(row),), path=f"queries[{at}]") for at, row in enumerate(rows)]


def _query(number: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """A stored vector, so that scores are equal; or any; now and then one that may not be asked for."""
    if number < 500:
        return np.array(VECTORS[number % len(VECTORS)])
    if number == 997:
        return np.full(SIZE, 3e38, np.float32)  # its square is too large
    if number > 997:
        return np.array([0] * SIZE if number == 998 else [np.nan] * (number - 995), np.float32)
    return np.random.default_rng(number).standard_normal(SIZE, np.float32)


@pytest.mark.slow
@given(batches(), st.integers(0, 1))
def test_answers_are_those_of_the_executor(fixture: Fixture, batch: list[ShapedQuery], which: int) -> None:
    collection = fixture.collections[which]
    expected = outcome(fixture, collection, [query.whole() for query in batch], Budget())
    for _ in range(2):
        assert outcome(fixture, collection, batch, Budget()) == expected


@pytest.mark.parametrize("number", [997, 998, 999, 1_000])
@pytest.mark.parametrize("using", [metric.value for metric in METRICS])
def test_vectors_that_are_not_plain(fixture: Fixture, number: int, using: str) -> None:
    first = shaped(Query(root=Stage(query=Nearest(QueryVector(VECTORS[0])), using=using)))
    batch = [first, replace(first, vectors=(QueryVector(_query(number)),), path="queries[1]")]
    for asked in (batch, batch[1:]):
        outcome(fixture, fixture.collections[0], [first], Budget())
        expected = outcome(fixture, fixture.collections[0], [query.whole() for query in asked], Budget())
        assert outcome(fixture, fixture.collections[0], asked, Budget()) == expected


@pytest.mark.parametrize("count", [1, 100])
def test_they_are_used(fixture: Fixture, count: int) -> None:
    graphs, tail = fixture.collections
    first = shaped(Query(root=Stage(query=Nearest(QueryVector(VECTORS[0])), using="dot", limit=5)))
    random = np.random.default_rng(1).standard_normal((count, SIZE), np.float32)
    batch = [replace(first, vectors=(QueryVector(row),)) for row in random]
    for collection in (graphs, tail):
        assert plain_of(fixture, collection, batch) is None, "the shape is not known yet"
        fixture.engine.queries.query(collection, batch)
        assert plain_of(fixture, collection, batch) is not None
        answers = fixture.engine.queries.query(collection, batch)
        assert all(isinstance(answer, QueryAnswer) and isinstance(answer.hits, HitColumns) for answer in answers)
        with collection.snapshot() as reader:
            like = SpaceSearch(space="dot", vector=random[0], limit=5)
            assert (search_plainly(reader, like, random, Budget()) is None) == (collection is not graphs)
    explained = [replace(each, shape=QueryShape(replace(first.shape.query, explain=True))) for each in batch]
    fixture.engine.queries.query(graphs, explained)
    assert plain_of(fixture, graphs, explained) is None, "explanations are made by the executor"


@pytest.mark.parametrize("error", [ReplyTooLarge, RequestTooLarge, Cancelled])
def test_bounds(fixture: Fixture, error: type[EngineError]) -> None:
    collection = fixture.collections[0]
    query = shaped(Query(root=Stage(query=Nearest(QueryVector(VECTORS[0])), using="dot", limit=50)))
    outcome(fixture, collection, [query], Budget())
    found: list[Outcome] = []
    for asked in (query.whole(), query):
        match error:
            case _ if error is ReplyTooLarge:
                budget = Budget(meter=Meter(None, 1_500))
            case _ if error is RequestTooLarge:
                budget = Budget(meter=Meter(10_000, None))
            case _:
                budget = Budget(is_cancelled=lambda: True)
        found.append(outcome(fixture, collection, [asked], budget))
    assert found[0] == found[1]
    assert found[0][0] is error
