"""Texts that people write, as filters and formulas.

The parser and its grammars are loaded with the first text.
"""

from planner.query import Filter, Written


def parse_filter(text: str, field: str) -> Filter:
    """The filter that `text` says. Raises InvalidFilter or LimitExceeded at `field`, with the line and the column."""
    from planner.parse.filter import parse_filter as parse

    return parse(text, field)


def parse_formula(text: str, field: str) -> Written:
    """The expression that `text` says. Raises InvalidQuery, with line and column, or LimitExceeded at `field`."""
    from planner.parse.formula import parse_formula as parse

    return parse(text, field)


__all__ = [
    "parse_filter",
    "parse_formula",
]
