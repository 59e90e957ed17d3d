"""From token to term: spelling, lower case, length, stop words, stem, ASCII folding, in this order.

Which tokens a text has is in tokens.py.
"""

import unicodedata
from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from pathlib import Path

import Stemmer

from planner.predicate import is_pair, spelled
from planner.text.tokens import tokens_of
from storage.schema import TextSettings, Tokenizer

GAP = 10_000
"""Positions left free between two strings of one field. A query has fewer tokens, so no phrase spans two strings."""

_STOP_WORDS = Path(__file__).parent / "stop_words"
_FOLDED = str.maketrans(
    {
        **{"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D"},
        **{"ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ł": "l", "Ł": "L", "ı": "i", "ħ": "h", "Ħ": "H", "ŧ": "t"},
        **{"Ŧ": "T", "ŋ": "n", "Ŋ": "N", "ĸ": "k", "ſ": "s", "ƒ": "f", "‘": "'", "’": "'", "“": '"', "”": '"'},
    }
)


class Dropped(Enum):
    """Why a token has no term."""

    NO_WORD = "no word"
    STOP_WORD = "a stop word"
    TOO_SHORT = "shorter than min_token_length"
    TOO_LONG = "longer than max_token_length"


class Analyzer:
    """Turns tokens into terms as settings say. For one thread at a time: a stemmer is not safe for two."""

    def __init__(self, settings: TextSettings) -> None:
        self.settings = settings
        self.tokens: Callable[[str], list[str]] = tokens_of(settings.tokenizer)
        self._stem = Stemmer.Stemmer(settings.language).stemWord if settings.stemming else None
        self._stop_words = _stop_words(settings)

    @property
    def has_prefixes(self) -> bool:
        """Whether a word of a text becomes several terms, its prefixes."""
        return self.settings.tokenizer is Tokenizer.PREFIX

    @property
    def has_pairs(self) -> bool:
        """Whether scripts without spaces are cut into pairs."""
        return self.settings.tokenizer in (Tokenizer.WORD, Tokenizer.PREFIX)

    def term(self, token: str) -> str | None:
        """The term of a token of a query; None when it is dropped."""
        if self.has_prefixes:
            return next(reversed(self.terms(token)), None)
        return self._term(token)

    def terms(self, token: str) -> tuple[str, ...]:
        """The terms of a token of a text. A pair gives itself and its first character.

        PREFIX gives the prefixes, shortest first."""
        if self.has_prefixes:
            return tuple(filter(None, dict.fromkeys(map(self._folded, self._prefixes(token)))))
        if self.has_pairs and is_pair(token):
            return tuple(filter(None, (self._term(token), self._term(token[0]))))
        term = self._term(token)
        return () if term is None else (term,)

    def why_dropped(self, token: str) -> Dropped:
        """Requires: `term` of the token is None."""
        text = self._spelled(token)
        if self._is_stop_word(text):
            return Dropped.STOP_WORD
        if not text or self.settings.min_token_length <= _size(text) <= self.settings.max_token_length:
            return Dropped.NO_WORD
        return Dropped.TOO_SHORT if _size(text) < self.settings.min_token_length else Dropped.TOO_LONG

    def is_cut(self, token: str) -> bool:
        """Whether only a beginning of a token can be found, since PREFIX has a greatest length of terms."""
        return self.has_prefixes and self._is_long(token)

    def is_too_long(self, token: str) -> bool:
        """Whether a token is so long that no term can equal it or begin with it."""
        return not self.has_prefixes and self._is_long(token)

    def prefix(self, token: str) -> str:
        """The start that terms have in common if `token` begins them.

        It is spelled like terms, but not stemmed or dropped.
        """
        return self._folded(self._spelled(token))

    def _is_long(self, token: str) -> bool:
        return _size(self._spelled(token)) > self.settings.max_token_length

    def _term(self, token: str) -> str | None:
        text = self._spelled(token)
        if not self.settings.min_token_length <= _size(text) <= self.settings.max_token_length:
            return None
        if self._is_stop_word(text):
            return None
        return self._folded(text if self._stem is None else self._stem(text)) or None

    def _prefixes(self, token: str) -> list[str]:
        """The beginnings of a token, of the lengths that the settings ask for, shortest first."""
        text = self._spelled(token)
        if self._is_stop_word(text):
            return []
        found: list[str] = []
        length = 0
        for end, character in enumerate(text, 1):
            length += _size(character)
            if length > self.settings.max_token_length:
                break
            if length >= self.settings.min_token_length:
                found.append(text[:end])
        return found

    def _is_stop_word(self, spelled_token: str) -> bool:
        return bool(self._stop_words) and spelled_token.lower() in self._stop_words

    def _spelled(self, token: str) -> str:
        text = spelled(token)
        return text.lower() if self.settings.lowercase else text

    def _folded(self, text: str) -> str:
        return fold_ascii(text) if self.settings.ascii_folding else text


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def fold_ascii(text: str) -> str:
    """`text` with each letter replaced by its ASCII equivalent, if it has one."""
    return text if text.isascii() else "".join(map(_fold_character, text.translate(_FOLDED)))


@lru_cache(maxsize=4_096)
def _fold_character(character: str) -> str:
    if character.isascii():
        return character
    if "\u0300" <= character <= "\u036f":  # an accent on its own
        return ""
    plain = "".join(part for part in unicodedata.normalize("NFKD", character) if part.isascii())
    return plain or character


@lru_cache(maxsize=64)
def _stop_words(settings: TextSettings) -> frozenset[str]:
    named = {spelled(word).lower() for word in settings.stop_words}
    return frozenset(named | (_known_stop_words(settings.language) if settings.remove_stop_words else set()))


@lru_cache(maxsize=16)
def _known_stop_words(language: str | None) -> set[str]:
    return set((_STOP_WORDS / f"{language}.txt").read_text(encoding="utf-8").split())
