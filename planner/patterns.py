"""Regular expressions in linear time: the only file that knows RE2. Globs are turned into them by globs.py."""

from collections.abc import Callable

import re2

MAX_MEMORY = 8 << 20
"""Bytes a compiled expression may take: more is refused, and its automaton stays within."""


def _options(encoding: re2.Options.Encoding) -> re2.Options:
    options = re2.Options()
    options.encoding = encoding
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    return options


def compile_regex(pattern: str) -> Callable[[str], bool]:
    """Whether the expression matches somewhere in a string. Raises ValueError, saying what is wrong."""
    compiled = _compiled(pattern, re2.Options.Encoding.UTF8)
    return lambda text: compiled.search(text) is not None


def compile_bytes(pattern: bytes) -> Callable[[bytes], bool]:
    """Whether the expression matches all of some bytes, each of which is one character. Raises ValueError."""
    compiled = _compiled(pattern, re2.Options.Encoding.LATIN1)
    return lambda text: compiled.fullmatch(text) is not None


def _compiled(pattern: str | bytes, encoding: re2.Options.Encoding) -> re2._Regexp:
    try:
        return re2.compile(pattern, _options(encoding))
    except re2.error as error:
        reason = error.args[0] if error.args else error
        raise ValueError(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from None
