"""What commands print: tables for people, JSON for programs. Nothing else is printed on standard output."""

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

MAX_CELL = 80
"""Characters of a payload in a table; more are cut."""
_WIDTH_OF_PIPE = 10_000


def plain(value: object) -> Any:
    """`value` of values that JSON has: models are objects, arrays are lists, and ids stay as they are."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    match value:
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
        case Enum():
            return value.name.lower()
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(each) for each in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if type(value).__name__ == "PayloadNotAskedFor":
        return None
    return str(value)


def print_json(value: object) -> None:
    """One line of JSON."""
    is_wide = (sys.stdout.encoding or "").lower().startswith("utf")
    print(json.dumps(plain(value), ensure_ascii=not is_wide, allow_nan=False))


def print_done(what: str, name: str, as_json: bool) -> None:
    """Says what was done, as `dropped shop` or `{"dropped": "shop"}`."""
    if as_json:
        print_json({what: name})
    else:
        print(f"{what} {name}")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Rows under the names of their columns. Numbers stand on the right."""
    from rich.console import Console

    # A pipe has no width: a row is then one line of text.
    Console(width=None if sys.stdout.isatty() else _WIDTH_OF_PIPE).print(table(columns, rows))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> "Table":
    """The table that `print_table` prints."""
    from rich.table import Table
    from rich.text import Text

    rows = [list(row) for row in rows]
    made = Table(box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(columns):
        on_the_right = all(isinstance(row[number], int | float) or row[number] is None for row in rows) and rows
        is_last = number == len(columns) - 1  # which has the longest texts
        made.add_column(name, justify="right" if on_the_right else "left", overflow="fold", no_wrap=not is_last)
    for row in rows:
        made.add_row(*(Text(_cell(value)) for value in row))
    return made


def live() -> "Live":
    """A place on the terminal whose table is changed by `update`, and that is gone at the end."""
    from rich.live import Live

    return Live(transient=True, auto_refresh=False)


def shortened(value: object) -> str:
    """A value as JSON, cut to a cell of a table."""
    if value is None:
        return ""
    text = json.dumps(plain(value), ensure_ascii=False)
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"


def moment(seconds: float | None) -> str:
    """Seconds since 1970 as a time of day, in UTC."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def size(count: int) -> str:
    """A number of bytes, rounded."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    raise AssertionError


def _cell(value: object) -> str:
    """Control characters of stored texts do not reach a terminal."""
    if value is None:
        return ""
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return "".join(letter if letter.isprintable() else "·" for letter in text)
