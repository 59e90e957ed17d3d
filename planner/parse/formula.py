"""Formulas as text: `$score * 2 + exp_decay(price, 10, 5)` becomes a formula of planner/query.

The grammar is in formula.lark, which takes filters from expression.lark. docs/queries.md describes both.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from planner.errors import InvalidQuery
from planner.limits import MAX_EXPRESSION, MAX_FORMULA_DEPTH, MAX_FORMULA_PARTS
from planner.parse.filter import Reading, unexpected
from planner.parse.values import Misread, Node, path_of, string_of
from planner.query import (
    Constant,
    Datetime,
    DatetimeKey,
    Decay,
    DecayShape,
    Div,
    Expression,
    FieldValue,
    Filter,
    Function,
    GeoDistance,
    GeoPoint,
    Holds,
    ListFunction,
    OfList,
    OfOne,
    Pow,
    PrefetchScore,
    Written,
)
from storage.errors import LimitExceeded

_Parts = Sequence[Expression]
_CHAINS: Mapping[str, ListFunction] = {
    "add": ListFunction.SUM,
    "subtract": ListFunction.SUM,
    "multiply": ListFunction.MULT,
}

_MAX_LIST_DIGITS = 18
"""Most digits of the number in `$score[...]`. Python refuses to make integers of thousands of digits."""


def parse_formula(text: str, field: str) -> Written:
    """The expression that `text` means. Raises InvalidQuery, with line and column, or LimitExceeded.

    Both name `field`.
    """
    if len(text) > MAX_EXPRESSION:
        raise LimitExceeded(field, limit="MAX_EXPRESSION", maximum=MAX_EXPRESSION, actual=len(text))
    try:
        [root] = _grammar().parse(text).children
        return Written(_Formula(field).expression(root, 1))
    except UnexpectedInput as error:
        raise InvalidQuery(field, unexpected(error, text)) from None
    except Misread as error:
        raise InvalidQuery(field, f"line {error.line}, column {error.column}: {error}") from None


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    folder = Path(__file__).parent
    grammar = "".join((folder / name).read_text(encoding="utf-8") for name in ("formula.lark", "filter.lark"))
    return Lark(grammar, parser="lalr", start="formula", propagate_positions=True, maybe_placeholders=False)


class _Formula:
    """Makes expressions of one parsed text. Its errors name `field`."""

    def __init__(self, field: str) -> None:
        self._field = field

    def expression(self, node: Node, depth: int) -> Expression:
        if depth > MAX_FORMULA_DEPTH:
            raise LimitExceeded(self._field, limit="MAX_FORMULA_DEPTH", maximum=MAX_FORMULA_DEPTH, actual=depth)
        if not isinstance(node, Tree):
            raise Misread(node, "a number, a score, a path or a function is expected here")
        parts = node.children
        match str(node.data):
            case "constant":
                return Constant(_number(parts[0]))
            case "score":
                return PrefetchScore(_list_number(parts[0]))
            case "field":
                return FieldValue(path_of(parts[0]))
            case "negative":
                return _negative(self.expression(parts[0], depth + 1))
            case "divide":
                return Div(self.expression(parts[0], depth + 1), self.expression(parts[1], depth + 1))
            case "power":
                return Pow(self.expression(parts[0], depth + 1), self.expression(parts[1], depth + 1))
            case "condition":
                condition = Reading(self._field).condition(parts[1], 1)
                return Holds(condition if isinstance(condition, Filter) else Filter(must=(condition,)))
            case "formula_call":
                return self._call(parts[0], parts[1:], depth)
            case "add" | "subtract" | "multiply" as kind:
                return self._chain(node, _CHAINS[kind], depth)
        raise Misread(node, "a number, a score, a path or a function is expected here")

    def _chain(self, node: Tree[Token], function: ListFunction, depth: int) -> OfList:
        """`a + b - c` as one sum."""
        parts: list[Expression] = []
        first: Node = node
        while isinstance(first, Tree) and _CHAINS.get(str(first.data)) is function:
            if len(parts) > MAX_FORMULA_PARTS:
                maximum = MAX_FORMULA_PARTS
                raise LimitExceeded(self._field, limit="MAX_FORMULA_PARTS", maximum=maximum, actual=len(parts))
            part = self.expression(first.children[1], depth + 1)
            parts.append(_negative(part) if first.data == "subtract" else part)
            first = first.children[0]
        return OfList(function, (self.expression(first, depth + 1), *reversed(parts)))

    def _call(self, name: Node, arguments: Sequence[Node], depth: int) -> Expression:
        function = str(name)
        match function:
            case "datetime":
                _check_count(name, arguments, 1, 1)
                return Datetime(string_of(arguments[0]))
            case "datetime_key":
                _check_count(name, arguments, 1, 1)
                return DatetimeKey(_path(arguments[0]))
            case "geo_distance":
                _check_count(name, arguments, 3, 3)
                lat, lon = (_constant(self.expression(each, depth + 1), each) for each in arguments[1:])
                return GeoDistance(GeoPoint(lat, lon), _path(arguments[0]))
        if function not in _FUNCTIONS:
            others = ["datetime", "datetime_key", "geo_distance", "matches"]
            raise Misread(
                name, f"there is no function {function}; there are {', '.join(sorted([*_FUNCTIONS, *others]))}"
            )
        fewest, most, make = _FUNCTIONS[function]
        _check_count(name, arguments, fewest, most)
        parts = [self.expression(argument, depth + 1) for argument in arguments]
        constants = _CONSTANTS.get(function, most)
        for part, argument in zip(parts[constants:], arguments[constants:], strict=True):
            _constant(part, argument)
        return make(parts)


def _negative(part: Expression) -> Expression:
    return Constant(-part.value) if isinstance(part, Constant) else OfOne(Function.NEG, part)


def _list_number(node: Node) -> int:
    """The `3` of `$score[3]`; 0 if no number is given."""
    digits = str(node)[len("$score[") : -1] or "0"
    if len(digits) > _MAX_LIST_DIGITS:
        raise Misread(node, "there are fewer prefetches")
    return int(digits)


def _number(node: Node) -> float:
    return float(str(node))  # at worst it is infinite, which the binder refuses


def _path(node: Node) -> str:
    if not isinstance(node, Tree) or node.data != "field":
        raise Misread(node, "a path is expected here")
    return path_of(node.children[0])


def _constant(part: Expression, node: Node) -> float:
    if not isinstance(part, Constant):
        raise Misread(node, "a number is expected here")
    return part.value


def _check_count(name: Node, arguments: Sequence[Node], fewest: int, most: int) -> None:
    if not fewest <= len(arguments) <= most:
        wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        raise Misread(name, f"{name} takes {wanted} arguments, not {len(arguments)}")


def _quotient(parts: _Parts) -> Expression:
    default = parts[2] if len(parts) > 2 else None
    return Div(parts[0], parts[1], default.value if isinstance(default, Constant) else None)


def _decay(shape: DecayShape) -> Callable[[_Parts], Expression]:
    def make(parts: _Parts) -> Expression:
        settings = [part.value for part in parts[2:] if isinstance(part, Constant)]
        return Decay(shape, parts[0], parts[1] if len(parts) > 1 else None, *settings)

    return make


def _of_one(function: Function) -> Callable[[_Parts], Expression]:
    return lambda parts: OfOne(function, parts[0])


def _of_list(function: ListFunction) -> Callable[[_Parts], Expression]:
    return lambda parts: OfList(function, tuple(parts))


_FUNCTIONS: Mapping[str, tuple[int, int, Callable[[_Parts], Expression]]] = {
    **{function.value: (1, 1, _of_one(function)) for function in Function},
    **{function.value: (1, MAX_FORMULA_PARTS, _of_list(function)) for function in ListFunction},
    "pow": (2, 2, lambda parts: Pow(parts[0], parts[1])),
    "div": (2, 3, _quotient),
    **{shape.value: (1, 4, _decay(shape)) for shape in DecayShape},
}
"""Fewest and most arguments of each function, and what makes an expression of them."""

_CONSTANTS: Mapping[str, int] = {"div": 2, **{shape.value: 2 for shape in DecayShape}}
"""The argument from which on arguments must be plain numbers."""
