"""Formulas as text: what each text says, where errors point, and that no text does harm."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.engine import Engine
from planner.errors import InvalidQuery
from planner.parse.formula import parse_formula
from planner.query.filter import Equal, Filter, GeoPoint
from planner.query.formula import (
    Constant,
    Datetime,
    DatetimeKey,
    Decay,
    DecayShape,
    Div,
    Expression,
    FieldValue,
    Formula,
    Function,
    GeoDistance,
    Holds,
    ListFunction,
    OfList,
    OfOne,
    Pow,
    PrefetchScore,
)
from planner.query.formula_text import describe_expression
from planner.query.query import Query, Stage
from storage.collection import Collection
from storage.errors import LimitExceeded

A, B, ONE, TWO = FieldValue("a"), FieldValue("b"), Constant(1), Constant(2)


def total(*parts: Expression) -> OfList:
    return OfList(ListFunction.SUM, parts)


def product(*parts: Expression) -> OfList:
    return OfList(ListFunction.MULT, parts)


def neg(part: Expression) -> OfOne:
    return OfOne(Function.NEG, part)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", ONE),
        (" -1.5e3 ", Constant(-1500)),
        (".5", Constant(0.5)),
        ("$score", PrefetchScore(0)),
        ("$score[12]", PrefetchScore(12)),
        ("a.b[].c", FieldValue("a.b[].c")),
        ("`a b`", FieldValue("a b")),
        ("matches", FieldValue("matches")),
        ("a + b - 1", total(A, B, Constant(-1))),
        ("a - b", total(A, neg(B))),
        ("a -1", total(A, Constant(-1))),
        ("a + (b + 1)", total(A, total(B, ONE))),
        ("a + b * 2", total(A, product(B, TWO))),
        ("(a + b) * 2 * 1", product(total(A, B), TWO, ONE)),
        ("a / b / 2", Div(Div(A, B), TWO)),
        ("a * b / 2", Div(product(A, B), TWO)),
        ("-a ** 2", neg(Pow(A, TWO))),
        ("2 ** a ** b", Pow(TWO, Pow(A, B))),
        ("a ** -1", Pow(A, Constant(-1))),
        ("sqrt(a) + log10(b)", total(OfOne(Function.SQRT, A), OfOne(Function.LOG10, B))),
        ("max(a, b, 1)", OfList(ListFunction.MAX, (A, B, ONE))),
        ("pow(a, 2)", Pow(A, TWO)),
        ("div(a, b)", Div(A, B)),
        ("div(a, b, -1)", Div(A, B, -1.0)),
        ('matches(a == "x") * 2', product(Holds(Filter(must=(Equal("a", "x"),))), TWO)),
        ("matches(true)", Holds(Filter())),
        ('datetime("2026-01-01T00:00:00Z")', Datetime("2026-01-01T00:00:00Z")),
        ("datetime_key(a)", DatetimeKey("a")),
        ("geo_distance(a, 52.5, -13.4)", GeoDistance(GeoPoint(52.5, -13.4), "a")),
        ("exp_decay(a)", Decay(DecayShape.EXP, A)),
        ("gauss_decay(a, b, 2)", Decay(DecayShape.GAUSS, A, B, 2.0)),
        ("lin_decay(a, 1, 2, 0.1)", Decay(DecayShape.LIN, A, ONE, 2.0, 0.1)),
    ],
)
def test_what_a_text_says(text: str, expected: Expression) -> None:
    assert parse_formula(text, "f").expression == expected


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("", 1, 1, "the end"),
        ("a +", 1, 4, "the end"),
        ("a\n + * b", 2, 4, "'*'"),
        ("a b", 1, 3, "'b'"),
        ("foo(1)", 1, 1, "no function foo"),
        ("ln()", 1, 1, "1 arguments"),
        ("div(1, 2, a)", 1, 11, "number"),
        ("exp_decay(a, 1, b)", 1, 17, "number"),
        ("datetime(a)", 1, 10, "string"),
        ("datetime_key(a + 1)", 1, 14, "path"),
        ("geo_distance(a, b, 1)", 1, 17, "number"),
        ("`a..b`", 1, 1, "path"),
        ("matches(a)", 1, 10, "comparison"),
        ('matches(regex(a, "("))', 1, 18, "missing"),
        ("$scores", 1, 7, "'s'"),
        ('"a"', 1, 1, "not expected"),
        ("1 + $score[" + "9" * 5_000 + "]", 1, 5, "prefetches"),
        ("1 + $score[" + "9" * 19 + "]", 1, 5, "prefetches"),
        ("$score[٣]", 1, 7, "'['"),
        ("a * ٣", 1, 5, "'٣'"),
        ("a * 1٣", 1, 5, "1"),
        ("1.٣", 1, 1, "1"),
        ("1e٣", 1, 1, "1"),
    ],
)
def test_errors_point_at_the_place(text: str, line: int, column: int, what: str) -> None:
    with pytest.raises(InvalidQuery) as caught:
        parse_formula(text, "query.formula.expression.text")
    assert caught.value.field == "query.formula.expression.text"
    assert f"line {line}, column {column}: " in str(caught.value)
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("x" * 65_537, "MAX_EXPRESSION"),
        ("-" * 30_000 + "a", "MAX_FORMULA_DEPTH"),
        ("1/" * 10_000 + "1", "MAX_FORMULA_DEPTH"),
        ("1+" * 10_000 + "1", "MAX_FORMULA_PARTS"),
    ],
)
def test_large_texts_are_refused(text: str, limit: str) -> None:
    with pytest.raises(LimitExceeded, match=limit):
        parse_formula(text, "f")


@pytest.mark.parametrize("text", ["1e999", "$score", "price / 0", 'datetime("x")', "lin_decay(price, 0, 0)", "nowhere"])
def test_what_is_wrong_with_a_text_later_is_said_of_the_text(engine: Engine, shop: Collection, text: str) -> None:
    formula = Formula(total(ONE, parse_formula(text, "")))
    with pytest.raises(Exception, match=r"query\.formula\.expression\.sum\.parts\[1\]\.text: "):
        engine.queries.query(shop, [Query(root=Stage(query=formula))])


def test_explained_formulas_can_be_read_again() -> None:
    text = "($score[0] * 2) + (-price) + exp_decay(geo_distance(at, 1.0, 2.0), 0, 500, 0.5) + (1 / (a ** 2))"
    assert describe_expression(parse_formula(text, "f")) == text


TOKENS = [*"a()+-*/,1`$", "**", "$score", "$score[1]", "ln(", "matches(", "div(", "==", '"x"', "geo_distance("]


@given(st.lists(st.sampled_from(TOKENS), max_size=12).map(" ".join) | st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidQuery, LimitExceeded):
        parse_formula(text, "f")
