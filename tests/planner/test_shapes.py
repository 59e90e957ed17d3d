"""Plans of shapes are those that are made afresh: same meaning, same plan, same error, whatever changed in between."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.engine import Engine
from planner.engine.plans import Planned, Plans
from planner.query.query import Nearest, Query, QueryVector, Stage, StoredVector, VectorInput
from planner.query.shape import QueryShape, ShapedQuery, shaped
from storage.collection import Collection
from storage.database import Database
from storage.errors import EngineError
from storage.schema import CollectionSchema, DenseSpace, Distance
from storage.schema.schema_change import SchemaChange
from storage.vectors import SparseVector
from storage.write.operations import ByIds, DeletePoints
from tests.support.oracle.query import World
from tests.support.strategies import SIZES, queries, random_world, vectors
from tests.support.worlds import create, open_database

Outcome = list[Planned] | tuple[type, str, Mapping[str, object]]


class Fixture:
    def __init__(self, database: Database) -> None:
        self.world = random_world(1)
        self.collection = create(database, "world", self.world, SIZES)
        self.plans = Plans(database.collection)
        self.engine = Engine(database.collection)


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fixture]:
    with open_database(tmp_path_factory.mktemp("shapes") / "data") as database:
        yield Fixture(database)


def outcome(plans: Plans, collection: Collection, queries: Sequence[Query | ShapedQuery]) -> Outcome:
    with collection.snapshot() as reader:
        try:
            return plans.of(collection, reader, queries)
        except EngineError as error:
            return type(error), str(error), error.metadata


def other_vectors(world: World) -> st.SearchStrategy[VectorInput]:
    """Vectors of any space, good ones and bad ones, and points that are there or not."""
    bad: list[VectorInput] = [
        QueryVector(np.zeros(2, np.float32)),
        QueryVector(np.array([np.nan, 1], np.float32)),
        QueryVector(np.empty(0, np.float32)),
        SparseVector(np.array([1], np.uint32), np.array([1], np.float32)),
        StoredVector("nobody"),
        StoredVector(""),
        StoredVector(7, collection="elsewhere"),
        StoredVector(7, using="nowhere"),
    ]
    dense = st.sampled_from(sorted(SIZES)).flatmap(vectors).map(QueryVector)
    return dense | st.sampled_from(sorted(world.points, key=str)).map(StoredVector) | st.sampled_from(bad)


@st.composite
def alike(draw: st.DrawFn, world: World) -> list[ShapedQuery]:
    """Queries of one shape, some with other vectors."""
    first = shaped(draw(queries(world)))
    own = [st.just(vector) | other_vectors(world) for vector in first.vectors]
    return [
        ShapedQuery(first.shape, tuple(draw(vector) for vector in own), f"queries[{number}]")
        for number in range(draw(st.integers(1, 3)))
    ]


@pytest.mark.slow
@given(st.data())
def test_plans_of_shapes_are_those_made_afresh(fixture: Fixture, data: st.DataObject) -> None:
    batch = [query for same in data.draw(st.lists(alike(fixture.world), min_size=1, max_size=2)) for query in same]
    fresh = outcome(fixture.plans, fixture.collection, [query.whole() for query in batch])
    for _ in range(2):  # made for the first query of a shape, and then remembered
        found = outcome(fixture.plans, fixture.collection, batch)
        assert found == fresh
        assert repr(found) == repr(fresh)  # stages and paths, which are not part of a plan's identity


@pytest.mark.slow
@given(st.data())
def test_answers_to_shapes_are_those_to_queries(fixture: Fixture, data: st.DataObject) -> None:
    query = shaped(data.draw(queries(fixture.world)))
    query = replace(query, shape=QueryShape(replace(query.shape.query, explain=False)))
    ask = fixture.engine.queries.query
    expected = repr(ask(fixture.collection, [query.whole()]))
    assert [repr(ask(fixture.collection, [query])) for _ in range(2)] == [expected, expected]


@given(st.data())
def test_a_shape_with_its_vectors_is_the_query(data: st.DataObject) -> None:
    query = replace(data.draw(queries(random_world(0))), path="queries[3]")
    assert shaped(query).whole() == query
    assert "QueryVector(" not in repr(shaped(query).shape)


def test_a_changed_schema_is_seen(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Spaces that are dropped, made anew with another size and metric, and collections made anew under a name."""
    here = Stage(query=Nearest(QueryVector(np.array([1, 2], np.float32))), using="a", score_threshold=0.5)
    ambiguous = replace(here, using=None)
    asked = [shaped(Query(root=here)), shaped(Query(root=ambiguous))]
    longer = [replace(query, vectors=(QueryVector(np.ones(3, np.float32)),)) for query in asked]

    def check(database: Database, plans: Plans) -> None:
        for query in (*asked, *longer):
            collection = database.collection("changing")
            assert outcome(plans, collection, [query]) == outcome(plans, collection, [query.whole()])

    with open_database(tmp_path_factory.mktemp("changes") / "data") as database:
        plans = Plans(database.collection)

        def change(**changes: object) -> None:
            database.collection("changing").change_schema(SchemaChange(**changes))  # type: ignore[arg-type]
            check(database, plans)

        database.create_collection("changing", CollectionSchema(spaces={"a": DenseSpace(size=2)}))
        check(database, plans)
        change(add={"b": DenseSpace(size=3)})
        change(drop=("a",))
        change(add={"a": DenseSpace(size=3, distance=Distance.EUCLID)})
        database.delete_collection("changing")
        database.create_collection("changing", CollectionSchema(spaces={"": DenseSpace(size=2)}))
        check(database, plans)


def test_shapes_that_are_asked_again_are_remembered(fixture: Fixture) -> None:
    query = shaped(Query(root=Stage(query=Nearest(QueryVector(np.array([1, 2], np.float32))), using="")))
    other = replace(query, vectors=(QueryVector(np.array([2, 1], np.float32)),))
    plans = Plans(lambda _: fixture.collection)
    outcome(plans, fixture.collection, [query, other])
    key = fixture.collection.uid, query.shape
    known = plans._known.get(key)
    assert known is not None
    fixture.collection.write([DeletePoints(selector=ByIds(("nobody",)))]).result(timeout=30)
    outcome(plans, fixture.collection, [other])
    assert plans._known.get(key) is known, "another commit is no other schema"
