"""Plans without values: no condition shows what it compares with, and unknown attributes are hidden."""

from typing import get_args

import pytest

from planner.explain import ExplainNode
from planner.explain.hiding import MAX_SHOWN_CHARACTERS, without_values
from planner.query import describe_filter, describe_filter_shape
from planner.query.filter import (
    AnyOf,
    Condition,
    DatetimeRange,
    Equal,
    ExceptOf,
    Exists,
    Filter,
    GeoBox,
    GeoPoint,
    GeoPolygon,
    GeoRadius,
    HasId,
    HasVector,
    IsEmpty,
    IsNull,
    MinShould,
    Nested,
    Range,
    TextOperator,
    TextTest,
    ValuesCount,
)

WORD, NUMBER, TIME = "sesame", 7713.5, "2031-07-09T00:00:00Z"
POINT = GeoPoint(77.13, 13.77)
SHAPES: dict[Condition, str] = {
    Equal("a", WORD): "a = ?",
    AnyOf("a", (WORD, 7713)): "a in [?, ?]",
    ExceptOf("a", (WORD,) * 9): "a not in [?, ?, ?, ?, ... 9 in all]",
    Range(path="a", gt=NUMBER, lte=NUMBER): "(a > ? and a <= ?)",
    DatetimeRange(path="a", gte=TIME): "a >= ?",
    TextTest("a", TextOperator.CONTAINS, WORD): "a contains ?",
    ValuesCount(path="a", lt=7713): "count of a < ?",
    GeoRadius("a", POINT, NUMBER): "a within ? m of (?, ?)",
    GeoBox("a", POINT, POINT): "a in box (?, ?) to (?, ?)",
    GeoPolygon("a", (POINT,) * 4): "a in polygon of 4 corners",
    IsNull("a"): "a is null",
    IsEmpty("a"): "a is empty",
    Exists("a"): "a exists",
    Nested("a", Filter(must=(Equal("b", WORD),))): "some a has (b = ?)",
    HasId((WORD, 7713)): "id in [?, ?]",
    HasVector("image"): 'has vector "image"',
    Filter(should=(Equal("a", WORD), Equal("b", True))): "(a = ? or b = ?)",
}


def test_every_kind_of_condition_is_here() -> None:
    assert {type(condition) for condition in SHAPES} == set(get_args(Condition))


@pytest.mark.parametrize("condition", SHAPES, ids=lambda condition: type(condition).__name__)
def test_a_shape_has_no_values(condition: Condition) -> None:
    shape = describe_filter_shape(Filter(must=(condition,)))
    assert shape.strip("()") == SHAPES[condition].strip("()")
    assert not any(value in shape for value in (WORD, "7713", "2031", "77.1", "13.7"))
    for outer in (
        Filter(must_not=(condition,)),
        Filter(min_should=MinShould((condition, condition), 1)),
        Filter(should=(Filter(must=(Nested("n", Filter(must=(condition,))),)), condition)),
    ):
        assert WORD not in describe_filter_shape(outer)
        assert "7713" not in describe_filter_shape(outer)


def test_shapes_differ_from_filters_by_values_alone() -> None:
    filter = Filter(must=(Equal("a", "?"), Exists("b")))
    assert describe_filter(filter).replace('"?"', "?") == describe_filter_shape(filter)


def test_what_is_not_known_to_be_harmless_is_hidden() -> None:
    attributes = {"using": "image", "limit": "3", "text": WORD, "terms of title": WORD, "new": WORD, "after": WORD}
    below = ExplainNode(operator="search", stage="root", attributes=attributes, reason="12 rows match")
    [hidden] = without_values(ExplainNode(operator="limit", stage="root", children=(below,))).children
    assert hidden.attributes == dict.fromkeys(attributes, "?") | {"using": "image", "limit": "3"}
    assert hidden.reason == "12 rows match"


def test_long_attributes_are_cut() -> None:
    filter = describe_filter_shape(Filter(must=tuple(Equal(f"field{number}", number) for number in range(5_000))))
    cut = without_values(ExplainNode(operator="gate", stage="root", attributes={"filter": filter})).attributes["filter"]
    assert len(cut) < MAX_SHOWN_CHARACTERS + 50
    assert cut.endswith(f"... {len(filter):,} characters in all")
