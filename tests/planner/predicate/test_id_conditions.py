"""Filters on the point's id: against the oracle, with what they refuse, and how they are told from payload keys."""

from collections.abc import Iterator

import pytest
from hypothesis import given

from planner.engine import Engine
from planner.errors import InvalidFilter
from planner.filtering.match import matches
from planner.parse.filter import parse_filter
from planner.query.filter import (
    Condition,
    Equal,
    Filter,
    GeoPoint,
    GeoRadius,
    IsEmpty,
    IsNull,
    Nested,
    Range,
    TextOperator,
    TextTest,
    ValuesCount,
)
from planner.query.query import Query, Sample, Stage
from planner.resolve.filters import derived_filter
from storage.collection import Collection
from storage.schema import PointId
from tests.support.oracle import query as oracle
from tests.support.strategies import ID_CONDITIONS, SIZES, random_world
from tests.support.worlds import create, open_database

WORLD = random_world(7)
BIG = 2**64 - 1


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Collection]]:
    with open_database(tmp_path_factory.mktemp("ids") / "data") as database:
        yield Engine(database.collection), create(database, "world", WORLD, SIZES)


@given(ID_CONDITIONS)
def test_conditions_on_ids_are_the_oracles(world: tuple[Engine, Collection], condition: Condition) -> None:
    """Walked in the order of ids for all points, and tested on few."""
    engine, collection = world
    for filter in (Filter(must=(condition,)), Filter(must_not=(condition,)), Filter(should=(condition, Equal("a", 1)))):
        wanted = oracle.matching(WORLD, filter)
        assert [point.id for point in engine.reads.scroll(collection, filter, limit=1_000).points] == wanted
        with collection.snapshot() as reader:
            slots = reader.all_slots()
            one_by_one = [bool(matches(reader, derived_filter(filter), slots[n : n + 1])[0]) for n in range(len(slots))]
            held = {point_id for point_id, holds in zip(reader.point_ids(slots), one_by_one, strict=True) if holds}
        assert held == set(wanted)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("$id > 14", Range(path="$id", gt=14)),
        ('$id == "a"', Equal("$id", "a")),
        ('starts_with($id, "p")', TextTest("$id", TextOperator.STARTS_WITH, "p")),
        ('`"$id"` == 3', Equal('"$id"', 3)),
    ],
)
def test_the_text_form(text: str, condition: Condition) -> None:
    assert parse_filter(text, "f") == Filter(must=(condition,))


def test_a_payload_key_of_that_name_is_quoted(engine: Engine, shop: Collection) -> None:
    ids = [point.id for point in engine.reads.scroll(shop, Filter(must=(Equal('"$id"', 1),))).points]
    assert ids == []
    ids = [point.id for point in engine.reads.scroll(shop, Filter(must=(Equal("$id", 1),))).points]
    assert ids == [1]


@pytest.mark.parametrize(
    "condition",
    [
        TextTest("$id", TextOperator.REGEX, "a"),
        TextTest("$id", TextOperator.TEXT, "a"),
        ValuesCount(path="$id", gte=1),
        GeoRadius("$id", GeoPoint(0, 0), 1.0),
        IsNull("$id"),
        IsEmpty("$id"),
        Nested("$id", Filter()),
        Nested("a", Filter(must=(Equal("$id", 1),))),
    ],
)
def test_what_ids_are_not_asked(engine: Engine, shop: Collection, condition: Condition) -> None:
    with pytest.raises(InvalidFilter) as raised:
        engine.reads.scroll(shop, Filter(must=(condition,)))
    assert raised.value.field is not None
    assert raised.value.field.startswith("filter.must[0].")


@pytest.mark.parametrize("text", ["nested(a, $id == 1)", 'regex($id, "a")', "$ids == 1", "$id.a == 1", "is_null($id)"])
def test_what_the_text_form_refuses(engine: Engine, shop: Collection, text: str) -> None:
    with pytest.raises(InvalidFilter):
        engine.reads.scroll(shop, parse_filter(text, "filter.expression"))


def test_the_ends_of_the_order(engine: Engine, shop: Collection) -> None:
    def found(**bounds: float | str) -> list[PointId]:
        return [point.id for point in engine.reads.scroll(shop, Filter(must=(Range(path="$id", **bounds),))).points]

    numbers = [1, 2, 3, 4, 5, 6]
    assert found(gte=0) == found(gt=-1) == found(lte=1e300) == numbers
    assert found(gt=BIG) == found(gte=1e300) == found(lt=0) == found(lte=-0.5) == []
    assert found(gt=2.5, lt=5.5) == found(gte=3, lte=5) == [3, 4, 5]
    assert found(gte="") == found(gt="") == ["a-1", "a-2"]
    assert found(gt="a-1") == ["a-2"]
    assert found(lt="a-2", gte="a-1") == ["a-1"]


def test_a_field_that_no_point_has_is_seen_in_an_explanation(engine: Engine, shop: Collection) -> None:
    def told(condition: Condition) -> str:
        stage = Stage(filter=Filter(must=(condition, Range(path="price", gte=-1e9))), limit=3)
        fused = Stage(query=Sample(1), filter=stage.filter, limit=3)
        return str(engine.queries.explain(shop, Query(root=fused), analyze=True).text)

    assert "no point has a field 'knd'" in told(Equal("knd", "x"))
    assert "no point has a field 'id'; the id of a point is $id" in told(Range(path="id", gt=2))
    assert "no point has a field" not in told(Equal("price", -12345))
    both = Filter(must=(Equal("knd", "x"), Range(path="price", gte=50)))
    fused = Stage(query=Sample(1), filter=both, limit=3)
    assert "no point has a field 'knd'" in str(engine.queries.explain(shop, Query(root=fused), analyze=True).text)
