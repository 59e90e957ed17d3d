r"""Cuts a text into tokens by one of the tokenizers. What becomes of a token is analysis.py's.

Words are those of Unicode's default rules, UAX #29, that hold a letter or a digit: `can't`, `3.14` and `a_b` are one
each, `self-evident` is two. Characters that the rules leave alone, such as Han, Hiragana and Thai, are a token each,
and so are emoji with what modifies them.
"""

import re
from collections.abc import Callable, Iterator

import regex

from storage.text_settings import Tokenizer

Token = tuple[str, int, int]
"""The token, where it begins, and where the next character is, in characters."""

_ASCII_UNIT = r"(?:[A-Za-z]+(?:[.':][A-Za-z]+)*+|[0-9]+(?:[.',;][0-9]+)*+)++"
_ASCII_WORD = re.compile(rf"_*+{_ASCII_UNIT}(?:_++{_ASCII_UNIT})*+_*+")


def _word_pattern() -> str:
    extend = r"[\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}]*+"
    letter = rf"(?:[\p{{WB=ALetter}}\p{{WB=Hebrew_Letter}}]{extend})"
    digit = rf"(?:\p{{WB=Numeric}}{extend})"
    middle_of_letters = rf"[\p{{WB=MidLetter}}\p{{WB=MidNumLet}}\p{{WB=Single_Quote}}]{extend}"
    hebrew_quote = rf'(?<=\p{{WB=Hebrew_Letter}}{extend})"{extend}(?=\p{{WB=Hebrew_Letter}})'
    middle_of_digits = rf"[\p{{WB=MidNum}}\p{{WB=MidNumLet}}\p{{WB=Single_Quote}}]{extend}"
    letters = rf"{letter}++(?:(?:{middle_of_letters}|{hebrew_quote}){letter}++)*+"
    digits = rf"{digit}++(?:{middle_of_digits}{digit}++)*+"
    katakana = rf"(?:\p{{WB=Katakana}}{extend})++"
    unit = rf"(?:(?:{letters}|{digits})++|{katakana})"
    join = rf"(?:\p{{WB=ExtendNumLet}}{extend})"
    word = rf"{join}*+{unit}(?:{join}++{unit})*+{join}*+"
    pictograph = rf"\p{{Extended_Pictographic}}{extend}"
    emoji = rf"\p{{Regional_Indicator}}{{2}}|{pictograph}(?:(?<=\u200d){pictograph})*+"
    single = rf"[\p{{L}}\p{{N}}]{extend}"
    return rf"{word}|{emoji}|{single}"


_WORD = regex.compile(_word_pattern())


def _words(text: str) -> list[str]:
    found: list[str] = _ASCII_WORD.findall(text) if text.isascii() else _WORD.findall(text)
    return found


def _whole(text: str) -> list[str]:
    return [text] if text else []


_TOKENS: dict[Tokenizer, Callable[[str], list[str]]] = {
    Tokenizer.WORD: _words,
    Tokenizer.PREFIX: _words,
    Tokenizer.WHITESPACE: str.split,
    Tokenizer.PRE_TOKENIZED: _whole,
}


def tokens_of(tokenizer: Tokenizer) -> Callable[[str], list[str]]:
    """The tokens of a text, in order."""
    return _TOKENS[tokenizer]


def located_tokens(tokenizer: Tokenizer, text: str) -> Iterator[Token]:
    """The same tokens, with their places."""
    if tokenizer is Tokenizer.PRE_TOKENIZED:
        if text:
            yield text, 0, len(text)
        return
    if tokenizer is Tokenizer.WHITESPACE:
        position = 0
        for token in text.split():
            start = text.index(token, position)
            position = start + len(token)
            yield token, start, position
        return
    pattern = _ASCII_WORD if text.isascii() else _WORD
    for match in pattern.finditer(text):
        yield match.group(), match.start(), match.end()
