"""Tables of documents whose rows are tests."""

import re
from pathlib import Path

Row = list[str]


def table(document: Path, section: str) -> list[Row]:
    """The table under a heading: its rows as lists of cells, the header first."""
    text = document.read_text(encoding="utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in rows]
    return [cells[0], *cells[2:]]


def code(cell: str) -> list[str]:
    """The texts in backquotes."""
    return re.findall(r"`([^`]*)`", cell)
