"""The best points of a query by BM25: by the kernel where there is one, else by its twin in scoring.py.

Both give the same points and the same bytes of scores. The kernel is given the codes of terms, and of phrases and
prefixes the points that have them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from planner.query import Combine
from planner.text.index import TextIndex
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
    asked = [_asked(search.clauses) for search in searches]
    fields = [_field(search, repeats, budget) for search, repeats in zip(searches, asked, strict=True)]
    budget.check()
    return search_postings(
        fields,
        _conditions(searches, asked),
        takes_largest=how is Combine.MAX,
        allowed=allowed,
        limit=limit,
        deadline=budget.deadline,
    )


def _asked(clauses: Sequence[FieldClause]) -> dict[Unit, int]:
    """How often a query has each unit: first those that add to scores, then others, 0 times."""
    repeats = repeats_of(clauses)
    for clause in clauses:
        if clause.occur is Occur.EXCLUDED:
            repeats |= {unit: 0 for unit in clause.units if unit not in repeats}
    return repeats


def _field(search: FieldSearch, repeats: dict[Unit, int], budget: Budget) -> PostingsField:
    index, settings = search.index, search.field.settings
    assert index.native is not None
    units = [_unit(search, unit, times, budget) for unit, times in repeats.items()]
    weight, average_length = search.field.weight, search.counts.average_length
    return PostingsField(weight, settings.k1, settings.b, average_length, index.native, units)


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


def _conditions(searches: Sequence[FieldSearch], asked: Sequence[dict[Unit, int]]) -> list[PostingsClause]:
    if not any(clause.is_condition for search in searches for clause in search.clauses):
        return []
    numbers = count()  # of units, over all fields
    numbered = [{unit: next(numbers) for unit in units} for units in asked]
    conditions: list[PostingsClause] = []
    for place, occur in enumerate(_occurs(searches)):
        groups = [
            [own[unit] for unit in search.clauses[place].units]
            for search, own in zip(searches, numbered, strict=True)
            if search.clauses[place].is_condition
        ]
        if groups:
            conditions.append(PostingsClause(occur is Occur.EXCLUDED, groups))
    return conditions


def _occurs(searches: Sequence[FieldSearch]) -> list[Occur]:
    return [clause.occur for clause in searches[0].clauses]
