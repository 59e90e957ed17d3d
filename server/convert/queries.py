"""Queries and searches: messages -> planner.query. It finds missing parts; the planner checks their meaning."""

from collections.abc import Mapping
from dataclasses import replace

from headwater.v1 import points_pb2, query_pb2
from planner.errors import InvalidQuery
from planner.limits import MAX_STAGES
from planner.query import (
    FilterScope,
    FilterStrategy,
    Nearest,
    Query,
    Rank,
    ScoreMode,
    SearchAfter,
    SearchParams,
    Stage,
    StoredVector,
    vectors_in,
)
from server.convert.field_paths import enum_value, join
from server.convert.filters import filter_of
from server.convert.ids import point_id_of
from server.convert.ranks import StageMessage, rank_of, vector_input_of
from server.convert.selectors import payload_selector_of, vectors_selector_of
from storage.errors import LimitExceeded
from storage.vectors import SparseMetric

RootMessage = points_pb2.PointsQueryRequest | points_pb2.PointsSearchRequest

FILTER_STRATEGIES: Mapping[int, FilterStrategy] = {
    query_pb2.FILTER_STRATEGY_UNSPECIFIED: FilterStrategy.AUTO,
    query_pb2.FILTER_STRATEGY_AUTO: FilterStrategy.AUTO,
    query_pb2.FILTER_STRATEGY_PRE: FilterStrategy.PRE,
    query_pb2.FILTER_STRATEGY_POST: FilterStrategy.POST,
}
FILTER_SCOPES: Mapping[int, FilterScope] = {
    query_pb2.FILTER_SCOPE_UNSPECIFIED: FilterScope.GATE,
    query_pb2.FILTER_SCOPE_GATE: FilterScope.GATE,
    query_pb2.FILTER_SCOPE_PUSH_DOWN: FilterScope.PUSH_DOWN,
}
SPARSE_METRICS: Mapping[int, SparseMetric | None] = {
    query_pb2.SPARSE_METRIC_UNSPECIFIED: None,
    query_pb2.SPARSE_METRIC_DOT: SparseMetric.DOT,
    query_pb2.SPARSE_METRIC_COSINE: SparseMetric.COSINE,
    query_pb2.SPARSE_METRIC_JACCARD: SparseMetric.JACCARD,
}
SCORE_MODES: Mapping[int, ScoreMode] = {
    query_pb2.SCORE_MODE_UNSPECIFIED: ScoreMode.RAW,
    query_pb2.SCORE_MODE_RAW: ScoreMode.RAW,
    query_pb2.SCORE_MODE_SIMILARITY: ScoreMode.SIMILARITY,
    query_pb2.SCORE_MODE_DISTANCE: ScoreMode.DISTANCE,
}


def query_of(request: points_pb2.PointsQueryRequest, path: str = "") -> Query:
    """The query at `path`; an empty path is the request itself. Raises InvalidRequest, which names the field."""
    _check_size(request, path)
    return _query_of(_stage_of(request, path), request, path, "query.nearest")


def search_of(request: points_pb2.PointsSearchRequest, path: str = "") -> Query:
    """The search at `path` as a query with one leaf. Raises InvalidRequest, which names the field."""
    vector = vector_input_of(request.vector, request, join(path, "vector"))
    return _query_of(_leaf_of(request, Nearest(vector), path), request, path, "vector")


def _query_of(stage: Stage, request: RootMessage, path: str, vector_field: str) -> Query:
    score_mode = enum_value(SCORE_MODES, request.score_mode, join(path, "score_mode"))
    return Query(
        root=replace(stage, offset=request.offset, score_mode=score_mode, search_after=_search_after_of(request, path)),
        with_payload=payload_selector_of(request, path),
        with_vectors=vectors_selector_of(request, path),
        explain=request.explain,
        path=path,
        vector_field=vector_field,
    )


def _search_after_of(request: RootMessage, path: str) -> SearchAfter | None:
    if isinstance(request, points_pb2.PointsSearchRequest) or not request.HasField("search_after"):
        return None
    where = join(path, "search_after")
    if not request.search_after.HasField("id"):
        raise InvalidQuery(f"{where}.id", "the hit's id is missing")
    return SearchAfter(request.search_after.score, point_id_of(request.search_after.id, f"{where}.id"))


def _check_size(root: StageMessage, path: str) -> None:
    """Refuses a query that is far too large before it is converted. The planner counts exactly."""
    count, pending = 1, [root]
    while pending:
        children = pending.pop().prefetch
        count += len(children)
        if count > MAX_STAGES:
            raise LimitExceeded(join(path, "prefetch"), limit="MAX_STAGES", maximum=MAX_STAGES, actual=count)
        pending.extend(children)


def _stage_of(message: StageMessage, path: str) -> Stage:
    prefetch = join(path, "prefetch")
    return replace(
        _leaf_of(message, rank_of(message, path) if message.HasField("query") else None, path),
        prefetch=tuple(_stage_of(child, f"{prefetch}[{index}]") for index, child in enumerate(message.prefetch)),
        filter_scope=enum_value(FILTER_SCOPES, message.filter_scope, join(path, "filter_scope")),
    )


def _leaf_of(message: StageMessage | points_pb2.PointsSearchRequest, rank: Rank | None, path: str) -> Stage:
    """A stage with the fields that every kind of stage has."""
    if message.HasField("lookup_from") and not any(isinstance(vector, StoredVector) for vector in vectors_in(rank)):
        raise InvalidQuery(join(path, "lookup_from"), "it is allowed only in queries by point id")
    return Stage(
        query=rank,
        using=message.using if message.HasField("using") else None,
        filter=filter_of(message.filter, join(path, "filter")) if message.HasField("filter") else None,
        params=search_params_of(message.params, join(path, "params")),
        score_threshold=message.score_threshold if message.HasField("score_threshold") else None,
        limit=message.limit if message.HasField("limit") else None,
    )


def search_params_of(message: query_pb2.SearchParams, path: str) -> SearchParams:
    """The search settings of the stage whose `params` are at `path`."""
    quantization = message.quantization
    return SearchParams(
        hnsw_ef=message.hnsw_ef if message.HasField("hnsw_ef") else None,
        exact=message.exact,
        indexed_only=message.indexed_only,
        filter_strategy=enum_value(FILTER_STRATEGIES, message.filter_strategy, join(path, "filter_strategy")),
        rescore=quantization.rescore if quantization.HasField("rescore") else True,
        oversampling=quantization.oversampling if quantization.HasField("oversampling") else None,
        ivf_nprobe=tuple(message.ivf_nprobe) or None,
        sparse_metric=enum_value(SPARSE_METRICS, message.sparse_metric, join(path, "sparse_metric")),
    )
