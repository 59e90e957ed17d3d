"""Converts formulas from the client's expressions to the contract. The only file that maps kinds of expressions."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np

from headwater._conditions import Condition
from headwater._plain import instant_text
from headwater._wire.enum_names import enum_name
from headwater._wire.filters import filter_message
from headwater._wire.limits import check_depth, refused
from headwater._wire.values import value_message
from headwater.errors import InvalidPayloadError, InvalidQueryError
from headwater.filters import FilterBuilder
from headwater.formulas import (
    Abs,
    Datetime,
    DatetimeKey,
    Decay,
    Div,
    Exp,
    Expression,
    ExpressionLike,
    FieldValue,
    GeoDistance,
    Ln,
    Log10,
    Matches,
    Max,
    Min,
    Mult,
    Neg,
    Pow,
    Score,
    Sqrt,
    Sum,
)
from headwater.models import Formula, UndefinedScore
from headwater.v1 import filter_pb2, formula_pb2, payload_pb2

_LISTS: Mapping[type, str] = {Sum: "sum", Mult: "mult", Min: "min", Max: "max"}
_FUNCTIONS: Mapping[type, str] = {Neg: "neg", Abs: "abs", Sqrt: "sqrt", Exp: "exp", Ln: "ln", Log10: "log10"}
_PATH = "query.formula.expression"


def formula_message(given: Formula) -> formula_pb2.Formula:
    return formula_pb2.Formula(
        expression=expression_message(given.expression),
        defaults={name: _default(value, name) for name, value in (given.defaults or {}).items()},
        undefined=enum_name(UndefinedScore, given.undefined),
    )


def expression_message(given: ExpressionLike, depth: int = 1) -> formula_pb2.Expression:
    """Raises TypeError for a value that is not an expression, and LimitExceededError when it is too deep to be sent."""
    check_depth(depth, _PATH)
    match given:
        case bool():
            raise TypeError("a bool is not a number in a formula; write 1 or 0, or Matches(...)")
        case int() | float() | np.integer() | np.floating():
            return formula_pb2.Expression(constant=_constant(given))
        case str():
            return formula_pb2.Expression(text=given)
        case Condition() | FilterBuilder():
            return formula_pb2.Expression(condition=filter_message(given))
        case Expression():
            return formula_pb2.Expression(**_kind(given, depth))
        case _:
            raise TypeError(f"a formula is made of expressions, not of {type(given).__name__}")


def _constant(given: int | float | np.integer[Any] | np.floating[Any]) -> float:
    try:
        return float(given)
    except OverflowError:
        raise refused(InvalidQueryError, _PATH, "a number is too large for float64") from None


def _kind(given: Expression, depth: int) -> dict[str, Any]:
    match given:
        case Sum(parts=parts) | Mult(parts=parts) | Min(parts=parts) | Max(parts=parts):
            messages = [expression_message(part, depth + 1) for part in parts]
            return {_LISTS[type(given)]: formula_pb2.ExpressionList(parts=messages)}
        case Neg(part) | Abs(part) | Sqrt(part) | Exp(part) | Ln(part) | Log10(part):
            return {_FUNCTIONS[type(given)]: expression_message(part, depth + 1)}
        case Pow(base, exponent):
            first, second = expression_message(base, depth + 1), expression_message(exponent, depth + 1)
            return {"pow": formula_pb2.PowExpression(base=first, exponent=second)}
        case Div(left, right, default):
            first, second = expression_message(left, depth + 1), expression_message(right, depth + 1)
            return {"div": formula_pb2.DivExpression(left=first, right=second, by_zero_default=default)}
        case Decay():
            return {given.shape: _decay(given, depth)}
        case Score(index):
            return {"score": _index(index)}
        case FieldValue(path):
            return {"field": path}
        case Matches(filter):
            return {"condition": filter_message(filter)}
        case GeoDistance((lat, lon), path):
            return {"geo_distance": formula_pb2.GeoDistance(origin=filter_pb2.GeoPoint(lat=lat, lon=lon), path=path)}
        case Datetime(instant):
            return {"datetime": instant_text(instant, _PATH)}
        case DatetimeKey(path):
            return {"datetime_key": path}
    raise TypeError(f"there is no expression of kind {type(given).__name__}")


def _decay(given: Decay, depth: int) -> formula_pb2.DecayExpression:
    return formula_pb2.DecayExpression(
        x=expression_message(given.x, depth + 1),
        target=None if given.target is None else expression_message(given.target, depth + 1),
        scale=given.scale,
        midpoint=given.midpoint,
    )


def _index(index: int) -> int:
    if not 0 <= index < 2**32:
        raise refused(InvalidQueryError, _PATH, f"{index} is not the number of a prefetch; prefetches count from 0")
    return index


def _default(value: Any, name: str) -> payload_pb2.Value:
    """A number, an instant or a place, which may be (lat, lon)."""
    path = f'query.formula.defaults["{name}"]'
    if isinstance(value, date):
        value = instant_text(value, path)
    if isinstance(value, tuple) and len(value) == 2:
        value = {"lat": value[0], "lon": value[1]}
    try:
        return value_message(value, path)
    except InvalidPayloadError as error:
        raise refused(InvalidQueryError, path, error.field_violations[0].description) from None
