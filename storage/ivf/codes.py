"""Codes: the small form of rows in lists, and how near a row seems by its code. Conversions only.

A code holds the residual of a row: the row minus the centroid of its list. So an offset that all rows share costs no
precision. INT8 holds components times a scale of the row. BINARY holds one bit for each component: whether it is above
0. The share of equal bits gives the angle between a row and the query, as seen from the centroid. Every other stored
form of a space uses INT8.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.kernels import code_products, unequal_bits
from storage.schema import Datatype, Distance
from storage.vectors import norms_of

INT8_MAX = 127
_FLOAT32_MAX = float(np.finfo(np.float32).max)

Arrays = dict[str, NDArray[Any]]


def code_of(datatype: Datatype) -> Datatype:
    """The code of a space with this stored form."""
    return Datatype.BINARY if datatype is Datatype.BINARY else Datatype.INT8


def layout_of(code: Datatype, rows: int, size: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The arrays that hold `rows` codes: type and shape by name."""
    per_row = ("<f4", (rows,))
    if code is Datatype.BINARY:
        return {"codes": ("u1", (rows, -(-size // 8))), "lengths": per_row, "norms": per_row}
    return {"codes": ("i1", (rows, size)), "scales": per_row, "along": per_row, "lengths": per_row, "norms": per_row}


def encode(code: Datatype, rows: NDArray[np.float32], centroids: NDArray[np.float32]) -> Arrays:
    """Codes `rows` (n, size). `centroids` (n, size): the centroid of each row's list.

    `scales` multiply the codes; `along` is the length of the residual in the direction of the centroid; `lengths` are
    those of the residuals and `norms` those of the rows. They are not squared: float32 cannot hold squares of
    components above 1e18 or below 1e-18.
    """
    residuals = rows.astype(np.float64) - centroids
    kept = {"lengths": _float32(_directions(residuals)[1]), "norms": norms_of(rows)}
    if code is Datatype.BINARY:
        return {"codes": np.packbits(residuals > 0, axis=1), **kept}
    codes, scales = to_int8(residuals)
    along = np.einsum("ij,ij->i", residuals, _directions(centroids)[0])
    return {"codes": codes, "scales": _float32(scales), "along": _float32(along), **kept}


def to_int8(rows: NDArray[np.float64]) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Returns the codes of `rows` and the scales that multiply them. Both are 0 for a zero row."""
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    factors = np.divide(INT8_MAX, largest, out=np.zeros_like(largest), where=largest > 0)
    return np.rint(rows * factors).astype(np.int8), largest[:, 0] / INT8_MAX


@dataclass(frozen=True, slots=True)
class Runs:
    """Rows of lists that are compared together. Run i holds rows `starts[i]` to `stops[i]`; runs ascend.

    `centroids` (m, size) float32: the centroid of the list of each run.
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    centroids: NDArray[np.float32]

    @property
    def counts(self) -> NDArray[np.int64]:
        return self.stops - self.starts


def nearness(
    code: Datatype, distance: Distance, query: NDArray[np.float32], arrays: Arrays, runs: Runs
) -> NDArray[np.float64]:
    """How near the rows of `runs` seem to `query`, one after another; higher is nearer. float64 (n,)."""
    wide, centroids = query.astype(np.float64), runs.centroids.astype(np.float64)
    if code is Datatype.BINARY:
        residuals = wide - centroids
        lengths = gathered(arrays["lengths"], runs).astype(np.float64)
        near = 2 * _products_by_bits(residuals, lengths, arrays, runs)
    elif distance is Distance.DOT:
        # The query's code holds only its component orthogonal to the centroid. So neither the length of the query nor
        # an offset hides the differences between rows.
        directions, own = _directions(centroids)
        ahead = directions @ wide
        near = _products(wide - ahead[:, None] * directions, arrays, runs)
        near += np.repeat(ahead, runs.counts) * gathered(arrays["along"], runs)
        near += np.repeat(ahead * own, runs.counts)
        return near
    else:
        residuals = wide - centroids
        lengths = gathered(arrays["lengths"], runs).astype(np.float64)
        near = 2 * _products(residuals, arrays, runs)
    # The law of cosines in the triangle of centroid, query and row.
    near -= np.square(lengths)
    near -= np.repeat(np.square(residuals).sum(axis=1), runs.counts)
    if distance is Distance.DOT:
        near += np.square(gathered(arrays["norms"], runs).astype(np.float64))
    elif distance is Distance.COSINE:
        # A zero row has cosine 0 with everything, like a row of length 1 at a right angle.
        near[gathered(arrays["norms"], runs) == 0] = -2.0
    return near


def _products(residuals: NDArray[np.float64], arrays: Arrays, runs: Runs) -> NDArray[np.float64]:
    """Products of the query's residual from each centroid with the residuals of the rows. Both are INT8 codes."""
    codes, scales = to_int8(residuals)
    products = code_products(codes, arrays["codes"], runs.starts, runs.stops).astype(np.float64)
    products *= gathered(arrays["scales"], runs)
    products *= np.repeat(scales, runs.counts)
    return products


def _products_by_bits(
    residuals: NDArray[np.float64], lengths: NDArray[np.float64], arrays: Arrays, runs: Runs
) -> NDArray[np.float64]:
    """The same products, from the angles that the shares of equal bits give. `lengths`: of the rows' residuals."""
    unequal = unequal_bits(np.packbits(residuals > 0, axis=1), arrays["codes"], runs.starts, runs.stops)
    own = np.repeat(np.sqrt(np.square(residuals).sum(axis=1)), runs.counts)
    products: NDArray[np.float64] = own * lengths * np.cos(np.pi * unequal / residuals.shape[1])
    return products


def _directions(rows: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns `rows` scaled to length 1 (zero rows unchanged), and their lengths."""
    lengths = np.sqrt(np.square(rows.astype(np.float64)).sum(axis=1))
    return np.divide(rows, lengths[:, None], out=np.zeros(rows.shape), where=lengths[:, None] > 0), lengths


def _float32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.clip(values, -_FLOAT32_MAX, _FLOAT32_MAX).astype(np.float32)


def gathered(values: NDArray[Any], runs: Runs) -> NDArray[Any]:
    """The entries of `values` for the rows of `runs`, one after another."""
    apart = runs.starts[1:] != runs.stops[:-1]
    first = runs.starts[np.concatenate(([True], apart))].tolist()  # adjacent runs are one copy
    last = runs.stops[np.concatenate((apart, [True]))].tolist()
    if len(first) == 1:
        return values[first[0] : last[0]]
    return np.concatenate([values[start:stop] for start, stop in zip(first, last, strict=True)])
