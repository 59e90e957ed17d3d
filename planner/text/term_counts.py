"""The counts of a whole collection that BM25 needs: points with each term, points in all, and lengths of texts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.text.index import TextIndex
from planner.text.postings import find, point_counts
from planner.text.units import FieldClause, Prefix, Term, Unit
from storage.budget import Budget


@dataclass(frozen=True, slots=True)
class TermCounts:
    """Counts of one field: points that have a term, all their tokens, and how many points have each unit.

    Counts of several sources add up to those of the collection.
    """

    points: int
    length: int
    having: Mapping[Unit, int]

    def __add__(self, other: "TermCounts") -> "TermCounts":
        having = {unit: count + other.having[unit] for unit, count in self.having.items()}
        return TermCounts(self.points + other.points, self.length + other.length, having)

    @property
    def average_length(self) -> float:
        """The mean number of tokens of a point; 0 if there are no points."""
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
    """The counts of all units, also phrases and prefixes. Raises DeadlineExceeded, Cancelled."""
    units = {unit: len(find(index, unit, budget)) for clause in clauses for unit in clause.units}
    return TermCounts(index.count, index.length, units)
