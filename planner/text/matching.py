"""The best points of a query by BM25: by the kernel where there is one, else by its twin in scoring.py.

Both give the same points and the same bytes of scores. The kernel is given the codes of terms, and of phrases and
prefixes the points that have them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.query import Combine
from planner.text.index import LiveSegment, TextIndex
from planner.text.postings import hits
from planner.text.scoring import SearchedField, combine, match_field, repeats_of, weights_of
from planner.text.segment import Slots
from planner.text.syntax import Occur
from planner.text.term_counts import TermCounts
from planner.text.units import FieldClause, Prefix, Term, Unit
from storage.budget import Budget
from storage.kernels import (
    ABSENT,
    PostingsClause,
    PostingsField,
    PostingsPart,
    PostingsUnit,
    UnitScoring,
    has_kernels,
    search_postings,
)


@dataclass(frozen=True, slots=True)
class FieldSearch:
    """What is searched for in a field. `clauses`: one for each of the query; `counts`: of the whole collection."""

    field: SearchedField
    index: TextIndex
    clauses: Sequence[FieldClause]
    counts: TermCounts


Matches = tuple[Slots, NDArray[np.float32], int]
"""Slots and scores (n,) in no order, and how many points match."""


def best_matches(
    how: Combine, searches: Sequence[FieldSearch], allowed: Slots | None, limit: int | None, budget: Budget
) -> Matches:
    """The best `limit` (None: all) of the points that match, and all that tie with the last of them.

    `allowed` (ascending) None: all points. Requires: the limit is not 0.
    Raises DeadlineExceeded or Cancelled as `budget` says.
    """
    find = _by_kernel if has_kernels() else _in_numpy
    return find(how, searches, allowed, limit, budget)


def _in_numpy(
    how: Combine, searches: Sequence[FieldSearch], allowed: Slots | None, limit: int | None, budget: Budget
) -> Matches:
    matches = [match_field(each.field, each.index, each.clauses, each.counts, budget) for each in searches]
    slots, scores = combine(how, _occurs(searches), matches, allowed)
    total = len(slots)
    if limit is not None and total > limit:
        worst = np.partition(scores, total - limit)[total - limit]
        slots, scores = slots[scores >= worst], scores[scores >= worst]
    return slots, scores, total


def _by_kernel(
    how: Combine, searches: Sequence[FieldSearch], allowed: Slots | None, limit: int | None, budget: Budget
) -> Matches:
    numbers: list[dict[Unit, int]] = []
    fields: list[PostingsField] = []
    count = 0
    for search in searches:
        repeats = repeats_of(search.clauses)
        units = dict.fromkeys([*repeats, *(unit for clause in search.clauses for unit in clause.units)])
        numbers.append(dict(zip(units, range(count, count + len(units)), strict=True)))
        count += len(units)
        fields.append(_field(search, {unit: repeats.get(unit, 0) for unit in units}, budget))
    budget.check()
    return search_postings(
        fields,
        _clauses(searches, numbers),
        takes_largest=how is Combine.MAX,
        allowed=allowed,
        limit=limit,
        deadline=budget.deadline,
    )


def _field(search: FieldSearch, repeats: dict[Unit, int], budget: Budget) -> PostingsField:
    settings = search.field.settings
    return PostingsField(
        weight=search.field.weight,
        k1=settings.k1,
        b=settings.b,
        average_length=search.counts.average_length,
        parts=[_part(live) for live in search.index.segments],
        units=[_unit(search, unit, times, budget) for unit, times in repeats.items()],
    )


def _part(live: LiveSegment) -> PostingsPart:
    assert live.segment.native is not None
    return PostingsPart(live.segment.native, live.alive)


def _unit(search: FieldSearch, unit: Unit, repeats: int, budget: Budget) -> PostingsUnit:
    """`repeats`: how often the query has the unit; 0: it adds nothing to scores."""
    scoring, rarity, repeated = UnitScoring.UNSCORED, 0.0, 0.0
    if isinstance(unit, Prefix):
        scoring = UnitScoring.ALWAYS_ONE if repeats else UnitScoring.UNSCORED
    elif repeats:
        scoring = UnitScoring.BY_FREQUENCY
        rarity, repeated = weights_of(unit, repeats, search.counts, search.field.settings)
    if isinstance(unit, Term):
        return PostingsUnit(scoring, rarity, repeated, code=search.index.vocabulary.codes.get(unit.term, ABSENT))
    return PostingsUnit(scoring, rarity, repeated, hits=hits(search.index, unit, budget))


def _clauses(searches: Sequence[FieldSearch], numbers: Sequence[dict[Unit, int]]) -> list[PostingsClause]:
    conditions: list[PostingsClause] = []
    for place, occur in enumerate(_occurs(searches)):
        groups = [
            [number[unit] for unit in search.clauses[place].units]
            for search, number in zip(searches, numbers, strict=True)
            if search.clauses[place].is_condition
        ]
        if groups:
            conditions.append(PostingsClause(occur is Occur.EXCLUDED, groups))
    return conditions


def _occurs(searches: Sequence[FieldSearch]) -> list[Occur]:
    return [clause.occur for clause in searches[0].clauses]
