"""Converts full text between the client's models and the contract: index settings, BM25 queries, highlights."""

from collections.abc import Mapping, Sequence
from typing import Any

from headwater._wire.enum_names import enum_name, made
from headwater._wire.limits import unsigned
from headwater.errors import InvalidArgumentError, InvalidQueryError
from headwater.models import (
    Bm25,
    Highlight,
    HighlightParams,
    TextCombine,
    TextIndexesConfig,
    TextIndexParams,
    TextTokenizer,
)
from headwater.v1 import text_pb2


def text_index_messages(indexes: TextIndexesConfig | None) -> dict[str, text_pb2.TextIndexParams]:
    return {path: text_index_message(made(TextIndexParams, params)) for path, params in (indexes or {}).items()}


def text_index_message(params: TextIndexParams | Mapping[str, Any] | None) -> text_pb2.TextIndexParams:
    params = TextIndexParams() if params is None else params
    params = made(TextIndexParams, params)
    removed, words, language = _stop_words(params)
    return text_pb2.TextIndexParams(
        tokenizer=enum_name(TextTokenizer, params.tokenizer),
        language=language,
        stemming=params.stemming,
        remove_stop_words=removed,
        stop_words=text_pb2.StopWords(words=words) if words else None,
        ascii_folding=params.ascii_folding,
        lowercase=params.lowercase,
        min_token_length=unsigned(params.min_token_length, "min_token_length", InvalidArgumentError),
        max_token_length=unsigned(params.max_token_length, "max_token_length", InvalidArgumentError),
        k1=params.k1,
        b=params.b,
        k3=params.k3,
    )


def text_index_of(message: text_pb2.TextIndexParams) -> TextIndexParams:
    words = tuple(message.stop_words.words)
    return TextIndexParams(
        tokenizer=TextTokenizer(text_pb2.TextTokenizer.Name(message.tokenizer)),
        language=message.language if message.HasField("language") else None,
        stemming=message.stemming,
        stop_words=message.remove_stop_words or words or False,
        extra_stop_words=words if message.remove_stop_words else (),
        ascii_folding=message.ascii_folding,
        lowercase=message.lowercase,
        min_token_length=message.min_token_length,
        max_token_length=message.max_token_length,
        k1=message.k1,
        b=message.b,
        k3=message.k3,
    )


def bm25_message(given: Bm25) -> text_pb2.Bm25:
    message = text_pb2.Bm25(
        fields=_fields(given.fields),
        combine=enum_name(TextCombine, given.combine),
        all_terms=given.all_terms,
        last_as_prefix=given.last_as_prefix,
        plain=given.plain,
        highlight=_highlight(given.highlight),
    )
    if isinstance(given.text, str):
        message.text = given.text
    else:
        message.tokens.CopyFrom(text_pb2.TextTokens(tokens=_strings(given.text, "text")))
    return message


def highlight_of(message: text_pb2.Highlight) -> Highlight:
    return Highlight(
        path=message.path,
        element=message.element,
        fragment=message.fragment,
        offset=message.offset,
        spans=tuple((span.start, span.end) for span in message.spans),
    )


def _stop_words(params: TextIndexParams) -> tuple[bool, list[str], str | None]:
    """Returns whether the stop words of the language are dropped, which other words are dropped, and the language."""
    given, extra = params.stop_words, _strings(params.extra_stop_words, "extra_stop_words")
    if isinstance(given, bool):
        return given, extra, params.language
    if isinstance(given, str):
        if params.language not in (None, given):
            raise ValueError(f"the language is {params.language!r}, so stop_words cannot be those of {given!r}")
        return True, extra, given
    return False, [*_strings(given, "stop_words"), *extra], params.language


def _fields(given: str | Sequence[str] | Mapping[str, float] | None) -> list[text_pb2.Bm25Field]:
    if given is None:
        return []
    if isinstance(given, Mapping):
        fields = [text_pb2.Bm25Field(path=path, weight=weight) for path, weight in given.items()]
    else:
        paths = [given] if isinstance(given, str) else _strings(given, "fields")
        fields = [text_pb2.Bm25Field(path=path) for path in paths]
    if not fields:
        raise ValueError("fields is empty; None means every field that has a text index")
    return fields


def _highlight(given: HighlightParams | bool) -> text_pb2.HighlightParams | None:
    if isinstance(given, bool):
        return text_pb2.HighlightParams() if given else None
    return text_pb2.HighlightParams(
        fragments=unsigned(given.fragments, "highlight.fragments", InvalidQueryError),
        fragment_length=unsigned(given.fragment_length, "highlight.fragment_length", InvalidQueryError),
    )


def _strings(given: Sequence[str], name: str) -> list[str]:
    strings = [given] if isinstance(given, str) else list(given)
    for string in strings:
        if not isinstance(string, str):
            raise TypeError(f"{name} takes strings, not {type(string).__name__}")
    return strings
