"""Plain plans: one search of one dense space, as most requests are. They run without executor and trace.

They answer what the executor answers. Whatever of a plan or a vector is not plain is left to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.engine.answer import QueryAnswer
from planner.execute import POINT_BYTES, POINT_OVERHEAD, fetch_columns
from planner.filtering import FilterCache, FilterSets
from planner.plan import Limit, Plan, Search
from planner.query import QueryVector, ShapedQuery
from planner.rank import Searcher, SearchRequest
from planner.resolve import CheckedFilter
from storage.budget import Budget
from storage.mvcc import Snapshot
from storage.schema import CollectionSchema
from storage.search import PlainHits, SpaceSearch, finite_and_not_zero, search_plainly, search_vectors

_NOBODY = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class PlainPlan:
    """A search like `search`, whose vector may be any, among points that match `filter`. Of its hits `limit` are
    answered, after the first `offset`."""

    ranker: Searcher
    search: SpaceSearch
    filter: CheckedFilter | None
    limit: int
    offset: int
    payloads: bool


class Plain(NamedTuple):
    """Queries that have a plain plan, as their vectors (m, size)."""

    plan: PlainPlan
    vectors: NDArray[np.float32]


def plain_plan(plan: Plan, schema: CollectionSchema) -> PlainPlan | None:
    """The plain plan that does what `plan` does, for other vectors, too; None: there is none."""
    root, payload = plan.root, plan.payload
    leaf = root.child if isinstance(root, Limit) else root
    if not isinstance(leaf, Search):
        return None
    limit, offset = (root.limit, root.offset) if isinstance(root, Limit) else (leaf.limit, 0)
    if leaf.exclude or leaf.after is not None or plan.vectors is not None:
        return None
    if plan.highlighted or (payload is not None and (payload.include is not None or payload.exclude)):
        return None
    search = leaf.ranker.space_search(SearchRequest(None, _NOBODY, leaf.limit))
    if search is None or schema.dense[search.space].distance.is_binary:
        return None
    return PlainPlan(leaf.ranker, search, leaf.filter, limit, offset, payload is not None)


def vectors_of(queries: Sequence[ShapedQuery], size: int) -> NDArray[np.float32] | None:
    """The vectors of queries of one vector each, (m, size), if they are sound at a glance, and differ."""
    vectors = [query.vectors[0] for query in queries]
    given = [vector.values for vector in vectors if isinstance(vector, QueryVector)]
    if len(given) < len(vectors) or len(given[0]) != size or (len(given) > 1 and len(set(vectors)) < len(given)):
        return None
    return finite_and_not_zero(given)


def answer_plainly(
    plan: PlainPlan, vectors: NDArray[np.float32], reader: Snapshot, filters: FilterCache, budget: Budget
) -> list[QueryAnswer]:
    """The answers to queries with these vectors (m, size).

    Raises ReplyTooLarge, RequestTooLarge, ScanTooLarge, DeadlineExceeded, Cancelled.
    """
    count = len(vectors)
    if plan.filter is None:
        certain = max(0, min(plan.limit, plan.ranker.certain_hits(reader) - plan.offset))
        budget.meter.expect(count * certain * POINT_OVERHEAD)
    budget.hold(POINT_BYTES * count * min(plan.limit, reader.point_count), "the points of the answers")
    found = search_plainly(reader, plan.search, vectors, budget) if plan.filter is None else None
    if found is None:
        slots, scores, ends, totals = _apart(plan, vectors, reader, filters, budget)
    else:
        budget.meter.searched(found.strategy, count)
        slots, scores, ends, totals = _cut(plan, found)
    hits = fetch_columns(reader, slots, scores, ends, payloads=plan.payloads, budget=budget)
    budget.check()
    return [QueryAnswer(each, reader.seq, total) for each, total in zip(hits, totals, strict=True)]


_Hits = tuple[NDArray[np.uint32], NDArray[np.float32], Sequence[int], Sequence[int | None]]
"""Slots and scores of the hits of all queries, where those of each end, and their totals."""


def _cut(plan: PlainPlan, found: PlainHits) -> _Hits:
    """What the queries answer of `found`."""
    rows = slice(plan.offset, plan.offset + plan.limit)
    slots, scores = found.slots[:, rows], found.scores[:, rows]
    count, kept = slots.shape
    ends = range(kept, kept * count + 1, kept) if kept else [0] * count
    return slots.reshape(-1), scores.reshape(-1), ends, [_total(plan, found.slots.shape[1], found.total)] * count


def _apart(
    plan: PlainPlan, vectors: NDArray[np.float32], reader: Snapshot, filters: FilterCache, budget: Budget
) -> _Hits:
    """The same by searches that may be filtered, and in which more than graphs is looked at."""
    allowed = None if plan.filter is None else FilterSets(reader, filters, budget).matching(plan.filter)
    searches = [replace(plan.search, vector=vector, allowed=allowed) for vector in vectors]
    found = search_vectors(reader, searches, budget)
    for hits in found:
        budget.meter.searched(hits.strategy)
    rows = slice(plan.offset, plan.offset + plan.limit)
    slots, scores = [hits.slots[rows] for hits in found], [hits.scores[rows] for hits in found]
    totals = [_total(plan, len(hits.slots), hits.total) for hits in found]
    return np.concatenate(slots), np.concatenate(scores), [*accumulate(map(len, slots))], totals


def _total(plan: PlainPlan, found: int, total: int | None) -> int | None:
    """The total of a search that found so many hits: it found all, if these are fewer than it asked for."""
    return found if found < plan.search.limit else total
