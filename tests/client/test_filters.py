"""The filter DSL: what each expression becomes on the wire, and what it refuses."""

from typing import Any

import pytest
from google.protobuf import json_format

import headwater
from headwater import Field, Filter, FilterBuilder, FilterLike, has_id, has_vector, is_empty, is_null
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
    ],
)
def test_other_conditions(condition: headwater.Condition, expected: Any) -> None:
    assert one(condition) == expected


def test_every_kind_of_condition_and_predicate_of_the_contract_can_be_said() -> None:
    conditions = (A, has_id([]), has_vector(), is_null("a"), is_empty("a"), Filter(must=(~A,)))
    contract = {field.name for field in filter_pb2.Condition.DESCRIPTOR.oneofs_by_name["kind"].fields}
    assert {kind for condition in conditions for kind in one(condition)} == contract
    fields = (A, Field("a").any_of([1]), Field("a").except_of([1]), Field("a").gt(1))
    contract = {field.name for field in filter_pb2.FieldCondition.DESCRIPTOR.oneofs_by_name["predicate"].fields}
    assert {kind for condition in fields for kind in one(condition)["field"]} - {"path"} == contract


def test_conditions_combine() -> None:
    assert Filter(must=(A, B)) == A & B
    assert Filter(should=(A, B)) == A | B
    assert Filter(must_not=(A,)) == ~A
    assert Field("a").ne(1) == ~A


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


@pytest.mark.parametrize("given", [Field("a"), {"must": []}, "a", [A]])
def test_what_is_no_filter_is_a_type_error(given: Any) -> None:
    with pytest.raises(TypeError, match="conditions"):
        filter_message(given)


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
