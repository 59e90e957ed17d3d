"""Multi-vectors: the type, the rows of its tokens, and its score."""

import struct

import numpy as np
from numpy.typing import NDArray

from storage.errors import DimensionMismatch, EmptyVector, LimitExceeded, NotFinite, ZeroVector
from storage.kernels import Metric, native_bounds_of_max_similarities, native_max_similarities
from storage.schema import DenseSpace, Distance
from storage.vectors import distance as metrics

MAX_MULTI_ROWS = 1_024
"""Rows of one multi-vector. A late-interaction model makes some hundred of a passage."""

MAX_MULTI_VALUES = 2**20
"""Components of one multi-vector, 4 MiB: the whole is read to be scored."""

_TOKENS = struct.Struct(">QI")  # row of the first token, number of tokens
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_PAIRS_AT_ONCE = 1 << 19  # float64 values of pairs that are scored at once: 4 MiB each side


class MultiVector:
    """A matrix, float32 (n, size), read-only. It compares and hashes by its shape and bytes."""

    __slots__ = ("_key", "rows")

    def __init__(self, rows: NDArray[np.float32]) -> None:
        self.rows = np.ascontiguousarray(rows, np.float32)
        self.rows.flags.writeable = False
        self._key = (self.rows.shape, self.rows.tobytes())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MultiVector) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"MultiVector({len(self.rows)} rows)"

    @property
    def nbytes(self) -> int:
        return self.rows.nbytes

    def to_bytes(self) -> bytes:
        return self.rows.astype("<f4", copy=False).tobytes()


def encode_tokens(first: int, count: int) -> bytes:
    """The body of a point: the rows of its tokens."""
    return _TOKENS.pack(first, count)


def decode_tokens(data: bytes | memoryview) -> tuple[int, int]:
    """The row of the first token, and the number of tokens. Raises ValueError."""
    try:
        first, count = _TOKENS.unpack(data)
    except struct.error as error:
        raise ValueError(f"the rows of a multi-vector: {error}") from None
    return first, count


def checked_multi(space: DenseSpace, rows: list[NDArray[np.float32]], field: str) -> MultiVector:
    """Makes a multi-vector of these rows. Raises EmptyVector, LimitExceeded, DimensionMismatch or NotFinite."""
    if not rows:
        raise EmptyVector(field)
    if len(rows) > MAX_MULTI_ROWS:
        raise LimitExceeded(field, limit="MAX_MULTI_ROWS", maximum=MAX_MULTI_ROWS, actual=len(rows))
    for number, row in enumerate(rows):
        if row.size != space.size:
            path = f"{field}.vectors[{number}]"
            raise EmptyVector(path) if row.size == 0 else DimensionMismatch(path, expected=space.size, actual=row.size)
    if len(rows) * space.size > MAX_MULTI_VALUES:
        actual = len(rows) * space.size
        raise LimitExceeded(field, limit="MAX_MULTI_VALUES", maximum=MAX_MULTI_VALUES, actual=actual)
    matrix = np.stack(rows)
    finite = np.isfinite(matrix)
    if not finite.all():
        number, component = np.argwhere(~finite)[0].tolist()
        what = f"component {component} is {matrix[number, component]}, but every component must be finite"
        raise NotFinite(f"{field}.vectors[{number}]", what)
    return MultiVector(matrix)


def check_multi_query(space: DenseSpace, vector: MultiVector, field: str) -> None:
    """Raises what checked_multi raises, and ZeroVector for a row of zeros under Cosine."""
    checked_multi(space, list(vector.rows), field)
    zero = ~vector.rows.any(axis=1)
    if space.distance is Distance.COSINE and zero.any():
        raise ZeroVector(f"{field}.vectors[{int(np.argmax(zero))}]")


def max_similarities(
    distance: Distance,
    query: NDArray[np.float32],
    rows: NDArray[np.float32],
    starts: NDArray[np.int64],
    deadline: float | None = None,
) -> NDArray[np.float32]:
    """MaxSim of documents: document i has the `rows` from `starts[i]` up to the next start, at least one. float32.

    It is the sum over the query's rows, in their order, of the greatest similarity of any row of the document. The
    similarity is the metric's score, negated for distances. The sum is in float64 and rounded to float32 once, so it
    depends on the query and the document alone. Float32 estimates only choose, by their bounds, which rows may be the
    most similar. Kernels look at the `deadline`, in seconds of time.monotonic(), and raise DeadlineExceeded after it.
    """
    native = native_max_similarities(Metric[distance.name], query, rows, starts, deadline)
    return max_similarities_in_numpy(distance, query, rows, starts) if native is None else native


def max_similarities_in_numpy(
    distance: Distance, query: NDArray[np.float32], rows: NDArray[np.float32], starts: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The twin of the kernel, which gives the same bytes."""
    low, high = _similarity_bounds(distance, query, rows)
    lengths = np.diff(np.append(starts, len(rows)))
    greatest = np.repeat(np.maximum.reduceat(low, starts, axis=1), lengths, axis=1)
    asked, answering = np.nonzero(high >= greatest)
    document = np.repeat(np.arange(len(starts)), lengths)[answering]
    best = np.full((len(query), len(starts)), -np.inf)
    step = max(1, _PAIRS_AT_ONCE // query.shape[1])
    for start in range(0, len(asked), step):
        part = slice(start, start + step)
        exact = metrics.pair_similarities(distance, query[asked[part]], rows[answering[part]])
        np.maximum.at(best, (asked[part], document[part]), exact)
    return _summed(best)


def bounds_of_max_similarities(
    distance: Distance,
    query: NDArray[np.float32],
    rows: NDArray[np.float32],
    starts: NDArray[np.int64],
    deadline: float | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper bounds of max_similarities before rounding."""
    native = native_bounds_of_max_similarities(Metric[distance.name], query, rows, starts, deadline)
    return _bounds_in_numpy(distance, query, rows, starts) if native is None else native


def _bounds_in_numpy(
    distance: Distance, query: NDArray[np.float32], rows: NDArray[np.float32], starts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    low, high = _similarity_bounds(distance, query, rows)
    sums = [np.maximum.reduceat(bound, starts, axis=1).sum(axis=0, dtype=np.float64) for bound in (low, high)]
    # Far more than the error of a sum of a thousand float64 values.
    slack = [1e-9 * (1.0 + np.abs(bound)) for bound in sums]
    return np.nan_to_num(sums[0] - slack[0], nan=-np.inf), np.nan_to_num(sums[1] + slack[1], nan=np.inf)


def _similarity_bounds(
    distance: Distance, query: NDArray[np.float32], rows: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lower and upper bounds of each similarity (m, n)."""
    guess, bound = metrics.estimate_rows(distance, query, metrics.norms_of(query), rows, metrics.norms_of(rows))
    with np.errstate(over="ignore"):
        low, high = guess - 2 * bound, guess + 2 * bound  # doubled, to cover the roundings here too
    if distance is Distance.EUCLID:  # Euclid is estimated by its negative square
        low, high = (-np.sqrt(np.maximum(-value, 0)) * factor for value, factor in ((low, 1.001), (high, 0.999)))
    return low, high


def _summed(best: NDArray[np.float64]) -> NDArray[np.float32]:
    total = np.zeros(best.shape[1])
    for row in best:  # in a fixed order, so that the sum is always the same
        total += row
    rounded: NDArray[np.float32] = np.clip(total, -_FLOAT32_MAX, _FLOAT32_MAX).astype(np.float32)
    return rounded + np.float32(0)
