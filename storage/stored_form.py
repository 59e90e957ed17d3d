"""Stored forms: what the graph of a space keeps of each vector. Conversions only; index.py builds and searches.

Vectors that usearch converts itself are passed as float32. It would normalise what it converts to int8, which loses
lengths, and it knows no signs, so these two forms are made here.
"""

import math

import numpy as np
from numpy.typing import NDArray

from storage.schema import Datatype, Distance

OVERSAMPLING = 4.0
"""Rows scored from the originals per row asked for, of those that a walk found."""

COARSE_OVERSAMPLING = 32.0
"""The same where the stored form orders rows so roughly that the best may stand far behind. On 24,000 embeddings of
384 dimensions, signs alone reach a recall at 10 of 0.85 with 4, 0.95 with 16 and 0.99 with 32."""

MIN_RESCORED = 32

_INT8_MAX = 127
_CHUNK_ROWS = 4096


def is_coarse(distance: Distance, datatype: Datatype) -> bool:
    """Whether the form keeps the order of rows only roughly: signs, unless the metric is one of bits."""
    return datatype is Datatype.BINARY and not distance.is_binary


def rescored(distance: Distance, datatype: Datatype, limit: int, oversampling: float | None) -> int:
    """How many of the rows that a walk found are scored exactly, to find the best `limit`."""
    if oversampling is None:
        oversampling = COARSE_OVERSAMPLING if is_coarse(distance, datatype) else OVERSAMPLING
    return max(MIN_RESCORED, math.ceil(oversampling * limit))


def scale_of(
    distance: Distance, datatype: Datatype, vectors: NDArray[np.float32], positions: NDArray[np.int64]
) -> float:
    """What the components of `vectors[positions]` are multiplied by before they become int8; 1 for other forms.

    One scale for all, since lengths matter; under Cosine they do not, and each vector has its own, of which nothing is
    kept.
    """
    if datatype is not Datatype.INT8 or distance is Distance.COSINE:
        return 1.0
    largest = 0.0
    for start in range(0, len(positions), _CHUNK_ROWS):
        part = vectors[positions[start : start + _CHUNK_ROWS]]
        largest = max(largest, float(np.abs(part).max(initial=0)))
    return _levels(vectors.shape[1]) / largest if largest > 0 else 1.0


def encode_rows(
    distance: Distance, datatype: Datatype, scale: float, rows: NDArray[np.float32]
) -> NDArray[np.float32] | NDArray[np.int8] | NDArray[np.uint8]:
    """The stored form of `rows` (n, size), (n, size) or, of bits, (n, size / 8 rounded up); float32 where usearch
    converts."""
    match datatype:
        case Datatype.INT8:
            scales = _own_scales(rows) if distance is Distance.COSINE else np.float64(scale)
            return _to_int8(rows, scales)
        case Datatype.BINARY:
            return np.packbits(rows > 0, axis=1)
        case _:
            return np.ascontiguousarray(rows)


def encode_queries(
    distance: Distance, datatype: Datatype, scale: float, queries: NDArray[np.float32]
) -> NDArray[np.float32] | NDArray[np.int8] | NDArray[np.uint8]:
    """Queries as they are compared with rows of the form and `scale`, shaped as those of encode_rows.

    The length of a query changes no order under Dot, so each has its own scale there. Under Euclid components beyond
    the largest of the rows are cut.
    """
    if datatype is Datatype.INT8 and distance is Distance.DOT:
        return _to_int8(queries, _own_scales(queries))
    return encode_rows(distance, datatype, scale, queries)


def _own_scales(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """For each row what makes its largest component the largest that is stored, (n, 1)."""
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0).astype(np.float64)
    scales: NDArray[np.float64] = np.divide(
        _levels(rows.shape[1]), largest, out=np.ones_like(largest), where=largest > 0
    )
    return scales


def _to_int8(rows: NDArray[np.float32], scales: NDArray[np.float64] | np.float64) -> NDArray[np.int8]:
    levels = _levels(rows.shape[1])
    scaled: NDArray[np.float64] = np.clip(np.rint(rows.astype(np.float64) * scales), -levels, levels)
    return scaled.astype(np.int8)


def _levels(size: int) -> int:
    """The largest component that is stored: sums of `size` squared differences must fit the kernels' 32 bits."""
    return min(_INT8_MAX, math.isqrt((2**31 - 1) // size) // 2)
