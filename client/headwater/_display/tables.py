"""Shows answers as tables: for terminals, for notebooks, and as plain dicts, frames and Arrow tables. Knows no model.

A model gives its rows as nested dicts. Flat rows spread payload, vectors and results into columns. Shown texts are cut
to a width and made harmless: control characters and HTML are escaped.
"""

import html
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from headwater._display.frames import arrow_table, pandas_frame, plain

HEAD, TAIL = 14, 6
"""Rows shown at the start and the end of a longer table."""
MAX_WIDTH = 100
"""Characters of a line."""
MAX_CELL = 32
MAX_HTML_CELL = 120
MAX_HTML_COLUMNS = 16

Row = Mapping[str, Any]


class Table:
    """A mixin that shows a list in an answer as a table."""

    __slots__ = ()
    _POSITION: ClassVar[str] = ""
    """The header of the column that numbers the items from 1; empty: there is no such column."""

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows as dicts of plain values, nested as the objects are; `json.dumps` takes them."""
        return [{name: plain(value) for name, value in self._row(item).items()} for item in self._items()]

    def to_pandas(self) -> Any:
        """A DataFrame with a column for each field of the payloads, and `vector` or `vector:<space>` for vectors.

        A field with the name of another column becomes `payload.<field>`. Missing values are None. Raises ImportError
        without pandas.
        """
        return pandas_frame(columns_of(self._all_flat()))

    def to_arrow(self) -> Any:
        """A pyarrow Table with the columns of `to_pandas`. Values of several types become JSON. Raises ImportError
        without pyarrow."""
        return arrow_table(columns_of(self._all_flat()))

    def __repr__(self) -> str:
        return text_table(self._title(), *self._shown())

    def _repr_html_(self) -> str:
        return html_table(self._title(), *self._shown())

    def _title(self) -> str:
        """The title of the table, in one line."""
        raise NotImplementedError

    def _items(self) -> Sequence[Any]:
        """The items that rows are made of."""
        raise NotImplementedError

    def _row(self, item: Any) -> Row:
        """An item as a dict, which may hold other dicts."""
        raise NotImplementedError

    def _flat(self, item: Any) -> Iterable[Row]:
        """An item as rows of the table."""
        yield flat(self._row(item))

    def _all_flat(self) -> list[Row]:
        return [row for item in self._items() for row in self._flat(item)]

    def _shown(self) -> tuple[list[Row], int]:
        """The rows of the first and last items, and the number of rows before the gap; 0: nothing is left out."""
        items = self._items()
        left_out = len(items) > HEAD + TAIL
        head = self._numbered(items[:HEAD] if left_out else items, 1)
        tail = self._numbered(items[-TAIL:], len(items) - TAIL + 1) if left_out else []
        return head + tail, len(head) if left_out else 0

    def _numbered(self, items: Sequence[Any], first: int) -> list[Row]:
        return [
            {self._POSITION: place, **row} if self._POSITION else row
            for place, item in enumerate(items, first)
            for row in self._flat(item)
        ]


def flat(row: Row) -> dict[str, Any]:
    """The row with payload, results and vectors spread into it; `version` is left out."""
    spread = {"payload", "results", "vectors"}
    columns = {name: value for name, value in row.items() if name not in spread and name != "version"}
    for parent in ("payload", "results"):
        for name, value in (row.get(parent) or {}).items():
            columns[f"{parent}.{name}" if name in columns else name] = value
    for space, vector in (row.get("vectors") or {}).items():
        name = f"vector:{space}" if space else "vector"
        columns[f"vectors.{space}" if name in columns else name] = vector
    return columns


def columns_of(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Values by column, in the order in which columns first appear; None where a row lacks one."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: [row.get(name) for row in rows] for name in names}


def text_table(title: str, rows: Sequence[Row], gap: int) -> str:
    """The table as lines of at most MAX_WIDTH columns of a terminal. A line of dots follows the first `gap` rows."""
    columns = columns_of(rows)
    shown: list[list[str]] = []
    width = 0
    for name, values in columns.items():
        cells = _aligned([cut(printable(name), MAX_CELL), *(cell(value, MAX_CELL) for value in values)], values)
        width += _width(cells[0]) + 2
        if shown and width > MAX_WIDTH:
            title += _left_out(len(columns) - len(shown))
            break
        shown.append(cells)
    lines = ["  ".join(cells).rstrip() for cells in zip(*shown, strict=True)]
    if gap:
        lines.insert(gap + 1, "…")
    return "\n".join([title, *lines])


def html_table(title: str, rows: Sequence[Row], gap: int) -> str:
    """The table as HTML in the colours of the page around it. Everything in it is escaped."""
    columns = columns_of(rows)
    names = list(columns)[:MAX_HTML_COLUMNS]
    if len(columns) > len(names):
        title += _left_out(len(columns) - len(names))
    head = "".join(f'<th style="padding:2px 8px">{_html_text(name)}</th>' for name in names)
    body = [f"<tr>{''.join(_html_cell(row.get(name)) for name in names)}</tr>" for row in rows]
    if gap:
        body.insert(gap, f'<tr><td colspan="{len(names)}" style="text-align:left">…</td></tr>')
    return (
        f'<div style="overflow-x:auto"><div style="opacity:.75">{_html_text(title)}</div>'
        f'<table style="color:inherit;font-size:inherit;border-collapse:collapse"><thead>'
        f"<tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def cell(value: Any, width: int) -> str:
    """A value in one line of at most `width` columns of a terminal."""
    match value:
        case None:
            return ""
        case bool() | int():
            return str(value)
        case float() | np.floating():
            return f"{value:.6g}"
        case str():
            return cut(printable(value), width)
        case np.ndarray():
            return f"{value.dtype}[{'×'.join(map(str, value.shape))}]"
        case _:
            return cut(printable(json.dumps(plain(value), ensure_ascii=False)), width)


def printable(text: str) -> str:
    """The text with control characters and invisible characters written as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def cut(text: str, width: int) -> str:
    """The text, or its beginning and dots, in at most `width` columns of a terminal."""
    if _width(text) <= width:
        return text
    kept, used = 0, 0
    for letter in text:
        used += _width(letter)
        if used >= width:
            break
        kept += 1
    return text[:kept] + "…"


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def _aligned(cells: list[str], values: Iterable[Any]) -> list[str]:
    """Cells of one width: numbers to the right, everything else to the left."""
    width = max(map(_width, cells))
    right = all(value is None or _is_number(value) for value in values)
    return [" " * (width - _width(c)) + c if right else c + " " * (width - _width(c)) for c in cells]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _html_text(text: str) -> str:
    return html.escape(printable(text))


def _html_cell(value: Any) -> str:
    align = "right" if _is_number(value) else "left"
    return f'<td style="text-align:{align};padding:2px 8px">{html.escape(cell(value, MAX_HTML_CELL))}</td>'


def _left_out(fields: int) -> str:
    return f" ({fields} more field{'' if fields == 1 else 's'} not shown)"


def counted(shown: int, what: str, total: int | None = None, seq: int = 0) -> str:
    """A title: `2 hits of 31, commit 4`."""
    number = f"{shown:,} {what}{'' if shown == 1 else 's'}"
    of = "" if total is None or total == shown else f" of {total:,}"
    return f"{number}{of}{f', commit {seq:,}' if seq else ''}"
