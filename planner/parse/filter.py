"""Filters as text: `category == "apparel" and price <= 200` becomes a filter of planner/query.

The grammar is in filter.lark, the functions are in filter_calls.py, and docs/filters.md describes both.
"""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from lark import Lark, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from planner.errors import InvalidFilter
from planner.limits import MAX_EXPRESSION, MAX_FILTER_DEPTH
from planner.parse.filter_calls import call_of, count_of
from planner.parse.values import Misread, Node, compared, path_of, scalars_of
from planner.predicate import check_has_id, check_on_id, check_operands, is_on_id
from planner.query import AnyOf, Condition, FieldCondition, Filter, HasId, HasVector, Nested
from storage.errors import InvalidRequest, LimitExceeded

_EXPECTED = {
    "PATH": "a path",
    "FUNCTION": "a function",
    "COMPARISON": "a comparison",
    "STRING": "a string",
    "NUMBER": "a number",
    "LPAR": "'('",
    "RPAR": "')'",
    "LSQB": "'['",
    "RSQB": "']'",
    "COMMA": "','",
    "$END": "the end",
    "UNSIGNED": "a number",
    "SCORE": "`$score`",
    "FORMULA_FUNCTION": "a function",
    "PLUS": "'+'",
    "MINUS": "'-'",
    "STAR": "'*'",
    "SLASH": "'/'",
    "__ANON_0": "'**'",
}


def parse_filter(text: str, field: str) -> Filter:
    """The filter that `text` means. Raises InvalidFilter, with line and column, or LimitExceeded. Both name `field`."""
    if len(text) > MAX_EXPRESSION:
        raise LimitExceeded(field, limit="MAX_EXPRESSION", maximum=MAX_EXPRESSION, actual=len(text))
    try:
        condition = Reading(field).condition(_grammar().parse(text), 1)
    except UnexpectedInput as error:
        raise InvalidFilter(field, unexpected(error, text)) from None
    except Misread as error:
        raise InvalidFilter(field, f"line {error.line}, column {error.column}: {error}") from None
    return condition if isinstance(condition, Filter) else Filter(must=(condition,))


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    grammar = Path(__file__).with_name("filter.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def unexpected(error: UnexpectedInput, text: str) -> str:
    """What the grammar does not understand in a text, with line and column."""
    line, column = _position(error, text)
    return f"line {line}, column {column}: {_unexpected(error)}"


def _position(error: UnexpectedInput, text: str) -> tuple[int, int]:
    """Line and column. The end of the text is after its last character."""
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return text.count("\n") + 1, len(text) - text.rfind("\n")
    return error.line, error.column


def _unexpected(error: UnexpectedInput) -> str:
    if isinstance(error, UnexpectedCharacters):
        if error.char == "'":
            return '"\'" has no meaning here; a text stands in double quotes, such as "red"'
        return f"{error.char!r} has no meaning here; expected is {_names(error.allowed or set())}"
    if isinstance(error, UnexpectedToken):
        found = "the end" if error.token.type == "$END" else f"{str(error.token)!r}"
        return f"{found} is not expected here; expected is {_names(error.accepts or error.expected)}"
    return "it cannot be read"


def _names(terminals: set[str]) -> str:
    return " or ".join(sorted(_EXPECTED.get(name, f"`{name.lower()}`") for name in terminals)) or "nothing more"


def _asks_of_points(filter: Filter) -> bool:
    """Whether a condition is on ids or vectors. Filters inside `some` were checked before."""
    enough = () if filter.min_should is None else filter.min_should.conditions
    return any(
        isinstance(each, HasId | HasVector) or is_on_id(each) or (isinstance(each, Filter) and _asks_of_points(each))
        for each in (*filter.must, *filter.should, *filter.must_not, *enough)
    )


class Reading:
    """Makes conditions of one parsed text. Its errors name `field`."""

    def __init__(self, field: str) -> None:
        self._field = field

    def condition(self, node: Node, depth: int) -> Condition:
        if depth > MAX_FILTER_DEPTH + 1:
            raise LimitExceeded(self._field, limit="MAX_FILTER_DEPTH", maximum=MAX_FILTER_DEPTH, actual=depth)
        if not isinstance(node, Tree):
            raise Misread(node, "a condition is expected here")
        children = node.children
        match str(node.data):
            case "any":
                return Filter(should=tuple(self.condition(child, depth + 1) for child in children))
            case "all":
                return Filter(must=tuple(self.condition(child, depth + 1) for child in children))
            case "negation":
                return Filter(must_not=(self.condition(children[0], depth + 1),))
            case "every_point":
                return Filter()
            case "comparison":
                return self._checked(compared(children[0], children[1], children[2]), children[2])
            case "among" | "not_among":
                found = self._checked(AnyOf(path_of(children[0]), scalars_of(children[1])), children[1])
                return found if node.data == "among" else Filter(must_not=(found,))
            case "counted":
                return self._checked(count_of(children[0], children[1:-2], children[-2], children[-1]), children[-1])
            case "call":
                return self._call(children[0], children[1:], depth)
        raise Misread(node, "a condition is expected here")

    def _call(self, name: Node, arguments: list[Node], depth: int) -> Condition:
        made = call_of(name, arguments, lambda node: self.condition(node, depth + 1))
        if isinstance(made, HasVector):
            return self._placed(made, arguments[0])
        if isinstance(made, Nested) and _asks_of_points(made.filter):
            raise Misread(arguments[1], "elements of an array have neither ids nor vectors")
        return self._checked(made, arguments[-1] if arguments else name)

    def _placed(self, made: HasVector, node: Node) -> HasVector:
        """The condition with line and column of its space. The space is checked later, when the collection is known."""
        at = Misread(node, "")
        return replace(made, written=(self._field, f"line {at.line}, column {at.column}"))

    def _checked(self, condition: Condition, node: Node) -> Condition:
        """The condition. Raises Misread at `node` if an operand is refused."""
        plain = condition.must_not[0] if isinstance(condition, Filter) and condition.must_not else condition
        if isinstance(plain, FieldCondition | HasId):
            try:
                if is_on_id(plain):
                    check_on_id(plain, self._field)
                if isinstance(plain, HasId):
                    check_has_id(plain, self._field)
                else:
                    check_operands(plain, self._field)
            except InvalidRequest as error:
                raise Misread(node, error.description) from None
        return condition
