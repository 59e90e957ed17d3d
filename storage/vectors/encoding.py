"""Encodings: how vectors are shifted and scaled before they are rounded to a stored form, chosen for each segment.

Stored forms have little room. float16 ends at 65,504, int8 has 255 values, and products of tiny or huge float32 values
are 0 or infinite. So before rounding, components should lie around 0 and be about 1 large. These steps change no order:
scaling all rows and the query alike; under Euclid, shifting all of them alike; under Dot, shifting the rows alone;
under Cosine, scaling each row to length 1, and then Euclid gives the order of Cosine.
"""

import base64
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.schema import Datatype, Distance

Wide = NDArray[np.float64]

INT8_MAX = 127
FLOAT16_MOST = 60_000.0
"""The largest component that float16 stores; float16 itself ends at 65,504."""

FLOAT_MOST = 1e15
"""The largest component that wider floats store: sums of 65,536 squares must be finite in float32."""

_SAMPLE_VALUES = 1 << 21  # components of the sample that decides the encoding: 16 MiB
_SAMPLE_ROWS = 10_000
_OFFSET_SHARE = 0.5  # the rows are shifted to 0 if their mean is farther from it than this share of their spread
_USUAL_SHARE = 0.999  # share of the components that float16 must not cut
_USUAL_MOST = FLOAT16_MOST / 2
_ODD_SHARE = 0.002  # share of rows that int8 may cut: else a few outliers would leave few steps for the rest
_STEPS = 60  # candidates for the scale; each is the last one times the square root of 2
_CODED_VALUES = 1 << 18  # components that each candidate is tried with


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """Components are stored as (x - centre) * scale. `centre`: float32 (size,); None: 0."""

    scale: float = 1.0
    centre: NDArray[np.float32] | None = None

    def centre_text(self) -> str:
        """The centre as a text for the manifest; empty when there is none."""
        return "" if self.centre is None else base64.b64encode(self.centre.astype("<f4").tobytes()).decode()

    @classmethod
    def of(cls, scale: float, centre_text: str) -> "Encoding":
        """The encoding from the values in a manifest. Raises ValueError when they are damaged."""
        if not centre_text:
            return cls(scale)
        return cls(scale, np.frombuffer(base64.b64decode(centre_text, validate=True), "<f4").astype(np.float32))


def compared_by(distance: Distance, encoding: Encoding) -> Distance:
    """The metric by which encoded rows and queries sort as the originals do by `distance`."""
    return Distance.EUCLID if distance is Distance.COSINE and encoding.centre is not None else distance


def encoded_rows(distance: Distance, encoding: Encoding, rows: NDArray[np.float32]) -> Wide:
    """`rows` (n, size), shifted and scaled but not yet rounded, float64."""
    wide = rows.astype(np.float64)
    if distance is Distance.COSINE:
        wide = of_length_one(wide)
        if encoding.centre is None:
            wide *= math.sqrt(rows.shape[1])  # makes components about 1, whatever the number of dimensions
            return wide
    if encoding.centre is not None:
        wide -= encoding.centre
    wide *= encoding.scale
    return wide


def encoded_queries(distance: Distance, encoding: Encoding, queries: NDArray[np.float32]) -> Wide:
    """`queries` (m, size) in the form that is compared with encoded rows, float64. Under Dot their length does not
    matter."""
    if distance is Distance.DOT:
        wide = of_length_one(queries.astype(np.float64))
        wide *= math.sqrt(queries.shape[1])
        return wide
    return encoded_rows(distance, encoding, queries)


def of_length_one(rows: Wide) -> Wide:
    """`rows` (n, size) scaled to length 1. Rows of length 0 stay."""
    lengths = np.sqrt(np.vecdot(rows, rows))
    if not lengths.all():
        lengths = np.where(lengths > 0, lengths, 1.0)
    unit: Wide = rows / lengths[:, None]
    return unit


def choose_encoding(
    distance: Distance, datatype: Datatype, vectors: NDArray[np.float32], positions: NDArray[np.int64]
) -> Encoding:
    """The encoding for the rows `vectors[positions]` in a stored form. Equal rows get an equal encoding."""
    if distance.is_binary or not len(positions):
        return Encoding()
    sample = _sample(vectors, positions)
    if distance is Distance.COSINE:
        sample = of_length_one(sample)
    centre = np.median(sample, axis=0).astype(np.float32)
    around = sample - centre
    spread = float(np.median(np.sqrt(np.vecdot(around, around))))
    if np.linalg.norm(centre.astype(np.float64)) <= _OFFSET_SHARE * spread:
        if distance is Distance.COSINE:
            return Encoding()  # each row has its own scale, which need not be stored
        return Encoding(_scale(datatype, sample))
    return Encoding(_scale(datatype, around), centre)


def levels(size: int) -> int:
    """The largest int8 value that is stored: sums of `size` squared differences must fit 32 bits."""
    return min(INT8_MAX, math.isqrt((2**31 - 1) // size) // 2)


def _sample(vectors: NDArray[np.float32], positions: NDArray[np.int64]) -> Wide:
    count = max(1, min(len(positions), _SAMPLE_ROWS, _SAMPLE_VALUES // vectors.shape[1]))
    chosen = np.sort(np.random.default_rng(0).choice(positions, count, replace=False))
    sample: Wide = vectors[chosen].astype(np.float64)
    return sample


def _scale(datatype: Datatype, rows: Wide) -> float:
    """The scale that components of `rows` are multiplied by before rounding to a stored form."""
    largest = float(np.abs(rows).max(initial=0))
    if largest == 0:
        return 1.0
    if datatype is Datatype.INT8:
        return _int8_scale(rows, largest)
    usual = float(np.median(np.sqrt(np.vecdot(rows, rows)))) / math.sqrt(rows.shape[1]) or largest
    if datatype is Datatype.FLOAT16:
        usual = max(usual, float(np.quantile(np.abs(rows), _USUAL_SHARE)) / _USUAL_MOST)
    return 1.0 / usual


def _int8_scale(rows: Wide, largest: float) -> float:
    """The scale with the least loss for all rows but a few: a large scale cuts components, a small one rounds them
    more."""
    most = levels(rows.shape[1])
    rows = rows[: max(1, _CODED_VALUES // rows.shape[1])]
    kept = len(rows) - math.ceil(_ODD_SHARE * len(rows)) if len(rows) > 1 else 1
    best, least = most / largest, math.inf
    for step in range(_STEPS):
        scale = most / largest * 2 ** (step / 2)
        rest = np.clip(np.rint(rows * scale), -most, most) / scale - rows
        lost = float(np.partition(np.vecdot(rest, rest), kept - 1)[:kept].sum())
        if lost < least:
            best, least = scale, lost
        elif lost > 4 * least:
            break
    return best
