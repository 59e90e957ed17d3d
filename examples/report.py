"""Prints for a terminal 100 columns wide: headings, notes, rankings. Does not decide what is worth printing."""

import os
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from inspect import getdoc

from headwater import Explanation, ScoredPoint

WIDTH = 100
INDENT = "  "
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"
CONTINUED = "      "  # before the rest of a line of a plan, deeper than the next operator
MARK = "*"  # before a hit that is worth the eye

Describe = Callable[[ScoredPoint], str]


def announce(part: Callable[..., object], number: int | None = None) -> str:
    """Prints the docstring of a part of an example, its first line as a heading; returns that title."""
    first, _, explanation = (getdoc(part) or part.__name__).partition("\n")
    title = first.removesuffix(".")
    heading(title if number is None else f"{number}. {title}")
    if explanation.strip():
        note(explanation)
        print()
    return title


def heading(text: str) -> None:
    """A line over its own rule, in bold where the terminal can."""
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(f"\n{BOLD}{text}{PLAIN}" if coloured else f"\n{text}")
    print("─" * min(len(text), WIDTH))


def note(text: str) -> None:
    """A paragraph, filled to the width."""
    print(textwrap.fill(" ".join(text.split()), WIDTH))


def lines(rows: Iterable[str]) -> None:
    """Indented lines, cut at the width."""
    for row in rows:
        print(fit(INDENT + row, WIDTH).rstrip())


def plan(explanation: Explanation | None) -> None:
    """The tree of a plan, long lines continued below their own operator."""
    for line in str(explanation).splitlines():
        operator = line.lstrip("│├└─ ")
        branch = line.removesuffix(operator)
        below = branch.replace("├─", "│ ").replace("└─", "  ")
        print(textwrap.fill(operator, WIDTH, initial_indent=branch, subsequent_indent=below + CONTINUED))


def ranking(hits: Sequence[ScoredPoint], text: Describe, aside: Describe, marked: object = None) -> None:
    """A numbered line for each hit: score, `text` cut to fit, `aside` at the right edge. `marked` is an id."""
    asides = [aside(hit) for hit in hits]
    right = max((len(label) for label in asides), default=0)
    for rank, (hit, label) in enumerate(zip(hits, asides, strict=True), start=1):
        left = f"{INDENT}{MARK if hit.id == marked else ' '}{rank:2}  {hit.score:.4f}  "
        print(f"{left}{fit(text(hit), WIDTH - len(left) - right - 2)}  {label:>{right}}")
    if not hits:
        print(f"{INDENT}(nothing)")


def fit(text: str, width: int) -> str:
    """The text in exactly `width` columns: filled with spaces, or cut with an ellipsis."""
    return text.ljust(width) if len(text) <= width else text[: width - 1] + "…"
