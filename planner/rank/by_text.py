"""Ranks points by BM25, and says which terms they were ranked by. Indexes and scores are those of planner/text."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from planner.bind import ByText
from planner.predicate import is_pair
from planner.rank.operators import Ranking
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
    TextIndex,
    TextIndexes,
    Unit,
    clauses_of,
    combine,
    field_clauses,
    find,
    match_field,
)
from storage.budget import Budget
from storage.mvcc import Snapshot
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
class TextRanker:
    """Ranks by texts as of the commit of one snapshot."""

    indexes: TextIndexes
    reader: Snapshot
    budget: Budget

    def rank(self, query: ByText, allowed: Slots | None, limit: int | None) -> tuple[Ranking, int]:
        """The best `limit` (None: all) of those points among `allowed` (ascending; None: all) that match, and how many
        match.

        Raises DeadlineExceeded or Cancelled.
        """
        clauses = clauses_of(query.query)
        matches = [
            match_field(field, self._index(field), field_clauses(clauses, Analyzer(field.settings)), self.budget)
            for field in query.fields
        ]
        slots, scores = combine(query.query.combine, [clause.occur for clause in clauses], matches, allowed)
        total = len(slots)
        if limit is not None and len(slots) > limit:
            worst = np.partition(scores, len(scores) - limit)[len(scores) - limit]
            slots, scores = slots[scores >= worst], scores[scores >= worst]
        self.budget.check()
        best = rank(slots, scores, higher_is_better=True, id_keys=self.reader.id_keys, limit=limit)
        return Ranking(slots[best], scores[best]), total

    def statistics(self, query: ByText) -> dict[str, str]:
        """By field: in how many points each term is, of how many, and how long these are on average."""
        return {f"statistics of {field.path}": self._statistics(query, field) for field in query.fields}

    def _statistics(self, query: ByText, field: SearchedField) -> str:
        index = self._index(field)
        clauses = field_clauses(clauses_of(query.query), Analyzer(field.settings))
        counts = [f"{shown(unit)} in {len(find(index, unit, self.budget)):,}" for unit in units_of(clauses)]
        return f"{', '.join([*counts, f'points {index.count:,}'])}, average length {index.average_length:.6g}"

    def _index(self, field: SearchedField) -> TextIndex:
        return self.indexes.get(self.reader, field.path, field.settings, self.budget)


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
    for field in query.fields:
        clauses = field_clauses(clauses_of(asked), Analyzer(field.settings))
        arguments[f"terms of {field.path}"] = " ".join(filter(None, map(_shown_clause, clauses)))
        left_out = [_shown_left_out(each, clause, field.settings) for clause in clauses for each in clause.left_out]
        if left_out:
            arguments[f"left out of {field.path}"] = "; ".join(left_out)
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
            places = [
                place for place in range(offsets[-1] + 1) if place in words or not is_pair(words.get(place - 1, ""))
            ]
            return '"' + " ".join(words.get(place, "_") for place in places) + '"'
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
