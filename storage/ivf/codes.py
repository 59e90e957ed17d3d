"""Codes: the small form in which lists hold rows, and how near a row seems by its code. Conversions only.

INT8: components times a scale of the row's own. BINARY: for each component whether it is above the list's centroid;
from the share of equal bits follows the angle between a row and the query as seen from the centroid. Every other stored
form of a space stands for INT8.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numkong
import numpy as np
from numpy.typing import NDArray

from storage.distance import norms
from storage.schema import Datatype, Distance

INT8_MAX = 127

Arrays = dict[str, NDArray[Any]]


def code_of(datatype: Datatype) -> Datatype:
    """The code that serves a space of this stored form."""
    return Datatype.BINARY if datatype is Datatype.BINARY else Datatype.INT8


def layout_of(code: Datatype, rows: int, size: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The arrays that hold `rows` codes."""
    if code is Datatype.BINARY:
        codes = {"codes": ("u1", (rows, -(-size // 8))), "lengths": ("<f4", (rows,))}
    else:
        codes = {"codes": ("i1", (rows, size)), "scales": ("<f4", (rows,))}
    return {**codes, "norms": ("<f4", (rows,))}


def encode(code: Datatype, rows: NDArray[np.float32], centroids: NDArray[np.float32]) -> Arrays:
    """The arrays of `rows` (n, size), each in the list of the centroid beside it (n, size).

    `scales`: what codes are multiplied by; `lengths`: of row less centroid; `norms`: of the rows. Not their squares,
    which float32 does not hold for components beyond 1e18 or below 1e-18.
    """
    lengths = norms(rows)
    if code is Datatype.BINARY:
        residuals = rows - centroids
        return {"codes": np.packbits(residuals > 0, axis=1), "lengths": norms(residuals), "norms": lengths}
    codes, scales = to_int8(rows)
    return {"codes": codes, "scales": scales, "norms": lengths}


def to_int8(rows: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(codes, what they are multiplied by) of `rows`; both 0 of a zero row."""
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0).astype(np.float64)
    factors = np.divide(INT8_MAX, largest, out=np.zeros_like(largest), where=largest > 0)
    codes = np.rint(rows * factors).astype(np.int8)
    return codes, (largest[:, 0] / INT8_MAX).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Probe:
    """Rows of lists that stand beside each other, from `start` to `stop`."""

    start: int
    stop: int


def nearness(
    code: Datatype,
    distance: Distance,
    query: NDArray[np.float32],
    arrays: Arrays,
    probes: Sequence[Probe],
    centroids: NDArray[np.float32],
    counts: NDArray[np.int64],
) -> NDArray[np.float64]:
    """How near the rows of `probes` seem to `query`, one after another; higher is nearer. float64 (n,).

    `centroids` (m, size) and `counts` (m,): of each list that `probes` hold, in order, and how many rows it has.
    """
    if code is Datatype.BINARY:
        apart = _apart_by_bits(query, arrays, probes, centroids, counts)
        if distance is Distance.DOT:
            apart -= np.square(gathered(arrays["norms"], probes).astype(np.float64))
        return -apart
    wide, scale = to_int8(query[None])
    dots = np.empty(int(counts.sum()), np.float64)
    done = 0
    for probe in probes:  # codes are read where they are: copying them together takes longer than comparing them
        count = probe.stop - probe.start
        dots[done : done + count] = np.asarray(numkong.cdist(wide, arrays["codes"][probe.start : probe.stop], "dot"))[0]
        done += count
    dots *= gathered(arrays["scales"], probes)
    if distance is Distance.EUCLID:
        dots = 2 * float(scale[0]) * dots - np.square(gathered(arrays["norms"], probes).astype(np.float64))
    return dots


def _apart_by_bits(
    query: NDArray[np.float32],
    arrays: Arrays,
    probes: Sequence[Probe],
    centroids: NDArray[np.float32],
    counts: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Squared distances by the law of cosines in the triangle of centroid, query and row."""
    residuals = query - centroids
    bits = np.packbits(residuals > 0, axis=1)
    unequal = _unequal_bits(gathered(arrays["codes"], probes), np.repeat(bits, counts, axis=0))
    own = np.repeat(norms(residuals).astype(np.float64), counts)
    lengths = gathered(arrays["lengths"], probes).astype(np.float64)
    apart: NDArray[np.float64] = own**2 + lengths**2 - 2 * own * lengths * np.cos(np.pi * unequal / len(query))
    return apart


def _unequal_bits(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.int64]:
    if left.shape[1] % 8 == 0:  # words instead of bytes, where rows are of whole ones
        left, right = np.ascontiguousarray(left).view(np.uint64), right.view(np.uint64)
    result: NDArray[np.int64] = np.bitwise_count(left ^ right).sum(axis=1, dtype=np.int64)
    return result


def gathered(values: NDArray[Any], probes: Sequence[Probe]) -> NDArray[Any]:
    """`values` of the rows of `probes`, one after another."""
    if len(probes) == 1:
        return values[probes[0].start : probes[0].stop]
    return np.concatenate([values[probe.start : probe.stop] for probe in probes])
