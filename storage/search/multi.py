"""Searches one space of multi-vectors of a snapshot: tokens nominate points, and MaxSim ranks these exactly."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.mvcc import Snapshot, Tokens
from storage.schema import Distance
from storage.search.dense import SpaceHits, SpaceSearch
from storage.search.snapshot_search import search_vectors
from storage.segments import SlotSet, kind_of_index
from storage.vectors import MultiVector, best, bounds_of_max_similarities, max_similarities

Slots = NDArray[np.uint32]

NOMINATED = 4
"""Tokens that each row of a query looks for, per point asked for. Several of the nearest tokens may be of one point."""

MIN_NOMINATED = 128
"""The least number of tokens that each row of a query looks for."""

SCANNED_TOKENS = 20_000
"""If the matching points have at most so many tokens, all are compared: some tens of milliseconds."""

_CELLS_AT_ONCE = 1 << 21  # similarities estimated between two checks of the budget
_VALUES_AT_ONCE = 1 << 22  # components gathered at once: 16 MiB


@dataclass(frozen=True, slots=True)
class MultiQuery:
    """The query that ranks points of a space of multi-vectors.

    `width`: the least number of tokens that each row looks for. `nprobe`: nodes followed on each level of a partition;
    None: the setting of the space.
    """

    vector: MultiVector
    exact: bool = False
    width: int | None = None
    nprobe: tuple[int, ...] | None = None

    @property
    def is_exact(self) -> bool:
        """Whether the first rows stay the same when more rows are asked for. Graphs search less far for fewer rows."""
        return self.exact


def search_multi(
    snapshot: Snapshot, space: str, query: MultiQuery, limit: int, allowed: Slots | None, budget: Budget
) -> SpaceHits:
    """The `limit` best points by MaxSim, of those in `allowed` (None: all). Exact, unless graphs nominate the points.

    Nominated points are scored exactly. If too few are nominated, all points are compared. Raises ScanTooLarge,
    DeadlineExceeded or Cancelled.
    """
    budget.check()
    kinds = sorted({kind_of_index(block.index) for block in snapshot.spaces[space].blocks if block.index is not None})
    if query.exact or not kinds:
        reason = "exact was asked for" if query.exact else "no graph covers its tokens yet"
        hits = _scan(snapshot, space, query, limit, snapshot.tokens(space).of(allowed), budget)
        return replace(hits, reason=reason)
    tokens = None if allowed is None else snapshot.tokens(space).of(allowed)
    if tokens is not None and int(tokens.counts.sum()) <= SCANNED_TOKENS:
        hits = _scan(snapshot, space, query, limit, tokens, budget)
        return replace(hits, strategy="matching rows", reason="few points match")
    points, computed = _nominated(snapshot, space, query, limit, tokens, budget)
    if len(points) < limit:
        everything = snapshot.tokens(space).of(allowed)
        hits = _scan(snapshot, space, query, limit, everything, budget)
        return replace(hits, reason="too few points were nominated")
    hits = score_multi(snapshot, space, points, query, budget)
    reason = f"{len(points):,} points were nominated by their tokens"
    computed += hits.distance_computations
    return SpaceHits(hits.slots[:limit], hits.scores[:limit], f"tokens by {'+'.join(kinds)}", reason, computed)


def score_multi(snapshot: Snapshot, space: str, slots: Slots, query: MultiQuery, budget: Budget) -> SpaceHits:
    """Those of `slots` that have a multi-vector, best first by MaxSim."""
    tokens = snapshot.tokens(space).of(slots)
    scores = _scores(snapshot, space, query, tokens, budget)
    found, scores = best(tokens.slots, scores, None, snapshot.id_keys)
    computed = int(tokens.counts.sum()) * len(query.vector.rows)
    return SpaceHits(found, scores, "rescore", "the candidates of the prefetches", computed)


def multi_vectors(snapshot: Snapshot, space: str, slots: Slots) -> Iterator[tuple[int, MultiVector]]:
    """Yields those of `slots` that have a multi-vector: position in `slots`, and the multi-vector. Raises
    CorruptStore."""
    held = snapshot.tokens(space)
    for position in range(len(slots)):
        tokens = held.of(slots[position : position + 1])
        if len(tokens.slots):
            yield position, MultiVector(held.vectors(tokens.rows))


def _nominated(
    snapshot: Snapshot, space: str, query: MultiQuery, limit: int, allowed: Tokens | None, budget: Budget
) -> tuple[Slots, int]:
    """The points (ascending) with a token among the nearest to some row of the query; and the distances computed."""
    width = max(NOMINATED * limit, MIN_NOMINATED, query.width or 0)
    rows = None if allowed is None else SlotSet(np.sort(allowed.rows).astype(np.uint32))
    searches = [
        SpaceSearch(space=space, vector=row, limit=width, allowed=rows, hnsw_ef=width, nprobe=query.nprobe)
        for row in query.vector.rows
    ]
    hits = search_vectors(snapshot, searches, budget)
    tokens = np.unique(np.concatenate([each.slots for each in hits]))
    return np.unique(snapshot.tokens(space).owners[tokens]), sum(each.distance_computations for each in hits)


def _scan(
    snapshot: Snapshot,
    space: str,
    query: MultiQuery,
    limit: int,
    tokens: Tokens,
    budget: Budget,
) -> SpaceHits:
    """Compares all `tokens`. Scores only points exactly that may be among the best. Raises ScanTooLarge."""
    budget.check_scan(int(tokens.counts.sum()))
    if len(tokens.slots) > limit:
        tokens = tokens.take(_may_be_best(snapshot, space, query, limit, tokens, budget))
    scores = _scores(snapshot, space, query, tokens, budget)
    slots, scores = best(tokens.slots, scores, limit, snapshot.id_keys)
    computed = int(tokens.counts.sum()) * len(query.vector.rows)
    budget.meter.rows_scanned += computed
    return SpaceHits(slots, scores, distance_computations=computed)


def _may_be_best(
    snapshot: Snapshot, space: str, query: MultiQuery, limit: int, tokens: Tokens, budget: Budget
) -> NDArray[np.bool_]:
    """Which points may be among the `limit` best, by bounds on their scores, with room for rounding."""
    lows, highs = [], []
    for _, rows, starts in _chunks(snapshot, space, query, tokens, budget):
        low, high = bounds_of_max_similarities(
            _distance(snapshot, space), query.vector.rows, rows, starts, budget.deadline
        )
        lows.append(low)
        highs.append(high)
    low, high = np.concatenate(lows), np.concatenate(highs)
    worst = float(np.partition(low, len(low) - limit)[len(low) - limit])
    if not np.isfinite(worst):
        return np.ones(len(low), np.bool_)
    # Rounding to float32 may make different scores equal.
    may: NDArray[np.bool_] = high >= worst - 2.0**-22 * abs(worst) - 1e-30
    return may


def _scores(snapshot: Snapshot, space: str, query: MultiQuery, tokens: Tokens, budget: Budget) -> NDArray[np.float32]:
    """Exact scores of the points of `tokens`, in their order."""
    parts = [
        max_similarities(_distance(snapshot, space), query.vector.rows, rows, starts, budget.deadline)
        for _, rows, starts in _chunks(snapshot, space, query, tokens, budget)
    ]
    return np.concatenate([np.empty(0, np.float32), *parts])


def _chunks(
    snapshot: Snapshot, space: str, query: MultiQuery, tokens: Tokens, budget: Budget
) -> Iterator[tuple[Slots, NDArray[np.float32], NDArray[np.int64]]]:
    """Some points at a time: their slots, their tokens (n, size) one after another, and where each point's tokens
    begin."""
    view = snapshot.spaces[space]
    at_once = min(_CELLS_AT_ONCE // len(query.vector.rows), _VALUES_AT_ONCE // view.schema.size)
    ends = np.cumsum(tokens.counts)
    start = 0
    while start < len(ends):
        budget.check()
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + at_once, side="right")))
        part = tokens.take(slice(start, stop))
        yield part.slots, view.gather(part.rows), part.starts
        start = stop


def _distance(snapshot: Snapshot, space: str) -> Distance:
    return snapshot.spaces[space].schema.distance
