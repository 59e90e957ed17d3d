"""The formula DSL and metrics by name: what each becomes on the wire, and what is refused before it is sent."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from google.protobuf import json_format

import headwater
from headwater import (
    Abs,
    Datetime,
    DatetimeKey,
    Distance,
    Div,
    Exp,
    ExpressionLike,
    Field,
    FieldValue,
    FilterBuilder,
    Formula,
    GeoDistance,
    Ln,
    Log10,
    Matches,
    Max,
    Metric,
    Min,
    Mult,
    Neg,
    Pow,
    Rescore,
    Score,
    Sqrt,
    Sum,
    UndefinedScore,
    WeightedMetric,
    decay_exp,
    decay_gauss,
    decay_lin,
)
from headwater._wire.formulas import expression_message, formula_message
from headwater._wire.ranks import rank_message
from headwater.v1 import formula_pb2

S, P = Score(), FieldValue("p")
SCORE, PRICE = {"score": 0}, {"field": "p"}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def wire(given: ExpressionLike) -> Any:
    return json_format.MessageToDict(expression_message(given), preserving_proto_field_name=True)


def number(value: float) -> dict[str, float]:
    return {"constant": value}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (2, number(2)),
        (np.float32(0.5), number(0.5)),
        (np.int64(3), number(3)),
        ("$score * 2", {"text": "$score * 2"}),
        (S + "p", {"sum": {"parts": [SCORE, {"text": "p"}]}}),
        (Score(3), {"score": 3}),
        (FieldValue("a.b"), {"field": "a.b"}),
        (S + P, {"sum": {"parts": [SCORE, PRICE]}}),
        (S + P + 1, {"sum": {"parts": [SCORE, PRICE, number(1)]}}),
        (1 + S, {"sum": {"parts": [number(1), SCORE]}}),
        (np.float64(1) * S, {"mult": {"parts": [number(1), SCORE]}}),
        (S - 1, {"sum": {"parts": [SCORE, {"neg": number(1)}]}}),
        (1 - S, {"sum": {"parts": [number(1), {"neg": SCORE}]}}),
        (S * 2 * P, {"mult": {"parts": [SCORE, number(2), PRICE]}}),
        (S * (P * 2), {"mult": {"parts": [SCORE, {"mult": {"parts": [PRICE, number(2)]}}]}}),
        (S / P, {"div": {"left": SCORE, "right": PRICE}}),
        (1 / S, {"div": {"left": number(1), "right": SCORE}}),
        (Div(S, P, by_zero_default=0), {"div": {"left": SCORE, "right": PRICE, "by_zero_default": 0.0}}),
        (S**2, {"pow": {"base": SCORE, "exponent": number(2)}}),
        (2**S, {"pow": {"base": number(2), "exponent": SCORE}}),
        (Pow(P, 2), {"pow": {"base": PRICE, "exponent": number(2)}}),
        (-S, {"neg": SCORE}),
        (abs(S), {"abs": SCORE}),
        (Sqrt(S), {"sqrt": SCORE}),
        (Exp(S), {"exp": SCORE}),
        (Ln(S), {"ln": SCORE}),
        (Log10(P), {"log10": PRICE}),
        (Abs(Neg(S)), {"abs": {"neg": SCORE}}),
        (Sum(S), {"sum": {"parts": [SCORE]}}),
        (Mult(S, 2, P), {"mult": {"parts": [SCORE, number(2), PRICE]}}),
        (Min(S, 1), {"min": {"parts": [SCORE, number(1)]}}),
        (Max(S, 1), {"max": {"parts": [SCORE, number(1)]}}),
        (Matches('a == "x"'), {"condition": {"expression": 'a == "x"'}}),
        (
            S + Field("a").eq("x"),
            {
                "sum": {
                    "parts": [
                        SCORE,
                        {"condition": {"must": [{"field": {"path": "a", "equal": {"string_value": "x"}}}]}},
                    ]
                }
            },
        ),
        (FilterBuilder(), {"condition": {}}),
        (GeoDistance((1, 2), "at"), {"geo_distance": {"origin": {"lat": 1.0, "lon": 2.0}, "path": "at"}}),
        (Datetime("2026-03-01T12:00:00Z"), {"datetime": "2026-03-01T12:00:00Z"}),
        (Datetime(NOON), {"datetime": "2026-03-01T12:00:00+00:00"}),
        (DatetimeKey("made"), {"datetime_key": "made"}),
        (decay_exp(P), {"exp_decay": {"x": PRICE}}),
        (decay_gauss(P, 3, scale=2), {"gauss_decay": {"x": PRICE, "target": number(3), "scale": 2.0}}),
        (decay_lin(P, midpoint=0.1), {"lin_decay": {"x": PRICE, "midpoint": 0.1}}),
    ],
)
def test_expressions(expression: ExpressionLike, expected: Any) -> None:
    assert wire(expression) == expected


def test_every_kind_of_expression_of_the_contract_can_be_said() -> None:
    parts = (S, P, 1, "p", Matches(Field("a").exists()), GeoDistance((0, 0), "a"), Datetime(NOON), DatetimeKey("a"))
    made = (f(S) for f in (Sum, Mult, Min, Max, Neg, Abs, Sqrt, Exp, Ln, Log10, decay_exp, decay_gauss, decay_lin))
    kinds = {expression_message(each).WhichOneof("kind") for each in (*parts, *made, S**2, S / 2)}
    oneof = formula_pb2.Expression.DESCRIPTOR.oneofs_by_name["kind"]
    assert kinds == {field.name for field in oneof.fields}


def test_defaults_and_undefined() -> None:
    east = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    given = Formula(
        S,
        {"p": 1, "$score": 0.5, "t": "2026-01-01T00:00:00Z", "u": east, "at": (1.0, 2.0), "to": {"lat": 3, "lon": 4.0}},
        UndefinedScore.Drop,
    )
    message = json_format.MessageToDict(formula_message(given), preserving_proto_field_name=True)
    assert message["undefined"] == "UNDEFINED_SCORE_DROP"
    place = {"lat": {"double_value": 1.0}, "lon": {"double_value": 2.0}}
    assert message["defaults"]["p"] == {"integer_value": "1"}
    assert message["defaults"]["$score"] == {"double_value": 0.5}
    assert message["defaults"]["u"] == {"string_value": "2026-01-01T00:00:00+01:00"}
    assert message["defaults"]["at"] == {"struct_value": {"fields": place}}
    assert message["defaults"]["to"]["struct_value"]["fields"]["lat"] == {"integer_value": "3"}
    assert not formula_message(Formula(2)).defaults


def test_an_expression_has_no_truth_value() -> None:
    with pytest.raises(TypeError, match="truth value"):
        bool(S)
    with pytest.raises(TypeError):
        sorted([S, P])  # type: ignore[type-var]


@pytest.mark.parametrize("given", [True, None, [S], object(), Sum(S, None)])  # type: ignore[arg-type]
def test_what_is_no_expression(given: Any) -> None:
    with pytest.raises(TypeError):
        expression_message(given)


@pytest.mark.parametrize("given", [Score(-1), Score(2**32), 10**400])
def test_what_is_refused_before_it_is_sent(given: ExpressionLike) -> None:
    with pytest.raises(headwater.InvalidQueryError):
        expression_message(given)


def test_what_is_too_deep_to_be_sent() -> None:
    deep: headwater.Expression = S
    for _ in range(40):
        deep = Neg(deep)
    with pytest.raises(headwater.LimitExceededError):
        expression_message(deep)


def test_metrics_by_any_name() -> None:
    for metric in (Metric.Manhattan, Distance.Manhattan, "Manhattan", "manhattan"):
        assert rank_message(Rescore([1, 0], metric)).rescore.metric == 4
    assert rank_message(Rescore([1, 0])).rescore.metric == 0, "the server refuses it"
    with pytest.raises(headwater.InvalidQueryError, match="CHEBYSHEV"):
        rank_message(Rescore([1, 0], "Hamming"))


def test_composites_of_pairs() -> None:
    message = rank_message(Rescore(7, [("cosine", 0.5), WeightedMetric("Angular", 2, [1, 0], "image")])).rescore
    assert message.vector.id.number == 7
    first, second = message.composite
    assert (first.metric, first.weight, first.HasField("vector"), first.HasField("using")) == (1, 0.5, False, False)
    assert (second.metric, second.weight, second.using) == (6, 2.0, "image")
    assert list(second.vector.vector.dense.values) == [1, 0]
