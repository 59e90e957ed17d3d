"""The first points in id order that match a filter, for pages of a scroll and for leaves without a query."""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from planner.errors import PatternTooCostly
from planner.filtering.cache import FilterCache
from planner.filtering.match import judged, required_ids
from planner.resolve import CheckedFilter
from storage.budget import Budget
from storage.schema import PointId
from storage.tables import PointRecord, Reader

POINTS_PER_READ = 256
"""Points that are read together while matches are searched for."""

Slots = NDArray[np.uint32]


def first_matching(
    reader: Reader,
    filter: CheckedFilter | None,
    limit: int,
    cache: FilterCache,
    budget: Budget,
    *,
    start: PointId | None = None,
) -> Slots:
    """Slots of the first `limit` matching points from id `start` on (inclusive), in id order.

    If a filter is neither evaluated yet nor answered by indexes, points are tested in order until enough are found. So
    a page does not cost a pass over the whole collection.
    """
    if filter is None:
        return reader.ids.first_slots(start, limit)
    evaluated = cache.evaluated if required_ids(filter) is not None else cache.known
    try:
        found = evaluated(reader, filter, budget)
    except PatternTooCostly:  # the costly text may be of a point behind the page
        found = None
    if found is None:
        return _test_along(reader, filter, limit, budget, start)
    known = found.matching.slots
    # Sorting reads every match once. Walking passes about point_count / matches points for each match that it finds.
    if len(known) ** 2 <= limit * reader.point_count:
        return _sort(reader, known, limit, start)
    return _walk(reader, known, limit, budget, start)


def _sort(reader: Reader, known: Slots, limit: int, start: PointId | None) -> Slots:
    ids = [(id_order(point_id), slot) for point_id, slot in zip(reader.point_ids(known), known.tolist(), strict=True)]
    wanted = sorted(pair for pair in ids if start is None or pair[0] >= id_order(start))
    return np.array([slot for _, slot in wanted[:limit]], np.uint32)


def id_order(point_id: PointId) -> tuple[bool, PointId]:
    """A sort key: numbers before strings, strings by their UTF-8 bytes. Code points have the same order."""
    return isinstance(point_id, str), point_id


def _walk(reader: Reader, known: Slots, limit: int, budget: Budget, start: PointId | None) -> Slots:
    found: list[Slots] = []
    slots = reader.ids.slots_from(start)
    while sum(map(len, found)) < limit and (chunk := np.fromiter(islice(slots, POINTS_PER_READ), np.uint32)).size:
        budget.check()
        found.append(chunk[np.isin(chunk, known, assume_unique=True)])
    return _joined(found, limit)


def _test_along(reader: Reader, filter: CheckedFilter, limit: int, budget: Budget, start: PointId | None) -> Slots:
    found: list[Slots] = []
    records = reader.scan(start)
    while sum(map(len, found)) < limit and (chunk := _take(records)):
        budget.check()
        slots = np.array([record.slot for record in chunk], np.uint32)
        judgement = judged(reader, filter, slots, records=chunk, budget=budget)
        places = np.flatnonzero(judgement.matches)[: limit - sum(map(len, found))]
        last = places[-1] if sum(map(len, found)) + len(places) == limit else len(slots)
        if judgement.refusal is not None and judgement.doubtful[:last].any():
            raise judgement.refusal
        found.append(slots[places])
    return _joined(found, limit)


def _take(records: Iterator[PointRecord]) -> Sequence[PointRecord]:
    return list(islice(records, POINTS_PER_READ))


def _joined(found: list[Slots], limit: int) -> Slots:
    return np.concatenate([np.empty(0, np.uint32), *found])[:limit]
