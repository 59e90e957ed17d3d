"""Binds queries by BM25: the fields that they search, with the settings of their indexes."""

import math
from dataclasses import replace

from planner.bind.asked import Asked
from planner.bind.stored_vectors import Unread
from planner.errors import InvalidQuery, NoTextIndex
from planner.limits import MAX_FRAGMENT_LENGTH, MAX_FRAGMENTS, MAX_TEXT_BYTES, MAX_TEXT_TOKENS, MAX_TEXT_WEIGHT
from planner.predicate import without_invisible
from planner.query import Bm25, Highlighting
from planner.rank import ByText
from planner.text import Analyzer, SearchedField, clauses_of
from storage.errors import LimitExceeded, NotFinite
from storage.schema import CollectionSchema, Tokenizer

MIN_FRAGMENT_LENGTH = 10


def bind_text(query: Bm25, asked: Asked) -> Unread[ByText]:
    """Raises InvalidQuery, NotFinite, LimitExceeded or NoTextIndex."""
    asked.refuse_using("a query by BM25")
    path = f"{asked.path}query.bm25"
    _check_words(query, path)
    for index, (_, weight) in enumerate(query.fields):
        _check_weight(weight, f"{path}.fields[{index}].weight")
    fields = _searched_fields(query, asked.schema, path)
    for field in fields:
        _check_tokens(query, field, path)
    if query.highlight is not None:
        _check_highlight(query.highlight, f"{path}.highlight")
    # What is highlighted changes no rank, so leaves that differ in it alone run once.
    bound = ByText.of(replace(query, highlight=None, fields=()), fields)
    return lambda _: bound


def _searched_fields(query: Bm25, schema: CollectionSchema, path: str) -> tuple[SearchedField, ...]:
    """The fields of a query, or every field that has a text index. Raises NoTextIndex, and InvalidQuery for repeats."""
    indexes = schema.text_indexes
    if not query.fields:
        if not indexes:
            raise NoTextIndex(f"{path}.fields", None, indexes)
        return tuple(SearchedField(field, 1.0, indexes[field]) for field in sorted(indexes))
    names = [field for field, _ in query.fields]
    for index, (field, _) in enumerate(query.fields):
        if field not in indexes:
            raise NoTextIndex(f"{path}.fields[{index}].path", field, indexes)
        if field in names[:index]:
            raise InvalidQuery(f"{path}.fields[{index}].path", f"{field!r} is named twice")
    return tuple(SearchedField(field, weight, indexes[field]) for field, weight in query.fields)


def _check_words(query: Bm25, path: str) -> None:
    if isinstance(query.text, str):
        if not without_invisible(query.text).strip():
            raise InvalidQuery(f"{path}.text", "the text is empty")
        _check_size(len(query.text.encode(errors="surrogatepass")), f"{path}.text")
        return
    if not query.text:
        raise InvalidQuery(f"{path}.tokens", "no token is given")
    _check_size(sum(len(token.encode(errors="surrogatepass")) for token in query.text), f"{path}.tokens")
    for index, token in enumerate(query.text):
        if not without_invisible(token):
            raise InvalidQuery(f"{path}.tokens[{index}]", "the token is empty")


def _check_size(size: int, path: str) -> None:
    if size > MAX_TEXT_BYTES:
        raise LimitExceeded(path, limit="MAX_TEXT_BYTES", maximum=MAX_TEXT_BYTES, actual=size)


def _check_tokens(query: Bm25, field: SearchedField, path: str) -> None:
    if isinstance(query.text, str) and field.settings.tokenizer is Tokenizer.PRE_TOKENIZED:
        raise InvalidQuery(f"{path}.text", f"the texts of {field.path!r} are given as tokens; give `tokens` instead")
    tokens = Analyzer(field.settings).tokens
    count = sum(1 if clause.is_token else len(tokens(clause.text)) for clause in clauses_of(query))
    if count > MAX_TEXT_TOKENS:
        what = f"{path}.text" if isinstance(query.text, str) else f"{path}.tokens"
        raise LimitExceeded(what, limit="MAX_TEXT_TOKENS", maximum=MAX_TEXT_TOKENS, actual=count)


def _check_weight(weight: float, path: str) -> None:
    if not math.isfinite(weight):
        raise NotFinite(path, f"{weight} is not finite")
    if not 0 < weight <= MAX_TEXT_WEIGHT:
        raise InvalidQuery(path, f"{weight:g} is not above 0 and at most MAX_TEXT_WEIGHT ({MAX_TEXT_WEIGHT:g})")


def _check_highlight(highlight: Highlighting, path: str) -> None:
    if not 1 <= highlight.fragments <= MAX_FRAGMENTS:
        raise InvalidQuery(
            f"{path}.fragments", f"{highlight.fragments:,} is not between 1 and MAX_FRAGMENTS ({MAX_FRAGMENTS})"
        )
    if highlight.length and not MIN_FRAGMENT_LENGTH <= highlight.length <= MAX_FRAGMENT_LENGTH:
        what = f"{highlight.length:,} is neither 0 nor between {MIN_FRAGMENT_LENGTH} and {MAX_FRAGMENT_LENGTH:,}"
        raise InvalidQuery(f"{path}.fragment_length", what)
