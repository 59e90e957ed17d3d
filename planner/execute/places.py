"""Where points stand among everything that a leaf could find, computed exactly and without its limit."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from planner.execute.demand import Demand, Place
from planner.plan import RankAll, Scan, Search
from planner.rank import InDense, Ranking, RunContext
from storage.budget import Budget
from storage.mvcc import Snapshot
from storage.vectors import score_rows

Slots = NDArray[np.uint32]

ROWS_AT_ONCE = 1_024
"""Ids walked between two looks at the budget."""


def true_places(demand: Demand, wanted: Sequence[int], run: RunContext) -> dict[int, Place]:
    """The place of each of the slots `wanted` that the leaf ranks at all.

    Requires: they match the filters of the demand. Work: one pass over all that do. Raises DeadlineExceeded, Cancelled.
    """
    reader, budget = run.reader, run.budget
    allowed = run.sets.allowed_slots(demand.filters)
    excluded = reader.slots_of(demand.leaf.exclude)
    match demand.leaf:
        case Search(ranker=InDense() as by):
            held = reader.slots_with_vector(by.space)
            competing = held if allowed is None else np.intersect1d(held, allowed, assume_unique=True)
            return _by_score(by, competing[~np.isin(competing, excluded)], wanted, reader, budget)
        case Scan():
            return _by_id(allowed, excluded, wanted, reader, budget)
        case Search() | RankAll():
            slots = reader.all_slots() if allowed is None else allowed
            competing = slots[~np.isin(slots, excluded)]
            ranking, _ = demand.leaf.ranker.rank(competing, run)
            return _in_ranking(ranking, wanted)


def _by_score(
    by: InDense, competing: Slots, wanted: Sequence[int], reader: Snapshot, budget: Budget
) -> dict[int, Place]:
    """One more than how many are better: by score, or by id where scores are equal."""
    scored = [_scored(by, chunk) for chunk in reader.vector_chunks(by.space, np.array(wanted, np.uint32), budget)]
    scores = {
        slot: score for slots, found in scored for slot, score in zip(slots.tolist(), found.tolist(), strict=True)
    }
    keys = dict(zip(scores, reader.id_keys(np.array(list(scores), np.uint32)), strict=True))
    ahead, equal = dict.fromkeys(scores.values(), 0), dict[float, list[bytes]]()
    for chunk in reader.vector_chunks(by.space, competing, budget):
        slots, found = _scored(by, chunk)
        for score in ahead:  # each once, however many points have it
            budget.check()
            better = found > score if by.distance.higher_is_better else found < score
            ahead[score] += int(np.count_nonzero(better))
            equal.setdefault(score, []).extend(reader.id_keys(slots[found == score]))
    before = {score: sorted(tied) for score, tied in equal.items()}
    return {
        slot: Place(ahead[score] + bisect_left(before[score], keys[slot]) + 1, score, len(competing))
        for slot, score in scores.items()
    }


def _scored(by: InDense, chunk: tuple[Slots, NDArray[np.float32]]) -> tuple[Slots, NDArray[np.float32]]:
    slots, rows = chunk
    return slots, score_rows(by.distance, by.vector.values, rows)


def _by_id(
    allowed: Slots | None, excluded: NDArray[np.int64], wanted: Sequence[int], reader: Snapshot, budget: Budget
) -> dict[int, Place]:
    ranks: dict[int, int] = {}
    passed = 0
    for chunk in _chunks(reader.scan_slots()):
        budget.check()
        if allowed is not None:
            chunk = chunk[np.isin(chunk, allowed, assume_unique=True)]
        chunk = chunk[~np.isin(chunk, excluded)]
        for position in np.flatnonzero(np.isin(chunk, np.array(wanted, np.uint32))).tolist():
            ranks[int(chunk[position])] = passed + position + 1
        passed += len(chunk)
    return {slot: Place(rank, 0.0, passed) for slot, rank in ranks.items()}


def _chunks(slots: Iterator[int]) -> Iterator[Slots]:
    while (chunk := np.fromiter(islice(slots, ROWS_AT_ONCE), np.uint32)).size:
        yield chunk


def _in_ranking(ranking: Ranking, wanted: Sequence[int]) -> dict[int, Place]:
    positions = np.flatnonzero(np.isin(ranking.slots, np.array(wanted, np.uint32)))
    return {
        int(ranking.slots[position]): Place(position + 1, float(ranking.scores[position]), len(ranking))
        for position in positions.tolist()
    }
