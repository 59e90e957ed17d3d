"""Replies that are certain to be too large are refused before anything is searched."""

from collections.abc import Iterator

import numpy as np
import pytest

from planner.engine import Engine
from planner.query import Equal, Filter, Nearest, Query, QueryVector, Stage, VectorsSelector
from storage.budget import Budget
from storage.collection import Collection
from storage.errors import ReplyTooLarge, ScanTooLarge
from storage.meter import Meter
from storage.schema import CollectionSchema, DenseSpace, Distance
from storage.write import SpaceVectors, Upsert
from tests.support.directories import CODEC
from tests.support.worlds import open_database

COUNT, SIZE = 300, 16
ROWS = np.random.default_rng(1).standard_normal((COUNT, SIZE)).astype(np.float32)
VECTORS = VectorsSelector()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Collection]]:
    with open_database(tmp_path_factory.mktemp("replies") / "data") as database:
        schema = CollectionSchema(spaces={"": DenseSpace(size=SIZE, distance=Distance.DOT)})
        collection = database.create_collection("c", schema)
        vectors = {"": SpaceVectors(np.arange(COUNT), ROWS)}
        upsert = Upsert(ids=tuple(range(COUNT)), payloads=(CODEC.encode({"a": 1}),) * COUNT, vectors=vectors)
        collection.write([upsert]).result(timeout=60)
        yield Engine(database.collection), collection


def asked(**stage: object) -> Query:
    root = Stage(query=Nearest(QueryVector(ROWS[0])), **{"limit": 200, **stage})  # type: ignore[arg-type]
    return Query(root=root, with_payload=None, with_vectors=VECTORS)


def refused_by(world: tuple[Engine, Collection], query: Query, max_reply: int, count: int = 20) -> type[Exception]:
    """ScanTooLarge: it was about to be searched."""
    engine, collection = world
    budget = Budget(max_scan=1, meter=Meter(max_reply=max_reply))
    with pytest.raises((ReplyTooLarge, ScanTooLarge)) as caught:
        engine.queries.query(collection, [query] * count, budget)
    return caught.type


def test_a_batch_that_cannot_fit_is_not_searched(world: tuple[Engine, Collection]) -> None:
    least = 20 * 200 * 4 * SIZE
    assert refused_by(world, asked(), least) is ReplyTooLarge
    assert refused_by(world, asked(), 2 * least) is ScanTooLarge


def test_what_may_be_few_is_searched(world: tuple[Engine, Collection]) -> None:
    for stage in (
        {"filter": Filter(must=(Equal("a", 1),))},
        {"score_threshold": 0.5},
        {"offset": 299},
        {"limit": 1},
    ):
        assert refused_by(world, asked(**stage), 20_000) is ScanTooLarge, stage


def test_the_least_is_no_more_than_the_reply(world: tuple[Engine, Collection]) -> None:
    engine, collection = world
    meter = Meter(max_reply=10**9)
    engine.queries.query(collection, [asked()] * 3, Budget(meter=meter))
    engine.queries.query(collection, [asked()] * 3, Budget(meter=Meter(max_reply=meter.reply)))
