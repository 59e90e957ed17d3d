"""Sums in the one order in which every kernel and its twin add: the same bytes, whatever processor and batch.

Component i is added to sum i mod 32, in ascending order. The 32 sums are then folded in halves: sum i + 16 is added to
sum i, and so on, until one is left.
"""

import numpy as np
from numpy.typing import NDArray

Wide = NDArray[np.float64]

SUMS = 32


def fixed_sums(terms: Wide) -> Wide:
    """The sums of `terms` (..., d) along the last axis, float64 (...)."""
    size = terms.shape[-1]
    sums = np.zeros((*terms.shape[:-1], SUMS))
    for start in range(0, size, SUMS):
        part = terms[..., start : start + SUMS]
        sums[..., : part.shape[-1]] += part
    half = SUMS // 2
    while half:
        sums = sums[..., :half] + sums[..., half : 2 * half]
        half //= 2
    folded: Wide = sums[..., 0]
    return folded


def fixed_dots(left: Wide, right: Wide) -> Wide:
    """Inner products of `left` and `right` (..., d) along the last axis, which are broadcast together."""
    return fixed_sums(left * right)
