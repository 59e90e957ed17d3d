"""Codes: rows as int8, by which scores are estimated many times faster than from the originals, with bounds.

Each row has its own scale. The loss by rounding is measured, so the error of an estimate never exceeds its bound, and a
scan of codes loses no row of the true top k. Codes of IVF lists have no bounds; they are in ivf/codes.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numkong
import numpy as np
from numpy.typing import NDArray

from storage.schema import Distance
from storage.vectors import distance

PART_ROWS = 32_768
"""Rows packed together: a few milliseconds of work between two checks of the budget."""

QUERIES_AT_ONCE = 16

_LARGEST_CODE = np.float32(127)
_CODED_AT_ONCE = 1 << 18  # float32 values coded at once: 1 MiB, which fits the processor's cache
_ROUNDING = 2.0**-20  # relative error by float32 roundings around a product, with a wide margin
_CODED = (Distance.COSINE, Distance.DOT, Distance.EUCLID)


@dataclass(frozen=True, slots=True)
class CodedRows:
    """Codes of the rows at `positions` of a block, packed for products with many queries.

    An estimate is the product of codes times `factor` (float32, (n,)) times the query's factor, plus `offset`. `error`:
    the greatest length that rounding removed from a row. `longest`: the greatest length of a row. Under Cosine both are
    of rows scaled to length 1.
    """

    positions: NDArray[np.int64]
    packed: numkong.PackedMatrix
    factors: NDArray[np.float32]
    offsets: NDArray[np.float32] | None
    error: float
    longest: float

    @property
    def nbytes(self) -> int:
        """The bytes that it takes."""
        offsets = 0 if self.offsets is None else self.offsets.nbytes
        return int(self.packed.nbytes) + self.positions.nbytes + self.factors.nbytes + offsets


@dataclass(frozen=True, slots=True)
class CodedQueries:
    """Codes (int8, (m, size)) of queries. For each query, (m,): its factor, its length and the length of its rounding
    loss."""

    metric: Distance
    codes: NDArray[np.int8]
    factors: NDArray[np.float32]
    lengths: NDArray[np.float64]
    errors: NDArray[np.float64]


def has_codes(metric: Distance) -> bool:
    """Whether codes can estimate scores of the metric: it must follow from an inner product."""
    return metric in _CODED


def code_rows(
    metric: Distance, vectors: NDArray[np.float32], norms: NDArray[np.float32], positions: NDArray[np.int64]
) -> CodedRows | None:
    """The codes of `vectors[positions]` (n, size), whose norms are `norms[positions]`.

    None when float32 may under- or overflow with one of them. Requires: has_codes(metric).
    """
    lengths = norms[positions]
    if distance.is_unsafe(lengths).any():
        return None
    codes = np.empty((len(positions), vectors.shape[1]), np.int8)
    scales = np.empty(len(positions), np.float32)
    lost = np.empty(len(positions), np.float32)
    step = max(1, _CODED_AT_ONCE // vectors.shape[1])
    for start in range(0, len(positions), step):
        part = slice(start, start + step)
        codes[part], scales[part], lost[part] = _coded(vectors[positions[part]])
    # The relative error of a sum of n squares in float32 is at most n 2**-24 (see distance.estimate_rows).
    lost *= np.float32(1 + vectors.shape[1] * 2.0**-23)
    lost += np.float32(_ROUNDING) * lengths
    offsets = None
    if metric is Distance.COSINE:
        inverse = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        scales, lost, lengths = scales * inverse, lost * inverse, np.ones_like(lengths)
    elif metric is Distance.EUCLID:
        scales, offsets = 2 * scales, -lengths * lengths
    longest = float(lengths.max(initial=0))
    return CodedRows(positions, numkong.dots_pack(codes), scales, offsets, float(lost.max(initial=0)), longest)


def code_queries(metric: Distance, queries: NDArray[np.float32]) -> CodedQueries | None:
    """The codes of `queries` (m, size), finite. None when float32 may under- or overflow with one of them."""
    norms = distance.norms_of(queries)
    if distance.is_unsafe(norms).any():
        return None
    wide = queries.astype(np.float64)
    lengths = np.sqrt(np.vecdot(wide, wide))
    if metric is Distance.COSINE:
        wide /= np.where(lengths > 0, lengths, 1.0)[:, None]
        lengths = np.where(lengths > 0, 1.0, 0.0)
    largest = np.abs(wide).max(axis=1, keepdims=True)
    factors = (np.where(largest > 0, largest, 1.0) / float(_LARGEST_CODE)).astype(np.float32)
    codes = np.clip(np.rint(wide / factors), -_LARGEST_CODE, _LARGEST_CODE)
    rest = wide - codes * factors
    return CodedQueries(metric, codes.astype(np.int8), factors[:, 0], lengths, np.sqrt(np.vecdot(rest, rest)))


def estimate_codes(queries: CodedQueries, rows: CodedRows) -> Iterator[tuple[int, NDArray[np.float32], np.float32]]:
    """Yields for each query its number, estimates of its scores (n,) as distance.estimate_rows gives them, and their
    bound.

    Write a row as x = x' + e and a query as q = q' + f, where x' and q' are the values of their codes. Then q x - q' x'
    = q e + f x', whose size is at most |q| |e| + |f| (|x| + |e|).
    """
    for start in range(0, len(queries.codes), QUERIES_AT_ONCE):
        products = np.asarray(numkong.dots_packed(queries.codes[start : start + QUERIES_AT_ONCE], rows.packed))
        for number, product in enumerate(products, start):
            guess = np.multiply(product, rows.factors, dtype=np.float32, casting="unsafe")
            guess *= queries.factors[number]
            length = float(queries.lengths[number])
            error = length * rows.error + float(queries.errors[number]) * (rows.longest + rows.error)
            error += _ROUNDING * (length + float(queries.errors[number])) * (rows.longest + rows.error)
            if rows.offsets is not None:
                guess += rows.offsets
                guess -= np.float32(length * length)
                error = 2 * error + 2 * _ROUNDING * (length + rows.longest + rows.error) ** 2
            yield number, guess, np.float32(error * (1 + _ROUNDING))


def _coded(rows: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.float32]]:
    """Returns the codes of `rows`, the scale of each row (code * scale is about the component), and the length of the
    loss."""
    scales = np.maximum(rows.max(axis=1), -rows.min(axis=1)) / _LARGEST_CODE
    inverse = np.divide(1.0, scales, out=np.zeros_like(scales), where=scales > 0)
    codes = rows * inverse[:, None]
    np.rint(codes, out=codes)
    np.clip(codes, -_LARGEST_CODE, _LARGEST_CODE, out=codes)
    small = codes.astype(np.int8)
    codes *= scales[:, None]
    codes -= rows
    return small, scales, np.sqrt(np.vecdot(codes, codes))
