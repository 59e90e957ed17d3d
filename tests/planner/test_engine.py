"""The engine on a small shop: references to stored points, fetching, pages, sharing, explanations and time limits."""

import re
import time
from dataclasses import replace

import numpy as np
import pytest

from planner.engine import Engine
from planner.filtering.cache import ENTRY_BYTES, FilterCache
from planner.filtering.match import matching_slots
from planner.predicate.reports import ConditionReport
from planner.query.filter import Equal, Filter, HasId, HasVector, Range, TextOperator, TextTest
from planner.query.query import (
    Dbsf,
    Nearest,
    PayloadSelector,
    Query,
    QueryVector,
    Rrf,
    SearchParams,
    Stage,
    StoredVector,
    VectorsSelector,
)
from planner.resolve.filters import derived_filter
from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.database import Database
from storage.errors import (
    Cancelled,
    CollectionNotFound,
    DeadlineExceeded,
    DimensionMismatch,
    PointNotFound,
    SpaceNotFound,
    VectorNotFound,
    ZeroVector,
)
from storage.schema import Datatype, Distance, PointId, SchemaChange, SpaceDiff
from storage.write.operations import ByIds, DeletePoints
from tests.planner.shop import SHOP, SIZES
from tests.support.oracle.query import Point, World
from tests.support.worlds import CODEC, create

TEXT = Stage(query=Nearest(QueryVector(np.array([1, 0], np.float32))), using="text", limit=3)
IMAGE = Stage(query=Nearest(QueryVector(np.array([0, 0, 1], np.float32))), using="image", limit=3)
CHEAP = Filter(must=(Range(path="price", lt=100),))


def ids(engine: Engine, collection: Collection, root: Stage) -> list[PointId]:
    return [hit.id for hit in engine.queries.query(collection, [Query(root=root)])[0].hits]


def by_id(point_id: PointId, *, collection: str | None = None, using: str | None = None, space: str = "text") -> Stage:
    return Stage(query=Nearest(StoredVector(point_id, collection, using)), using=space, limit=20)


@pytest.fixture(scope="module")
def other(database: Database) -> Collection:
    """Another collection: point 1 has a vector for texts only, in two dimensions, and 2 one of zeros."""
    vectors = {"text": np.array([0, 1], np.float32), "wide": np.array([1, 2, 3], np.float32)}
    world = World(
        {1: Point({}, vectors), 2: Point({}, {"text": np.zeros(2, np.float32)})},
        {"text": Distance.COSINE, "wide": Distance.DOT},
    )
    return create(database, "other", world, {"text": 2, "wide": 3})


def test_a_query_by_id_leaves_the_point_out_and_is_still_full(engine: Engine, shop: Collection) -> None:
    stage = Stage(query=Nearest(StoredVector(1)), using="text", limit=6)
    assert ids(engine, shop, stage) == [2, "a-2", 4, 3, 5, 6]


def test_lookup_from_another_collection_or_space(engine: Engine, shop: Collection, other: Collection) -> None:
    assert ids(engine, shop, by_id(1, collection="other"))[:2] == [3, 4]
    assert 1 in ids(engine, shop, by_id(1, collection="other"))
    assert 1 not in ids(engine, shop, by_id(1, collection="shop")), "the searched collection, named"
    assert "a-1" in ids(engine, shop, by_id(1, collection="other", using="wide", space="image"))
    fused = Stage(query=Rrf(), prefetch=(by_id(1, collection="other"), TEXT))
    assert 1 in ids(engine, shop, fused)


@pytest.mark.parametrize(
    ("stage", "error", "text"),
    [
        (by_id(99), PointNotFound, "99"),
        (by_id(6, space="image"), VectorNotFound, "6"),
        (by_id(1, collection="nowhere"), CollectionNotFound, "nowhere"),
        (by_id(1, collection="other", space="image"), SpaceNotFound, "prefetch[0].lookup_from.using"),
        (by_id(1, collection="other", using="wide"), DimensionMismatch, "prefetch[0].query.nearest"),
        (by_id(2, collection="other"), ZeroVector, "prefetch[0].query.nearest"),
    ],
)
def test_references_that_lead_nowhere(
    engine: Engine, shop: Collection, other: Collection, stage: Stage, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=re.escape(text)):
        engine.queries.query(shop, [Query(root=Stage(query=Rrf(), prefetch=(stage,)))])


def test_settings_of_a_search_arrive(engine: Engine, shop: Collection) -> None:
    """Leaves share an answer only when their settings are equal; explanations tell those that are not defaults."""
    stages = [replace(TEXT, params=SearchParams(rescore=rescore, oversampling=7)) for rescore in (True, False)]
    answers = engine.queries.query(shop, [Query(root=stage, explain=True) for stage in stages])
    told = [answer.explanation.root.children[0].attributes for answer in answers if answer.explanation]
    assert [(each["oversampling"], each.get("rescore")) for each in told] == [("7", None), ("7", "false")]
    assert [answer.explanation.root.children[0].strategy for answer in answers if answer.explanation] == ["exact"] * 2


def test_settings_of_a_search_reach_the_graph(engine: Engine, database: Database) -> None:
    """Signs alone choose other points than exact scores do; by default enough of them are scored."""
    random = np.random.default_rng(1)
    points: dict[PointId, Point] = {n: Point({}, {"": random.standard_normal(32, np.float32)}) for n in range(1000)}
    collection = create(database, "signs", World(points, {"": Distance.COSINE}), {"": 32})
    update = {"": SpaceDiff(datatype=Datatype.BINARY)}
    collection.change_schema(SchemaChange(update=update, indexing_threshold=500))
    deadline = time.monotonic() + 60
    while collection.stats().spaces[""].index != "hnsw":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    stage = Stage(query=Nearest(QueryVector(random.standard_normal(32, np.float32))), limit=40)
    exact = ids(engine, collection, replace(stage, params=SearchParams(exact=True)))
    assert ids(engine, collection, stage) == exact
    assert ids(engine, collection, replace(stage, params=SearchParams(oversampling=1))) != exact
    assert ids(engine, collection, replace(stage, params=SearchParams(rescore=False))) != exact


def test_fetching(engine: Engine, shop: Collection) -> None:
    found = engine.reads.get(
        shop,
        [3, "none", "a-1", 3],
        with_payload=PayloadSelector(include=("kind", "tags"), exclude=("tags",)),
        with_vectors=VectorsSelector(),
    )
    assert [point.id for point in found.points] == [3, "a-1", 3]
    assert found.missing == ["none"]
    assert found.points[0].payload == CODEC.encode({"kind": "desk"})
    assert found.points[0].vectors.keys() == {"text", "image"}
    np.testing.assert_array_equal(found.points[1].vectors["image"], SHOP.points["a-1"].vectors["image"])
    assert found.points[1].vectors.keys() == {"image"}
    plain = engine.reads.get(shop, [3], with_payload=None).points[0]
    assert (plain.payload, plain.vectors) == (None, {})
    whole = engine.reads.get(shop, [3]).points[0]
    assert whole.payload == CODEC.encode(SHOP.points[3].payload)
    assert 1 < whole.version <= found.seq


def test_pages(engine: Engine, shop: Collection) -> None:
    first = engine.reads.scroll(shop, CHEAP, limit=2)
    assert ([point.id for point in first.points], first.next_id) == ([1, 2], 5)
    last = engine.reads.scroll(shop, CHEAP, offset=first.next_id, limit=3)
    assert ([point.id for point in last.points], last.next_id) == ([5, "a-1", "a-2"], None)
    assert [point.id for point in engine.reads.scroll(shop, offset="a", limit=9).points] == ["a-1", "a-2"]
    assert engine.reads.count(shop) == (8, first.seq)
    assert engine.reads.count(shop, CHEAP) == (5, first.seq)


def test_equal_leaves_of_a_batch_run_once(engine: Engine, shop: Collection) -> None:
    queries = [Query(root=TEXT, explain=True), Query(root=Stage(query=Dbsf(), prefetch=(IMAGE, TEXT)), explain=True)]
    answers = engine.queries.query(shop, queries)
    assert answers[1].explanation is not None
    leaf = answers[1].explanation.root.children[0].children[0].children[1]
    assert (leaf.strategy, leaf.reason, leaf.distance_computations) == ("shared", "equal to root of query 0", 0)
    assert answers[0].seq == answers[1].seq


def test_explanations(engine: Engine, shop: Collection) -> None:
    query = Query(root=Stage(query=Rrf(), prefetch=(TEXT, IMAGE), limit=2))
    plan = engine.queries.explain(shop, query)
    assert (plan.analyzed, plan.hits, plan.microseconds) == (False, (), None)
    assert "µs" not in plan.text
    assert engine.queries.explain(shop, query) == plan
    run = engine.queries.explain(shop, query, analyze=True)
    assert run.analyzed
    assert run.microseconds is not None
    assert [hit.id for hit in run.hits] == [1, 2]
    assert [(place.stage, place.rank) for place in run.hits[1].stages] == [
        ("root", 2),
        ("root.prefetch[0]", 2),
        ("root.prefetch[1]", 2),
    ]
    assert run.hits[0].stages[1].score == 1.0
    assert engine.queries.query(shop, [query])[0].explanation is None


def test_time_limits_end_searches_and_filters(engine: Engine, shop: Collection) -> None:
    late, gone = Budget(deadline=0.0), Budget(is_cancelled=lambda: True)
    for budget, error in ((late, DeadlineExceeded), (gone, Cancelled)):
        with pytest.raises(error):
            engine.queries.query(shop, [Query(root=TEXT)], budget)
        with pytest.raises(error):
            engine.reads.count(shop, Filter(must=(Equal("price", -1),)), budget)
        with pytest.raises(error):
            engine.reads.scroll(shop, Filter(must=(Equal("price", -2),)), budget=budget)


def test_the_filter_cache_is_bounded_and_forgets_the_oldest(shop: Collection) -> None:
    cache = FilterCache(capacity=2 * (ENTRY_BYTES + 40))
    filters = [
        derived_filter(each)
        for each in (CHEAP, Filter(must=(Equal("color", "red"),)), Filter(must=(HasVector("image"),)))
    ]
    with shop.snapshot() as reader:
        first = cache.slots(reader, filters[0], UNLIMITED)
        assert cache.slots(reader, filters[0], UNLIMITED) is first
        assert not first.flags.writeable
        cache.slots(reader, filters[1], UNLIMITED)
        cache.remembered(reader, filters[0])
        cache.slots(reader, filters[2], UNLIMITED)
        assert cache.remembered(reader, filters[1]) is None
        found = cache.remembered(reader, filters[0])
        assert found is not None
        assert found.matching.slots is first
        assert cache.used <= 2 * (ENTRY_BYTES + 40)


def test_commits_do_not_see_each_others_filters(engine: Engine, database: Database) -> None:
    collection = create(database, "changing", SHOP, SIZES)
    assert engine.reads.count(collection, CHEAP)[0] == 5
    collection.write([DeletePoints(selector=ByIds((1,)))]).result(timeout=30)
    assert engine.reads.count(collection, CHEAP)[0] == 4
    assert ids(engine, collection, Stage(filter=Filter(must=(HasId((1, 2)),)))) == [2]


def test_conditions_are_tested_cheap_ones_first_and_only_while_a_point_may_match(shop: Collection) -> None:
    regex, red = TextTest("kind", TextOperator.REGEX, "l.mp|desk"), Equal("color", "red")
    reports: list[ConditionReport] = []
    with shop.snapshot() as reader:
        filter = derived_filter(Filter(must=(regex, red), should=(Equal("price", 30),)))
        slots = matching_slots(reader, filter, reports=reports)
        assert reader.point_ids(slots) == [1]
    told = [(report.condition, report.points, report.tested) for report in reports]
    assert told == [(red, 3, None), (regex, 2, 3), (Equal("price", 30), 1, 2)]


def test_estimates_know_what_filters_match_once_they_were_evaluated(database: Database, shop: Collection) -> None:
    engine = Engine(database.collection)
    query = Query(root=Stage(query=TEXT.query, using="text", filter=Filter(must=(Equal("color", "red"),)), limit=5))

    def estimate() -> int | None:
        return engine.queries.explain(shop, query).root.estimated_rows

    assert estimate() == 5
    assert engine.reads.count(shop, query.root.filter)[0] == 3
    assert estimate() == 3
