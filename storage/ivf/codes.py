"""Codes: the small form in which lists hold rows, and how near a row seems by its code. Conversions only.

Both code what is left of a row beside the centroid of its list, its residual, so that an offset which all rows share
costs nothing. INT8: components times a scale of the row's own. BINARY: for each component whether it is above 0; from
the share of equal bits follows the angle between a row and the query as seen from the centroid. Every other stored form
of a space stands for INT8.
"""

from dataclasses import dataclass
from typing import Any

import numkong
import numpy as np
from numpy.typing import NDArray

from storage.schema import Datatype, Distance
from storage.vectors import norms_of

INT8_MAX = 127
_FLOAT32_MAX = float(np.finfo(np.float32).max)

Arrays = dict[str, NDArray[Any]]


def code_of(datatype: Datatype) -> Datatype:
    """The code that serves a space of this stored form."""
    return Datatype.BINARY if datatype is Datatype.BINARY else Datatype.INT8


def layout_of(code: Datatype, rows: int, size: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The arrays that hold `rows` codes."""
    per_row = ("<f4", (rows,))
    if code is Datatype.BINARY:
        return {"codes": ("u1", (rows, -(-size // 8))), "lengths": per_row, "norms": per_row}
    return {"codes": ("i1", (rows, size)), "scales": per_row, "along": per_row, "lengths": per_row, "norms": per_row}


def encode(code: Datatype, rows: NDArray[np.float32], centroids: NDArray[np.float32]) -> Arrays:
    """The arrays of `rows` (n, size), each in the list of the centroid beside it (n, size).

    `scales`: what codes are multiplied by; `along`: how far the residual goes in the direction of the centroid;
    `lengths`: of residuals; `norms`: of the rows. Not their squares, which float32 does not hold for components beyond
    1e18 or below 1e-18.
    """
    residuals = rows.astype(np.float64) - centroids
    kept = {"lengths": _float32(_directions(residuals)[1]), "norms": norms_of(rows)}
    if code is Datatype.BINARY:
        return {"codes": np.packbits(residuals > 0, axis=1), **kept}
    codes, scales = to_int8(residuals)
    along = np.einsum("ij,ij->i", residuals, _directions(centroids)[0])
    return {"codes": codes, "scales": _float32(scales), "along": _float32(along), **kept}


def to_int8(rows: NDArray[np.float64]) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """(codes, what they are multiplied by) of `rows`; both 0 of a zero row."""
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    factors = np.divide(INT8_MAX, largest, out=np.zeros_like(largest), where=largest > 0)
    return np.rint(rows * factors).astype(np.int8), largest[:, 0] / INT8_MAX


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of lists that are compared together: pieces of them, the i-th from `starts[i]` to `stops[i]`, all ascending.

    `centroids` (m, size) float32: of the list of each piece.
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    centroids: NDArray[np.float32]

    @property
    def counts(self) -> NDArray[np.int64]:
        return self.stops - self.starts


def nearness(
    code: Datatype, distance: Distance, query: NDArray[np.float32], arrays: Arrays, part: Part
) -> NDArray[np.float64]:
    """How near the rows of `part` seem to `query`, one after another; higher is nearer. float64 (n,)."""
    wide, centroids = query.astype(np.float64), part.centroids.astype(np.float64)
    if code is Datatype.BINARY:
        residuals = wide - centroids
        lengths = gathered(arrays["lengths"], part).astype(np.float64)
        near = 2 * _products_by_bits(residuals, lengths, arrays, part)
    elif distance is Distance.DOT:
        # Of the query only what is beside the centroid's direction is coded, so that neither a long nor a short query,
        # nor an offset, drowns what tells rows apart.
        directions, own = _directions(centroids)
        ahead = directions @ wide
        near = _products(wide - ahead[:, None] * directions, arrays, part)
        near += np.repeat(ahead, part.counts) * gathered(arrays["along"], part)
        near += np.repeat(ahead * own, part.counts)
        return near
    else:
        residuals = wide - centroids
        lengths = gathered(arrays["lengths"], part).astype(np.float64)
        near = 2 * _products(residuals, arrays, part)
    # The law of cosines in the triangle of centroid, query and row.
    near -= np.square(lengths)
    near -= np.repeat(np.square(residuals).sum(axis=1), part.counts)
    if distance is Distance.DOT:
        near += np.square(gathered(arrays["norms"], part).astype(np.float64))
    elif distance is Distance.COSINE:
        # A zero row scores 0, as one at a right angle does, wherever it is beside rows of length 1.
        near[gathered(arrays["norms"], part) == 0] = -2.0
    return near


def _products(residuals: NDArray[np.float64], arrays: Arrays, part: Part) -> NDArray[np.float64]:
    """Products of the query's residual from each centroid with those of the rows, by int8 codes of both."""
    codes, scales = to_int8(residuals)
    products = np.empty(int(part.counts.sum()), np.float64)
    done = 0
    for number, (start, stop) in enumerate(zip(part.starts.tolist(), part.stops.tolist(), strict=True)):
        # Codes are read where they are: copying them together takes longer than comparing them.
        rows = arrays["codes"][start:stop]
        products[done : done + stop - start] = np.asarray(numkong.cdist(codes[number : number + 1], rows, "dot"))[0]
        done += stop - start
    products *= gathered(arrays["scales"], part)
    products *= np.repeat(scales, part.counts)
    return products


def _products_by_bits(
    residuals: NDArray[np.float64], lengths: NDArray[np.float64], arrays: Arrays, part: Part
) -> NDArray[np.float64]:
    """The same by the angles that follow from the shares of equal bits. `lengths`: of the rows' residuals."""
    bits = np.repeat(np.packbits(residuals > 0, axis=1), part.counts, axis=0)
    unequal = _unequal_bits(gathered(arrays["codes"], part), bits)
    own = np.repeat(np.sqrt(np.square(residuals).sum(axis=1)), part.counts)
    products: NDArray[np.float64] = own * lengths * np.cos(np.pi * unequal / residuals.shape[1])
    return products


def _directions(rows: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(`rows` at length 1, zero ones as they are; their lengths)."""
    lengths = np.sqrt(np.square(rows.astype(np.float64)).sum(axis=1))
    return np.divide(rows, lengths[:, None], out=np.zeros(rows.shape), where=lengths[:, None] > 0), lengths


def _float32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.clip(values, -_FLOAT32_MAX, _FLOAT32_MAX).astype(np.float32)


def _unequal_bits(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.int64]:
    if left.shape[1] % 8 == 0:  # words instead of bytes, where rows are of whole ones
        left, right = np.ascontiguousarray(left).view(np.uint64), right.view(np.uint64)
    result: NDArray[np.int64] = np.bitwise_count(left ^ right).sum(axis=1, dtype=np.int64)
    return result


def gathered(values: NDArray[Any], part: Part) -> NDArray[Any]:
    """`values` of the rows of `part`, one after another."""
    apart = part.starts[1:] != part.stops[:-1]
    first = part.starts[np.concatenate(([True], apart))].tolist()  # neighbours at once, and over empty lists
    last = part.stops[np.concatenate((apart, [True]))].tolist()
    if len(first) == 1:
        return values[first[0] : last[0]]
    return np.concatenate([values[start:stop] for start, stop in zip(first, last, strict=True)])
