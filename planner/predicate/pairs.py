"""Scripts that put no spaces between words, or join endings to them: their letters, and how runs of them are cut.

A run of such letters and their marks becomes its overlapping pairs: `東京都` becomes `東京`, `京都`. So a word is found
anywhere in the run, without a dictionary. The last character of a run begins no pair and is a token of its own. So n
characters make n tokens, and each token begins with its own character.
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
    return [run[start : start + 2] for start in range(len(run))]


@lru_cache(maxsize=16_384)
def is_of_run(character: str) -> bool:
    """Whether a token that begins with `character` comes from a run. No word begins with a mark."""
    return _OF_RUN.match(character) is not None


def is_pair(token: str) -> bool:
    """Whether a token is a pair, not a single character or a word."""
    return len(token) == 2 and is_of_run(token[0])
