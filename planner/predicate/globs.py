r"""Globs, with the meaning that the Rust crate globset has by default: a glob matches a whole string, byte by byte, and
`*` and `?` also match `/`.

    ?  one byte    *  any bytes    **  whole path components    [a-z] [!a-z]  one byte    {a,b}  either    \  escapes

A glob becomes a regular expression over bytes. patterns.py runs it in linear time.
"""

from collections.abc import Callable

from planner.predicate.patterns import compile_bytes

_ONE_BYTE = b"(?s:.)"
_ANY_BYTES = b"(?s:.*)"
_LEADING_COMPONENTS = b"(?:/?|(?s:.*)/)"
_TRAILING_COMPONENTS = b"/(?s:.*)"
_INNER_COMPONENTS = b"(?:/|/(?s:.*)/)"


def compile_glob(glob: str, path: str = "", *, ignore_case: bool = False) -> Callable[[str], bool]:
    """A function: whether the glob matches a whole string. `ignore_case` is for ASCII letters.

    Raises ValueError for what is no glob. The function raises PatternTooCostly, which names the condition on `path`,
    for a string that is too long for the glob.
    """
    matches = compile_bytes(_Parser(glob, ignore_case).pattern(), glob, path)
    return lambda text: matches(text.encode())


class _Parser:
    """Reads a glob once, from left to right. A stack holds the branches of all braces that are open."""

    def __init__(self, glob: str, ignore_case: bool) -> None:
        self._glob = glob
        self._ignore_case = ignore_case
        self._position = 0
        self._stack: list[list[list[bytes]]] = [[[]]]

    def pattern(self) -> bytes:
        while self._position < len(self._glob):
            character = self._glob[self._position]
            self._position += 1
            self._read(character)
        if len(self._stack) > 1:
            raise ValueError("a { is not closed")
        tokens = self._stack[0][0]
        return _ANY_BYTES if tokens == [_LEADING_COMPONENTS] else b"".join(tokens)

    @property
    def _tokens(self) -> list[bytes]:
        return self._stack[-1][-1]

    def _peek(self) -> str:
        """The next character; "" at the end."""
        return self._glob[self._position : self._position + 1]

    def _read(self, character: str) -> None:
        match character:
            case "?":
                self._tokens.append(_ONE_BYTE)
            case "*":
                self._read_star()
            case "[":
                self._tokens.append(self._class())
            case "{":
                self._stack.append([[]])
            case "}":
                self._close_braces()
            case "," if len(self._stack) > 1:
                self._stack[-1].append([])
            case "\\":
                if not self._peek():
                    raise ValueError("nothing follows the last \\")
                self._tokens.append(self._literal(self._peek()))
                self._position += 1
            case _:
                self._tokens.append(self._literal(character))

    def _literal(self, character: str) -> bytes:
        return b"".join(_byte_class({byte}, self._ignore_case) for byte in character.encode())

    def _close_braces(self) -> None:
        if len(self._stack) == 1:
            raise ValueError("a } has no {")
        branches = [b"".join(tokens) for tokens in self._stack.pop()]
        given = [branch for branch in branches if branch]  # globset drops empty branches
        self._tokens.append(b"(?:" + b"|".join(given) + b")" if given else b"")

    def _read_star(self) -> None:
        """One star or two. Two match whole components if separators, braces or an end of the glob surround them."""
        before = self._glob[self._position - 2 : self._position - 1] if self._position > 1 else ""
        if self._peek() != "*":
            self._tokens.append(_ANY_BYTES)
            return
        self._position += 1
        after = self._peek()
        if not self._tokens:
            self._tokens.append(_LEADING_COMPONENTS if after in ("", "/") else _ANY_BYTES)
            self._position += after == "/"
            return
        ends = after == "" or (after in (",", "}") and len(self._stack) > 1)
        if before != "/" or not (ends or after == "/"):
            self._tokens.append(_ANY_BYTES)
            return
        self._position += after == "/"
        last = self._tokens.pop()
        keeps = last in (_LEADING_COMPONENTS, _TRAILING_COMPONENTS)
        self._tokens.append(last if keeps else _TRAILING_COMPONENTS if ends else _INNER_COMPONENTS)

    def _class(self) -> bytes:
        """A class of bytes. Each byte of a character beyond ASCII is in the class."""
        negated = self._peek() in ("!", "^")
        self._position += negated
        ranges: list[tuple[str, str]] = []
        first, in_range = True, False
        while True:
            character = self._peek()
            if not character:
                raise ValueError("a [ is not closed")
            self._position += 1
            if character == "]" and not first:
                break
            if in_range:
                ranges[-1] = (ranges[-1][0], character)
                in_range = False
            elif character == "-" and not first:
                in_range = True
            else:
                ranges.append((character, character))
            first = False
        if in_range:
            ranges.append(("-", "-"))
        chosen = {byte for low, high in ranges for byte in _range_bytes(low, high)}
        return _byte_class(chosen, self._ignore_case, negated=negated)


def _range_bytes(low: str, high: str) -> set[int]:
    """Bytes of `low-high`.

    Characters may have several bytes; the range goes from the last of `low` to the first of `high`.
    """
    if low == high:
        return set(low.encode())
    before, after = low.encode(), high.encode()
    if low > high or before[-1] > after[0]:
        raise ValueError(f"the range {low}-{high} is reversed")
    return {*before[:-1], *range(before[-1], after[0] + 1), *after[1:]}


def _byte_class(chosen: set[int], ignore_case: bool, *, negated: bool = False) -> bytes:
    if ignore_case:
        chosen = {other for byte in chosen for one in (bytes([byte]),) for other in (*one.lower(), *one.upper())}
    if len(chosen) == 1 and not negated:
        return b"\\x%02x" % next(iter(chosen))
    return b"[" + b"^" * negated + b"".join(b"\\x%02x" % byte for byte in sorted(chosen)) + b"]"
