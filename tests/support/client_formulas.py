"""The planner's formulas as a user of the client would write them, by operators where there are some."""

from collections.abc import Callable
from functools import reduce
from operator import add, mul

import headwater as client
from headwater import filters, formulas
from planner.query import filter as planned
from planner.query.formula import (
    Constant,
    Datetime,
    DatetimeKey,
    Decay,
    DecayShape,
    Default,
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
    Written,
)

FilterOf = Callable[[planned.Filter | None], filters.Filter | None]
FUNCTIONS: dict[Function, Callable[[client.ExpressionLike], client.Expression]] = {
    Function.NEG: formulas.Neg,
    Function.ABS: formulas.Abs,
    Function.SQRT: formulas.Sqrt,
    Function.EXP: formulas.Exp,
    Function.LN: formulas.Ln,
    Function.LOG10: formulas.Log10,
}
DECAYS = {
    DecayShape.EXP: formulas.decay_exp,
    DecayShape.GAUSS: formulas.decay_gauss,
    DecayShape.LIN: formulas.decay_lin,
}


def formula_of(formula: Formula, filter_of: FilterOf) -> client.Formula:
    return client.Formula(
        expression_of(formula.expression, filter_of),
        {name: _default(default) for name, default in formula.defaults} or None,
        client.UndefinedScore.Drop if formula.drop_undefined else client.UndefinedScore.Refuse,
    )


def _default(default: Default) -> filters.Place | float | str:
    return (default.lat, default.lon) if isinstance(default, planned.GeoPoint) else default


def expression_of(expression: Expression, filter_of: FilterOf) -> client.ExpressionLike:
    def of(part: Expression) -> client.ExpressionLike:
        return expression_of(part, filter_of)

    match expression:
        case Constant(value=value):
            return value
        case PrefetchScore(index=index):
            return client.Score(index) if index else "$score"
        case FieldValue(path=path):
            return client.FieldValue(path)
        case Holds(filter=filter):
            found = filter_of(filter)
            assert found is not None
            return found
        case OfList(function=function, parts=parts):
            return _of_list(function, [of(part) for part in parts])
        case OfOne(function=single, part=part):
            return FUNCTIONS[single](of(part))
        case Pow(base=base, exponent=exponent):
            return formulas.Pow(of(base), of(exponent))
        case Div(left=left, right=right, by_zero_default=default):
            return formulas.Div(of(left), of(right), default)
        case GeoDistance(origin=origin, path=path):
            return formulas.GeoDistance((origin.lat, origin.lon), path)
        case Datetime(text=text):
            return formulas.Datetime(text)
        case DatetimeKey(path=path):
            return formulas.DatetimeKey(path)
        case Decay(shape=shape, x=x, target=target):
            middle = None if target is None else of(target)
            return DECAYS[shape](of(x), middle, scale=expression.scale, midpoint=expression.midpoint)
        case Written(expression=inner):
            return of(inner)


def _of_list(function: ListFunction, parts: list[client.ExpressionLike]) -> client.Expression:
    """By operators, if the first part is an expression that they would not take apart."""
    first, *rest = parts
    plain = isinstance(first, client.Expression) and not isinstance(first, client.Sum | client.Mult)
    match function:
        case ListFunction.SUM if plain and rest:
            return reduce(add, rest, first)  # type: ignore[return-value]
        case ListFunction.MULT if plain and rest:
            return reduce(mul, rest, first)  # type: ignore[return-value]
        case ListFunction.SUM:
            return client.Sum(*parts)
        case ListFunction.MULT:
            return client.Mult(*parts)
        case ListFunction.MIN:
            return client.Min(*parts)
        case ListFunction.MAX:
            return client.Max(*parts)
