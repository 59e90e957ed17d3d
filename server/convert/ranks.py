"""Ways to rank: messages -> planner.query. The planner checks their meaning."""

from collections.abc import Iterable, Mapping

from headwater.v1 import points_pb2, query_pb2
from planner.errors import InvalidQuery
from planner.limits import MAX_EXAMPLES
from planner.query import (
    ByMetrics,
    Context,
    ContextPair,
    Dbsf,
    Discover,
    Metric,
    Mmr,
    Nearest,
    OrderBy,
    QueryVector,
    Rank,
    Recommend,
    RecommendStrategy,
    Rrf,
    Sample,
    StoredVector,
    VectorInput,
    WeightedMetric,
)
from server.convert.field_paths import enum_value, join, kind_of
from server.convert.formulas import formula_of
from server.convert.ids import point_id_of
from server.convert.sparse_and_multi import multi_of, sparse_of
from server.convert.text import bm25_of
from server.convert.vector_kinds import vector_kind, vector_of
from storage.errors import LimitExceeded

StageMessage = query_pb2.PrefetchQuery | points_pb2.PointsQueryRequest

DEFAULT_K = Rrf().k
DEFAULT_DIVERSITY = Mmr().diversity
RECOMMEND_STRATEGIES: Mapping[int, RecommendStrategy] = {
    query_pb2.RECOMMEND_STRATEGY_UNSPECIFIED: RecommendStrategy.AVERAGE,
    query_pb2.RECOMMEND_STRATEGY_AVERAGE: RecommendStrategy.AVERAGE,
    query_pb2.RECOMMEND_STRATEGY_BEST_SCORE: RecommendStrategy.BEST_SCORE,
    query_pb2.RECOMMEND_STRATEGY_SUM_SCORES: RecommendStrategy.SUM_SCORES,
}
METRICS: Mapping[int, Metric] = {
    query_pb2.METRIC_COSINE: Metric.COSINE,
    query_pb2.METRIC_DOT: Metric.DOT,
    query_pb2.METRIC_EUCLID: Metric.EUCLID,
    query_pb2.METRIC_MANHATTAN: Metric.MANHATTAN,
    query_pb2.METRIC_CHEBYSHEV: Metric.CHEBYSHEV,
    query_pb2.METRIC_ANGULAR: Metric.ANGULAR,
}
DESCENDING: Mapping[int, bool] = {
    query_pb2.DIRECTION_UNSPECIFIED: False,
    query_pb2.DIRECTION_ASCENDING: False,
    query_pb2.DIRECTION_DESCENDING: True,
}


def rank_of(stage: StageMessage, path: str) -> Rank:
    """The way to rank of the stage at `path`. Requires: the stage has one."""
    query, path = stage.query, join(path, "query")
    match kind_of(query, path, InvalidQuery):
        case "nearest":
            return Nearest(vector_input_of(query.nearest, stage, join(path, "nearest")))
        case "rrf":
            k = query.rrf.k if query.rrf.HasField("k") else DEFAULT_K
            return Rrf(k, tuple(query.rrf.weights) or None)
        case "dbsf":
            return Dbsf(tuple(query.dbsf.weights) or None)
        case "order_by":
            return _order_by_of(query.order_by, join(path, "order_by"))
        case "sample":
            return Sample(query.sample.seed if query.sample.HasField("seed") else None)
        case "bm25":
            return bm25_of(query.bm25, join(path, "bm25"))
        case "nearest_with_mmr":
            return _nearest_with_mmr_of(query.nearest_with_mmr, stage, join(path, "nearest_with_mmr"))
        case "recommend":
            return _recommend_of(query.recommend, stage, join(path, "recommend"))
        case "discover":
            target = vector_input_of(query.discover.target, stage, join(path, "discover.target"))
            return Discover(target, _pairs_of(query.discover.context, stage, join(path, "discover.context")))
        case "formula":
            return formula_of(query.formula, join(path, "formula"))
        case "rescore":
            return _rescore_of(query.rescore, stage, join(path, "rescore"))
        case _:
            return Context(_pairs_of(query.context.pairs, stage, join(path, "context.pairs")))


def vector_input_of(
    message: query_pb2.VectorInput, stage: StageMessage | points_pb2.PointsSearchRequest, path: str
) -> VectorInput:
    """The vector at `path` of a stage. The stage says where vectors of stored points are looked up."""
    if kind_of(message, path, InvalidQuery) == "vector":
        here = join(path, "vector")
        match vector_kind(message.vector, here):
            case "sparse":
                return sparse_of(message.vector, path)
            case "multi":
                return multi_of(message.vector, path)
            case _:
                return QueryVector(vector_of(message.vector, here))
    if message.WhichOneof("kind") == "text":  # texts that are allowed were replaced by vectors before
        raise InvalidQuery(path, "a text cannot stand for a vector here")
    source = stage.lookup_from
    return StoredVector(
        point_id_of(message.id, join(path, "id")),
        source.collection_name if source.HasField("collection_name") else None,
        source.using if source.HasField("using") else None,
    )


def _order_by_of(message: query_pb2.OrderBy, path: str) -> OrderBy:
    start = message.WhichOneof("start_from")
    return OrderBy(
        message.path,
        enum_value(DESCENDING, message.direction, join(path, "direction")),
        None if start is None else getattr(message, start),
    )


def _nearest_with_mmr_of(message: query_pb2.NearestWithMmr, stage: StageMessage, path: str) -> Nearest:
    mmr = Mmr(
        message.diversity if message.HasField("diversity") else DEFAULT_DIVERSITY,
        message.candidates if message.HasField("candidates") else None,
    )
    return Nearest(vector_input_of(message.nearest, stage, join(path, "nearest")), mmr=mmr)


def _recommend_of(message: query_pb2.Recommend, stage: StageMessage, path: str) -> Recommend:
    return Recommend(
        _vectors_of(message.positive, stage, join(path, "positive")),
        _vectors_of(message.negative, stage, join(path, "negative")),
        enum_value(RECOMMEND_STRATEGIES, message.strategy, join(path, "strategy")),
    )


def _rescore_of(message: query_pb2.Rescore, stage: StageMessage, path: str) -> ByMetrics:
    vector = vector_input_of(message.vector, stage, join(path, "vector")) if message.HasField("vector") else None
    metric = None
    if message.metric != query_pb2.METRIC_UNSPECIFIED:
        metric = enum_value(METRICS, message.metric, join(path, "metric"))
    if len(message.composite) > MAX_EXAMPLES:
        actual = len(message.composite)
        raise LimitExceeded(join(path, "composite"), limit="MAX_EXAMPLES", maximum=MAX_EXAMPLES, actual=actual)
    composite = (
        _weighted_metric_of(part, stage, f"{join(path, 'composite')}[{index}]")
        for index, part in enumerate(message.composite)
    )
    return ByMetrics(vector, metric, tuple(composite))


def _weighted_metric_of(message: query_pb2.WeightedMetric, stage: StageMessage, path: str) -> WeightedMetric:
    if message.metric == query_pb2.METRIC_UNSPECIFIED:
        raise InvalidQuery(join(path, "metric"), "a metric is needed")
    return WeightedMetric(
        enum_value(METRICS, message.metric, join(path, "metric")),
        message.weight if message.HasField("weight") else 1.0,
        vector_input_of(message.vector, stage, join(path, "vector")) if message.HasField("vector") else None,
        message.using if message.HasField("using") else None,
    )


def _vectors_of(messages: Iterable[query_pb2.VectorInput], stage: StageMessage, path: str) -> tuple[VectorInput, ...]:
    return tuple(vector_input_of(message, stage, f"{path}[{index}]") for index, message in enumerate(messages))


def _pairs_of(messages: Iterable[query_pb2.ContextPair], stage: StageMessage, path: str) -> tuple[ContextPair, ...]:
    return tuple(
        ContextPair(
            vector_input_of(pair.positive, stage, f"{path}[{index}].positive"),
            vector_input_of(pair.negative, stage, f"{path}[{index}].negative"),
        )
        for index, pair in enumerate(messages)
    )
