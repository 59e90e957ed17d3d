"""From token to term: length, lower case, stop words, stem, ASCII folding, in this order. Tokens are tokens.py's."""

import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import Stemmer

from planner.text.tokens import located_tokens, tokens_of
from storage.text_settings import TextSettings, Tokenizer

GAP = 10_000
"""Positions left free between two strings of one field: more than a query has tokens, so no phrase spans two."""

_STOP_WORDS = Path(__file__).parent / "stop_words"
_FOLDED = str.maketrans(
    {
        **{"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D"},
        **{"ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ł": "l", "Ł": "L", "ı": "i", "ħ": "h", "Ħ": "H", "ŧ": "t"},
        **{"Ŧ": "T", "ŋ": "n", "Ŋ": "N", "ĸ": "k", "ſ": "s", "ƒ": "f", "‘": "'", "’": "'", "“": '"', "”": '"'},
    }
)


class Analyzer:
    """Turns tokens into terms as settings say. For one thread at a time: a stemmer is not safe for two.

    Spelling is by Unicode NFKC, so that composed and decomposed accents, and full-width letters, are the same.
    """

    def __init__(self, settings: TextSettings) -> None:
        self.settings = settings
        self.tokens: Callable[[str], list[str]] = tokens_of(settings.tokenizer)
        self._stem = Stemmer.Stemmer(settings.language).stemWord if settings.stemming else None
        self._stop_words = _stop_words(settings)

    @property
    def has_prefixes(self) -> bool:
        """Whether a word of a text stands for several terms."""
        return self.settings.tokenizer is Tokenizer.PREFIX

    def term(self, token: str) -> str | None:
        """The term of a token of a query, and of a text unless `has_prefixes`; None when it is dropped."""
        if self.has_prefixes:
            return next(reversed(self.terms(token)), None)
        length = len(token.encode(errors="surrogatepass"))
        if not self.settings.min_token_length <= length <= self.settings.max_token_length or self._is_stop_word(token):
            return None
        term = self._spelled(token) if self._stem is None else self._stem(unicodedata.normalize("NFKC", token).lower())
        return self._folded(term) or None

    def terms(self, token: str) -> tuple[str, ...]:
        """The terms of a token of a text: of PREFIX its prefixes, shortest first."""
        if not self.has_prefixes:
            term = self.term(token)
            return () if term is None else (term,)
        if self._is_stop_word(token):
            return ()
        return tuple(filter(None, dict.fromkeys(map(self.prefix, _prefixes(token, self.settings)))))

    def prefix(self, token: str) -> str:
        """How terms begin that `token` is the beginning of: spelled like terms, but not stemmed or dropped."""
        return self._folded(self._spelled(token))

    def located(self, text: str) -> Iterator[tuple[tuple[str, ...], int, int]]:
        """The terms of every token of a text, none for dropped ones, and where the token begins and ends."""
        for token, start, end in located_tokens(self.settings.tokenizer, text):
            yield self.terms(token), start, end

    def _is_stop_word(self, token: str) -> bool:
        return bool(self._stop_words) and unicodedata.normalize("NFKC", token).lower() in self._stop_words

    def _spelled(self, token: str) -> str:
        text = unicodedata.normalize("NFKC", token)
        return text.lower() if self.settings.lowercase else text

    def _folded(self, text: str) -> str:
        return fold_ascii(text) if self.settings.ascii_folding else text


def fold_ascii(text: str) -> str:
    """`text` with letters that have an equal in ASCII turned into it; others stay."""
    return text if text.isascii() else "".join(map(_fold_character, text.translate(_FOLDED)))


@lru_cache(maxsize=4_096)
def _fold_character(character: str) -> str:
    if character.isascii():
        return character
    if "\u0300" <= character <= "\u036f":  # an accent on its own
        return ""
    plain = "".join(part for part in unicodedata.normalize("NFKD", character) if part.isascii())
    return plain or character


def _prefixes(token: str, settings: TextSettings) -> list[str]:
    """The beginnings of a token that are as long as the settings say, shortest first."""
    found: list[str] = []
    length = 0
    for end, character in enumerate(token, 1):
        length += len(character.encode(errors="surrogatepass"))
        if length > settings.max_token_length:
            break
        if length >= settings.min_token_length:
            found.append(token[:end])
    return found


@lru_cache(maxsize=64)
def _stop_words(settings: TextSettings) -> frozenset[str]:
    named = {unicodedata.normalize("NFKC", word).lower() for word in settings.stop_words}
    return frozenset(named | (_known_stop_words(settings.language) if settings.remove_stop_words else set()))


@lru_cache(maxsize=16)
def _known_stop_words(language: str | None) -> set[str]:
    return set((_STOP_WORDS / f"{language}.txt").read_text(encoding="utf-8").split())
