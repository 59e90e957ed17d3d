"""Codes: rows as int8, from which scores are estimated many times as fast as from the originals, with bounds.

Each row has its own scale. What is lost by rounding it is known, so an estimate is never further off than its bound
says, and a scan of codes loses no row of the true top. The scan is storage/kernels/source/scan.inc: only kernels make
and read codes, since without them a scan of the originals is as fast. Codes of IVF lists, which have no bounds, are in
ivf/codes.py.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.kernels import Codes, native_codes
from storage.schema import Distance
from storage.vectors import distance

_ROUNDING = 2.0**-20  # generously more than the roundings of float32 around a product, as a share of it
_CODED = (Distance.COSINE, Distance.DOT, Distance.EUCLID)


@dataclass(frozen=True, slots=True)
class CodedRows:
    """Codes of rows at `positions` of a block, int64 (n,).

    A product of codes of a row and a query times the row's factor and the query's, plus the row's offset, is the
    estimate of the score. `codes.errors`: the length of what rounding took off a row; `codes.lengths`: of a row; of
    rows of length 1 under Cosine.
    """

    positions: NDArray[np.int64]
    codes: Codes

    @property
    def nbytes(self) -> int:
        """Bytes it takes."""
        return self.positions.nbytes + self.codes.nbytes


def has_codes(metric: Distance) -> bool:
    """Whether scores of the metric can be estimated from codes: those that follow from an inner product."""
    return metric in _CODED


def code_rows(
    metric: Distance, vectors: NDArray[np.float32], norms: NDArray[np.float32], positions: NDArray[np.int64]
) -> CodedRows | None:
    """The codes of `vectors[positions]` (n, size), whose norms are `norms[positions]`.

    None when float32 may under- or overflow with one of them, or there are no kernels. Requires: has_codes(metric).
    """
    lengths = norms[positions]
    if distance.is_unsafe(lengths).any():
        return None
    made = native_codes(vectors, positions)
    if made is None:
        return None
    codes, factors, errors = made
    errors += np.float32(_ROUNDING) * lengths
    offsets = None
    if metric is Distance.COSINE:
        inverse = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        factors, errors, lengths = factors * inverse, errors * inverse, np.ones_like(lengths)
    elif metric is Distance.EUCLID:
        factors, offsets = 2 * factors, -lengths * lengths
    return CodedRows(positions, Codes(codes, factors, offsets, errors, lengths))
