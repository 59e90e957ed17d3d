"""Words of a text: runs of letters, digits, marks and `_`, case-folded. It knows nothing of conditions."""

import re
import unicodedata
from collections.abc import Sequence

import re2

_ASCII_WORD = re.compile(r"[a-z0-9_]+", re.ASCII)
# Marks belong to the letter before them: without them, words of Indic scripts and decomposed accents would fall apart.
_WORD = re2.compile(r"[\p{L}\p{N}_][\p{L}\p{N}\p{M}_]*")


def words_of(text: str) -> list[str]:
    """The words in order. Spelling is by Unicode NFKC and full case folding: `Straße` and `STRASSE` are one word."""
    if text.isascii():  # the same, faster
        return _ASCII_WORD.findall(text.lower())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    words: list[str] = _WORD.findall(folded)
    return words


def has_phrase(words: Sequence[str], phrase: Sequence[str]) -> bool:
    """Whether the words of `phrase` stand in `words` one after the other."""
    length = len(phrase)
    return any(words[start : start + length] == phrase for start in range(len(words) - length + 1))
