"""Converts the other ways to rank (not one vector, not a fusion) and vector inputs to the contract."""

from collections.abc import Sequence
from typing import assert_never
from uuid import UUID

import numpy as np

from headwater._wire.enum_names import enum_name
from headwater._wire.formulas import formula_message
from headwater._wire.limits import refused, unsigned
from headwater._wire.text import bm25_message
from headwater._wire.values import id_message
from headwater._wire.vectors import text_message, vector_message
from headwater.errors import InvalidQueryError
from headwater.models import (
    Bm25,
    Context,
    ContextPair,
    Direction,
    Discover,
    Distance,
    Formula,
    Metric,
    MetricLike,
    NearestWithMmr,
    OrderBy,
    OtherRank,
    PointIdLike,
    Recommend,
    RecommendStrategy,
    Rescore,
    Sample,
    Text,
    VectorLike,
    WeightedMetric,
)
from headwater.v1 import query_pb2


def rank_message(given: OtherRank) -> query_pb2.Query:
    match given:
        case OrderBy():
            return query_pb2.Query(order_by=_order_by(given))
        case Sample(seed=seed):
            seed = unsigned(seed, "query.sample.seed", InvalidQueryError, bits=64)
            return query_pb2.Query(sample=query_pb2.Sample(seed=seed))
        case Recommend():
            return query_pb2.Query(recommend=_recommend(given))
        case Discover():
            target = vector_input(given.target, "query.target")
            return query_pb2.Query(discover=query_pb2.Discover(target=target, context=_pairs(given.context)))
        case Context():
            return query_pb2.Query(context=query_pb2.Context(pairs=_pairs(given.pairs)))
        case NearestWithMmr():
            message = query_pb2.NearestWithMmr(
                nearest=vector_input(given.nearest, "query.nearest"),
                diversity=given.diversity,
                candidates=unsigned(given.candidates, "query.nearest_with_mmr.candidates", InvalidQueryError),
            )
            return query_pb2.Query(nearest_with_mmr=message)
        case Formula():
            return query_pb2.Query(formula=formula_message(given))
        case Rescore():
            return query_pb2.Query(rescore=_rescore(given))
        case Bm25():
            return query_pb2.Query(bm25=bm25_message(given))
    assert_never(given)


def vector_input(given: VectorLike | PointIdLike, path: str) -> query_pb2.VectorInput:
    if isinstance(given, str | int | UUID | np.integer):
        return query_pb2.VectorInput(id=id_message(given, path))
    if isinstance(given, Text):
        return query_pb2.VectorInput(text=text_message(given, path))
    return query_pb2.VectorInput(vector=vector_message(given, path))


def _order_by(given: OrderBy) -> query_pb2.OrderBy:
    start: object = given.start_from
    if isinstance(start, bool) or not isinstance(start, int | float | str | None):
        raise TypeError(f"start_from takes a number or a string, not {type(start).__name__}")
    message = query_pb2.OrderBy(path=given.path, direction=enum_name(Direction, given.direction))
    match start:
        case str():
            message.start_string = start
        case int() if -(2**63) <= start < 2**63:
            message.start_integer = start
        case int() | float():
            message.start_double = start
        case None:
            pass
    return message


def _recommend(given: Recommend) -> query_pb2.Recommend:
    return query_pb2.Recommend(
        positive=_inputs(given.positive, "query.positive"),
        negative=_inputs(given.negative, "query.negative"),
        strategy=enum_name(RecommendStrategy, given.strategy),
    )


def _rescore(given: Rescore) -> query_pb2.Rescore:
    vector = None if given.vector is None else vector_input(given.vector, "query.rescore.vector")
    if given.metric is None or isinstance(given.metric, Metric | Distance | str):
        return query_pb2.Rescore(vector=vector, metric=None if given.metric is None else _metric(given.metric))
    parts = [part if isinstance(part, WeightedMetric) else WeightedMetric(*part) for part in given.metric]
    return query_pb2.Rescore(vector=vector, composite=[_weighted(part, index) for index, part in enumerate(parts)])


def _weighted(given: WeightedMetric, index: int) -> query_pb2.WeightedMetric:
    path = f"query.rescore.composite[{index}].vector"
    return query_pb2.WeightedMetric(
        metric=_metric(given.metric),
        weight=given.weight,
        vector=None if given.vector is None else vector_input(given.vector, path),
        using=given.using,
    )


def _metric(given: MetricLike) -> str:
    """The contract's name of a metric."""
    if isinstance(given, Metric):
        return given.value
    name = given.name if isinstance(given, Distance) else given
    for metric in Metric:
        if metric.name.lower() == name.lower():
            return metric.value
    known = ", ".join(metric.name for metric in Metric)
    raise refused(InvalidQueryError, "query.rescore.metric", f"{name!r} is not a metric; the metrics are {known}")


def _inputs(given: Sequence[VectorLike | PointIdLike], path: str) -> list[query_pb2.VectorInput]:
    return [vector_input(each, f"{path}[{index}]") for index, each in enumerate(given)]


def _pairs(given: Sequence[ContextPair]) -> list[query_pb2.ContextPair]:
    return [
        query_pb2.ContextPair(
            positive=vector_input(pair.positive, f"query.pairs[{index}].positive"),
            negative=vector_input(pair.negative, f"query.pairs[{index}].negative"),
        )
        for index, pair in enumerate(given)
    ]
