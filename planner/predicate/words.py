"""The words of a text for filters, case-folded. It knows nothing of conditions.

A word is letters, digits, marks and `_` that stand together, or an emoji. In scripts without spaces the words are the
tokens of pairs.py."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

import re2
import regex

from planner.predicate.pairs import RUN, UNSPACED, has_unspaced, is_of_run, pairs_of
from planner.predicate.spelling import spelled

_ASCII_WORD = re.compile(r"[a-z0-9_]+", re.ASCII)
_EMOJI = (
    r"[\x{231A}-\x{23FF}\x{2600}-\x{27BF}\x{2B50}\x{2B55}\x{1F000}-\x{1F1E5}\x{1F200}-\x{1F3FA}\x{1F400}-\x{1FAFF}]"
    r"[\p{M}\x{1F3FB}-\x{1F3FF}]*|[\x{1F1E6}-\x{1F1FF}]{2}"
)
# Marks belong to the letter before them. Without marks, words of Indic scripts and decomposed accents would fall apart.
_WORD = re2.compile(r"[\p{L}\p{N}_][\p{L}\p{N}\p{M}_]*|" + _EMOJI)
_PART = regex.compile(rf"(?:{RUN})|(?:(?!{UNSPACED}).)++", regex.V1)

_FIRST_LETTER = 0xF0000
_OTHER = "\0"


def words_of(text: str) -> list[str]:
    """The words in order.

    Texts are spelled as spelling.py says, with full case folding: `Straße` and `STRASSE` are one word.
    """
    if text.isascii():  # a faster way to the same result
        return _ASCII_WORD.findall(text.lower())
    folded = _folded(text)
    words: list[str] = _WORD.findall(folded)
    return [token for tokens in _cut(words) for token in tokens] if has_unspaced(folded) else words


def keys_of(text: str) -> Iterable[str]:
    """The keys by which an index finds a text, each once: its words, and the first character of each pair."""
    words = dict.fromkeys(words_of(text))
    return words if text.isascii() else words | dict.fromkeys(word[0] for word in words if is_of_run(word[0]))


def has_words(asked: str) -> Callable[[str], bool]:
    """A test: whether a text has every word of `asked`, and has each run of `asked` within a run.

    Requires: `asked` has words.
    """
    tokens = list(_cut(_WORD.findall(_folded(asked))))
    wanted = frozenset(first for first, *_ in tokens if not is_of_run(first[0]))
    matchers = [_follow_each_other(run) for run in tokens if is_of_run(run[0][0])]
    if not matchers:
        return lambda text: wanted.issubset(words_of(text))

    def test(text: str) -> bool:
        words = words_of(text)
        return wanted.issubset(words) and all(matches(words) for matches in matchers)

    return test


def has_phrase(asked: str) -> Callable[[str], bool]:
    """A test: whether a text has the words of `asked` one after the other. Requires: `asked` has words."""
    matches = _follow_each_other(words_of(asked))
    return lambda text: matches(words_of(text))


def _follow_each_other(phrase: Sequence[str]) -> Callable[[Sequence[str]], bool]:
    """A test: whether words contain `phrase`. One character of a run also stands for each pair that begins with it.

    Each word is written as one letter. So the search for the phrase is a search for a pattern without repetitions.
    """
    letters = {word: chr(_FIRST_LETTER + number) for number, word in enumerate(dict.fromkeys(phrase))}
    beginnings = {word: letter for word, letter in letters.items() if len(word) == 1 and is_of_run(word)}
    starting = {word: [letters[other] for other in letters if other.startswith(word)] for word in beginnings}
    find = re.compile("".join(f"[{''.join(starting[word])}]" if word in starting else letters[word] for word in phrase))

    def test(words: Sequence[str]) -> bool:
        return find.search("".join(letters.get(word) or beginnings.get(word[0], _OTHER) for word in words)) is not None

    return test


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", spelled(text).casefold())


def _cut(words: Iterable[str]) -> Iterator[list[str]]:
    """The tokens of each run together in one list, and every other word in a list by itself."""
    for word in words:
        if not has_unspaced(word):
            yield [word]
            continue
        for part in _PART.findall(word):
            yield pairs_of(part) if is_of_run(part[0]) else [part]
