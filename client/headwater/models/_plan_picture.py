"""Draws a plan as SVG: a line per operator, with its rows and its time as bars. Knows no message.

Text has the colour of the page around it and bars have middle tones, so both can be read on light and dark pages. All
text is escaped. There is no script, and nothing is loaded.
"""

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from headwater._display import cut, printable

LINE = 34
INDENT = 22
TEXT = 470
"""Width of the column of operators; the columns of bars begin after it."""
BAR = 130
NUMBER = 88
WIDTH = TEXT + 2 * (BAR + NUMBER)
LETTER = 6.6
"""Width of a letter of the small text, about."""
_ROWS = "#3f86c9"
_TIME = "#d07f2e"
_FAINT = 'opacity=".7" font-size="11"'


class DrawnNode(Protocol):
    """The fields of an operator that are drawn. ExplainNode has them."""

    @property
    def operator(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def attributes(self) -> Mapping[str, str]: ...
    @property
    def strategy(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def estimated_rows(self) -> int | None: ...
    @property
    def rows_in(self) -> int | None: ...
    @property
    def rows_out(self) -> int | None: ...
    @property
    def microseconds(self) -> int | None: ...
    @property
    def children(self) -> Sequence["DrawnNode"]: ...


class DrawnPlan(Protocol):
    """The fields of a plan that are drawn. Explanation has them."""

    @property
    def root(self) -> DrawnNode: ...
    @property
    def analyzed(self) -> bool: ...
    @property
    def seq(self) -> int: ...
    @property
    def microseconds(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _Placed:
    """An operator with its line and depth. `parent`: the line of the operator above it, None for the root."""

    node: DrawnNode
    depth: int
    line: int
    parent: int | None


def plan_picture(plan: DrawnPlan) -> str:
    """The picture of a plan, as HTML."""
    placed = list(_placed(plan.root))
    most_rows = max((_rows(each.node) or 0 for each in placed), default=0)
    most_time = max((each.node.microseconds or 0 for each in placed), default=0)
    height = LINE * (len(placed) + 1)
    lines = [_heading(plan)]
    for each in placed:
        lines += [_branch(each), _operator(each), _bars(each, most_rows, most_time)]
    return (
        f'<div style="overflow-x:auto"><svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="query plan" fill="currentColor" '
        f'style="font:13px system-ui,sans-serif;min-width:{WIDTH}px">{"".join(lines)}</svg></div>'
    )


def _placed(root: DrawnNode) -> Iterator[_Placed]:
    """All operators, parents first, from top to bottom. It does not recurse, since plans may be deeper than Python's
    stack."""
    waiting: list[tuple[DrawnNode, int, int | None]] = [(root, 0, None)]
    line = 0
    while waiting:
        node, depth, parent = waiting.pop()
        yield _Placed(node, depth, line, parent)
        waiting += [(child, depth + 1, line) for child in reversed(node.children)]
        line += 1


def _heading(plan: DrawnPlan) -> str:
    total = f", {_time(plan.microseconds)} in all" if plan.analyzed else ""
    title = f"{'analysed' if plan.analyzed else 'estimated'}, commit {plan.seq:,}{total}"
    rows = "rows out" if plan.analyzed else "rows expected"
    return (
        f'<text x="8" y="20" {_FAINT}>{title}</text><text x="{TEXT}" y="20" {_FAINT}>{rows}</text>'
        + f'<text x="{TEXT + BAR + NUMBER}" y="20" {_FAINT}>time of its own</text>' * plan.analyzed
    )


def _branch(each: _Placed) -> str:
    """The lines that join an operator to the one above it."""
    if each.parent is None:
        return ""
    x, top, bottom = _x(each.depth - 1) + 5, _y(each.parent) + 17, _y(each.line) - 5
    across = _x(each.depth) - 3 - x
    return f'<path d="M{x} {top}V{bottom}h{across}" fill="none" stroke="currentColor" opacity=".35"/>'


def _operator(each: _Placed) -> str:
    node, x, y = each.node, _x(each.depth), _y(each.line)
    letters = max(int((TEXT - x - 12) / LETTER), 8)
    name = cut(printable(node.operator), letters)
    beside = f"{node.strategy} " * bool(node.strategy) + node.stage
    said = "; ".join([f"{key} {value}" for key, value in node.attributes.items()] + [node.reason] * bool(node.reason))
    room = letters - int(len(name) * 1.25) - 2
    faint = f'<tspan dx="8" {_FAINT}>{_escaped(cut(printable(beside), room))}</tspan>' if room > 4 else ""
    hint = f"{node.operator} ({beside}): {said}" if said else f"{node.operator} ({beside})"
    return (
        f"<g><title>{_escaped(printable(hint))}</title>"
        f'<text x="{x}" y="{y}"><tspan font-weight="600">{_escaped(name)}</tspan>{faint}</text>'
        f'<text x="{x}" y="{y + 13}" {_FAINT}>{_escaped(cut(printable(said), letters))}</text></g>'
    )


def _bars(each: _Placed, most_rows: int, most_time: int) -> str:
    node, y = each.node, _y(each.line)
    rows = _rows(node)
    read = "" if node.rows_in is None or node.rows_in == node.rows_out else f" of {node.rows_in:,}"
    bars = "" if rows is None else _bar(TEXT, y, rows, most_rows, f"{rows:,}{read}", _ROWS)
    if node.microseconds is not None:
        time = _time(node.microseconds)
        bars += _bar(TEXT + BAR + NUMBER, y, node.microseconds, most_time, time, _TIME)
    return bars


def _bar(x: int, y: int, value: int, most: int, text: str, colour: str) -> str:
    width = max(BAR * value / most, 1.0) if most else 1.0
    return (
        f'<rect x="{x}" y="{y - 10}" width="{width:.1f}" height="12" rx="2" fill="{colour}"/>'
        f'<text x="{x + width + 5:.1f}" y="{y}" font-size="11">{_escaped(text)}</text>'
    )


def _rows(node: DrawnNode) -> int | None:
    return node.estimated_rows if node.rows_out is None else node.rows_out


def _time(microseconds: int) -> str:
    if microseconds < 1_000:
        return f"{microseconds} µs"
    return f"{microseconds / 1e3:.3g} ms" if microseconds < 1_000_000 else f"{microseconds / 1e6:.3g} s"


def _x(depth: int) -> int:
    """The x position of an operator. Very deep operators stay within the picture."""
    return 8 + INDENT * min(depth, 14)


def _y(line: int) -> int:
    return LINE * (line + 1) + 10


def _escaped(text: str) -> str:
    return html.escape(text)
