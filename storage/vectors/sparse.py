"""Sparse vectors: the type, its bytes, and its score."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.errors import EmptyVector, InvalidRequest, LimitExceeded, NotFinite, ZeroVector
from storage.kernels import Metric, SparseRows, SparseTerms, add_sparse, best_sparse

MAX_SPARSE_VALUES = 65_536
"""Values of one sparse vector: as many as a dense one may have."""

_FLOAT32_MAX = float(np.finfo(np.float32).max)


class SparseVector:
    """Indices, uint32 (n,), ascending, and values, float32 (n,), read-only. It compares and hashes by its bytes."""

    __slots__ = ("_key", "indices", "values")

    def __init__(self, indices: NDArray[np.uint32], values: NDArray[np.float32]) -> None:
        """Requires: indices ascend strictly."""
        self.indices = np.ascontiguousarray(indices, np.uint32)
        self.values = np.ascontiguousarray(values, np.float32)
        self.indices.flags.writeable = self.values.flags.writeable = False
        self._key = self.to_bytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SparseVector) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __len__(self) -> int:
        return len(self.indices)

    def __repr__(self) -> str:
        return f"SparseVector({len(self)} values)"

    @property
    def nbytes(self) -> int:
        return self.indices.nbytes + self.values.nbytes

    def to_bytes(self) -> bytes:
        return self.indices.astype("<u4", copy=False).tobytes() + self.values.astype("<f4", copy=False).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> "SparseVector":
        """Makes a vector from a copy of `data`. Raises ValueError unless `to_bytes` made it."""
        indices, values = decode_sparse(bytes(data))
        if not np.isfinite(values).all() or (len(indices) > 1 and not (indices[1:] > indices[:-1]).all()):
            raise ValueError("the bytes are not a sparse vector")
        return cls(indices, values)


def decode_sparse(data: bytes | memoryview) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Indices and values without a copy. Raises ValueError when the length is impossible."""
    if len(data) % 8 or not data:
        raise ValueError(f"a sparse vector cannot have {len(data):,} bytes")
    half = len(data) // 2
    return np.frombuffer(data[:half], "<u4"), np.frombuffer(data[half:], "<f4")


def decode_all(
    bodies: Sequence[memoryview],
) -> tuple[NDArray[np.int32], NDArray[np.uint32], NDArray[np.float32]]:
    """The number of indices of each vector (n,), then all indices and all values, one vector after another."""
    halves = [len(body) // 2 for body in bodies]
    indices = b"".join([body[:half] for body, half in zip(bodies, halves, strict=True)])
    values = b"".join([body[half:] for body, half in zip(bodies, halves, strict=True)])
    lengths = np.array(halves, np.int32) // 4
    return lengths, np.frombuffer(indices, "<u4"), np.frombuffer(values, "<f4")


class SparseMetric(Enum):
    """How the indices that two vectors share make a score; higher is better for all.

    DOT: the sum of products. COSINE: this sum divided by both norms. JACCARD: the number of indices in both vectors,
    divided by the number of indices in at least one.
    """

    DOT = "dot"
    COSINE = "cosine"
    JACCARD = "jaccard"


def checked_sparse(indices: NDArray[np.uint32], values: NDArray[np.float32], field: str) -> SparseVector:
    """Makes a vector from indices in any order.

    Raises EmptyVector, LimitExceeded, NotFinite, or InvalidRequest when there are not as many indices as values or an
    index is given twice.
    """
    if len(indices) != len(values):
        what = f"there are {len(indices):,} indices but {len(values):,} values"
        raise InvalidRequest(field, what)
    if len(indices) == 0:
        raise EmptyVector(field)
    if len(indices) > MAX_SPARSE_VALUES:
        raise LimitExceeded(field, limit="MAX_SPARSE_VALUES", maximum=MAX_SPARSE_VALUES, actual=len(indices))
    finite = np.isfinite(values)
    if not finite.all():
        bad = int(np.argmin(finite))
        raise NotFinite(f"{field}.values", f"the value of index {indices[bad]} is {values[bad]}")
    if not (indices[1:] > indices[:-1]).all():
        order = np.argsort(indices, kind="stable")
        indices, values = indices[order], values[order]
        twice = np.flatnonzero(indices[1:] == indices[:-1])
        if len(twice):
            raise InvalidRequest(f"{field}.indices", f"the index {indices[twice[0]]} is given twice")
    return SparseVector(indices, values)


def check_sparse_query(vector: SparseVector, metric: SparseMetric, field: str) -> None:
    """Raises ZeroVector for a query under Cosine whose values are all 0."""
    if metric is SparseMetric.COSINE and not vector.values.any():
        raise ZeroVector(field)


def inverse_document_frequency(points: int, having: int) -> float:
    """ln(1 + (N - n + 0.5) / (n + 0.5)): N is the number of points, n of them have the index. Never negative.

    Source: Lucene's BM25Similarity.
    """
    return math.log(1.0 + (points - having + 0.5) / (having + 0.5))


@dataclass(frozen=True, slots=True)
class SparseCounts:
    """The number of points, and for each index of a query the number of points that have it. Counts of shards add
    up."""

    points: int
    having: tuple[int, ...]

    def __add__(self, other: "SparseCounts") -> "SparseCounts":
        having = tuple(mine + theirs for mine, theirs in zip(self.having, other.having, strict=True))
        return SparseCounts(self.points + other.points, having)

    @property
    def factors(self) -> list[float]:
        """The inverse document frequency of each index."""
        return [inverse_document_frequency(self.points, having) for having in self.having]


@dataclass(frozen=True, slots=True)
class QueryPostings:
    """Postings of the indices of a query that are at `positions` in it, (m,) ascending: those of number i are from
    `starts[i]` to `stops[i]`. `rows` int32 and `values` float32 (n,): what each posting says."""

    positions: NDArray[np.intp]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    rows: NDArray[np.int32]
    values: NDArray[np.float32]


class SparseScores:
    """Scores of `count` vectors, by row, for one query.

    A score depends on the query, its factors and the vector alone. Products are summed in float64 in the order of
    indices; the score is rounded to float32 once.
    """

    def __init__(
        self, query: SparseVector, metric: SparseMetric, count: int, factors: Sequence[float] | None = None
    ) -> None:
        """`factors` has one number for each index of the query. It multiplies the query's value."""
        weights = query.values.astype(np.float64)
        self._weights = weights if factors is None else weights * np.array(factors, np.float64)
        self._metric = metric
        self._sums = np.zeros(count, np.float64)
        self._shared = np.zeros(count, np.int32)

    def add_postings(self, postings: QueryPostings, budget: Budget) -> None:
        """Adds what postings say. Requires: no row has an index twice, and what is added later of a row is of later
        indices. Raises DeadlineExceeded or Cancelled."""
        terms = SparseTerms(
            starts=postings.starts,
            stops=postings.stops,
            weights=self._weights[postings.positions],
            rows=postings.rows,
            values=postings.values,
        )
        if not add_sparse(terms, self._sums, self._shared, budget.check, budget.deadline):
            self.add_in_numpy(terms, budget)

    def add_in_numpy(self, terms: SparseTerms, budget: Budget) -> None:
        """What `add_postings` does, without the library of kernels."""
        for start, stop, weight in zip(terms.starts.tolist(), terms.stops.tolist(), terms.weights, strict=True):
            budget.check()
            rows = terms.rows[start:stop].astype(np.intp)
            self._sums[rows] += weight * terms.values[start:stop]
            self._shared[rows] += 1

    def add_all(self, positions: NDArray[np.intp], rows: NDArray[np.intp], values: NDArray[np.float32]) -> None:
        """Adds entries: `rows[i]` has `values[i]` for index number `positions[i]` of the query. Requires: positions
        ascend."""
        np.add.at(self._sums, rows, self._weights[positions] * values)
        np.add.at(self._shared, rows, 1)

    def best(
        self, lengths: NDArray[np.int32], norms: NDArray[np.float64], usable: NDArray[np.bool_], limit: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float32], int]:
        """Rows that share an index with the query and are `usable` (count,), their scores, and how many there are.

        At least the `limit` best of them and what ties with the last, in no order that means anything.
        """
        rows = SparseRows(
            metric=Metric[self._metric.name],
            sums=self._sums,
            shared=self._shared,
            usable=usable,
            lengths=lengths,
            norms=norms,
            norm=self._norm(),
            terms=len(self._weights),
        )
        native = best_sparse(rows, max(1, limit))
        if native is not None:
            return native
        hits, scores = self.result(lengths, norms)
        kept = usable[hits]
        return hits[kept], scores[kept], int(np.count_nonzero(kept))

    def _norm(self) -> float:
        return float(sparse_norms(np.zeros(len(self._weights), np.intp), self._weights, 1)[0])

    def result(
        self, lengths: NDArray[np.int32], norms: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Rows that share an index with the query, ascending, and their scores.

        `lengths` (count,): the number of indices of each row. `norms` (count,): the norm of each row.
        """
        hits = np.flatnonzero(self._shared)
        exact = self._sums[hits]
        if self._metric is SparseMetric.JACCARD:
            shared = self._shared[hits].astype(np.float64)
            exact = shared / (lengths[hits] + len(self._weights) - shared)
        elif self._metric is SparseMetric.COSINE:
            scale = norms[hits] * self._norm()
            exact = np.clip(np.divide(exact, scale, out=np.zeros_like(exact), where=scale > 0), -1.0, 1.0)
        rounded = np.clip(exact, -_FLOAT32_MAX, _FLOAT32_MAX).astype(np.float32)
        return hits, rounded + np.float32(0)  # -0.0 becomes 0.0, so that equal scores have equal bytes


def sparse_norms(
    rows: NDArray[np.intp], values: NDArray[np.float32] | NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Euclidean norms of `count` rows, float64. `values[i]` belongs to row `rows[i]`; squares are summed in this
    order."""
    wide = values.astype(np.float64)
    norms: NDArray[np.float64] = np.sqrt(np.bincount(rows, weights=wide * wide, minlength=count))
    return norms


def score_vectors(
    query: SparseVector, metric: SparseMetric, factors: Sequence[float] | None, vectors: Sequence[SparseVector]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The numbers (ascending) of the vectors that share an index with the query, and their scores."""
    scores = SparseScores(query, metric, len(vectors), factors)
    lengths = np.array([len(vector) for vector in vectors], np.int32)
    rows = np.repeat(np.arange(len(vectors)), lengths)
    indices = np.concatenate([np.empty(0, np.uint32), *(vector.indices for vector in vectors)])
    values = np.concatenate([np.empty(0, np.float32), *(vector.values for vector in vectors)])
    positions, found = positions_in(query.indices, indices)
    order = np.argsort(positions, kind="stable")
    scores.add_all(positions[order], rows[found][order], values[found][order])
    return scores.result(lengths, sparse_norms(rows, values, len(vectors)))


def positions_in(query: NDArray[np.uint32], indices: NDArray[np.uint32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For the `indices` that the query has too: their positions in the query, and their positions in `indices`."""
    positions = np.minimum(np.searchsorted(query, indices), len(query) - 1)
    found = np.flatnonzero(query[positions] == indices)
    return positions[found], found
