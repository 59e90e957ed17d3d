"""Plain plans: one search of one dense space, as most requests are. They run without executor and trace.

They answer what the executor answers. Whatever of a plan, a vector or the stored data is not plain is left to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.engine.answer import QueryAnswer
from planner.execute import POINT_BYTES, POINT_OVERHEAD, fetch_columns
from planner.plan import Limit, Plan, Search
from planner.query import QueryVector, ShapedQuery
from planner.rank import InDense, SearchRequest
from storage.budget import Budget
from storage.mvcc import Snapshot
from storage.schema import CollectionSchema
from storage.search import SpaceSearch, finite_and_not_zero, search_plainly

_NOBODY = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class PlainPlan:
    """A search like `search`, whose vector may be any, of whose hits `limit` are answered, after the first `offset`."""

    ranker: InDense
    search: SpaceSearch
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
    if leaf.filter is not None or leaf.exclude or leaf.after is not None or plan.vectors is not None:
        return None
    if not isinstance(leaf.ranker, InDense) or schema.dense[leaf.ranker.space].distance.is_binary:
        return None
    if plan.highlighted or (payload is not None and (payload.include is not None or payload.exclude)):
        return None
    search = leaf.ranker.space_search(SearchRequest(None, _NOBODY, leaf.limit))
    return PlainPlan(leaf.ranker, search, limit, offset, payload is not None)


def vectors_of(queries: Sequence[ShapedQuery], size: int) -> NDArray[np.float32] | None:
    """The vectors of queries of one vector each, (m, size), if they are sound at a glance, and differ."""
    vectors = [query.vectors[0] for query in queries]
    given = [vector.values for vector in vectors if isinstance(vector, QueryVector)]
    if len(given) < len(vectors) or len(given[0]) != size or (len(given) > 1 and len(set(vectors)) < len(given)):
        return None
    return finite_and_not_zero(given)


def answer_plainly(
    plan: PlainPlan, vectors: NDArray[np.float32], reader: Snapshot, budget: Budget
) -> list[QueryAnswer] | None:
    """The answers to queries with these vectors; None when the executor must answer them.

    Raises ReplyTooLarge, RequestTooLarge, DeadlineExceeded, Cancelled.
    """
    count = len(vectors)
    certain = max(0, min(plan.limit, plan.ranker.certain_hits(reader) - plan.offset))
    budget.meter.expect(count * certain * POINT_OVERHEAD)
    budget.hold(POINT_BYTES * count * min(plan.limit, reader.point_count), "the points of the answers")
    found = search_plainly(reader, plan.search, vectors, budget)
    if found is None:
        budget.meter.release(POINT_BYTES * count * min(plan.limit, reader.point_count))
        return None
    rows = slice(plan.offset, plan.offset + plan.limit)
    slots, scores = found.slots[:, rows], found.scores[:, rows]
    kept = slots.shape[1]
    total = found.slots.shape[1] if found.slots.shape[1] < plan.search.limit else found.total
    ends = range(kept, kept * count + 1, kept) if kept else [0] * count
    hits = fetch_columns(reader, slots.reshape(-1), scores.reshape(-1), ends, payloads=plan.payloads, budget=budget)
    budget.check()
    return [QueryAnswer(each, reader.seq, total) for each in hits]
