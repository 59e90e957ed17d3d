"""Full text as a user writes it: indexes of fields, queries by BM25, and highlights of the text that matches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any


class TextTokenizer(Enum):
    """How a text is divided into tokens."""

    WORD = "TEXT_TOKENIZER_WORD"
    """Words by Unicode's rules, and emoji. Scripts without spaces give pairs of characters."""
    WHITESPACE = "TEXT_TOKENIZER_WHITESPACE"
    """Strings between white space."""
    PREFIX = "TEXT_TOKENIZER_PREFIX"
    """All prefixes of each word. The words of a query stay whole."""
    PRE_TOKENIZED = "TEXT_TOKENIZER_PRE_TOKENIZED"
    """Each string in an array of strings is one token. Queries give a list of tokens."""
    # The earlier names of the members.
    Word = WORD
    Whitespace = WHITESPACE
    Prefix = PREFIX
    PreTokenized = PRE_TOKENIZED


@dataclass(frozen=True, slots=True)
class TextIndexParams:
    """How the texts of a payload field are indexed for BM25. None: the server's default.

    `tokenizer` (also "word", "whitespace", "prefix", "pre_tokenized") None: Word.
    `language`, such as "english", is used for `stemming` and `stop_words`.
    `stop_words`: True for those of the language, the name of a language, or the words themselves.
    `extra_stop_words`: words that are dropped in addition.
    `lowercase` None: True, and False for PreTokenized.
    `min_token_length`, `max_token_length`: bytes of UTF-8; None: 1 and 254, but 39 as the longest for Prefix.
    `k1`, `b`, `k3`: constants of the BM25 formula; None: 1.2, 0.75 and 8.
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
    """How the weighted scores of several fields are combined into one."""

    SUM = "TEXT_COMBINE_SUM"
    MAX = "TEXT_COMBINE_MAX"
    # The earlier names of the members.
    Sum = SUM
    Max = MAX


@dataclass(frozen=True, slots=True)
class HighlightParams:
    """How much of the matching texts to return as highlights.

    `fragments`: how many per field; None: 3. `fragment_length`: about how many characters each has; None: 150, and 0:
    the whole text.
    """

    fragments: int | None = None
    fragment_length: int | None = None


@dataclass(frozen=True, slots=True)
class Bm25:
    """Ranks points by how well their texts match (BM25). It stands alone, in a fusion, or ranks the hits of prefetches.

    `text` holds terms, "phrases", +required and -excluded terms; a list holds tokens.
    `fields`: paths with a text index, or weights by path; None: all fields that have one.
    `combine`: may also be "sum" or "max".
    `all_terms`: a point must match every term.
    `last_as_prefix`: the last token is the beginning of a word.
    `plain`: the text has no syntax.
    `highlight`: True or HighlightParams returns with each hit the text that matches.
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
    """A piece of a text that a query matched.

    The text is string number `element`, counted from 0, at the payload path `path`. `fragment` is the piece, and starts
    at character `offset` of it. `spans` are the matched tokens in the fragment: (start, end) in characters; `end` is
    the position after the token.
    """

    path: str
    element: int
    fragment: str
    offset: int
    spans: tuple[tuple[int, int], ...]

    def marked(self, before: str = "<em>", after: str = "</em>") -> str:
        """Returns the fragment with `before` and `after` around each match. Does not escape anything."""
        parts: list[str] = []
        done = 0
        for start, end in self.spans:
            parts += [self.fragment[done:start], before, self.fragment[start:end], after]
            done = end
        return "".join([*parts, self.fragment[done:]])
