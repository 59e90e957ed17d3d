"""Plain searches: many vectors, one space, nothing but graphs to look at. Their hits are matrices, with no object for
each search. They find what storage/search/dense.py finds; whatever is not plain is left to it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.index import Graph, GraphSearch
from storage.kernels import threads_for
from storage.mvcc import Snapshot
from storage.search.dense import Scope, SpaceSearch, walk_of
from storage.search.walk import STEPS_AT_ONCE, WALKS_AT_ONCE, Usable, Walk, usable_in
from storage.segments import BlockView, kind_of_index
from storage.vectors import rank

Slots = NDArray[np.uint32]
Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PlainHits:
    """The hits of m searches: slots uint32 and scores float32 (m, k), best first, ties by point id. `total` and
    `strategy`: see SpaceHits."""

    slots: Slots
    scores: Scores
    total: int | None
    strategy: str


def search_plainly(
    snapshot: Snapshot, like: SpaceSearch, vectors: NDArray[np.float32], budget: Budget
) -> PlainHits | None:
    """Answers searches as `like` for each of `vectors` (m, size). None: they are not plain.

    Raises DeadlineExceeded or Cancelled as `budget` says.
    """
    view = snapshot.spaces[like.space]
    if like.exact or like.allowed is not None or like.after is not None:
        return None
    usable = [(block, usable_in(block, snapshot.seq, None)) for block in view.blocks if block.count]
    walked = [(block, block.index, some) for block, some in usable if some.count and isinstance(block.index, Graph)]
    if not walked or len(walked) < len(usable) or not all(graph.trusted for _, graph, _ in walked):
        return None
    scope, parts = Scope(view, snapshot.seq, None, budget), []
    for block, graph, some in walked:
        found = _walked(_Walked(block, graph, some, walk_of(like, scope, graph)), vectors, budget)
        if found is None:
            return None
        parts.append(found)
    slots, scores = parts[0] if len(parts) == 1 else map(np.hstack, zip(*parts, strict=True))
    total = None if like.indexed_only else scope.matching
    best = _best(slots, scores, like.limit, snapshot, higher=view.schema.distance.higher_is_better)
    return PlainHits(*best, total, kind_of_index(walked[0][1]))


@dataclass(frozen=True, slots=True)
class _Walked:
    """A block, of which `usable` rows may be found by walks of its graph."""

    block: BlockView
    graph: Graph
    usable: Usable
    walk: Walk


def _walked(about: _Walked, vectors: NDArray[np.float32], budget: Budget) -> tuple[Slots, Scores] | None:
    """What walks find, (m, k); None: a walk found too few, or walks found more than others."""
    width = math.ceil(about.walk.ef * about.block.count / about.usable.count)
    at_once = min(WALKS_AT_ONCE, max(1, STEPS_AT_ONCE // width))
    parts = list[tuple[Slots, Scores]]()
    for start in range(0, len(vectors), at_once):
        budget.check()
        found = _found(about, vectors[start : start + at_once], width, budget)
        if found is None or (parts and found[0].shape[1] != parts[0][0].shape[1]):
            return None
        parts.append(found)
    if len(parts) == 1:
        return parts[0]
    return np.vstack([slots for slots, _ in parts]), np.vstack([scores for _, scores in parts])


def _found(about: _Walked, queries: NDArray[np.float32], width: int, budget: Budget) -> tuple[Slots, Scores] | None:
    search = GraphSearch(
        queries=queries,
        width=width,
        limit=min(about.walk.limit, about.usable.count),
        nominated=about.walk.nominated,
        threads=threads_for(len(queries)),
        deadline=budget.deadline,
    )
    found = about.graph.find(search, about.block.vectors, about.usable.mask)
    budget.meter.graph_steps += sum(found.computed.tolist())
    kept = found.kept.tolist()
    if min(kept) < max(kept) or min(found.usable.tolist()) < search.limit:
        return None
    return about.block.slots[found.positions[:, : kept[0]]], found.scores[:, : kept[0]]


def _best(slots: Slots, scores: Scores, limit: int, snapshot: Snapshot, *, higher: bool) -> tuple[Slots, Scores]:
    """The `limit` best of each row of (m, k). Ids are asked for only where scores are equal."""
    if len(slots) == 1:
        best = rank(slots[0], scores[0], higher_is_better=higher, id_keys=snapshot.id_keys, limit=limit)
        return slots[:, best], scores[:, best]
    keys = -scores if higher else scores
    order = np.argsort(keys, axis=1, kind="stable")[:, : limit + 1]
    sorted_keys = np.take_along_axis(keys, order, 1)
    tied = (sorted_keys[:, 1:] == sorted_keys[:, :-1]).any(axis=1)
    order = order[:, :limit]
    for row in np.flatnonzero(tied).tolist():
        order[row] = rank(slots[row], scores[row], higher_is_better=higher, id_keys=snapshot.id_keys, limit=limit)
    return np.take_along_axis(slots, order, 1), np.take_along_axis(scores, order, 1)


def finite_and_not_zero(vectors: Sequence[NDArray[np.float32]]) -> NDArray[np.float32] | None:
    """The vectors as a matrix (m, d), if one sees at a glance that they are as long as each other, that all components
    are finite, and that no vector is zero."""
    size = len(vectors[0])
    if any(len(vector) != size for vector in vectors):
        return None
    matrix = vectors[0].reshape(1, size) if len(vectors) == 1 else np.concatenate(vectors).reshape(-1, size)
    with np.errstate(all="ignore"):  # a square that is too large is no number to trust
        squares = np.einsum("ij,ij->i", matrix, matrix).tolist()
    return matrix if all(0.0 < square < math.inf for square in squares) else None
