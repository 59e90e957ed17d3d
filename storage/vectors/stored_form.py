"""Stored forms: what the graph of a space stores of each vector. Conversions only; index/hnsw.py builds and searches.

Rows are shifted and scaled first, see encoding.py. usearch gets float32 for the forms that it converts itself. Its int8
conversion normalises rows, which loses their lengths, and it has no signs. So these two forms are made here.
"""

import math

import numpy as np
from numpy.typing import NDArray

from storage.schema import Datatype, Distance
from storage.vectors.encoding import FLOAT16_MOST, FLOAT_MOST, Encoding, Wide, encoded_queries, encoded_rows, levels

OVERSAMPLING = 4.0
"""Rows that are scored from the originals, per row asked for, out of those that a walk found."""

COARSE_OVERSAMPLING = 32.0
"""The same for forms that order rows so roughly that the best ones may come late.

Measured on 24,000 embeddings of 384 dimensions stored as signs: recall at 10 is 0.85 with 4, 0.95 with 16 and 0.99 with
32.
"""

MIN_RESCORED = 32

WIDTH_PER_RESCORED = 3
"""At least 1/WIDTH_PER_RESCORED of the rows that a walk found are scored exactly. So a wider walk finds more in rough
forms too."""


def is_coarse(distance: Distance, datatype: Datatype) -> bool:
    """Whether the form keeps the order of rows only roughly. This holds for signs, unless the metric compares bits."""
    return datatype is Datatype.BINARY and not distance.is_binary


def rescored(distance: Distance, datatype: Datatype, limit: int, oversampling: float | None, *, width: int = 0) -> int:
    """How many of the rows found by a walk of `width` are scored exactly, to find the best `limit`."""
    if oversampling is not None:
        return max(MIN_RESCORED, math.ceil(oversampling * limit))
    usual = COARSE_OVERSAMPLING if is_coarse(distance, datatype) else OVERSAMPLING
    return max(MIN_RESCORED, math.ceil(usual * limit), width // WIDTH_PER_RESCORED)


def encode_rows(
    distance: Distance, datatype: Datatype, encoding: Encoding, rows: NDArray[np.float32]
) -> NDArray[np.float32] | NDArray[np.int8] | NDArray[np.uint8]:
    """The stored form of `rows` (n, size): (n, size), or (n, size / 8 rounded up) for bits; float32 where usearch
    converts."""
    if distance.is_binary:
        return np.packbits(rows > 0, axis=1)
    wide = encoded_rows(distance, encoding, rows)
    own_scales = distance is Distance.COSINE and encoding.centre is None
    return _stored(datatype, wide, own_scales=own_scales)


def encode_queries(
    distance: Distance, datatype: Datatype, encoding: Encoding, queries: NDArray[np.float32]
) -> NDArray[np.float32] | NDArray[np.int8] | NDArray[np.uint8]:
    """Queries in the form that is compared with rows of the same form and `encoding`; shapes as in encode_rows.

    Under Dot the length of a query changes no order, so each query has its own scale. Under Euclid, components larger
    than the largest stored value are cut.
    """
    if distance.is_binary:
        return np.packbits(queries > 0, axis=1)
    wide = encoded_queries(distance, encoding, queries)
    own_scales = distance is Distance.DOT or (distance is Distance.COSINE and encoding.centre is None)
    return _stored(datatype, wide, own_scales=own_scales)


def decoded(
    datatype: Datatype, stored: NDArray[np.float32] | NDArray[np.int8] | NDArray[np.uint8], size: int
) -> NDArray[np.float32]:
    """The values that stored rows (n, ...) or queries stand for, float32 (n, size): the originals after rounding."""
    match datatype:
        case Datatype.BINARY:
            bits = np.unpackbits(stored.astype(np.uint8), axis=1, count=size)
            return bits.astype(np.float32) * 2 - 1
        case Datatype.FLOAT16:
            return stored.astype(np.float16).astype(np.float32)
        case Datatype.BFLOAT16:
            return _as_bfloat16(stored.astype(np.float32))
        case _:
            return stored.astype(np.float32)


def _stored(
    datatype: Datatype, wide: Wide, *, own_scales: bool
) -> NDArray[np.float32] | NDArray[np.int8] | NDArray[np.uint8]:
    match datatype:
        case Datatype.INT8:
            most = levels(wide.shape[1])
            if own_scales:
                wide = wide * _own_scales(wide)
            return np.clip(np.rint(wide), -most, most).astype(np.int8)
        case Datatype.BINARY:
            return np.packbits(wide > 0, axis=1)
        case _ if own_scales:
            return wide.astype(np.float32)  # rows of length 1, times the root of their size: nothing is as large
        case _:
            bound = FLOAT16_MOST if datatype is Datatype.FLOAT16 else FLOAT_MOST
            return np.clip(wide, -bound, bound).astype(np.float32)


def _own_scales(rows: Wide) -> Wide:
    """For each row, the scale that makes its largest component the largest stored value, (n, 1)."""
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    scales: Wide = np.divide(levels(rows.shape[1]), largest, out=np.ones_like(largest), where=largest > 0)
    return scales


def _as_bfloat16(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """`rows`, finite, rounded to the nearest bfloat16 values, ties to even."""
    bits = np.ascontiguousarray(rows).view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return (rounded & np.uint32(0xFFFF0000)).view(np.float32)
