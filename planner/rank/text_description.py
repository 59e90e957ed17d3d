"""What explanations say of a query by BM25: its terms in each field, what is left out of it, and counts of terms."""

import json
from collections.abc import Iterator, Sequence

from planner.predicate import is_pair
from planner.query import Bm25
from planner.text import (
    Dropped,
    FieldClause,
    LeftOut,
    Occur,
    Phrase,
    SearchedField,
    Term,
    TermCounts,
    Unit,
)
from storage.schema import TextSettings

_MAX_SHOWN_CHARACTERS = 64
"""Characters that are shown of a word that is not searched for."""

_FOLLOWS = {
    Occur.OPTIONAL: "its phrase matches nothing",
    Occur.REQUIRED: "what it is required in matches nothing",
    Occur.EXCLUDED: "it excludes nothing",
}


def describe_counts(clauses: Sequence[FieldClause], counts: TermCounts) -> str:
    """In how many points each unit of the clauses is, of how many, and how long these are on average."""
    units = [f"{shown(unit)} in {counts.having[unit]:,}" for unit in units_of(clauses)]
    return f"{', '.join([*units, f'points {counts.points:,}'])}, average length {counts.average_length:.6g}"


def describe_text(
    asked: Bm25, fields: Sequence[SearchedField], clauses_of_fields: Sequence[Sequence[FieldClause]]
) -> dict[str, str]:
    """The arguments of a query as short text by name, with its terms in each field."""
    text = asked.text if isinstance(asked.text, str) else list(asked.text)
    arguments = {"text": json.dumps(text, ensure_ascii=False)}
    arguments["fields"] = ", ".join(f"{field.path}^{field.weight:g}" for field in fields)
    if len(fields) > 1:
        arguments["combine"] = asked.combine.value
    for name in ("all_terms", "last_as_prefix", "plain"):
        if getattr(asked, name):
            arguments[name] = "true"
    for searched, clauses in zip(fields, clauses_of_fields, strict=True):
        arguments[f"terms of {searched.path}"] = " ".join(filter(None, map(_shown_clause, clauses)))
        left_out = [_shown_left_out(each, clause, searched.settings) for clause in clauses for each in clause.left_out]
        if left_out:
            arguments[f"left out of {searched.path}"] = "; ".join(left_out)
    return arguments


def units_of(clauses: Sequence[FieldClause]) -> list[Unit]:
    """The units of the clauses, each once, in order."""
    return list(dict.fromkeys(unit for clause in clauses for unit in clause.units))


def shown(unit: Unit) -> str:
    """The unit as people write it. `_` stands for any one word."""
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
        elif not is_pair(words.get(place - 1, "")):  # after a pair, the next position is that of its second character
            yield "_"


def _shown_clause(clause: FieldClause) -> str:
    return " ".join(clause.occur.value + shown(unit) for unit in clause.units)


def _shown_left_out(left_out: LeftOut, clause: FieldClause, settings: TextSettings) -> str:
    """The words of a clause that are not searched for, why, and what follows from it."""
    text = left_out.text if len(left_out.text) <= _MAX_SHOWN_CHARACTERS else left_out.text[:_MAX_SHOWN_CHARACTERS] + "…"
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
