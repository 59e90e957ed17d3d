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
    return {**codes, "squares": ("<f4", (rows,))}


def encode(code: Datatype, rows: NDArray[np.float32], centroids: NDArray[np.float32]) -> Arrays:
    """The arrays of `rows` (n, size), each in the list of the centroid beside it (n, size).

    `scales`: what codes are multiplied by; `lengths`: of row less centroid; `squares`: squared lengths of the rows.
    """
    squares = np.square(norms(rows))
    if code is Datatype.BINARY:
        residuals = rows - centroids
        return {"codes": np.packbits(residuals > 0, axis=1), "lengths": norms(residuals), "squares": squares}
    codes, scales = to_int8(rows)
    return {"codes": codes, "scales": scales, "squares": squares}


def to_int8(rows: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(codes, what they are multiplied by) of `rows`; both 0 of a zero row."""
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0).astype(np.float64)
    factors = np.divide(INT8_MAX, largest, out=np.zeros_like(largest), where=largest > 0)
    codes = np.rint(rows * factors).astype(np.int8)
    return codes, (largest[:, 0] / INT8_MAX).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Probe:
    """Consecutive codes of one list: from `start` to `stop`, and the list's centroid (size,)."""

    start: int
    stop: int
    centroid: NDArray[np.float32]


def nearness(
    code: Datatype, distance: Distance, query: NDArray[np.float32], arrays: Arrays, probes: Sequence[Probe]
) -> NDArray[np.float64]:
    """How near the rows of `probes` seem to `query`, one after another; higher is nearer. float64 (n,)."""
    squares = _gathered(arrays["squares"], probes).astype(np.float64)
    if code is Datatype.BINARY:
        apart = _apart_by_bits(query, arrays, probes)
        return squares - apart if distance is Distance.DOT else -apart
    wide, scale = to_int8(query[None])
    # One call for all lists: each would give the interpreter's lock away and have to wait for it.
    dots: NDArray[np.float64] = np.asarray(numkong.cdist(wide, _gathered(arrays["codes"], probes), "dot"))[0]
    dots = dots * _gathered(arrays["scales"], probes)
    if distance is Distance.EUCLID:
        dots = 2 * float(scale[0]) * dots - squares
    return dots


def _apart_by_bits(query: NDArray[np.float32], arrays: Arrays, probes: Sequence[Probe]) -> NDArray[np.float64]:
    """Squared distances by the law of cosines in the triangle of centroid, query and row."""
    counts = [probe.stop - probe.start for probe in probes]
    residuals = query - np.stack([probe.centroid for probe in probes])
    bits = np.packbits(residuals > 0, axis=1)
    codes = _gathered(arrays["codes"], probes)
    unequal = np.bitwise_count(codes ^ np.repeat(bits, counts, axis=0)).sum(axis=1, dtype=np.int64)
    own = np.repeat(norms(residuals).astype(np.float64), counts)
    lengths = _gathered(arrays["lengths"], probes).astype(np.float64)
    apart: NDArray[np.float64] = own**2 + lengths**2 - 2 * own * lengths * np.cos(np.pi * unequal / len(query))
    return apart


def _gathered(values: NDArray[Any], probes: Sequence[Probe]) -> NDArray[Any]:
    if len(probes) == 1:
        return values[probes[0].start : probes[0].stop]
    return np.concatenate([values[probe.start : probe.stop] for probe in probes])
