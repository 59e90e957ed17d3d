"""Ranks points by BM25. Indexes and scores are those of planner/text, text_description.py says what was ranked by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from planner.errors import InvalidQuery, NoTextIndex
from planner.limits import MAX_FRAGMENT_LENGTH, MAX_FRAGMENTS, MAX_TEXT_BYTES, MAX_TEXT_TOKENS, MAX_TEXT_WEIGHT
from planner.predicate import without_invisible
from planner.query import Bm25, Highlighting, Rank
from planner.rank.ranker import Found, Statistics
from planner.rank.ranking import Ranking
from planner.rank.run_context import RunContext
from planner.rank.searcher import Searcher, SearchRequest
from planner.rank.text_description import describe_counts, describe_text
from planner.resolve import Asked, Unread
from planner.text import (
    Analyzer,
    FieldClause,
    FieldSearch,
    Highlighted,
    SearchedField,
    Slots,
    TermCounts,
    TextIndex,
    best_matches,
    clauses_of,
    count_terms,
    count_units,
    field_clauses,
)
from storage.errors import LimitExceeded, NotFinite
from storage.schema import CollectionSchema, Tokenizer
from storage.vectors import rank

MIN_FRAGMENT_LENGTH = 10


@dataclass(frozen=True, slots=True)
class ByText(Searcher):
    """How well texts match. `fields` are the fields of `query`, at least one. `query` itself asks for no highlights."""

    query: Bm25
    fields: tuple[SearchedField, ...]
    clauses: tuple[tuple[FieldClause, ...], ...] = field(compare=False)
    """What the query asks of each field. This follows from `query` and `fields`."""

    @classmethod
    def of(cls, query: Bm25, fields: tuple[SearchedField, ...]) -> "ByText":
        clauses = clauses_of(query)
        return cls(query, fields, tuple(field_clauses(clauses, Analyzer(each.settings)) for each in fields))

    @property
    def name(self) -> str:
        return "bm25"

    def describe(self) -> dict[str, str]:
        return describe_text(self.query, self.fields, self.clauses)

    @property
    def needs_statistics(self) -> bool:
        return True

    def statistics(self, run: RunContext, *, in_full: bool = False) -> "TextStatistics":
        indexes = zip(self.indexes(run), self.clauses, strict=True)
        if in_full:
            return TextStatistics(tuple(count_units(index, clauses, run.budget) for index, clauses in indexes))
        return TextStatistics(tuple(count_terms(index, clauses) for index, clauses in indexes))

    def describe_statistics(self, statistics: Statistics) -> dict[str, str]:
        """For each field: how many points have each unit, how many points have a term, and their average length."""
        if not isinstance(statistics, TextStatistics):
            return {}
        fields = zip(self.fields, self.clauses, statistics.fields, strict=True)
        return {f"statistics of {field.path}": describe_counts(clauses, counts) for field, clauses, counts in fields}

    def highlighted(self, word: Rank) -> Highlighted | None:
        wanted = word.highlight if isinstance(word, Bm25) else None
        return None if wanted is None else Highlighted(self.query, self.fields, wanted)

    def indexes(self, run: RunContext) -> list[TextIndex]:
        """The index of each field."""
        return [run.texts.get(run.reader, field.path, field.settings, run.budget) for field in self.fields]

    def no_rank(self) -> str:
        paths = ", ".join(repr(field.path) for field in self.fields)
        return f"the query does not match its text in {paths}"

    def rank(
        self,
        slots: Slots,
        run: RunContext,
        lists: Sequence[Ranking] = (),
        limit: int | None = None,
        statistics: Statistics | None = None,
    ) -> tuple[Ranking, int]:
        return search_texts(self, slots, None, run, statistics)[0], 0

    def search(self, request: SearchRequest, run: RunContext) -> Found:
        ranking, matching = search_texts(self, request.allowed_slots, request.reach, run, request.statistics)
        rows_in = run.reader.point_count if request.allowed is None else len(request.allowed)
        total = None if len(request.excluded) else matching
        reason = "points that have a term are ranked"
        return Found(request.kept(ranking), rows_in, "inverted index", reason, 0, total)


@dataclass(frozen=True, slots=True)
class TextStatistics:
    """The counts of each field of a query, in order."""

    fields: tuple[TermCounts, ...]

    def __add__(self, other: "TextStatistics") -> "TextStatistics":
        return TextStatistics(tuple(mine + theirs for mine, theirs in zip(self.fields, other.fields, strict=True)))


def search_texts(
    query: ByText, allowed: Slots | None, limit: int | None, run: RunContext, statistics: Statistics | None
) -> tuple[Ranking, int]:
    """The best `limit` matching points among `allowed`, and how many points match.

    `allowed` are slots, ascending; None: all points. `limit` None: all matches. Raises DeadlineExceeded, Cancelled.
    """
    counts = statistics if isinstance(statistics, TextStatistics) else query.statistics(run)
    parts = zip(query.fields, query.indexes(run), query.clauses, counts.fields, strict=True)
    searches = [FieldSearch(*each) for each in parts]
    slots, scores, total = best_matches(query.query.combine, searches, allowed, limit, run.budget)
    run.budget.check()
    best = rank(slots, scores, higher_is_better=True, id_keys=run.reader.id_keys, limit=limit)
    return Ranking(slots[best], scores[best]), total


def bind_text(query: Bm25, asked: Asked) -> Unread[ByText]:
    """Binds a query by BM25. Raises InvalidQuery, NotFinite, LimitExceeded or NoTextIndex."""
    asked.refuse_using("a query by BM25")
    path = f"{asked.path}query.bm25"
    _check_words(query, path)
    for index, (_, weight) in enumerate(query.fields):
        _check_weight(weight, f"{path}.fields[{index}].weight")
    fields = _searched_fields(query, asked.schema, path)
    for searched in fields:
        _check_tokens(query, searched, path)
    if query.highlight is not None:
        _check_highlight(query.highlight, f"{path}.highlight")
    # Highlights do not change ranks. They are left out here, so that leaves that differ only in highlights run once.
    bound = ByText.of(replace(query, highlight=None, fields=()), fields)
    return lambda _: bound


def _searched_fields(query: Bm25, schema: CollectionSchema, path: str) -> tuple[SearchedField, ...]:
    """The fields of a query, or all fields with a text index.

    Raises NoTextIndex, and InvalidQuery for repeated fields.
    """
    indexes = schema.text_indexes
    if not query.fields:
        if not indexes:
            raise NoTextIndex(f"{path}.fields", None, indexes)
        return tuple(SearchedField(name, 1.0, indexes[name]) for name in sorted(indexes))
    names = [name for name, _ in query.fields]
    for index, name in enumerate(names):
        if name not in indexes:
            raise NoTextIndex(f"{path}.fields[{index}].path", name, indexes)
        if name in names[:index]:
            raise InvalidQuery(f"{path}.fields[{index}].path", f"{name!r} is named twice")
    return tuple(SearchedField(name, weight, indexes[name]) for name, weight in query.fields)


def _check_words(query: Bm25, path: str) -> None:
    if isinstance(query.text, str):
        if not without_invisible(query.text).strip():
            raise InvalidQuery(f"{path}.text", "the text is empty")
        _check_size(len(query.text.encode(errors="surrogatepass")), f"{path}.text")
        return
    if not query.text:
        raise InvalidQuery(f"{path}.tokens", "give at least one token")
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
