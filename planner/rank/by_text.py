"""Ranks points by BM25, and says which terms they were ranked by. Indexes and scores are those of planner/text."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from planner.predicate import is_pair
from planner.query import Bm25
from planner.rank.ranker import Found, Statistics
from planner.rank.ranking import Ranking
from planner.rank.run_context import RunContext
from planner.rank.searcher import Searcher, SearchRequest
from planner.text import (
    Analyzer,
    Dropped,
    FieldClause,
    LeftOut,
    Occur,
    Phrase,
    SearchedField,
    Slots,
    Term,
    TermCounts,
    TextIndex,
    Unit,
    clauses_of,
    combine,
    count_terms,
    count_units,
    field_clauses,
    match_field,
)
from storage.schema import TextSettings
from storage.vectors import rank

_SHOWN = 64
"""Characters of a word that is left out."""

_FOLLOWS = {
    Occur.OPTIONAL: "its phrase matches nothing",
    Occur.REQUIRED: "what it is required in matches nothing",
    Occur.EXCLUDED: "it excludes nothing",
}


@dataclass(frozen=True, slots=True)
class ByText(Searcher):
    """How well texts match. The fields of `query` are in `fields`, and never empty; `query` asks for no highlights."""

    query: Bm25
    fields: tuple[SearchedField, ...]
    clauses: tuple[tuple[FieldClause, ...], ...] = field(compare=False)
    """What the query asks of each field. They follow from the two."""

    @classmethod
    def of(cls, query: Bm25, fields: tuple[SearchedField, ...]) -> "ByText":
        clauses = clauses_of(query)
        return cls(query, fields, tuple(field_clauses(clauses, Analyzer(each.settings)) for each in fields))

    @property
    def name(self) -> str:
        return "bm25"

    def describe(self) -> dict[str, str]:
        return describe_text(self)

    @property
    def needs_statistics(self) -> bool:
        return True

    def statistics(self, run: RunContext, *, in_full: bool = False) -> "TextStatistics":
        indexes = zip(self.indexes(run), self.clauses, strict=True)
        if in_full:
            return TextStatistics(tuple(count_units(index, clauses, run.budget) for index, clauses in indexes))
        return TextStatistics(tuple(count_terms(index, clauses) for index, clauses in indexes))

    def describe_statistics(self, statistics: Statistics) -> dict[str, str]:
        """By field: in how many points each unit is, of how many, and how long these are on average."""
        if not isinstance(statistics, TextStatistics):
            return {}
        fields = zip(self.fields, self.clauses, statistics.fields, strict=True)
        return {f"statistics of {field.path}": _describe_counts(clauses, counts) for field, clauses, counts in fields}

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
    """The best `limit` (None: all) of those points among `allowed` (ascending; None: all) that match, and how many
    match.

    Raises DeadlineExceeded or Cancelled.
    """
    counts = statistics if isinstance(statistics, TextStatistics) else query.statistics(run)
    parts = zip(query.fields, query.indexes(run), query.clauses, counts.fields, strict=True)
    matches = [match_field(field, index, clauses, known, run.budget) for field, index, clauses, known in parts]
    occurs = [clause.occur for clause in query.clauses[0]]
    slots, scores = combine(query.query.combine, occurs, matches, allowed)
    total = len(slots)
    if limit is not None and len(slots) > limit:
        worst = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        slots, scores = slots[scores >= worst], scores[scores >= worst]
    run.budget.check()
    best = rank(slots, scores, higher_is_better=True, id_keys=run.reader.id_keys, limit=limit)
    return Ranking(slots[best], scores[best]), total


def _describe_counts(clauses: Sequence[FieldClause], counts: TermCounts) -> str:
    units = [f"{shown(unit)} in {counts.having[unit]:,}" for unit in units_of(clauses)]
    return f"{', '.join([*units, f'points {counts.points:,}'])}, average length {counts.average_length:.6g}"


def describe_text(query: ByText) -> dict[str, str]:
    """Arguments of a query as short text by name, with the terms that it is made of in each field."""
    asked = query.query
    text = asked.text if isinstance(asked.text, str) else list(asked.text)
    arguments = {"text": json.dumps(text, ensure_ascii=False)}
    arguments["fields"] = ", ".join(f"{field.path}^{field.weight:g}" for field in query.fields)
    if len(query.fields) > 1:
        arguments["combine"] = asked.combine.value
    for name in ("all_terms", "last_as_prefix", "plain"):
        if getattr(asked, name):
            arguments[name] = "true"
    for searched, clauses in zip(query.fields, query.clauses, strict=True):
        arguments[f"terms of {searched.path}"] = " ".join(filter(None, map(_shown_clause, clauses)))
        left_out = [_shown_left_out(each, clause, searched.settings) for clause in clauses for each in clause.left_out]
        if left_out:
            arguments[f"left out of {searched.path}"] = "; ".join(left_out)
    return arguments


def units_of(clauses: Sequence[FieldClause]) -> list[Unit]:
    """Each once, in order."""
    return list(dict.fromkeys(unit for clause in clauses for unit in clause.units))


def shown(unit: Unit) -> str:
    """As people write it; `_` is any one word."""
    match unit:
        case Term(term):
            return term
        case Phrase(terms, offsets):
            words = dict(zip(offsets, terms, strict=True))
            return '"' + " ".join(_shown_words(words)) + '"'
        case _:
            return f"{unit.start}*"


def _shown_words(words: dict[int, str]) -> Iterator[str]:
    for place in range(max(words) + 1):
        if place in words:
            yield words[place]
        elif not is_pair(words.get(place - 1, "")):  # the place after a pair is that of its second character
            yield "_"


def _shown_clause(clause: FieldClause) -> str:
    return " ".join(clause.occur.value + shown(unit) for unit in clause.units)


def _shown_left_out(left_out: LeftOut, clause: FieldClause, settings: TextSettings) -> str:
    """Words of a clause, why they are not searched for, and what follows from it."""
    text = left_out.text if len(left_out.text) <= _SHOWN else left_out.text[:_SHOWN] + "…"
    match left_out.why:
        case None:
            why = f"found by its first {settings.max_token_length} bytes only"
        case Dropped.TOO_LONG:
            why = f"longer than max_token_length ({settings.max_token_length} bytes)"
        case Dropped.TOO_SHORT:
            why = f"shorter than min_token_length ({settings.min_token_length} bytes)"
        case _:
            why = left_out.why.value
    follows = f", so {_FOLLOWS[clause.occur]}" if clause.is_impossible else ""
    return f"{json.dumps(text, ensure_ascii=False)} is {why}{follows}"
