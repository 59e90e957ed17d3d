"""The one definition of each metric's score, and bounds on the error of fast estimates."""

from typing import TypeVar, assert_never

import numpy as np
from numpy.typing import NDArray

from storage.kernels import Metric, fixed_dots, fixed_sums, native_scores
from storage.schema import Distance

Rows = NDArray[np.float32]
Scores = NDArray[np.float32]
F = TypeVar("F", np.float32, np.float64)

_FLOAT32_MAX = float(np.finfo(np.float32).max)
_SAFE_NORMS = (1e-15, 1e15)
_KERNEL_METRICS = {distance: Metric[distance.name] for distance in Distance}
_CONVERTED_AT_ONCE = 1 << 20  # float64 values converted at once: 8 MiB


def score_rows(
    distance: Distance, query: NDArray[np.float32], rows: Rows, positions: NDArray[np.int64] | None = None
) -> Scores:
    """Exact scores for `query` (d,) of those of `rows` (n, d) that are at `positions` (k,), or of all; float32 (k,).

    Computed in float64 in one order of summation, and rounded once. A row's score depends on nothing but the row and
    the query, so it is the same whatever batch, segment, thread or processor computes it. Cosine lies in [-1, 1] and is
    0 where a norm is 0. Hamming and Jaccard require components that are 0 or 1; Jaccard is 0 where both vectors are 0.
    """
    native = native_scores(_KERNEL_METRICS[distance], query, rows, positions)
    if native is not None:
        return native
    return scores_in_numpy(distance, query, rows if positions is None else rows[positions])


def scores_in_numpy(distance: Distance, query: NDArray[np.float32], rows: Rows) -> Scores:
    """What `score_rows` gives, without the library of kernels."""
    out = np.empty(len(rows), np.float32)
    step = max(1, _CONVERTED_AT_ONCE // max(1, len(query)))
    wide_query = query.astype(np.float64)
    for start in range(0, len(rows), step):
        out[start : start + step] = _score_chunk(distance, wide_query, rows[start : start + step].astype(np.float64))
    out += np.float32(0)  # -0.0 becomes 0.0, so that equal scores have equal bytes
    return out


def pair_similarities(distance: Distance, queries: Rows, rows: Rows) -> NDArray[np.float64]:
    """Similarities, float64 (n,), of row i of `rows` (n, d) and row i of `queries` (n, d).

    They are scores before rounding, negated where lower is better.
    """
    exact = _score_chunk(distance, queries.astype(np.float64), rows.astype(np.float64))
    return exact if distance.higher_is_better else -exact


def _score_chunk(distance: Distance, query: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return _bounded(wide_scores(distance, query, rows), _FLOAT32_MAX)


def wide_scores(distance: Distance, query: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores of `rows` (n, d) for `query` (d,) before rounding, float64 (n,). Cosine lies in [-1, 1]."""
    match distance:
        case Distance.DOT:
            return fixed_dots(rows, query)
        case Distance.COSINE:
            dots, lengths = fixed_dots(rows, query), np.sqrt(fixed_dots(rows, rows)) * np.sqrt(fixed_dots(query, query))
            cosines: NDArray[np.float64] = np.divide(dots, lengths, out=np.zeros_like(dots), where=lengths > 0)
            return _bounded(cosines, 1.0)
        case Distance.EUCLID:
            difference = rows - query
            euclidean: NDArray[np.float64] = np.sqrt(fixed_dots(difference, difference))
            return euclidean
        case Distance.MANHATTAN:
            sums: NDArray[np.float64] = fixed_sums(np.abs(rows - query))
            return sums
        case Distance.HAMMING:
            counts: NDArray[np.float64] = np.count_nonzero(rows != query, axis=1).astype(np.float64)
            return counts
        case Distance.JACCARD:
            shared = fixed_dots(rows, query)
            return _jaccard(shared, rows.sum(axis=1) + query.sum(axis=-1) - shared)
    assert_never(distance)


def _bounded(values: NDArray[np.float64], most: float) -> NDArray[np.float64]:
    """Limits `values`, in place, to -`most` to `most`. np.clip would take as long as scoring several rows."""
    np.minimum(values, most, out=values)
    np.maximum(values, -most, out=values)
    return values


def _jaccard(shared: NDArray[F], either: NDArray[F]) -> NDArray[F]:
    """Jaccard distances. `shared`: components set in both vectors; `either`: components set in at least one."""
    similar: NDArray[F] = np.divide(shared, either, out=np.ones_like(either), where=either > 0)
    return np.subtract(1, similar, dtype=similar.dtype)


def similarity(distance: Distance, raw: Scores) -> Scores:
    """Turns scores into similarities, where higher is better: Jaccard 1 - d, other distances 1 / (1 + d); Cosine and
    Dot stay."""
    if distance.higher_is_better:
        return raw
    if distance is Distance.JACCARD:
        return (1.0 - raw.astype(np.float64)).astype(np.float32)
    return (1.0 / (1.0 + raw.astype(np.float64))).astype(np.float32)


def dissimilarity(distance: Distance, raw: Scores) -> Scores:
    """Turns scores into distances, where lower is better: Cosine 1 - cos, Dot -dot, Euclid squared; others stay."""
    wide = raw.astype(np.float64)
    match distance:
        case Distance.COSINE:
            wide = 1.0 - wide
        case Distance.DOT:
            wide = 0.0 - wide
        case Distance.EUCLID:
            wide = np.minimum(wide * wide, _FLOAT32_MAX)
        case Distance.MANHATTAN | Distance.HAMMING | Distance.JACCARD:
            pass
    return wide.astype(np.float32)


def norms_of(rows: Rows) -> NDArray[np.float32]:
    """Euclidean norms of `rows`, float32 (n,), computed in float64."""
    out = np.empty(len(rows), np.float32)
    step = max(1, _CONVERTED_AT_ONCE // max(1, rows.shape[1]))
    for start in range(0, len(rows), step):
        wide = rows[start : start + step].astype(np.float64)
        out[start : start + step] = np.minimum(np.sqrt(np.vecdot(wide, wide)), _FLOAT32_MAX)
    return out


def estimate_rows(
    distance: Distance, queries: Rows, query_norms: NDArray[np.float32], rows: Rows, row_norms: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fast float32 estimates (m, n), where higher is better, and the largest error of each, broadcastable to (m, n).

    Euclid estimates the negative squared distance, other distances their negative. The bounds hold for recursive
    summation in any order: the error of a sum of d products is at most gamma_d = d u / (1 - d u) times the sum of their
    magnitudes (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1). They are doubled to cover the few
    roundings around the sum. Where float32 may under- or overflow, the estimate is 0 and the bound infinite.
    """
    unit = np.float32(2.0 * (rows.shape[1] + 8) * 2.0**-24)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        guess, bound = _estimates(distance, queries, query_norms, rows, row_norms, unit)
        unsafe_rows, unsafe_queries = is_unsafe(row_norms), is_unsafe(query_norms)
        if unsafe_rows.any() or unsafe_queries.any():
            unsafe = unsafe_queries[:, None] | unsafe_rows[None, :]
            return np.where(unsafe, np.float32(0), guess), np.where(unsafe, np.float32(np.inf), bound)
    return guess, bound


def is_unsafe(norm: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether products of components may leave the range in which float32 keeps its relative precision."""
    return ((norm > 0) & (norm < _SAFE_NORMS[0])) | (norm > _SAFE_NORMS[1])


def _estimates(
    distance: Distance,
    queries: Rows,
    query_norms: NDArray[np.float32],
    rows: Rows,
    row_norms: NDArray[np.float32],
    unit: np.float32,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if distance is Distance.MANHATTAN:
        guess = np.stack([-np.abs(rows - query).sum(axis=1, dtype=np.float32) for query in queries])
        return guess, unit * -guess
    dots = queries @ rows.T
    match distance:
        case Distance.HAMMING | Distance.JACCARD:
            return _binary_estimates(distance, dots, query_norms, row_norms)
        case Distance.DOT:
            return dots, unit * (query_norms[:, None] * row_norms[None, :])
        case Distance.COSINE:
            inverse = np.divide(1.0, row_norms, out=np.zeros_like(row_norms), where=row_norms > 0)
            inverse_query = np.divide(1.0, query_norms, out=np.zeros_like(query_norms), where=query_norms > 0)
            dots *= inverse
            dots *= inverse_query[:, None]
            return dots, np.full((1, 1), unit, np.float32)
        case Distance.EUCLID:
            sums = query_norms[:, None] + row_norms[None, :]
            dots *= 2.0
            dots -= (query_norms * query_norms)[:, None]
            dots -= row_norms * row_norms
            return dots, unit * (sums * sums)
    assert_never(distance)


def _binary_estimates(
    distance: Distance,
    dots: NDArray[np.float32],
    query_norms: NDArray[np.float32],
    row_norms: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Estimates for components of 0 and 1. Counts are whole numbers below 2**24, so float32 holds them, and Hamming,
    exactly."""
    counts = np.rint(query_norms * query_norms)[:, None] + np.rint(row_norms * row_norms)
    if distance is Distance.HAMMING:
        return 2 * dots - counts, np.zeros((1, 1), np.float32)
    # The bound covers one division and one subtraction of values up to 1, each rounded.
    return -_jaccard(dots, counts - dots), np.full((1, 1), 2.0**-22, np.float32)
