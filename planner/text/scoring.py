"""Scores by BM25, of units in one field and of several fields together. All is float64, and rounded to float32 once.

    idf(t) = ln(1 + (N - n + 0.5) / (n + 0.5))
    s(t, p) = idf(t) * f (k1 + 1) / (f + k1 (1 - b + b l / L)) * q (k3 + 1) / (q + k3)

N is the number of points with a term in the field, and n of them have t. f is how often p has t in the field, l is the
number of tokens of p there, and L is the mean of l over the N points. q is how often the query has t.

This is Robertson's BM25 with the idf of Lucene, which is never negative. A phrase is scored as one term whose idf is
the sum of its terms' idfs. A prefix scores 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.query import Combine
from planner.text.index import TextIndex
from planner.text.postings import Found, find
from planner.text.segment import Mask, Slots
from planner.text.syntax import Occur
from planner.text.term_counts import TermCounts
from planner.text.units import FieldClause, Phrase, Prefix, Term, Unit
from storage.budget import Budget
from storage.schema import TextSettings

Scores = NDArray[np.float64]

MAX_CELLS_PER_ENTRY = 16
"""An array with a cell per slot holds the scores if it has at most this many cells per entry."""


@dataclass(frozen=True, slots=True)
class SearchedField:
    """A field of a query, with the settings of its index."""

    path: str
    weight: float
    settings: TextSettings


@dataclass(frozen=True, slots=True)
class FieldMatches:
    """What one field contributes to a query.

    `scored`: for each unit, the points that have it and their scores (float64). `clauses`: for each clause, the points
    that match it. `clauses[i]` is None if clause i is optional, or if nothing of it is asked of this field.
    """

    field: SearchedField
    scored: tuple[tuple[Slots, Scores], ...]
    clauses: tuple[Slots | None, ...]


def match_field(
    field: SearchedField, index: TextIndex, clauses: Sequence[FieldClause], counts: TermCounts, budget: Budget
) -> FieldMatches:
    """The matches of one field. `counts` are those of the whole collection. Raises DeadlineExceeded, Cancelled."""
    found = {unit: find(index, unit, budget) for clause in clauses for unit in clause.units}
    scored = tuple(
        (found[unit].slots, _unit_scores(unit, found[unit], times, counts, field.settings))
        for unit, times in repeats_of(clauses).items()
    )
    matching = tuple(
        _in_all([found[unit] for unit in clause.units]) if clause.is_condition else None for clause in clauses
    )
    return FieldMatches(field, scored, matching)


def combine(
    how: Combine, occurs: Sequence[Occur], matches: Sequence[FieldMatches], allowed: Slots | None
) -> tuple[Slots, NDArray[np.float32]]:
    """The points that match a query: slots (n,), ascending, and scores (n,). `allowed` (ascending) None: all points."""
    cells = _cells(matches)
    total, matched = np.zeros(cells.size), np.zeros(cells.size, np.bool_)
    for each in matches:
        of_field, hit = np.zeros(cells.size), np.zeros(cells.size, np.bool_)
        for slots, scores in each.scored:
            at = cells.of(slots)
            of_field[at] += scores
            hit[at] = True
        weighted = each.field.weight * of_field
        total = total + weighted if how is Combine.SUM else np.maximum(total, weighted)
        matched |= hit
    for number, occur in enumerate(occurs):
        held = [each.clauses[number] for each in matches]
        if all(matching is None for matching in held):
            continue
        hit = np.zeros(cells.size, np.bool_)
        for matching in held:
            if matching is not None:
                hit[cells.of(matching)] = True
        matched &= ~hit if occur is Occur.EXCLUDED else hit
    if allowed is not None:
        matched &= cells.among(allowed)
    chosen = np.flatnonzero(matched)
    return cells.slots_at(chosen), total[chosen].astype(np.float32)


def repeats_of(clauses: Sequence[FieldClause]) -> dict[Unit, int]:
    """How often the query has each unit that adds to scores, in the order in which they are summed."""
    repeats: dict[Unit, int] = {}
    for clause in clauses:
        if clause.occur is not Occur.EXCLUDED:
            for unit in clause.units:
                repeats[unit] = repeats.get(unit, 0) + 1
    return repeats


def weights_of(unit: Term | Phrase, repeats: int, counts: TermCounts, settings: TextSettings) -> tuple[float, float]:
    """What the score of a unit is multiplied by: first for how rare it is, last for how often the query has it."""
    terms = (unit,) if isinstance(unit, Term) else unit.as_terms
    rarity = sum(idf(counts.points, counts.having[term]) for term in terms)
    return rarity, repeats * (settings.k3 + 1) / (repeats + settings.k3)


def idf(points: int, holding: int) -> float:
    """The inverse document frequency of a term that `holding` of `points` have."""
    return math.log(1 + (points - holding + 0.5) / (holding + 0.5))


def _unit_scores(unit: Unit, found: Found, repeats: int, counts: TermCounts, settings: TextSettings) -> Scores:
    if isinstance(unit, Prefix):
        return np.ones(len(found))
    if len(found) == 0:
        return np.empty(0)
    rarity, repeated = weights_of(unit, repeats, counts, settings)
    k1, b = settings.k1, settings.b
    frequencies = found.frequencies.astype(np.float64)
    norm = k1 * (1 - b + b * (found.lengths / counts.average_length))
    return rarity * (frequencies * (k1 + 1) / (frequencies + norm)) * repeated


def _in_all(found: Sequence[Found]) -> Slots:
    """The points that are in all of `found`; none if `found` is empty."""
    slots = found[0].slots if found else np.empty(0, np.uint32)
    for each in found[1:]:
        slots = np.intersect1d(slots, each.slots, assume_unique=True)
    return slots


@dataclass(frozen=True, slots=True)
class _Cells:
    """Which cell of the arrays in `combine` belongs to a point: the one at its slot, or at its position in `slots`."""

    size: int
    slots: Slots | None

    def of(self, slots: Slots) -> NDArray[np.intp]:
        return slots.astype(np.intp) if self.slots is None else np.searchsorted(self.slots, slots)

    def slots_at(self, cells: NDArray[np.intp]) -> Slots:
        return cells.astype(np.uint32) if self.slots is None else self.slots[cells]

    def among(self, slots: Slots) -> Mask:
        """A mask (size,): which cells belong to points in `slots` (ascending)."""
        if self.slots is None:
            mask = np.zeros(self.size, np.bool_)
            mask[slots[: int(np.searchsorted(slots, self.size))]] = True
            return mask
        return np.isin(self.slots, slots, assume_unique=True)


def _cells(matches: Sequence[FieldMatches]) -> _Cells:
    lists = [slots for each in matches for slots in (*(scored[0] for scored in each.scored), *each.clauses)]
    held = [slots for slots in lists if slots is not None and len(slots)]
    size = max((int(slots.max()) + 1 for slots in held), default=0)
    if size <= MAX_CELLS_PER_ENTRY * sum(map(len, held)):
        return _Cells(size, None)
    slots = np.unique(np.concatenate(held))
    return _Cells(len(slots), slots)
