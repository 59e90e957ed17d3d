"""Regular expressions in linear time: the only file that knows RE2. globs.py turns globs into them.

A match is one call that nobody can stop, so its time is bounded before it begins. RE2 turns an expression into a
program. In the worst case a match costs one step for every instruction on every byte, and a step takes about 8 ns.
Small programs run as automata, which take at most 15 ns per byte of any text.
"""

from collections.abc import Callable

import re2

from planner.errors import PatternTooCostly

MAX_MEMORY = 512 << 10
"""Most bytes of a compiled expression. A larger one is refused. Its automaton stays within the same bound."""

MAX_MATCH_STEPS = 6_000_000
"""Bound on the instructions of a pattern times the bytes of a text: a match takes at most 50 ms."""

LIGHT_PROGRAM = 15
"""The automaton of a program with up to so many instructions fits into MAX_MEMORY, so no text is too long for it."""

_MAX_BYTES_PER_CHARACTER = 4


def _options(encoding: re2.Options.Encoding) -> re2.Options:
    options = re2.Options()
    options.encoding = encoding
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    options.never_capture = True  # callers ask only whether it matches
    return options


def compile_regex(pattern: str, path: str = "") -> Callable[[str], bool]:
    """A function: whether the expression matches somewhere in a string. Raises ValueError for what is no expression.

    The function raises PatternTooCostly, which names the condition on `path`, for a string that is too long for it.
    """
    compiled = _compiled(pattern, re2.Options.Encoding.UTF8)
    longest = _longest(compiled)

    def matches(text: str) -> bool:
        if _MAX_BYTES_PER_CHARACTER * len(text) > longest and (length := len(text.encode())) > longest:
            raise _too_costly(pattern, compiled, length, path)
        return compiled.search(text) is not None

    return matches


def compile_bytes(pattern: bytes, written: str, path: str = "") -> Callable[[bytes], bool]:
    """A function: whether the expression matches all of some bytes, one byte per character. Raises ValueError.

    The function raises PatternTooCostly as that of `compile_regex` does. The error shows `written`.
    """
    compiled = _compiled(pattern, re2.Options.Encoding.LATIN1)
    longest = _longest(compiled)

    def matches(text: bytes) -> bool:
        if len(text) > longest:
            raise _too_costly(written, compiled, len(text), path)
        return compiled.fullmatch(text) is not None

    return matches


def _longest(compiled: re2._Regexp) -> float:
    """The most bytes that a text may have to be matched."""
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
