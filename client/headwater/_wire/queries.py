"""Converts searches, queries, answers and explanations between the client's models and the contract."""

from collections.abc import Mapping
from typing import Any

from headwater._wire.collections import levels_of
from headwater._wire.enum_names import enum_name, made
from headwater._wire.filters import filter_message
from headwater._wire.limits import check_depth, unsigned
from headwater._wire.points import payload_selector, scored_point_of, vectors_selector
from headwater._wire.ranks import rank_message, vector_input
from headwater._wire.values import id_message, id_of
from headwater.errors import InvalidQueryError
from headwater.models import (
    Dbsf,
    ExplainNode,
    Explanation,
    FilterScope,
    FilterStrategy,
    Fusion,
    FusionQuery,
    HitExplanation,
    Hits,
    LookupFrom,
    LookupFromLike,
    OtherRank,
    PrefetchLike,
    PrefetchQuery,
    QuantizationSearchParams,
    QueryLike,
    QueryRequest,
    Rrf,
    ScoredPoint,
    ScoreMode,
    SearchAfter,
    SearchAfterLike,
    SearchParams,
    SearchParamsLike,
    SearchRequest,
    SparseMetric,
    StageRank,
)
from headwater.v1 import points_pb2, query_pb2


def search_request(search: SearchRequest, collection: str | None = None) -> points_pb2.PointsSearchRequest:
    """`collection` None: the search is in a batch, which names the collection."""
    return points_pb2.PointsSearchRequest(
        collection_name=collection,
        vector=vector_input(search.vector, "vector"),
        using=search.using,
        filter=filter_message(search.filter),
        params=params_message(search.params),
        score_threshold=search.score_threshold,
        limit=unsigned(search.limit, "limit"),
        offset=unsigned(search.offset, "offset"),
        with_payload=payload_selector(search.with_payload),
        with_vectors=vectors_selector(search.with_vectors),
        score_mode=_score_mode(search.score_mode),
        explain=search.explain,
        lookup_from=_lookup(search.lookup_from),
    )


def query_request(query: QueryRequest, collection: str | None = None) -> points_pb2.PointsQueryRequest:
    """`collection` None: the query is in a batch, which names the collection."""
    return points_pb2.PointsQueryRequest(
        collection_name=collection,
        prefetch=(prefetches := _prefetches(query.prefetch)),
        query=_query(query.query, fused=bool(prefetches)),
        using=query.using,
        filter=filter_message(query.filter),
        params=params_message(query.params),
        score_threshold=query.score_threshold,
        limit=unsigned(query.limit, "limit"),
        offset=unsigned(query.offset, "offset"),
        with_payload=payload_selector(query.with_payload),
        with_vectors=vectors_selector(query.with_vectors),
        lookup_from=_lookup(query.lookup_from),
        filter_scope=_filter_scope(query.filter_scope),
        score_mode=_score_mode(query.score_mode),
        explain=query.explain,
        search_after=None if query.search_after is None else search_after_message(query.search_after),
    )


def search_after_message(given: SearchAfterLike) -> points_pb2.SearchAfter:
    """Raises TypeError for a value that is not a position in a ranking."""
    match given:
        case SearchAfter() | ScoredPoint():
            score, point_id = given.score, given.id
        case (score, point_id):
            pass
        case _:
            raise TypeError(f"search_after takes a hit, or its score and id, not {type(given).__name__}")
    return points_pb2.SearchAfter(score=score, id=id_message(point_id, "search_after.id"))


def hits_of(message: points_pb2.QueryResult, cursor: str | None = None, *, vectors: bool) -> Hits:
    """`vectors`: whether the request asked for vectors."""
    return Hits(
        [scored_point_of(point, vectors) for point in message.points],
        seq=message.seq,
        total=message.total if message.HasField("total") else None,
        cursor=cursor,
        explanation=explanation_of(message.explanation) if message.HasField("explanation") else None,
    )


def explanation_of(message: query_pb2.Explanation) -> Explanation:
    return Explanation(
        root=_node_of(message.root),
        text=message.text,
        hits=tuple(map(_hit_of, message.hits)),
        analyzed=message.analyzed,
        seq=message.seq,
        generation=message.generation,
        microseconds=message.microseconds,
    )


def params_message(given: SearchParamsLike | None) -> query_pb2.SearchParams | None:
    if given is None:
        return None
    given = made(SearchParams, given)
    return query_pb2.SearchParams(
        hnsw_ef=unsigned(given.hnsw_ef, "params.hnsw_ef", InvalidQueryError),
        exact=given.exact,
        indexed_only=given.indexed_only,
        filter_strategy=enum_name(FilterStrategy, given.filter_strategy),
        quantization=_quantization(given.quantization),
        ivf_nprobe=levels_of(given.ivf_nprobe, "params.ivf_nprobe"),
        sparse_metric=enum_name(SparseMetric, given.sparse_metric),
    )


def _quantization(given: QuantizationSearchParams | None) -> query_pb2.QuantizationSearchParams | None:
    if given is None:
        return None
    return query_pb2.QuantizationSearchParams(rescore=given.rescore, oversampling=given.oversampling)


def _prefetches(given: PrefetchLike, depth: int = 1) -> list[query_pb2.PrefetchQuery]:
    stages = [given] if isinstance(given, PrefetchQuery | Mapping) else given
    return [_prefetch(made(PrefetchQuery, stage), depth) for stage in stages]


def _prefetch(stage: PrefetchQuery, depth: int) -> query_pb2.PrefetchQuery:
    check_depth(depth, "prefetch")
    return query_pb2.PrefetchQuery(
        prefetch=(prefetches := _prefetches(stage.prefetch, depth + 1)),
        query=_query(stage.query, fused=bool(prefetches)),
        using=stage.using,
        filter=filter_message(stage.filter),
        params=params_message(stage.params),
        score_threshold=stage.score_threshold,
        limit=unsigned(stage.limit, "prefetch.limit"),
        lookup_from=_lookup(stage.lookup_from),
        filter_scope=_filter_scope(stage.filter_scope),
    )


_FUSIONS = {fusion.value: fusion for fusion in Fusion}


def _query(given: QueryLike | None, *, fused: bool) -> query_pb2.Query | None:
    """`fused`: the query has prefetches, so the name of a fusion means the fusion."""
    if fused and isinstance(given, str) and given.lower() in _FUSIONS:
        given = _FUSIONS[given.lower()]
    match given:
        case None:
            return None
        case Fusion() | Rrf() | Dbsf():
            return _fusion(given)
        case Mapping():
            if "fusion" not in given:
                return query_pb2.Query(nearest=vector_input(given, "query"))
            if set(given) != {"fusion"}:
                raise ValueError('a query as a dict is {"fusion": Fusion.RRF} or another fusion, or a sparse vector')
            return _fusion(dict[Any, Any](given)["fusion"])
        case _ if isinstance(given, OtherRank):
            return rank_message(given)
        case _:
            return query_pb2.Query(nearest=vector_input(given, "query"))


def _fusion(given: FusionQuery) -> query_pb2.Query:
    match given:
        case Fusion.RRF:
            return query_pb2.Query(rrf=query_pb2.ReciprocalRankFusion())
        case Fusion.DBSF:
            return query_pb2.Query(dbsf=query_pb2.DistributionBasedScoreFusion())
        case Rrf(k, weights):
            return query_pb2.Query(rrf=query_pb2.ReciprocalRankFusion(k=k, weights=weights))
        case Dbsf(weights):
            return query_pb2.Query(dbsf=query_pb2.DistributionBasedScoreFusion(weights=weights))
        case _:
            raise TypeError(f"a fusion is a Fusion, Rrf or Dbsf, not {type(given).__name__}")


def _lookup(given: LookupFromLike | None) -> query_pb2.LookupFrom | None:
    if given is None:
        return None
    lookup = made(LookupFrom, given)
    return query_pb2.LookupFrom(collection_name=lookup.collection, using=lookup.using)


def _filter_scope(given: FilterScope | str | None) -> str | None:
    return enum_name(FilterScope, given)


def _score_mode(given: ScoreMode | str | None) -> str | None:
    return enum_name(ScoreMode, given)


def _hit_of(message: query_pb2.HitExplanation) -> HitExplanation:
    return HitExplanation(
        id=id_of(message.id),
        stages=tuple(StageRank(place.stage, place.rank, place.score) for place in message.stages),
    )


def _node_of(message: query_pb2.ExplainNode) -> ExplainNode:
    def number(field: str) -> int | None:
        return getattr(message, field) if message.HasField(field) else None

    return ExplainNode(
        operator=message.operator,
        stage=message.stage,
        attributes=dict(message.attributes),
        strategy=message.strategy,
        reason=message.reason,
        estimated_rows=number("estimated_rows"),
        rows_in=number("rows_in"),
        rows_out=number("rows_out"),
        distance_computations=number("distance_computations"),
        microseconds=number("microseconds"),
        children=tuple(map(_node_of, message.children)),
    )
