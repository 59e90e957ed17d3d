"""Regular expressions in linear time: the only file that knows RE2. Globs are turned into them by globs.py.

A match is one call that nobody can stop, so how long it may take is bounded before it begins. RE2 turns an expression
into a program. In the worst case a match costs a step for every instruction on every byte; there are about 8 ns to a
step. Small programs are run as automata, at most 15 ns to a byte whatever the text.
"""

from collections.abc import Callable

import re2

from planner.errors import PatternTooCostly

MAX_MEMORY = 512 << 10
"""Bytes a compiled expression may take: more is refused, and its automaton stays within."""

MAX_MATCH_STEPS = 6_000_000
"""Instructions of a pattern times bytes of a text: a match takes 50 ms at most."""

LIGHT_PROGRAM = 15
"""A program of so few instructions is an automaton that fits into MAX_MEMORY, so no text is too long for it."""

_MOST_BYTES_PER_CHARACTER = 4


def _options(encoding: re2.Options.Encoding) -> re2.Options:
    options = re2.Options()
    options.encoding = encoding
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    options.never_capture = True  # only whether it matches is asked
    return options


def compile_regex(pattern: str, path: str = "") -> Callable[[str], bool]:
    """Whether the expression matches somewhere in a string. Raises ValueError, saying what is wrong.

    The function raises PatternTooCostly, of the condition on `path`, for a string that is too long for the expression.
    """
    compiled = _compiled(pattern, re2.Options.Encoding.UTF8)
    longest = _longest(compiled)

    def matches(text: str) -> bool:
        if _MOST_BYTES_PER_CHARACTER * len(text) > longest and (length := len(text.encode())) > longest:
            raise _too_costly(pattern, compiled, length, path)
        return compiled.search(text) is not None

    return matches


def compile_bytes(pattern: bytes, written: str, path: str = "") -> Callable[[bytes], bool]:
    """Whether the expression matches all of some bytes, each of which is one character. Raises ValueError.

    The function raises PatternTooCostly, as that of `compile_regex`, naming what was `written`.
    """
    compiled = _compiled(pattern, re2.Options.Encoding.LATIN1)
    longest = _longest(compiled)

    def matches(text: bytes) -> bool:
        if len(text) > longest:
            raise _too_costly(written, compiled, len(text), path)
        return compiled.fullmatch(text) is not None

    return matches


def _longest(compiled: re2._Regexp) -> float:
    """Bytes of the longest text that may be matched."""
    size = _size(compiled)
    return float("inf") if size <= LIGHT_PROGRAM else MAX_MATCH_STEPS // size


def _size(compiled: re2._Regexp) -> int:
    return max(int(compiled.programsize), int(compiled.reverseprogramsize))


def _too_costly(pattern: str, compiled: re2._Regexp, length: int, path: str) -> PatternTooCostly:
    return PatternTooCostly(pattern, size=_size(compiled), length=length, maximum=MAX_MATCH_STEPS, path=path)


def _compiled(pattern: str | bytes, encoding: re2.Options.Encoding) -> re2._Regexp:
    try:
        return re2.compile(pattern, _options(encoding))
    except re2.error as error:
        reason = error.args[0] if error.args else error
        raise ValueError(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from None
