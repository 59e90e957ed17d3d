"""Scripts that put no spaces between words, or hang endings on them: their letters, and how runs of them are cut.

A run of such letters and their marks is known by its overlapping pairs: `東京都` by `東京` and `京都`. So a word is
found wherever it stands, without a dictionary. The last character of a run has no pair and is a token of its own: n
characters are n tokens, each of which begins with its character.
"""

from functools import lru_cache

import regex

UNSPACED = (
    r"[[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Yi}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    r"\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Tham}\p{Tai_Viet}\u3006\u30fc]&&[\p{L}\p{Nl}]]"
)
"""Letters of these scripts, as a set of the module `regex`, version 1."""

RUN = rf"{UNSPACED}[{UNSPACED}\p{{M}}]*+"

_UNSPACED = regex.compile(UNSPACED, regex.V1)
_OF_RUN = regex.compile(rf"[{UNSPACED}\p{{M}}]", regex.V1)


def has_unspaced(text: str) -> bool:
    """Whether any character is a letter of these scripts."""
    return not text.isascii() and _UNSPACED.search(text) is not None


def pairs_of(run: str) -> list[str]:
    """The tokens of a run: its pairs, and its last character."""
    return [run[place : place + 2] for place in range(len(run))]


@lru_cache(maxsize=16_384)
def is_of_run(character: str) -> bool:
    """Whether a token that begins so is of a run. No word begins with a mark."""
    return _OF_RUN.match(character) is not None


def is_pair(token: str) -> bool:
    """Whether a token is a pair of a run."""
    return len(token) == 2 and is_of_run(token[0])
