"""Searches one sparse space of a snapshot: by its index, or by the vectors of given points."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.index import SparseView
from storage.mvcc import Snapshot
from storage.schema import SparseModifier
from storage.search.dense import SpaceHits
from storage.search.multi import multi_vectors
from storage.search.stored_sparse import copy_worth_keeping, drop_others, is_kept, note_use, open_sparse, write_sparse
from storage.vectors import MultiVector, SparseCounts, SparseMetric, SparseVector, best, score_vectors

Slots = NDArray[np.uint32]

_VECTORS_AT_ONCE = 1_024  # scored between two checks of the budget


@dataclass(frozen=True, slots=True)
class SparseQuery:
    """The query that ranks points of a sparse space. It is compared and hashed by its bytes."""

    vector: SparseVector
    metric: SparseMetric = SparseMetric.DOT

    @property
    def is_exact(self) -> bool:
        """Whether the first rows stay the same when more rows are asked for."""
        return True


def search_sparse(
    snapshot: Snapshot,
    space: str,
    query: SparseQuery,
    limit: int,
    allowed: Slots | None,
    budget: Budget,
    counts: SparseCounts | None = None,
) -> SpaceHits:
    """The `limit` best points that share an index with the query, among `allowed` (None: all points). Exact.

    `counts`: the counts of a larger collection that this snapshot is one shard of; None: those of the snapshot. Raises
    DeadlineExceeded or Cancelled, also while the index is being made.
    """
    note_use(snapshot, space)
    view = _view(snapshot, space, budget)
    factors = _factors(snapshot, space, query, view) if counts is None else counts.factors
    found = view.search(query.vector, query.metric, factors, snapshot.seq, allowed, limit, budget)
    slots, scores = best(found.slots, found.scores, limit, snapshot.id_keys)
    return SpaceHits(slots, scores, "inverted index", f"{found.read:,} postings", found.read, found.total)


def prepare_sparse(snapshot: Snapshot, space: str, budget: Budget) -> None:
    """Makes the index of a sparse space if there is none."""
    _view(snapshot, space, budget)


def keep_sparse(snapshot: Snapshot, budget: Budget) -> None:
    """Brings the indexes of sparse spaces that are in use up to date, and rewrites their files where that is worth
    it."""
    drop_others(snapshot)
    for space in snapshot.schema.sparse:
        if snapshot.sparse_indexes.has(_uid(snapshot, space)) or is_kept(snapshot, space):
            _view(snapshot, space, budget)
            data = snapshot.sparse_indexes.copied(_uid(snapshot, space), partial(copy_worth_keeping, snapshot, space))
            if data is not None:
                write_sparse(snapshot, space, data)


def try_sparse(snapshot: Snapshot, space: str, budget: Budget) -> None:
    """Runs one search in a sparse space whose index is in memory, so that later searches are fast.

    It does not count as a use of the index.
    """
    if snapshot.sparse_indexes.has(_uid(snapshot, space)):
        for _, body in snapshot.bodies(space).scan():
            query = SparseQuery(SparseVector.from_bytes(body))
            view = _view(snapshot, space, budget)
            factors = _factors(snapshot, space, query, view)
            view.search(query.vector, query.metric, factors, snapshot.seq, None, 1, budget)
            return


def count_sparse(snapshot: Snapshot, space: str, query: SparseQuery, budget: Budget) -> SparseCounts:
    """For each index of the query, the number of points that have it. Raises DeadlineExceeded or Cancelled."""
    return _view(snapshot, space, budget).counts(query.vector, snapshot.seq)


def score_sparse(
    snapshot: Snapshot,
    space: str,
    slots: Slots,
    query: SparseQuery,
    budget: Budget,
    counts: SparseCounts | None = None,
) -> SpaceHits:
    """Those of `slots` whose vector shares an index with the query, best first, with the same scores as a search.

    `counts`: see search_sparse.
    """
    if counts is None and snapshot.schema.sparse[space].modifier is not SparseModifier.NONE:
        counts = count_sparse(snapshot, space, query, budget)
    factors = None if counts is None else counts.factors
    found: list[Slots] = []
    scored: list[NDArray[np.float32]] = []
    for start in range(0, len(slots), _VECTORS_AT_ONCE):
        budget.check()
        held, vectors = sparse_vectors(snapshot, space, slots[start : start + _VECTORS_AT_ONCE])
        hits, scores = score_vectors(query.vector, query.metric, factors, vectors)
        found.append(held[hits])
        scored.append(scores)
    if not found:
        return SpaceHits(slots[:0], np.empty(0, np.float32))
    hit_slots, hit_scores = best(np.concatenate(found), np.concatenate(scored), None, snapshot.id_keys)
    return SpaceHits(hit_slots, hit_scores, "rescore", "the candidates of the prefetches", len(slots))


def sparse_or_multi_vectors(
    snapshot: Snapshot, space: str, slots: Slots
) -> Iterator[tuple[int, SparseVector | MultiVector]]:
    """Yields those of `slots` that have a vector in a sparse or multi-vector space: position (ascending) and vector.

    Raises CorruptStore.
    """
    if space in snapshot.schema.multi:
        return multi_vectors(snapshot, space, slots)
    return _sparse_at(snapshot, space, slots)


def _sparse_at(snapshot: Snapshot, space: str, slots: Slots) -> Iterator[tuple[int, SparseVector]]:
    bodies = snapshot.bodies(space)
    for position, slot in enumerate(slots.tolist()):
        body = bodies.get(slot)
        if body is not None:
            yield position, SparseVector.from_bytes(body)


def sparse_vectors(snapshot: Snapshot, space: str, slots: Slots) -> tuple[Slots, list[SparseVector]]:
    """Those of `slots` that have a vector in a sparse space, in order, and the vectors. Raises CorruptStore."""
    held = list(_sparse_at(snapshot, space, slots))
    return slots[[position for position, _ in held]], [vector for _, vector in held]


def _view(snapshot: Snapshot, space: str, budget: Budget) -> SparseView:
    build = partial(open_sparse, snapshot, space, budget)
    return snapshot.sparse_indexes.view(_uid(snapshot, space), snapshot.seq, build, budget)


def _uid(snapshot: Snapshot, space: str) -> int:
    return snapshot.schema.sparse[space].uid


def _factors(snapshot: Snapshot, space: str, query: SparseQuery, view: SparseView) -> list[float] | None:
    if snapshot.schema.sparse[space].modifier is SparseModifier.NONE:
        return None
    return view.counts(query.vector, snapshot.seq).factors
