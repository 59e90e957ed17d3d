"""Where points stand among everything that a leaf could find, computed exactly and without its limit.

Ways to rank compute this themselves. Here is the order by id, for leaves without a query.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from planner.execute.demand import Demand
from planner.plan import Scan
from planner.rank import Place, RunContext

Slots = NDArray[np.uint32]

IDS_PER_CHECK = 1_024
"""Ids that are walked between two looks at the budget."""


def true_places(demand: Demand, wanted: Sequence[int], run: RunContext) -> dict[int, Place]:
    """The place of each slot in `wanted` that the leaf ranks.

    Requires: the slots match the filters of the demand. Takes one pass over all points that match. Raises
    DeadlineExceeded, Cancelled.
    """
    allowed = run.sets.allowed_slots(demand.filters)
    excluded = run.reader.slots_of(demand.leaf.exclude)
    if isinstance(demand.leaf, Scan):
        return _by_id(allowed, excluded, wanted, run)
    return demand.leaf.ranker.places(allowed, excluded, wanted, run)


def _by_id(
    allowed: Slots | None, excluded: NDArray[np.int64], wanted: Sequence[int], run: RunContext
) -> dict[int, Place]:
    ranks: dict[int, int] = {}
    passed = 0
    for chunk in _chunks(run.reader.ids.slots_from()):
        run.budget.check()
        if allowed is not None:
            chunk = chunk[np.isin(chunk, allowed, assume_unique=True)]
        chunk = chunk[~np.isin(chunk, excluded)]
        for position in np.flatnonzero(np.isin(chunk, np.array(wanted, np.uint32))).tolist():
            ranks[int(chunk[position])] = passed + position + 1
        passed += len(chunk)
    return {slot: Place(rank, 0.0, passed) for slot, rank in ranks.items()}


def _chunks(slots: Iterator[int]) -> Iterator[Slots]:
    while (chunk := np.fromiter(islice(slots, IDS_PER_CHECK), np.uint32)).size:
        yield chunk
