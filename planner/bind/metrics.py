"""Binds ranks by metrics that the query chooses."""

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from planner.bind.asked import Asked
from planner.bind.spaces import dense_space, space_of
from planner.bind.stored_vectors import GivenVector, Unread
from planner.bind.vectors import bind_vector, kind_of_vector
from planner.errors import InvalidQuery
from planner.limits import MAX_EXAMPLES, MAX_WEIGHT
from planner.query import ByMetrics, Metric, QueryVector, VectorInput, WeightedMetric
from planner.rank import InMetrics, MetricScore
from storage.errors import LimitExceeded, NotFinite, ZeroVector
from storage.schema import DenseSpace, Distance
from storage.write import check_vector


def bind_metrics(rank: ByMetrics, asked: Asked) -> Unread[InMetrics]:
    """Raises InvalidQuery, LimitExceeded, NotFinite, and what spaces and vectors may raise."""
    if asked.stage.using is not None:
        asked.space()
    where = f"{asked.path}query.rescore"
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
        terms = [_bind_term(rank.vector, *asked.dense_space(), WeightedMetric(rank.metric), f"{where}.vector")]
    else:
        terms = list(_bind_terms(rank, asked, where))
    composite = rank.metric is None
    return lambda reading: InMetrics(tuple(term(reading) for term in terms), composite)


def _bind_terms(rank: ByMetrics, asked: Asked, path: str) -> Iterator[Unread[MetricScore]]:
    for index, part in enumerate(rank.composite):
        where = f"{path}.composite[{index}]"
        if not math.isfinite(part.weight):
            raise NotFinite(f"{where}.weight", f"{part.weight} is not finite")
        if abs(part.weight) > MAX_WEIGHT:
            raise InvalidQuery(f"{where}.weight", f"{part.weight:g} is more than MAX_WEIGHT allows ({MAX_WEIGHT:g})")
        vector = rank.vector if part.vector is None else part.vector
        if vector is None:
            raise InvalidQuery(f"{where}.vector", "a vector is needed here, or one for the whole composite")
        field = f"{path}.vector" if part.vector is None else f"{where}.vector"
        yield _bind_term(vector, *_space_of(part, asked, f"{where}.using"), part, field)


def _space_of(part: WeightedMetric, asked: Asked, field: str) -> tuple[str, DenseSpace]:
    """The space that a part names, else the stage's."""
    if part.using is None:
        return asked.dense_space()
    name = space_of(part.using, asked.schema, field)
    return name, dense_space(asked.schema, name, field)


def _bind_term(
    vector: VectorInput, name: str, space: DenseSpace, part: WeightedMetric, field: str
) -> Unread[MetricScore]:
    bound = bind_vector(vector, name, partial(_check, space, part.metric), field)
    return lambda reading: MetricScore(name, part.metric, bound(reading), part.weight)


def _check(space: DenseSpace, metric: Metric, vector: GivenVector, field: str) -> QueryVector:
    """Raises InvalidQuery, EmptyVector, DimensionMismatch, NotFinite, ZeroVector. Components need not be binary."""
    if not isinstance(vector, QueryVector):
        what = f"a metric of the query's choice compares dense vectors, and the vector is {kind_of_vector(vector)}"
        raise InvalidQuery(field, what)
    check_vector(replace(space, distance=Distance.EUCLID), vector.values, field)
    if metric.needs_direction and not vector.values.any():
        raise ZeroVector(field)
    return vector
