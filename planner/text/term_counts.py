"""What BM25 needs of a whole collection: in how many points each term is, of how many, and how long their texts are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.text.index import TextIndex
from planner.text.postings import find, point_counts
from planner.text.units import FieldClause, Prefix, Term, Unit
from storage.budget import Budget


@dataclass(frozen=True, slots=True)
class TermCounts:
    """Of one field: the points that have a term, their tokens together, and how many points have each unit.

    Counts of parts of a collection add up to those of the collection.
    """

    points: int
    length: int
    having: Mapping[Unit, int]

    def __add__(self, other: "TermCounts") -> "TermCounts":
        having = {unit: count + other.having[unit] for unit, count in self.having.items()}
        return TermCounts(self.points + other.points, self.length + other.length, having)

    @property
    def average_length(self) -> float:
        """In tokens; 0 without points."""
        return self.length / self.points if self.points else 0.0


def count_terms(index: TextIndex, clauses: Iterable[FieldClause]) -> TermCounts:
    """The counts of the terms that scores depend on."""
    terms: dict[Unit, str] = {}
    for clause in clauses:
        for unit in clause.units:
            if not isinstance(unit, Prefix):
                terms.update((term, term.term) for term in ((unit,) if isinstance(unit, Term) else unit.as_terms))
    counts = point_counts(index, list(terms.values()))
    return TermCounts(index.count, index.length, dict(zip(terms, counts, strict=True)))


def count_units(index: TextIndex, clauses: Iterable[FieldClause], budget: Budget) -> TermCounts:
    """The counts of all units, phrases and prefixes as well. Raises DeadlineExceeded or Cancelled as `budget` says."""
    units = {unit: len(find(index, unit, budget)) for clause in clauses for unit in clause.units}
    return TermCounts(index.count, index.length, units)
