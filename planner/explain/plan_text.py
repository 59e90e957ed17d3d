"""An explained plan as text for people: one row per operator, numbers in columns, inputs below their operator."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from planner.explain.explain_node import ExplainNode

COLUMN_GAP = "  "

_BELOW = ("filter", "conditions")
"""Attributes that are shown on a line of their own, since they may be long."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of numbers: its head, and a function from an operator to its number (None if it has none)."""

    head: str
    number: Callable[[ExplainNode], int | None]


_COLUMNS = (
    _Column("at most", lambda node: node.estimated_rows),
    _Column("in", lambda node: node.rows_in),
    _Column("out", lambda node: node.rows_out),
    _Column("distances", lambda node: node.distance_computations or None),
    _Column("µs", lambda node: node.microseconds),
)


def render(root: ExplainNode) -> str:
    """The tree as text. The column `at most` shows estimates from before the run.

    Columns without numbers are left out.
    """
    lines = list(_lines(root, "", ""))
    columns = [column for column in _COLUMNS if any(column.number(node) is not None for node, _ in lines if node)]
    cells = [[_cell(column, node) for column in columns] for node, _ in lines]
    heads = [column.head for column in columns]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    rows = [
        _row(heads, widths, "plan"),
        *(_row(row, widths, text) for row, (_, text) in zip(cells, lines, strict=True)),
    ]
    return "\n".join(rows)


def _row(cells: list[str], widths: list[int], text: str) -> str:
    return COLUMN_GAP.join([*(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)), text]).rstrip()


def _cell(column: _Column, node: ExplainNode | None) -> str:
    number = None if node is None else column.number(node)
    return "" if number is None else f"{number:,}"


def _lines(node: ExplainNode, first: str, rest: str) -> Iterator[tuple[ExplainNode | None, str]]:
    """The operator's line, then further lines about it (with None), then the lines of its inputs."""
    yield node, first + _title(node)
    under = rest + ("│  " if node.children else "   ")
    for detail in _details(node):
        yield None, under + detail
    for number, child in enumerate(node.children, 1):
        last = number == len(node.children)
        yield from _lines(child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))


def _title(node: ExplainNode) -> str:
    shown = [(name, _quoted(value)) for name, value in node.attributes.items() if name not in _BELOW]
    attributes = [value if name == node.operator else f"{name}={value}" for name, value in shown]
    return " ".join([node.operator, *attributes, f"[{node.stage}]"])


def _details(node: ExplainNode) -> Iterator[str]:
    for name in _BELOW:
        if name in node.attributes:
            yield f"{name}: {node.attributes[name]}"
    if node.strategy:
        yield f"{node.strategy}: {node.reason}" if node.reason else node.strategy


def _quoted(value: str) -> str:
    return value if value and not set(value) & set(' "[]=') else "'" + value + "'"
