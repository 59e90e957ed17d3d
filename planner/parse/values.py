"""The leaves of a parsed filter text: paths, strings, numbers and lists; and the comparisons that are made of these."""

import json
from collections.abc import Mapping

from lark import Token, Tree

from planner.predicate import parse_path
from planner.query import Bound, Condition, DatetimeRange, Equal, Filter, Range, Scalar

Node = Tree[Token] | Token

BOUNDS: Mapping[str, str] = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


_MAX_ID_DIGITS = 20


class Misread(Exception):
    """A node of the text has no meaning. `what` says why."""

    def __init__(self, node: Node, what: str) -> None:
        super().__init__(what)
        position = node.meta if isinstance(node, Tree) else node
        self.line: int = getattr(position, "line", None) or 1
        self.column: int = getattr(position, "column", None) or 1


def path_of(node: Node) -> str:
    """A path, with or without backquotes around it."""
    token = node.children[0] if isinstance(node, Tree) and node.data == "path" else node
    if not isinstance(token, Token) or token.type != "PATH":
        raise Misread(node, "a path is expected here")
    text = str(token).strip("`")
    try:
        parse_path(text)
    except ValueError as error:
        raise Misread(node, str(error)) from None
    return text


def string_of(node: Node) -> str:
    value = scalar_of(node)
    if not isinstance(value, str):
        raise Misread(node, "a string is expected here")
    return value


def number_of(node: Node) -> int | float:
    value = scalar_of(node)
    if isinstance(value, str | bool):
        raise Misread(node, "a number is expected here")
    return value


def scalar_of(node: Node) -> Scalar:
    """A string, a number or a bool."""
    if isinstance(node, Tree):
        match str(node.data):
            case "true" | "every_point":
                return True
            case "false":
                return False
            case "string" | "number":
                return _literal(node)
    raise Misread(node, "a string, a number, true or false is expected here")


def id_scalar_of(node: Node) -> Scalar:
    """As `scalar_of`, for ids: their numbers have 64 bits and no sign."""
    text = str(node.children[0]) if isinstance(node, Tree) and node.data == "number" else ""
    if text.isdigit() and len(text) <= _MAX_ID_DIGITS and 2**63 <= int(text) < 2**64:
        return int(text)
    return scalar_of(node)


def _literal(node: Tree[Token]) -> Scalar:
    try:
        value: Scalar = json.loads(str(node.children[0]))
    except ValueError as error:
        raise Misread(node, f"it is no string as JSON has them: {error}") from None
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        by_id = f"; the point id {value} is found by has_id([{value}])" if 0 <= value < 2**64 else ""
        raise Misread(node, f"an integer must fit into 64 bits with a sign{by_id}")
    if isinstance(value, str) and not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Misread(node, "half of a surrogate pair is not a character")
    return value


def elements_of(node: Node) -> list[Node]:
    """The elements of a list."""
    if not isinstance(node, Tree) or node.data != "list":
        raise Misread(node, "a list is expected here")
    return list(node.children)


def scalars_of(node: Node) -> tuple[Scalar, ...]:
    return tuple(scalar_of(element) for element in elements_of(node))


def compared(path: Node, sign: Node, operand: Node) -> Condition:
    """`path == operand`, and the same with other signs."""
    payload_path, name = path_of(path), BOUNDS.get(str(sign))
    if isinstance(operand, Tree) and operand.data == "datetime":
        text = string_of(Tree("string", list(operand.children), operand.meta))
        if name is not None:
            return DatetimeRange(path=payload_path, **{name: text})
        same = DatetimeRange(path=payload_path, gte=text, lte=text)
        return same if str(sign) == "==" else Filter(must_not=(same,))
    value = scalar_of(operand)
    if name is None:
        return Equal(payload_path, value) if str(sign) == "==" else Filter(must_not=(Equal(payload_path, value),))
    if isinstance(value, bool):
        raise Misread(operand, "true and false have no order; compare them by == or !=")
    return _range(payload_path, name, value)


def _range(path: str, name: str, bound: Bound) -> Range:
    bounds: dict[str, Bound] = {name: bound}
    return Range(path=path, gt=bounds.get("gt"), gte=bounds.get("gte"), lt=bounds.get("lt"), lte=bounds.get("lte"))


def count_bounds(sign: Node, operand: Node) -> dict[str, int]:
    """Bounds on a count, from `== 2`, `>= 2` and so on."""
    count = number_of(operand)
    if not isinstance(count, int) or str(sign) == "!=":
        raise Misread(operand, "a count is compared by ==, <, <=, > or >= with an integer")
    name = BOUNDS.get(str(sign))
    return {"gte": count, "lte": count} if name is None else {name: count}
