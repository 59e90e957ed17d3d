"""Cuts a text into tokens by one of the tokenizers. analysis.py makes terms of tokens.

Words are those of Unicode's default rules, UAX #29, that have a letter or a digit: `can't`, `3.14` and `a_b` are one
word each, `self-evident` is two. Runs of scripts without spaces are cut into overlapping pairs (predicate/pairs.py). An
emoji is a token together with its modifiers. A sequence of emoji is several tokens, since what joins them is invisible.
A text is spelled (predicate/spelling.py) before it is cut into words. It is not spelled if it is cut at white space or
not cut.
"""

import re
from collections.abc import Callable, Iterator

import regex

from planner.predicate import RUN, UNSPACED, has_unspaced, is_of_run, pairs_of, spelled, spelled_places
from storage.schema import Tokenizer

Token = tuple[str, int, int]
"""The token, its start and its end (exclusive), in characters."""

_ASCII_UNIT = r"(?:[A-Za-z]+(?:[.':][A-Za-z]+)*+|[0-9]+(?:[.',;][0-9]+)*+)++"
_ASCII_WORD = re.compile(rf"_*+{_ASCII_UNIT}(?:_++{_ASCII_UNIT})*+_*+")


def _word_pattern() -> str:
    extend = r"[\p{WB=Extend}]*+"
    letter = rf"(?:[[\p{{WB=ALetter}}\p{{WB=Hebrew_Letter}}]--{UNSPACED}]{extend})"
    digit = rf"(?:\p{{WB=Numeric}}{extend})"
    middle_of_letters = rf"[\p{{WB=MidLetter}}\p{{WB=MidNumLet}}\p{{WB=Single_Quote}}]{extend}"
    hebrew_quote = rf'(?<=\p{{WB=Hebrew_Letter}}{extend})"{extend}(?=\p{{WB=Hebrew_Letter}})'
    middle_of_digits = rf"[\p{{WB=MidNum}}\p{{WB=MidNumLet}}\p{{WB=Single_Quote}}]{extend}"
    letters = rf"{letter}++(?:(?:{middle_of_letters}|{hebrew_quote}){letter}++)*+"
    digits = rf"{digit}++(?:{middle_of_digits}{digit}++)*+"
    unit = rf"(?:{letters}|{digits})++"
    join = rf"(?:\p{{WB=ExtendNumLet}}{extend})"
    word = rf"{join}*+{unit}(?:{join}++{unit})*+{join}*+"
    emoji = rf"\p{{Regional_Indicator}}{{2}}|\p{{Extended_Pictographic}}{extend}"
    single = rf"[\p{{L}}\p{{N}}]{extend}"
    return rf"{word}|{RUN}|{emoji}|{single}"


_WORD = regex.compile(_word_pattern(), regex.V1)


def _words(text: str) -> list[str]:
    found: list[str]
    if text.isascii():
        found = _ASCII_WORD.findall(text)
        return found
    text = spelled(text)
    found = _WORD.findall(text)
    if not has_unspaced(text):
        return found
    return [token for word in found for token in (pairs_of(word) if is_of_run(word[0]) else (word,))]


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


def located_tokens(tokenizer: Tokenizer, text: str, beat: Callable[[], None] = lambda: None) -> Iterator[Token]:
    """The same tokens, each with its start and end in `text`. `beat` is called now and then, and may raise."""
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
    cut, starts, ends = spelled_places(text, beat)
    pattern = _ASCII_WORD if cut.isascii() else _WORD
    for match in pattern.finditer(cut):
        word, start = match.group(), match.start()
        for token in pairs_of(word) if is_of_run(word[0]) else (word,):
            yield token, starts[start], ends[start + len(token) - 1]
            start += 1
