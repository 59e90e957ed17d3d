"""The inverted index of a space of sparse vectors: derived data in memory, which follows the commits.

It keeps versions. A replaced vector stays, marked with the commit that replaced it, so one index answers for every
commit from `valid_from` to `seq`. Postings are in a sorted base and a tail of new ones. The tail is merged into the
base once it exceeds a share of the base.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from storage.budget import UNLIMITED, Budget
from storage.index.row_versions import NEVER, Growing, Versions, VersionsView
from storage.index.sparse_log import SparseChange
from storage.vectors import (
    QueryPostings,
    SparseCounts,
    SparseMetric,
    SparseScores,
    SparseVector,
    decode_all,
    positions_in,
    sparse_norms,
)

MIN_TAIL = 65_536
"""A tail of up to so many postings is never merged: searching it takes less than a millisecond."""

MAX_TAIL_SHARE = 0.25
"""A larger tail than this share of the base is merged, so that each posting is moved a bounded number of times."""

MIN_DEAD = 1_024
"""Dead vectors that may always stay. Above it, at most half of all vectors may be dead."""

_ROWS_PER_CHECK = 1_024


@dataclass(frozen=True, slots=True)
class _Postings:
    """Posting i: row `rows[i]` has the value `values[i]`. The postings of `indices[j]` begin at `starts[j]`."""

    indices: NDArray[np.uint32]
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    values: NDArray[np.float32]

    def of(self, position: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        part = slice(self.starts[position], self.starts[position + 1])
        return self.rows[part], self.values[part]


class Compact(NamedTuple):
    """The vectors of one commit: slot, length and norm of each row; the postings of `indices[j]` begin at
    `starts[j]`."""

    slots: NDArray[np.uint32]
    lengths: NDArray[np.int32]
    norms: NDArray[np.float64]
    indices: NDArray[np.uint32]
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    values: NDArray[np.float32]


class SparseFound(NamedTuple):
    """Slots of points and their scores: at least the best that were asked for and what ties with the last of them, in
    no order that means anything. `read`: postings that were read; `total`: points that share an index."""

    slots: NDArray[np.uint32]
    scores: NDArray[np.float32]
    read: int
    total: int


@dataclass(frozen=True, slots=True)
class SparseView:
    """The index as it was when a search began, for the commit of that search. `lengths` and `norms` are by row."""

    versions: VersionsView
    base: _Postings
    tail_indices: NDArray[np.uint32]
    tail_rows: NDArray[np.int32]
    tail_values: NDArray[np.float32]
    lengths: NDArray[np.int32]
    norms: NDArray[np.float64]

    def counts(self, query: SparseVector, seq: int) -> SparseCounts:
        """For each index of the query, the number of points that have it, as of commit `seq`."""
        alive = self.versions.alive(seq)
        points = int(np.count_nonzero(alive))
        tail_positions, found = positions_in(query.indices, self.tail_indices)
        having = np.bincount(tail_positions, weights=alive[self.tail_rows[found]], minlength=len(query))
        everything = points == len(alive)
        for position, base_position in self._shared(query):
            rows, _ = self.base.of(base_position)
            having[position] += len(rows) if everything else np.count_nonzero(alive[rows])
        return SparseCounts(points, tuple(map(int, having.tolist())))

    def search(
        self,
        query: SparseVector,
        metric: SparseMetric,
        factors: Sequence[float] | None,
        seq: int,
        allowed: NDArray[np.uint32] | None,
        limit: int,
        budget: Budget,
    ) -> SparseFound:
        """The best points that share an index with the query, among `allowed` when it is given.

        `factors`: see SparseScores. Raises DeadlineExceeded or Cancelled.
        """
        scores = SparseScores(query, metric, len(self.lengths), factors)
        base, tail = self._base_postings(query), self._tail_postings(query)
        scores.add_postings(base, budget)
        scores.add_postings(tail, budget)
        budget.check()
        usable = self.versions.usable(seq, allowed)
        hits, values, total = scores.best(self.lengths, self.norms, usable, limit)
        read = len(self.tail_indices) + int((base.stops - base.starts).sum())
        return SparseFound(self.versions.slots[hits], values, read, total)

    def _base_postings(self, query: SparseVector) -> QueryPostings:
        shared = np.array(self._shared(query), np.int64).reshape(-1, 2)
        starts = self.base.starts
        return QueryPostings(
            shared[:, 0], starts[shared[:, 1]], starts[shared[:, 1] + 1], self.base.rows, self.base.values
        )

    def _tail_postings(self, query: SparseVector) -> QueryPostings:
        positions, found = positions_in(query.indices, self.tail_indices)
        found = found[np.argsort(positions, kind="stable")]
        counts = np.bincount(positions, minlength=len(query))
        stops = np.cumsum(counts)
        return QueryPostings(
            np.arange(len(query)), stops - counts, stops, self.tail_rows[found], self.tail_values[found]
        )

    def _shared(self, query: SparseVector) -> list[tuple[int, int]]:
        """For each index that both the query and the base have: its position in the query and in the base."""
        if not len(self.base.indices):
            return []
        places, found = positions_in(self.base.indices, query.indices)
        return list(zip(found.tolist(), places.tolist(), strict=True))


class SparseIndex:
    """Only one thread at a time may change it or take a view of it."""

    def __init__(self, seq: int) -> None:
        """The index of a space that is empty at commit `seq`."""
        self.versions = Versions(seq)
        self._lengths: Growing[np.int32] = Growing(np.int32)
        self._norms: Growing[np.float64] = Growing(np.float64)
        self._base = _postings(np.empty(0, np.uint32), np.empty(0, np.int32), np.empty(0, np.float32))
        self._tail_indices: Growing[np.uint32] = Growing(np.uint32)
        self._tail_rows: Growing[np.int32] = Growing(np.int32)
        self._tail_values: Growing[np.float32] = Growing(np.float32)

    @property
    def seq(self) -> int:
        """The newest commit that it is good for."""
        return self.versions.seq

    @classmethod
    def build(cls, bodies: Iterable[tuple[int, memoryview]], seq: int, budget: Budget) -> "SparseIndex":
        """Builds the index from the bytes of all vectors, by slot, as of commit `seq`. Raises DeadlineExceeded or
        Cancelled."""
        index = cls(seq)
        remaining = iter(bodies)
        while some := list(islice(remaining, _ROWS_PER_CHECK)):
            budget.check()
            index._insert([slot for slot, _ in some], [body for _, body in some], seq)
        index._merge(budget)
        return index

    @classmethod
    def restore(cls, seq: int, content: Compact) -> "SparseIndex":
        """Makes the index from what `compact` returned at commit `seq`."""
        index = cls(seq)
        index.versions.begin(content.slots, seq)
        index._lengths, index._norms = Growing(np.int32, content.lengths), Growing(np.float64, content.norms)
        index._base = _Postings(content.indices, content.starts, content.rows, content.values)
        return index

    def compact(self) -> Compact:
        """The current vectors, without a tail."""
        alive = self.versions.view().died == NEVER
        new_rows = np.where(alive, np.cumsum(alive) - 1, -1).astype(np.int32)
        base = self._compacted(new_rows)
        slots, lengths, norms = self.versions.view().slots, self._lengths.view(), self._norms.view()
        of_points = (slots[alive], lengths[alive], norms[alive])
        return Compact(*of_points, base.indices, base.starts, base.rows, base.values)

    def jump(self, changes: Sequence[SparseChange], seq: int) -> None:
        """Applies the changes up to commit `seq` at once. After that it answers for commit `seq` alone."""
        self.advance([(seq, changes)], seq, UNLIMITED)
        self.versions.valid_from = seq

    def advance(self, commits: Iterable[tuple[int, Sequence[SparseChange]]], seq: int, budget: Budget) -> None:
        """Applies the commits since the last one, up to `seq`. May raise only after all of them are applied."""
        for commit, changes in commits:
            # If one commit changes a point twice, no reader ever sees the first change.
            last = {change.slot: change.body for change in changes}
            for slot in last:
                self.versions.end(slot, commit)
            held = {slot: memoryview(body) for slot, body in last.items() if body is not None}
            self._insert(list(held), list(held.values()), commit)
        self.versions.seq = seq
        long_tail = len(self._tail_rows) > MIN_TAIL + MAX_TAIL_SHARE * len(self._base.rows)
        if long_tail or self.versions.dead > MIN_DEAD + len(self.versions) // 2:
            self._merge(budget)

    def view(self) -> SparseView:
        return SparseView(
            self.versions.view(),
            self._base,
            self._tail_indices.view(),
            self._tail_rows.view(),
            self._tail_values.view(),
            self._lengths.view(),
            self._norms.view(),
        )

    def _insert(self, slots: Sequence[int], bodies: Sequence[memoryview], seq: int) -> None:
        """Adds vectors, current from commit `seq`. Requires: their slots have no current vector."""
        lengths, indices, values = decode_all(bodies)
        places = np.repeat(np.arange(len(slots)), lengths)
        rows = self.versions.begin(np.array(slots, np.uint32), seq)
        self._lengths.extend(lengths)
        self._norms.extend(sparse_norms(places, values, len(slots)))
        self._tail_indices.extend(indices)
        self._tail_rows.extend(rows[places])
        self._tail_values.extend(values)

    def _merge(self, budget: Budget) -> None:
        """Merges base and tail, without dead vectors. Readers of older commits need another index after that."""
        budget.check()
        new_rows = self.versions.forget_dead()  # new row of each old row, -1: dropped
        kept = new_rows >= 0
        lengths, norms = self._lengths.view()[kept], self._norms.view()[kept]
        self._base = self._compacted(new_rows)
        self._lengths, self._norms = Growing(np.int32, lengths), Growing(np.float64, norms)
        self._tail_indices, self._tail_rows = Growing(np.uint32), Growing(np.int32)
        self._tail_values = Growing(np.float32)

    def _compacted(self, new_rows: NDArray[np.int32]) -> _Postings:
        """Merges base and tail into one base. `new_rows` has the new number of each row, -1: left out."""
        base = self._base
        indices = np.concatenate([np.repeat(base.indices, np.diff(base.starts)), self._tail_indices.view()])
        rows = new_rows[np.concatenate([base.rows, self._tail_rows.view()])]
        values = np.concatenate([base.values, self._tail_values.view()])
        alive = rows >= 0
        return _postings(indices[alive], rows[alive], values[alive])


def _postings(indices: NDArray[np.uint32], rows: NDArray[np.int32], values: NDArray[np.float32]) -> _Postings:
    """Sorts postings by index. Requires: the postings of one index are in row order."""
    order = np.argsort(indices, kind="stable")  # a stable sort only merges two sorted runs
    ordered = indices[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(ordered) else order[:0]
    starts = np.append(first, len(ordered)).astype(np.int64)
    return _Postings(ordered[first], starts, rows[order], values[order])
