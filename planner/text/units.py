"""What a query asks of one field: its clauses as terms of that field's index."""

from collections.abc import Sequence
from dataclasses import dataclass

from planner.text.analysis import Analyzer
from planner.text.syntax import Clause, Occur


@dataclass(frozen=True, slots=True)
class Term:
    """Points that have the term."""

    term: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Points that have all `terms` in one string, each `offsets[i]` places after the first."""

    terms: tuple[str, ...]
    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Prefix:
    """Points that have a term which starts with `start`."""

    start: str


Unit = Term | Phrase | Prefix


@dataclass(frozen=True, slots=True)
class FieldClause:
    """A clause in one field. Optional: any unit may match; else all must. Without units it is about nothing here."""

    occur: Occur
    units: tuple[Unit, ...]


def field_clauses(clauses: Sequence[Clause], analyzer: Analyzer) -> tuple[FieldClause, ...]:
    """One per clause, in order."""
    return tuple(FieldClause(clause.occur, _units(clause, analyzer)) for clause in clauses)


def _units(clause: Clause, analyzer: Analyzer) -> tuple[Unit, ...]:
    tokens = [clause.text] if clause.is_token else analyzer.tokens(clause.text)
    last: tuple[Unit, ...] = ()
    if clause.is_prefix and tokens:
        start = analyzer.prefix(tokens.pop())
        last = (Prefix(start),) if start else ()
    placed = [(term, place) for place, token in enumerate(tokens) if (term := analyzer.term(token)) is not None]
    if clause.is_phrase and len(placed) > 1:
        first = placed[0][1]
        terms, places = zip(*placed, strict=True)
        return (Phrase(tuple(terms), tuple(place - first for place in places)), *last)
    return (*(Term(term) for term, _ in placed), *last)
