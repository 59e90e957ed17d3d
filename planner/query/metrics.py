"""Metrics that a query may choose instead of the space's own: their scores in float64, and whether higher is better."""

import math
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from storage.schema import Distance
from storage.vectors import dissimilarity, similarity, wide_scores

Wide = NDArray[np.float64]
Scores = NDArray[np.float32]


class Metric(Enum):
    """CHEBYSHEV is the greatest difference of two components.

    ANGULAR is the angle divided by 180 degrees, from 0 to 1.
    """

    COSINE = "cosine"
    DOT = "dot"
    EUCLID = "euclid"
    MANHATTAN = "manhattan"
    CHEBYSHEV = "chebyshev"
    ANGULAR = "angular"

    @property
    def higher_is_better(self) -> bool:
        return self in (Metric.COSINE, Metric.DOT)

    @property
    def needs_direction(self) -> bool:
        """Whether the query vector must not be zero."""
        return self in (Metric.COSINE, Metric.ANGULAR)


def metric_scores(metric: Metric, query: NDArray[np.float32], rows: NDArray[np.float32]) -> Wide:
    """Scores (n,) of `rows` (n, d) for `query` (d,), computed in float64 and not rounded.

    A metric that spaces have too gives the same scores as there. A zero row has cosine 0, so its angular score is 0.5.
    """
    wide_query, wide_rows = query.astype(np.float64), rows.astype(np.float64)
    match metric:
        case Metric.CHEBYSHEV:
            greatest: Wide = np.abs(wide_rows - wide_query).max(axis=1)
            return greatest
        case Metric.ANGULAR:
            return _angles(wide_query, wide_rows) / math.pi
        case _:
            return wide_scores(Distance(metric.value), wide_query, wide_rows)


def _angles(query: Wide, rows: Wide) -> Wide:
    """Angles (n,) in radians between `rows` (n, d) and `query` (d,). It is a right angle if one of the two is zero.

    The formula is 2 atan2(|u - v|, |u + v|) for unit vectors u and v (Kahan, How Futile are Mindless Assessments of
    Roundoff, section 12). The arc cosine would be inexact for small angles, since their cosines are all nearly 1.
    """
    lengths, query_length = np.sqrt(np.vecdot(rows, rows)), math.sqrt(float(np.vecdot(query, query)))
    directed = (lengths > 0) & (query_length > 0)
    units = rows / np.where(directed, lengths, 1.0)[:, None]
    query_unit = query / (query_length or 1.0)
    apart, together = units - query_unit, units + query_unit
    sines, cosines = np.sqrt(np.vecdot(apart, apart)), np.sqrt(np.vecdot(together, together))
    # numpy's arc tangent is not used: its last bit may depend on where in the array a row is.
    halves = np.fromiter(map(math.atan2, sines.tolist(), cosines.tolist()), np.float64, len(rows))
    return np.where(directed, 2.0 * halves, math.pi / 2)


def metric_similarity(metric: Metric, raw: Scores) -> Scores:
    """Scores where higher is better. Angular becomes 1 - a, other distances 1 / (1 + d). Cosine and Dot stay."""
    if metric is Metric.ANGULAR:
        return (1.0 - raw.astype(np.float64)).astype(np.float32)
    if metric is Metric.CHEBYSHEV:
        return (1.0 / (1.0 + raw.astype(np.float64))).astype(np.float32)
    return similarity(Distance(metric.value), raw)


def metric_dissimilarity(metric: Metric, raw: Scores) -> Scores:
    """Scores where lower is better, converted as spaces do. Chebyshev and Angular stay."""
    if metric in (Metric.ANGULAR, Metric.CHEBYSHEV):
        return raw
    return dissimilarity(Distance(metric.value), raw)
