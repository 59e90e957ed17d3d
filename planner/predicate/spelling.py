"""Brings texts into one spelling before they are compared: Unicode NFKC, without invisible characters. It keeps case.

Invisible are format characters (general category Cf: soft hyphens, joiners, word joiners, byte order marks, marks of
direction, zero width spaces), variation selectors, and all others that Unicode says to ignore when they cannot be
shown.
"""

import io
import unicodedata
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import regex

_INVISIBLE = regex.compile(r"[\p{Cf}\p{Variation_Selector}\p{Default_Ignorable_Code_Point}]")
_PIECES_PER_BEAT = 1_024
_COMPOSES = regex.compile(r"\p{NFC_Quick_Check=Maybe}")


def spelled(text: str) -> str:
    """`text` in its one spelling. Texts have the same spelling if they differ only in invisible characters, in how
    accents are composed, and in forms such as `ﬁ`, `²`, full-width letters and half-width kana.
    """
    return text if text.isascii() else unicodedata.normalize("NFKC", without_invisible(text))


def without_invisible(text: str) -> str:
    """`text` without invisible characters."""
    without: str = text if text.isascii() else _INVISIBLE.sub("", text)
    return without


def spelled_places(text: str, beat: Callable[[], None] = lambda: None) -> tuple[str, Sequence[int], Sequence[int]]:
    """`spelled(text)`, and where in `text` each of its characters begins and ends (exclusive).

    If several characters became one, or one became several, they share their positions. An invisible character belongs
    to the character before it. `beat` is called now and then, and may raise.
    """
    if text.isascii():
        return text, range(len(text)), range(1, len(text) + 1)
    found = io.StringIO()
    starts, ends = array("L"), array("L")
    for number, (start, end) in enumerate(_pieces(text)):
        if number % _PIECES_PER_BEAT == 0:
            beat()
        piece = spelled(text[start:end])
        found.write(piece)
        for _ in piece:
            starts.append(start)
            ends.append(end)
    return found.getvalue(), starts, ends


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each piece of a text that is spelled by itself."""
    start = 0
    for position, character in enumerate(text):
        if position > start and _begins(character):
            yield start, position
            start = position
    yield start, len(text)


@lru_cache(maxsize=4_096)
def _begins(character: str) -> bool:
    """Whether the spelling of a character and of what stands before it do not depend on each other."""
    if _INVISIBLE.match(character):
        return False
    first = unicodedata.normalize("NFKD", character)[0]
    return unicodedata.combining(first) == 0 and not _COMPOSES.match(first)
