"""Full text: settings of indexes, queries by BM25 and highlights: messages <-> storage and planner types."""

from collections.abc import Mapping

from headwater.v1 import text_pb2 as wire
from planner.errors import InvalidQuery
from planner.predicate import parse_path
from planner.query import Bm25, Combine, Highlighting
from planner.text import Highlight
from server.convert.field_paths import enum_value, join, kind_of
from storage.errors import InvalidRequest
from storage.schema import DEFAULT_PREFIX_BYTES, TextSettings, Tokenizer

TOKENIZERS: Mapping[int, Tokenizer] = {
    wire.TEXT_TOKENIZER_UNSPECIFIED: Tokenizer.WORD,
    wire.TEXT_TOKENIZER_WORD: Tokenizer.WORD,
    wire.TEXT_TOKENIZER_WHITESPACE: Tokenizer.WHITESPACE,
    wire.TEXT_TOKENIZER_PREFIX: Tokenizer.PREFIX,
    wire.TEXT_TOKENIZER_PRE_TOKENIZED: Tokenizer.PRE_TOKENIZED,
}
COMBINES: Mapping[int, Combine] = {
    wire.TEXT_COMBINE_UNSPECIFIED: Combine.SUM,
    wire.TEXT_COMBINE_SUM: Combine.SUM,
    wire.TEXT_COMBINE_MAX: Combine.MAX,
}
_TOKENIZER_NUMBERS = {tokenizer: number for number, tokenizer in TOKENIZERS.items()}
DEFAULT_LANGUAGE = "english"
"""The language of stems and stop words, if they are asked for without a language."""

_NUMBERS = ("min_token_length", "max_token_length", "k1", "b", "k3")


def text_indexes_of(indexes: Mapping[str, wire.TextIndexParams], path: str) -> dict[str, TextSettings]:
    """The text indexes in the map at `path` of a request. Raises InvalidRequest."""
    for field in indexes:
        check_index_path(field, f'{path}["{field}"]')
    return {field: text_settings_of(params, f'{path}["{field}"]') for field, params in indexes.items()}


def check_index_path(field: str, path: str) -> None:
    """Raises InvalidRequest unless `field` is a path into payloads."""
    try:
        parse_path(field)
    except ValueError as error:
        raise InvalidRequest(path, str(error)) from None


def text_settings_of(params: wire.TextIndexParams, path: str) -> TextSettings:
    """Settings with every default filled in. Storage checks their bounds."""
    tokenizer = enum_value(TOKENIZERS, params.tokenizer, join(path, "tokenizer"))
    of_language = params.stemming or params.remove_stop_words
    default_lowercase = tokenizer is not Tokenizer.PRE_TOKENIZED
    defaults = {"max_token_length": DEFAULT_PREFIX_BYTES} if tokenizer is Tokenizer.PREFIX else {}
    given = {name: getattr(params, name) for name in _NUMBERS if params.HasField(name)}
    return TextSettings(
        tokenizer=tokenizer,
        language=params.language if params.HasField("language") else DEFAULT_LANGUAGE if of_language else None,
        stemming=params.stemming,
        remove_stop_words=params.remove_stop_words,
        stop_words=tuple(sorted(set(params.stop_words.words))),
        ascii_folding=params.ascii_folding,
        lowercase=params.lowercase if params.HasField("lowercase") else default_lowercase,
        **{**defaults, **given},
    )


def text_index_message(settings: TextSettings) -> wire.TextIndexParams:
    """The settings as a message, with every default filled in."""
    return wire.TextIndexParams(
        tokenizer=_TOKENIZER_NUMBERS[settings.tokenizer],  # type: ignore[arg-type]
        language=settings.language,
        stemming=settings.stemming,
        remove_stop_words=settings.remove_stop_words,
        stop_words=wire.StopWords(words=settings.stop_words) if settings.stop_words else None,
        ascii_folding=settings.ascii_folding,
        lowercase=settings.lowercase,
        min_token_length=settings.min_token_length,
        max_token_length=settings.max_token_length,
        k1=settings.k1,
        b=settings.b,
        k3=settings.k3,
    )


def bm25_of(message: wire.Bm25, path: str) -> Bm25:
    """The query at `path` of a request. The planner checks it."""
    as_tokens = kind_of(message, path, InvalidQuery) == "tokens"
    fields = ((field.path, field.weight if field.HasField("weight") else 1.0) for field in message.fields)
    return Bm25(
        text=tuple(message.tokens.tokens) if as_tokens else message.text,
        fields=tuple(fields),
        combine=enum_value(COMBINES, message.combine, join(path, "combine")),
        all_terms=message.all_terms,
        last_as_prefix=message.last_as_prefix,
        plain=message.plain,
        highlight=_highlighting_of(message.highlight) if message.HasField("highlight") else None,
    )


def highlight_message(highlight: Highlight) -> wire.Highlight:
    """The message of a highlight: a fragment of a text that a query matched."""
    return wire.Highlight(
        path=highlight.path,
        element=highlight.element,
        fragment=highlight.fragment,
        offset=highlight.offset,
        spans=[wire.TextSpan(start=start, end=end) for start, end in highlight.spans],
    )


def _highlighting_of(message: wire.HighlightParams) -> Highlighting:
    default = Highlighting()
    return Highlighting(
        message.fragments if message.HasField("fragments") else default.fragments,
        message.fragment_length if message.HasField("fragment_length") else default.length,
    )
