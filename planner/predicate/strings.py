"""What the tests of strings mean: words, substrings, globs and expressions. conditions.py finds the strings."""

from collections.abc import Callable
from typing import assert_never

from planner.predicate.globs import compile_glob
from planner.predicate.patterns import compile_regex
from planner.predicate.words import has_phrase, has_words, words_of
from planner.query import TextOperator, TextTest

StringTest = Callable[[str], bool]

PATTERNS = frozenset({TextOperator.GLOB, TextOperator.IGLOB, TextOperator.REGEX})
"""Operators whose operand is compiled to a pattern."""


def compile_string_test(condition: TextTest) -> StringTest:
    """Raises ValueError when the operand has no word, or is no valid pattern.

    The test raises PatternTooCostly for a string that is too long for the pattern.
    """
    operand = condition.operand
    match condition.operator:
        case TextOperator.TEXT:
            return has_words(_with_words(operand))
        case TextOperator.PHRASE:
            return has_phrase(_with_words(operand))
        case TextOperator.STARTS_WITH:
            return lambda text: text.startswith(operand)
        case TextOperator.CONTAINS:
            return lambda text: operand in text
        case TextOperator.GLOB:
            return compile_glob(operand, condition.path)
        case TextOperator.IGLOB:
            return compile_glob(operand, condition.path, ignore_case=True)
        case TextOperator.REGEX:
            return compile_regex(operand, condition.path)
    assert_never(condition.operator)


def _with_words(operand: str) -> str:
    if not words_of(operand):
        raise ValueError("it contains no word")
    return operand
