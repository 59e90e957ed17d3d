"""Full text as a user writes it: how fields are indexed, queries by BM25, and the parts of texts that match."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any


class TextTokenizer(Enum):
    """How a text becomes tokens."""

    WORD = "TEXT_TOKENIZER_WORD"
    """Words by Unicode's rules, emoji, and pairs of characters of scripts without spaces."""
    WHITESPACE = "TEXT_TOKENIZER_WHITESPACE"
    """What white space separates."""
    PREFIX = "TEXT_TOKENIZER_PREFIX"
    """Of each word all its prefixes; a query's words are taken whole."""
    PRE_TOKENIZED = "TEXT_TOKENIZER_PRE_TOKENIZED"
    """Each string, as an element of an array, is one token. Queries give a list of tokens."""
    # The same members by the names they first had.
    Word = WORD
    Whitespace = WHITESPACE
    Prefix = PREFIX
    PreTokenized = PRE_TOKENIZED


@dataclass(frozen=True, slots=True)
class TextIndexParams:
    """How the texts of a payload field are indexed for BM25; None: the server's default.

    `tokenizer` (also "word", "whitespace", "prefix", "pre_tokenized") None: Word. `language`, such as "english", is
    that of `stemming` and of `stop_words`, which is True for those of the language, its name, or the words themselves;
    `extra_stop_words` are dropped besides. Lengths are in bytes of UTF-8: 1 and 254 by default, 39 for Prefix. `k1`
    1.2, `b` 0.75 and `k3` 8 are those of the formula. `lowercase` None: True, and False for PreTokenized.
    """

    tokenizer: TextTokenizer | str | None = None
    language: str | None = None
    stemming: bool = False
    stop_words: bool | str | Sequence[str] = False
    extra_stop_words: Sequence[str] = ()
    ascii_folding: bool = False
    lowercase: bool | None = None
    min_token_length: int | None = None
    max_token_length: int | None = None
    k1: float | None = None
    b: float | None = None
    k3: float | None = None


TextIndexesConfig = Mapping[str, TextIndexParams | Mapping[str, Any]]
"""Text indexes by the path of their field."""


class TextCombine(Enum):
    """How weighted scores of several fields become one."""

    SUM = "TEXT_COMBINE_SUM"
    MAX = "TEXT_COMBINE_MAX"
    # The same members by the names they first had.
    Sum = SUM
    Max = MAX


@dataclass(frozen=True, slots=True)
class HighlightParams:
    """Which matched parts of texts to return: `fragments` per field (None: 3), each of about `fragment_length`
    characters (None: 150; 0: the whole text)."""

    fragments: int | None = None
    fragment_length: int | None = None


@dataclass(frozen=True, slots=True)
class Bm25:
    """By how well texts match, alone, in a fusion, or as a re-rank of prefetches.

    `text` has terms, "phrases", +required and -excluded ones; a list is tokens. `fields` are paths with a text index,
    or weights by path; None: all that have one. `combine` is also "sum" or "max". `all_terms`: points must match every
    term. `last_as_prefix`: the last token is the beginning of a word. `plain`: the text has no syntax. `highlight` True
    or HighlightParams returns the matched parts with each hit.
    """

    text: str | Sequence[str]
    fields: str | Sequence[str] | Mapping[str, float] | None = None
    combine: TextCombine | str | None = None
    all_terms: bool = False
    last_as_prefix: bool = False
    plain: bool = False
    highlight: HighlightParams | bool = False


@dataclass(frozen=True, slots=True)
class Highlight:
    """A part of a text that a query matched: `fragment` of string `element` at `path`, from character `offset` on.

    `spans` are the matched tokens in the fragment: where each begins, and where the next character is.
    """

    path: str
    element: int
    fragment: str
    offset: int
    spans: tuple[tuple[int, int], ...]

    def marked(self, before: str = "<em>", after: str = "</em>") -> str:
        """The fragment with a mark around each match. Nothing else is escaped."""
        parts: list[str] = []
        done = 0
        for start, end in self.spans:
            parts += [self.fragment[done:start], before, self.fragment[start:end], after]
            done = end
        return "".join([*parts, self.fragment[done:]])
