"""Shows answers in a terminal and a notebook: tables as text and HTML, and frames. Knows no model."""

from headwater._display.frames import plain
from headwater._display.table_lists import PartList
from headwater._display.tables import Row, Table, counted, cut, flat, html_table, printable

__all__ = [
    "PartList",
    "Row",
    "Table",
    "counted",
    "cut",
    "flat",
    "html_table",
    "plain",
    "printable",
]
