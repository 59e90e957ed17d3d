"""How texts are spelled before they are compared: by Unicode NFKC, without invisible characters. Case is not its.

Invisible are format characters (general category Cf: soft hyphens, joiners, word joiners, byte order marks, marks of
direction, zero width spaces), variation selectors, and whatever else Unicode says to ignore when it cannot be shown.
"""

import io
import unicodedata
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import regex

_INVISIBLE = regex.compile(r"[\p{Cf}\p{Variation_Selector}\p{Default_Ignorable_Code_Point}]")
_PIECES_AT_ONCE = 1_024
_COMPOSES = regex.compile(r"\p{NFC_Quick_Check=Maybe}")


def spelled(text: str) -> str:
    """The same for texts that differ in nothing but invisible characters, how accents are composed, and forms such as
    `ﬁ`, `²`, full-width letters and half-width kana.
    """
    return text if text.isascii() else unicodedata.normalize("NFKC", without_invisible(text))


def without_invisible(text: str) -> str:
    """`text` without the characters that nobody sees."""
    without: str = text if text.isascii() else _INVISIBLE.sub("", text)
    return without


def spelled_places(text: str, beat: Callable[[], None] = lambda: None) -> tuple[str, Sequence[int], Sequence[int]]:
    """`spelled(text)`, and where each of its characters begins and ends in `text`.

    Characters that became one, or one that became several, share their places. What is invisible is of the character
    before it. `beat` is called now and then, and may raise.
    """
    if text.isascii():
        return text, range(len(text)), range(1, len(text) + 1)
    found = io.StringIO()
    starts, ends = array("L"), array("L")
    for number, (start, end) in enumerate(_pieces(text)):
        if number % _PIECES_AT_ONCE == 0:
            beat()
        piece = spelled(text[start:end])
        found.write(piece)
        for _ in piece:
            starts.append(start)
            ends.append(end)
    return found.getvalue(), starts, ends


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Parts of a text that are spelled each by itself."""
    start = 0
    for place, character in enumerate(text):
        if place > start and _begins(character):
            yield start, place
            start = place
    yield start, len(text)


@lru_cache(maxsize=4_096)
def _begins(character: str) -> bool:
    """Whether a character is spelled the same whatever is before it, and changes nothing there."""
    if _INVISIBLE.match(character):
        return False
    first = unicodedata.normalize("NFKD", character)[0]
    return unicodedata.combining(first) == 0 and not _COMPOSES.match(first)
