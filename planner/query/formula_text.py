"""Formulas as short text, for plans that people read, such as `$score[0] * 2`. parse/formula.py reads nearly the
same.
"""

import json
from typing import assert_never

from planner.query.filter_text import describe_filter
from planner.query.formula import (
    Constant,
    Datetime,
    DatetimeKey,
    Decay,
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
    score_key,
)

MAX_SHOWN_CHARACTERS = 512
"""The most characters of a formula that are shown."""


def describe_formula(formula: Formula) -> dict[str, str]:
    """The expression, and its defaults if it has any."""
    text = describe_expression(formula.expression)
    shown = {
        "expression": text
        if len(text) <= MAX_SHOWN_CHARACTERS
        else f"{text[:MAX_SHOWN_CHARACTERS]}... {len(text):,} characters in all"
    }
    if formula.defaults:
        shown["defaults"] = ", ".join(f"{name}: {_default(default)}" for name, default in formula.defaults)
    return shown | ({"undefined": "drop"} if formula.drop_undefined else {})


def describe_expression(expression: Expression) -> str:
    """The expression as text. An operand that is itself made by an operator stands in parentheses."""
    match expression:
        case Constant(value=value):
            return f"{value:.17g}" if float(f"{value:g}") != value else f"{value:g}"
        case PrefetchScore(index=index):
            return score_key(index)
        case FieldValue(path=path):
            return path
        case Holds(filter=filter):
            return f"matches({describe_filter(filter)})"
        case OfList(function=ListFunction.SUM | ListFunction.MULT as function, parts=parts) if len(parts) > 1:
            return (" + " if function is ListFunction.SUM else " * ").join(map(_operand, parts))
        case OfList(function=function, parts=parts):
            return f"{function.value}({', '.join(map(describe_expression, parts))})"
        case OfOne(function=Function.NEG, part=part):
            return f"-{_operand(part)}"
        case OfOne(function=single, part=part):
            return f"{single.value}({describe_expression(part)})"
        case Pow(base=base, exponent=exponent):
            return f"{_operand(base)} ** {_operand(exponent)}"
        case Div(left=left, right=right, by_zero_default=None):
            return f"{_operand(left)} / {_operand(right)}"
        case Div(left=left, right=right, by_zero_default=default):
            return f"div({describe_expression(left)}, {describe_expression(right)}, {default:g})"
        case GeoDistance(origin=origin, path=path):
            return f"geo_distance({path}, {origin.lat}, {origin.lon})"
        case Datetime(text=text):
            return f"datetime({json.dumps(text, ensure_ascii=False)})"
        case DatetimeKey(path=path):
            return f"datetime_key({path})"
        case Decay(shape=shape, x=x, target=target, scale=scale, midpoint=midpoint):
            middle = "0" if target is None else describe_expression(target)
            return f"{shape.value}({describe_expression(x)}, {middle}, {scale:g}, {midpoint:g})"
        case Written(expression=inner):
            return describe_expression(inner)
    assert_never(expression)


def _operand(expression: Expression) -> str:
    text = describe_expression(expression)
    return f"({text})" if _is_infix(expression) or text.startswith("-") else text


def _is_infix(expression: Expression) -> bool:
    match expression:
        case OfList(function=ListFunction.SUM | ListFunction.MULT, parts=parts):
            return len(parts) > 1
        case Pow() | Div(by_zero_default=None):
            return True
        case Written(expression=inner):
            return _is_infix(inner)
    return False


def _default(default: Default) -> str:
    return default if isinstance(default, str) else f"{default:g}" if isinstance(default, int | float) else str(default)
