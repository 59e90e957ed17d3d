"""Texts that people write, as filters and formulas."""

from planner.parse.filter import parse_filter
from planner.parse.formula import parse_formula

__all__ = [
    "parse_filter",
    "parse_formula",
]
