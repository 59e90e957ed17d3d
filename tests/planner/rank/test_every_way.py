"""What every way to rank says of itself is true: how many points it finds, how many are sure, where they stand."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import get_args

import numpy as np
import pytest

from planner.bind.stages import bind
from planner.engine import Engine
from planner.execute.demand import demands_of
from planner.execute.local_source import LocalSource
from planner.optimize.optimizer import optimize
from planner.plan.builder import build
from planner.plan.nodes import Scan
from planner.query.bm25 import Bm25
from planner.query.formula import FieldValue, Formula
from planner.query.metrics import Metric
from planner.query.query import (
    ByMetrics,
    Context,
    ContextPair,
    Dbsf,
    Discover,
    Nearest,
    OrderBy,
    Query,
    QueryVector,
    Rank,
    Recommend,
    RecommendStrategy,
    Rrf,
    Sample,
    Stage,
)
from planner.resolve.stored_vectors import VectorSource
from storage.budget import UNLIMITED
from storage.collection import Collection
from storage.database import Database
from storage.schema import CollectionSchema, DenseSpace, Distance, SparseSpace, TextSettings
from storage.vectors.sparse import SparseVector
from storage.write.operations import SpaceBodies, SpaceVectors, Upsert
from tests.support.no_indexes import no_indexes
from tests.support.worlds import CODEC, open_database

COUNT = 12
HELD = {"dense": 9, "sparse": 8}
"""How many points, the first ones, have a vector in each space."""
ROWS = np.random.default_rng(3).integers(-3, 4, (COUNT, 2)).astype(np.float32) + np.float32(0.5)


def vector(number: int) -> QueryVector:
    return QueryVector(ROWS[number])


PAIR = ContextPair(vector(2), vector(3))
DENSE: tuple[Rank, ...] = (
    Nearest(vector(0)),
    Recommend((vector(0),), (vector(1),)),
    Recommend((vector(0),), (vector(1),), RecommendStrategy.BEST_SCORE),
    Discover(vector(0), (PAIR,)),
    Context((PAIR,)),
    ByMetrics(vector(0), Metric.MANHATTAN),
)
SPARSE = Nearest(SparseVector(np.array([0, 1], np.uint32), np.array([1, 2], np.float32)))
EVERY_POINT: tuple[Rank | None, ...] = (None, Sample(7), OrderBy("n"), Formula(FieldValue("n")), Bm25(text="word"))
STAGES = [
    *(Stage(query=rank, using="dense", limit=100) for rank in DENSE),
    Stage(query=SPARSE, using="sparse", limit=100),
    *(Stage(query=rank, limit=100) for rank in EVERY_POINT),
]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with open_database(tmp_path_factory.mktemp("ways") / "data") as database:
        yield database


@pytest.fixture(scope="module")
def collection(database: Database) -> Collection:
    schema = CollectionSchema(
        spaces={"dense": DenseSpace(size=2, distance=Distance.EUCLID), "sparse": SparseSpace()},
        text_indexes={"t": TextSettings()},
    )
    collection = database.create_collection("c", schema)
    body = SparseVector(np.array([0, 1], np.uint32), np.array([0.5, 1.5], np.float32)).to_bytes()
    upsert = Upsert(
        ids=tuple(reversed(range(COUNT))),
        payloads=tuple(CODEC.encode({"n": number % 5, "t": "word " * (1 + number % 3)}) for number in range(COUNT)),
        vectors={"dense": SpaceVectors(np.arange(HELD["dense"]), ROWS[: HELD["dense"]])},
        bodies={"sparse": SpaceBodies(np.arange(HELD["sparse"]), (body,) * HELD["sparse"])},
    )
    collection.write([upsert]).result(timeout=30)
    return collection


def test_every_word_is_among_the_stages() -> None:
    assert {type(stage.query) for stage in STAGES if stage.query is not None} == set(get_args(Rank)) - {Rrf, Dbsf}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: type(stage.query).__name__)
def test_what_a_way_says_is_true(database: Database, collection: Collection, stage: Stage) -> None:
    estimate = Engine(database.collection).queries.explain(collection, Query(root=stage)).root.estimated_rows
    assert estimate == (COUNT if stage.using is None else HELD[stage.using])
    with collection.snapshot() as reader, ExitStack() as others:
        [bound] = bind([Query(root=stage)], VectorSource("c", reader, database.collection, others))
        [demand] = demands_of(optimize(build(bound)).root)
        source = LocalSource(reader, no_indexes(), UNLIMITED)
        statistics = {} if isinstance(demand.leaf, Scan) else source.statistics([demand.leaf.ranker])
        ranking = source.answer([demand], statistics)[demand].ranking
        assert len(ranking) == estimate
        wanted = [int(slot) for slot in ranking.slots[::-1]]
        places = source.inspection.places(demand, wanted)
        told = [(places[slot].rank, places[slot].score, places[slot].candidates) for slot in reversed(wanted)]
        assert told == [(number + 1, score, estimate) for number, score in enumerate(ranking.scores.tolist())]
        if not isinstance(demand.leaf, Scan):
            assert demand.leaf.ranker.certain_hits(reader) <= estimate
            truth = demand.leaf.ranker.ground_truth().rank(reader.all_slots(), source._run)[0]
            assert truth.slots.tolist() == ranking.slots.tolist()
