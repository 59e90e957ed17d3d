"""The filter DSL: what each expression becomes on the wire, and what it refuses."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf import json_format

import headwater
from headwater import Field, Filter, FilterBuilder, FilterLike, exists, has_id, has_vector, is_empty, is_null, nested
from headwater._wire.filters import filter_message
from headwater.v1 import filter_pb2

A, B, C = Field("a").eq(1), Field("b").eq("x"), Field("c").eq(True)


def wire(given: FilterLike) -> Any:
    message = filter_message(given)
    assert message is not None
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def one(given: FilterLike) -> Any:
    (condition,) = wire(given)["must"]
    return condition


FIELD_B = {"field": {"path": "b", "equal": {"string_value": "x"}}}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBER = {"integer_value": "2"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Field("a.b").eq("x"), {"path": "a.b", "equal": {"string_value": "x"}}),
        (Field("a").eq(True), {"path": "a", "equal": {"bool_value": True}}),
        (
            Field("a").any_of([1, "x"]),
            {"path": "a", "any_of": {"values": [{"integer_value": "1"}, {"string_value": "x"}]}},
        ),
        (Field("a").any_of([]), {"path": "a", "any_of": {}}),
        (Field("a[].b").except_of([2]), {"path": "a[].b", "except_of": {"values": [NUMBER]}}),
        (Field("a").gt(2), {"path": "a", "range": {"gt": NUMBER}}),
        (Field("a").gte(2), {"path": "a", "range": {"gte": NUMBER}}),
        (Field("a").lt(2), {"path": "a", "range": {"lt": NUMBER}}),
        (Field("a").lte(0.5), {"path": "a", "range": {"lte": {"double_value": 0.5}}}),
        (Field("a").between(0, 2), {"path": "a", "range": {"gte": {"integer_value": "0"}, "lte": NUMBER}}),
        (Field("a").range(gt=2, lt=2), {"path": "a", "range": {"gt": NUMBER, "lt": NUMBER}}),
        (Field("a").between(2, 2, inclusive=False), {"path": "a", "range": {"gt": NUMBER, "lt": NUMBER}}),
        (Field("a").gt("x"), {"path": "a", "range": {"gt": {"string_value": "x"}}}),
        (Field("a").text("x"), {"path": "a", "text": "x"}),
        (Field("a").phrase("x"), {"path": "a", "phrase": "x"}),
        (Field("a").starts_with(""), {"path": "a", "starts_with": ""}),
        (Field("a").contains("x"), {"path": "a", "contains": "x"}),
        (Field("a").glob("x"), {"path": "a", "glob": "x"}),
        (Field("a").iglob("x"), {"path": "a", "iglob": "x"}),
        (Field("a").regex("x"), {"path": "a", "regex": "x"}),
        (Field("a").values_count(gte=0, lt=3), {"path": "a", "values_count": {"gte": "0", "lt": "3"}}),
        (Field("a").datetime_gt("x"), {"path": "a", "datetime_range": {"gt": "x"}}),
        (Field("a").datetime_gte(NOON), {"path": "a", "datetime_range": {"gte": "2026-03-01T12:00:00+00:00"}}),
        (Field("a").datetime_lt("x"), {"path": "a", "datetime_range": {"lt": "x"}}),
        (Field("a").datetime_lte("x"), {"path": "a", "datetime_range": {"lte": "x"}}),
        (
            Field("a").datetime_between(lower="x", upper="y"),
            {"path": "a", "datetime_range": {"gte": "x", "lte": "y"}},
        ),
        (
            Field("a").datetime_between("x", "y", inclusive=False),
            {"path": "a", "datetime_range": {"gt": "x", "lt": "y"}},
        ),
        (
            Field("a").geo_radius(lat=1, lon=2, radius=3),
            {"path": "a", "geo_radius": {"center": {"lat": 1, "lon": 2}, "radius": 3}},
        ),
        (
            Field("a").geo_bounding_box(top_left=(2, 1), bottom_right=(1, 2)),
            {
                "path": "a",
                "geo_bounding_box": {"top_left": {"lat": 2, "lon": 1}, "bottom_right": {"lat": 1, "lon": 2}},
            },
        ),
        (
            Field("a").geo_polygon(exterior=[(1, 2)], interiors=[[(3, 4)]]),
            {
                "path": "a",
                "geo_polygon": {
                    "exterior": {"points": [{"lat": 1, "lon": 2}]},
                    "interiors": [{"points": [{"lat": 3, "lon": 4}]}],
                },
            },
        ),
    ],
)
def test_field_conditions(condition: headwater.Condition, expected: Any) -> None:
    assert one(condition) == {"field": expected}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (has_id([1, "a"]), {"has_id": {"ids": [{"number": "1"}, {"key": "a"}]}}),
        (has_vector("text"), {"has_vector": {"using": "text"}}),
        (has_vector(), {"has_vector": {}}),
        (is_null("a"), {"is_null": {"path": "a"}}),
        (Field("a").is_null(), {"is_null": {"path": "a"}}),
        (is_empty("a"), {"is_empty": {"path": "a"}}),
        (Field("a").is_empty(), {"is_empty": {"path": "a"}}),
        (exists("a"), {"exists": {"path": "a"}}),
        (Field("a").exists(), {"exists": {"path": "a"}}),
        (nested("a", B), {"nested": {"path": "a", "filter": {"must": [FIELD_B]}}}),
        (nested("a", FilterBuilder().must_not(B)), {"nested": {"path": "a", "filter": {"must_not": [FIELD_B]}}}),
    ],
)
def test_other_conditions(condition: headwater.Condition, expected: Any) -> None:
    assert one(condition) == expected


def test_every_kind_of_condition_and_predicate_of_the_contract_can_be_said() -> None:
    conditions = (
        A, has_id([]), has_vector(), is_null("a"), is_empty("a"), Filter(must=(~A,)), exists("a"), nested("a", A)
    )  # fmt: skip
    contract = {field.name for field in filter_pb2.Condition.DESCRIPTOR.oneofs_by_name["kind"].fields}
    assert {kind for condition in conditions for kind in one(condition)} == contract
    a = Field("a")
    texts = (a.text("x"), a.phrase("x"), a.starts_with("x"), a.contains("x"), a.glob("x"), a.iglob("x"), a.regex("x"))
    box = a.geo_bounding_box(top_left=(0, 0), bottom_right=(0, 0))
    places = (a.geo_radius(lat=0, lon=0, radius=0), box, a.geo_polygon(exterior=[]))
    counts = (a.values_count(gt=1), a.datetime_gt("x"))
    fields = (A, a.any_of([1]), a.except_of([1]), a.gt(1), *texts, *counts, *places)
    contract = {field.name for field in filter_pb2.FieldCondition.DESCRIPTOR.oneofs_by_name["predicate"].fields}
    assert {kind for condition in fields for kind in one(condition)["field"]} - {"path"} == contract


def test_conditions_combine() -> None:
    assert Filter(must=(A, B)) == A & B
    assert Filter(should=(A, B)) == A | B
    assert Filter(must_not=(A,)) == ~A
    assert Field("a").ne(1) == ~A
    assert Field("a").not_glob("*") == ~Field("a").glob("*")
    assert Field("a").not_iglob("*") == ~Field("a").iglob("*")


def test_chains_stay_flat_and_mixtures_nest() -> None:
    assert A & B & C == A & (B & C) == Filter(must=(A, B, C))
    assert A | B | C == A | (B | C) == Filter(should=(A, B, C))
    assert Filter(must=(Filter(should=(A, B)), C)) == (A | B) & C
    assert Filter(must=(A, Filter(must_not=(B,)))) == A & ~B
    assert Filter(must_not=(Filter(must=(A, B)),)) == ~(A & B)
    both = Filter(must=(A,), must_not=(B,))
    assert both & C == Filter(must=(both, C))
    assert Filter() & A == Filter(must=(Filter(), A))


def test_the_empty_filter_matches_everything_also_in_an_or() -> None:
    assert Filter() | A == Filter(should=(Filter(), A))
    assert wire(Filter()) == {}


def test_nested_filters_on_the_wire() -> None:
    assert wire((A | B) & C) == {"must": [{"filter": {"should": [one(A), one(B)]}}, one(C)]}


def test_the_builder() -> None:
    builder = FilterBuilder().must(A).should(B, C).must_not(has_id([1])).min_should([A, B], min_count=1).must(C)
    assert builder.build() == Filter(
        must=(A, C), should=(B, C), must_not=(has_id([1]),), min_should=headwater.MinShould((A, B), 1)
    )
    assert wire(builder) == wire(builder.build())
    assert wire(builder)["min_should"] == {"conditions": [one(A), one(B)], "min_count": 1}
    with pytest.raises(ValueError, match="min_should"):
        builder.min_should([A], min_count=1)


def test_what_was_built_does_not_change_later() -> None:
    builder = FilterBuilder().must(A)
    built = builder.build()
    builder.must(B)
    assert built == Filter(must=(A,))


def test_and_or_not_are_refused() -> None:
    with pytest.raises(TypeError, match="&"):
        A and B  # noqa: B018
    with pytest.raises(TypeError, match="&"):
        not A  # noqa: B018


@pytest.mark.parametrize("given", [Field("a"), {"must": []}, 1, [A]])
def test_what_is_no_filter_is_a_type_error(given: Any) -> None:
    with pytest.raises(TypeError, match="conditions"):
        filter_message(given)


def test_a_string_is_no_list_of_values() -> None:
    for make in (Field("a").any_of, Field("a").except_of, has_id):
        with pytest.raises(TypeError, match="a list is expected, not the string 'abc'"):
            make("abc")


def test_text_is_a_filter() -> None:
    assert wire('a == 1 and b == "x"') == {"expression": 'a == 1 and b == "x"'}
    assert wire(Filter(must=(A,), expression="b > 1")) == {"must": [one(A)], "expression": "b > 1"}
    with pytest.raises(headwater.InvalidFilterError):
        filter_message("")


@pytest.mark.parametrize("condition", [Field("a").values_count(gt=-1), Field("a").eq(2**63)])
def test_operands_that_cannot_be_sent_are_refused(condition: headwater.Condition) -> None:
    with pytest.raises(headwater.InvalidFilterError):
        filter_message(condition)


def test_values_beyond_64_bits_are_refused_before_sending() -> None:
    for condition in (Field("a").eq(2**63), Field("a").any_of([2**63]), Field("a").lt(-(2**63) - 1)):
        with pytest.raises(headwater.InvalidFilterError) as caught:
            filter_message(condition)
        assert caught.value.field == 'filter["a"]'


def test_depth() -> None:
    deep: headwater.Condition = A
    for _ in range(40):
        deep = ~deep
    with pytest.raises(headwater.LimitExceededError):
        filter_message(deep)


def test_no_filter_is_none() -> None:
    assert filter_message(None) is None


@pytest.mark.parametrize(
    "condition", [Field("$id") == 2**63, Field("$id") > 2**63, Field("$id").any_of([1, 2**63])], ids=["is", ">", "in"]
)
def test_ids_that_cannot_be_compared_are_found_by_has_id(condition: FilterLike) -> None:
    with pytest.raises(headwater.InvalidFilterError, match=r"has_id\(\[9223372036854775808\]\)"):
        filter_message(condition)
    message = filter_message(has_id([2**63]))
    assert message is not None
    assert message.must[0].has_id.ids[0].number == 2**63
