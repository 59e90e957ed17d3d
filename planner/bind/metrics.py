"""Which ranks by chosen metrics are refused, and why. Vectors of stored points are checked in stored_vectors.py."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from planner.errors import InvalidQuery
from planner.limits import MAX_EXAMPLES, MAX_WEIGHT
from planner.query import ByMetrics, Metric, QueryVector, StoredVector, VectorInput, WeightedMetric
from storage.errors import LimitExceeded, NotFinite, ZeroVector
from storage.schema import DenseSpace, Distance
from storage.write import check_point_id, check_vector

SpaceAt = Callable[[str | None, str], DenseSpace]
"""The space that `using` means, whose field errors name; None: the stage's."""


def check_by_metrics(rank: ByMetrics, space_at: SpaceAt, path: str) -> None:
    """`path` is the query's. Raises InvalidQuery, LimitExceeded, NotFinite, and what spaces and vectors may raise."""
    where = f"{path}.rescore"
    if rank.metric is not None and rank.composite:
        raise InvalidQuery(f"{where}.composite", "a metric is given, too; give one of them")
    if rank.metric is None and not rank.composite:
        raise InvalidQuery(f"{where}.metric", "a metric, or a composite of several, is needed")
    if len(rank.composite) > MAX_EXAMPLES:
        actual = len(rank.composite)
        raise LimitExceeded(f"{where}.composite", limit="MAX_EXAMPLES", maximum=MAX_EXAMPLES, actual=actual)
    if rank.metric is not None:
        if rank.vector is None:
            raise InvalidQuery(f"{where}.vector", "a vector is needed")
        _check_input(rank.vector, space_at(None, ""), rank.metric, f"{where}.vector")
    for index, part in enumerate(rank.composite):
        _check_part(part, rank.vector, space_at, where, index)


def _check_part(part: WeightedMetric, shared: VectorInput | None, space_at: SpaceAt, path: str, index: int) -> None:
    where = f"{path}.composite[{index}]"
    if not math.isfinite(part.weight):
        raise NotFinite(f"{where}.weight", f"{part.weight} is not finite")
    if abs(part.weight) > MAX_WEIGHT:
        raise InvalidQuery(f"{where}.weight", f"{part.weight:g} is more than MAX_WEIGHT allows ({MAX_WEIGHT:g})")
    vector = shared if part.vector is None else part.vector
    if vector is None:
        raise InvalidQuery(f"{where}.vector", "a vector is needed here, or one for the whole composite")
    space = space_at(part.using, f"{where}.using")
    _check_input(vector, space, part.metric, f"{path}.vector" if part.vector is None else f"{where}.vector")


def _check_input(vector: VectorInput, space: DenseSpace, metric: Metric, path: str) -> None:
    if isinstance(vector, QueryVector):
        check_metric_vector(space, vector.values, metric, path)
    elif not isinstance(vector, StoredVector):
        raise InvalidQuery(path, "a metric of the query's choice compares dense vectors")
    else:
        check_point_id(vector.id, f"{path}.id")


def check_metric_vector(space: DenseSpace, vector: NDArray[np.float32], metric: Metric, path: str) -> None:
    """Raises EmptyVector, DimensionMismatch, NotFinite or ZeroVector. Components need not be binary."""
    check_vector(replace(space, distance=Distance.EUCLID), vector, path)
    if metric.needs_direction and not vector.any():
        raise ZeroVector(path)
