"""Filters as text: what each form means, where errors point, and that no text does anything but parse or be refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import InvalidFilter
from planner.parse.filter import parse_filter
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
from planner.resolve.filters import check_filter
from storage.errors import LimitExceeded, SpaceNotFound
from storage.schema import CollectionSchema

A, B, C = Equal("a", 1), Equal("b", "x"), Equal("c", True)
NOON = "2026-03-01T12:00:00Z"
CORNERS = (GeoPoint(0, 0), GeoPoint(0, 9), GeoPoint(9, 9))


def excluded(condition: Condition) -> Filter:
    return Filter(must_not=(condition,))


MEANINGS: list[tuple[str, Condition]] = [
    ("a == 1", A),
    ('b == "x"', B),
    ("c == true", C),
    ("a == -1.5e3", Equal("a", -1500.0)),
    (r'b == "\u00e9\n\"x"', Equal("b", 'é\n"x')),
    ("a != 1", excluded(A)),
    ("a > 1", Range(path="a", gt=1)),
    ('a <= "x"', Range(path="a", lte="x")),
    (f'a >= datetime("{NOON}")', DatetimeRange(path="a", gte=NOON)),
    (f'a == datetime("{NOON}")', DatetimeRange(path="a", gte=NOON, lte=NOON)),
    ('a in [1, "x", false]', AnyOf("a", (1, "x", False))),
    ("a in []", AnyOf("a", ())),
    ("a not in [1]", excluded(AnyOf("a", (1,)))),
    ("except_of(a, [1])", ExceptOf("a", (1,))),
    *((f'{operator.value}(a, "x")', TextTest("a", operator, "x")) for operator in TextOperator),
    ('not_glob(a, "x")', excluded(TextTest("a", TextOperator.GLOB, "x"))),
    ('not_iglob(a, "x")', excluded(TextTest("a", TextOperator.IGLOB, "x"))),
    ("values_count(a) >= 2", ValuesCount(path="a", gte=2)),
    ("values_count(a) == 2", ValuesCount(path="a", gte=2, lte=2)),
    ("geo_radius(a, 1.5, -2, 10)", GeoRadius("a", GeoPoint(1.5, -2), 10)),
    ("geo_bounding_box(a, [9, 0], [0, 9])", GeoBox("a", GeoPoint(9, 0), GeoPoint(0, 9))),
    ("geo_polygon(a, [[0, 0], [0, 9], [9, 9]])", GeoPolygon("a", CORNERS)),
    (
        "geo_polygon(a, [[0, 0], [0, 9], [9, 9]], [[0, 0], [0, 9], [9, 9]])",
        GeoPolygon("a", CORNERS, (CORNERS,)),
    ),
    ("is_null(a)", IsNull("a")),
    ("is_empty(a[].b)", IsEmpty("a[].b")),
    ("exists(a)", Exists("a")),
    ('has_id([1, "x"])', HasId((1, "x"))),
    ('has_vector("text")', HasVector("text")),
    ('nested(a, a == 1 and b == "x")', Nested("a", Filter(must=(A, B)))),
    ("nested(a, a == 1)", Nested("a", Filter(must=(A,)))),
    ('at_least(1, a == 1, b == "x")', Filter(min_should=MinShould((A, B), 1))),
    ("true", Filter()),
    ("not a == 1", excluded(A)),
    ('a == 1 or b == "x" and c == true', Filter(should=(A, Filter(must=(B, C))))),
    ('(a == 1 or b == "x") and c == true', Filter(must=(Filter(should=(A, B)), C))),
    ('not a == 1 and b == "x"', Filter(must=(excluded(A), B))),
    ("trueish == 1", Equal("trueish", 1)),
    ("text == 1", Equal("text", 1)),
    ("größe.x_1[] == 1", Equal("größe.x_1[]", 1)),
    ('`"a.b".c d` == 1', Equal('"a.b".c d', 1)),
]


@pytest.mark.parametrize(("text", "meaning"), MEANINGS)
def test_meaning(text: str, meaning: Condition) -> None:
    expected = meaning if isinstance(meaning, Filter) else Filter(must=(meaning,))
    assert parse_filter(text, "filter.expression") == expected


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("", 1, 1, "the end"),
        ("a =", 1, 3, "="),
        ("a == ", 1, 6, "the end"),
        ("a == 1 and\n  b ==", 2, 7, "the end"),
        ("a == 1 b", 1, 8, "'b'"),
        ("$id == 9223372036854775808", 1, 8, "has_id([9223372036854775808])"),
        ("$id in [18446744073709551615]", 1, 9, "has_id([18446744073709551615])"),
        ("has_id([18446744073709551616])", 1, 9, "64 bits"),
        ("a == ٣", 1, 6, "'٣'"),
        ("a == 1٣", 1, 6, "'1'"),
        ("a == 1.٣", 1, 6, "'1'"),
        ("a == 1e٣", 1, 6, "'1'"),
        ("$id == ٣", 1, 8, "'٣'"),
        ('a > datetime("٢٠٢٦-٠٣-٠١")', 1, 5, "not a date"),
        ("a in [1", 1, 8, "the end"),
        ("price <= 200 and frobnicate(a)", 1, 18, "frobnicate"),
        ("text(a)", 1, 1, "2 arguments"),
        ('text(a, "!!")', 1, 9, "word"),
        ('regex(a, "(")', 1, 10, "missing"),
        ("text(a, 1)", 1, 9, "string"),
        ('a > 1 and b < datetime("x")', 1, 15, "not a date"),
        ("a < true", 1, 5, "order"),
        ("a == 9223372036854775808", 1, 6, "64 bits"),
        ("a == 1e999", 1, 6, "finite"),
        ("geo_radius(a, 91, 0, 1)", 1, 22, "90"),
        ("`a..b` == 1", 1, 1, "path"),
        ('b == "\\x"', 1, 6, "JSON"),
        ("at_least(3, a == 1)", 1, 10, "1 to 1"),
        ("values_count(a) == 1.5", 1, 20, "integer"),
        ("a == [1]", 1, 6, "'['"),
        ("text(a == 1, 2)", 1, 6, "path"),
        ('has_id([1, ""])', 1, 8, "empty"),
        ("has_id([-1])", 1, 8, "unsigned"),
        ("nested(a, has_id([1]) or x == 1)", 1, 11, "neither ids nor vectors"),
        ('nested(a, not (x == 1 and has_vector("text")))', 1, 11, "neither ids nor vectors"),
    ],
)
def test_errors_point_at_the_place(text: str, line: int, column: int, what: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(text, "filter.expression")
    assert caught.value.field == "filter.expression"
    assert f"line {line}, column {column}: " in str(caught.value)
    assert what in str(caught.value)


def test_words_of_the_grammar_are_told_from_those_around_them() -> None:
    with pytest.raises(InvalidFilter, match="'b' is not expected here; expected is `and` or `or` or the end"):
        parse_filter("a == 1 b == 2", "filter.expression")


def test_an_unknown_space_is_named_by_its_place_in_the_text() -> None:
    filter = parse_filter('a == 1 and\n  has_vector("audio")', "filter.must[0].filter.expression")
    with pytest.raises(SpaceNotFound, match="line 2, column 14: no vector space is named 'audio'") as caught:
        check_filter(filter, CollectionSchema(spaces={}), "filter")
    assert caught.value.metadata["field"] == "filter.must[0].filter.expression"


@pytest.mark.parametrize(
    ("text", "limit"),
    [("x" * 65_537, "MAX_EXPRESSION"), ("not " * 10_000 + "a == 1", "MAX_FILTER_DEPTH")],
)
def test_large_texts_are_refused(text: str, limit: str) -> None:
    with pytest.raises(LimitExceeded, match=limit):
        parse_filter(text, "filter.expression")


def test_many_parentheses_are_no_nesting() -> None:
    assert parse_filter("(" * 5_000 + "a == 1" + ")" * 5_000, "") == Filter(must=(A,))


TOKENS = [*"a()[],<1`", "and", "or", "not", "in", "==", '"x"', "true", "text(", "nested("]


@given(st.lists(st.sampled_from(TOKENS), max_size=12).map(" ".join) | st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidFilter, LimitExceeded):
        parse_filter(text, "f")


def test_ids_of_all_64_bits_are_named_by_has_id() -> None:
    ids = HasId((2**63, 2**64 - 1))
    assert parse_filter("has_id([9223372036854775808, 18446744073709551615])", "") == Filter(must=(ids,))
