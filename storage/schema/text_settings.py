"""How the texts of a payload field are indexed: settings of a collection, as frozen data with a JSON form for the disk.

Storage only keeps them; planner/text uses them.
"""

import math
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from storage.errors import InvalidRequest, LimitExceeded, NotFinite
from storage.schema.stored import made

MAX_TEXT_INDEXES = 64
"""Text indexes of a collection: each is held in memory."""

MAX_TOKEN_BYTES = 254
"""Bytes of the longest token that an index may be set to keep."""

DEFAULT_PREFIX_BYTES = 39
"""Bytes of the longest prefix of a word that a prefix index keeps by default. Each prefix is a term of its own."""

MAX_STOP_WORDS = 10_000
"""Stop words that one index may name."""

MAX_K1 = 1_000.0
MAX_K3 = 1_000_000.0

LANGUAGES = frozenset(
    [
        "arabic",
        "armenian",
        "basque",
        "catalan",
        "danish",
        "dutch",
        "english",
        "esperanto",
        "estonian",
        "finnish",
        "french",
        "german",
        "greek",
        "hindi",
        "hungarian",
        "indonesian",
        "irish",
        "italian",
        "lithuanian",
        "nepali",
        "norwegian",
        "portuguese",
        "romanian",
        "russian",
        "serbian",
        "spanish",
        "swedish",
        "tamil",
        "turkish",
        "yiddish",
    ]
)
"""Languages whose words can be stemmed."""

STOP_WORD_LANGUAGES = frozenset(
    [
        "danish",
        "dutch",
        "english",
        "finnish",
        "french",
        "german",
        "hungarian",
        "italian",
        "norwegian",
        "portuguese",
        "russian",
        "spanish",
        "swedish",
    ]
)
"""Languages with a known list of stop words."""


class Tokenizer(Enum):
    """How a text is divided into tokens. Persisted by value: do not rename."""

    WORD = "word"
    WHITESPACE = "whitespace"
    PREFIX = "prefix"
    PRE_TOKENIZED = "pre_tokenized"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSettings:
    """The settings of a text index. Lengths are UTF-8 bytes, both ends included. See TextIndexParams in the
    contract."""

    tokenizer: Tokenizer = Tokenizer.WORD
    language: str | None = None
    stemming: bool = False
    remove_stop_words: bool = False
    stop_words: tuple[str, ...] = ()
    ascii_folding: bool = False
    lowercase: bool = True
    min_token_length: int = 1
    max_token_length: int = MAX_TOKEN_BYTES
    k1: float = 1.2
    b: float = 0.75
    k3: float = 8.0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "tokenizer": self.tokenizer.value, "stop_words": list(self.stop_words)}

    @classmethod
    def from_json(cls, data: object, where: str) -> "TextSettings":
        """`where` names the data in errors. Raises Unreadable."""
        return made(cls, data, where, required=("tokenizer", "stop_words"))


def check_text_settings(settings: TextSettings, path: str) -> None:
    """Raises InvalidRequest, NotFinite or LimitExceeded unless all settings are within bounds and fit together.

    `path` is the path of the settings in the request.
    """
    _check_language(settings, path)
    if settings.stemming and not settings.lowercase:
        raise InvalidRequest(f"{path}.stemming", "stemming needs `lowercase`: only lower-case words can be stemmed")
    if settings.stemming and settings.tokenizer in (Tokenizer.PREFIX, Tokenizer.PRE_TOKENIZED):
        raise InvalidRequest(f"{path}.stemming", f"tokens of the tokenizer {settings.tokenizer.name} cannot be stemmed")
    if len(settings.stop_words) > MAX_STOP_WORDS:
        actual = len(settings.stop_words)
        raise LimitExceeded(f"{path}.stop_words", limit="MAX_STOP_WORDS", maximum=MAX_STOP_WORDS, actual=actual)
    if not 1 <= settings.max_token_length <= MAX_TOKEN_BYTES:
        what = f"{settings.max_token_length:,} is not between 1 and MAX_TOKEN_BYTES ({MAX_TOKEN_BYTES})"
        raise InvalidRequest(f"{path}.max_token_length", what)
    if not 1 <= settings.min_token_length <= settings.max_token_length:
        what = f"{settings.min_token_length:,} is not between 1 and max_token_length ({settings.max_token_length})"
        raise InvalidRequest(f"{path}.min_token_length", what)
    _check_number(settings.k1, MAX_K1, f"{path}.k1")
    _check_number(settings.b, 1.0, f"{path}.b")
    _check_number(settings.k3, MAX_K3, f"{path}.k3")


def _check_language(settings: TextSettings, path: str) -> None:
    language = settings.language
    if language is None:
        for name in ("stemming", "remove_stop_words"):
            if getattr(settings, name):
                raise InvalidRequest(f"{path}.{name}", "it needs a `language`")
        return
    if language not in LANGUAGES:
        known = ", ".join(sorted(LANGUAGES))
        raise InvalidRequest(f"{path}.language", f"{language[:64]!r} is not a known language; known are: {known}")
    if settings.remove_stop_words and language not in STOP_WORD_LANGUAGES:
        known = ", ".join(sorted(STOP_WORD_LANGUAGES))
        what = f"stop words exist only for {known}, not for {language}; list them in `stop_words`"
        raise InvalidRequest(f"{path}.remove_stop_words", what)


def _check_number(value: float, most: float, path: str) -> None:
    if not math.isfinite(value):
        raise NotFinite(path, f"{value} is not finite")
    if not 0 <= value <= most:
        raise InvalidRequest(path, f"{value:g} is not between 0 and {most:g}")
