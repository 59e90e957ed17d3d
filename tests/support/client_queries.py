"""The planner's queries, filters and the oracle's worlds as a user of the client would write them."""

import headwater as client
from headwater import filters
from planner.query import filter as planned
from planner.query.bm25 import Bm25
from planner.query.formula import Formula
from planner.query.query import (
    ByMetrics,
    Context,
    ContextPair,
    Dbsf,
    Discover,
    FilterScope,
    FilterStrategy,
    Nearest,
    OrderBy,
    PayloadSelector,
    Query,
    QueryVector,
    Rank,
    Recommend,
    RecommendStrategy,
    Rrf,
    Sample,
    ScoreMode,
    SearchParams,
    Stage,
    StoredVector,
    VectorInput,
    VectorsSelector,
)
from storage.schema import Distance
from tests.support.client_formulas import formula_of
from tests.support.oracle.query import World

DISTANCES = {
    Distance.COSINE: client.Distance.Cosine,
    Distance.DOT: client.Distance.Dot,
    Distance.EUCLID: client.Distance.Euclid,
    Distance.MANHATTAN: client.Distance.Manhattan,
    Distance.HAMMING: client.Distance.Hamming,
    Distance.JACCARD: client.Distance.Jaccard,
}
STRATEGIES = {
    FilterStrategy.AUTO: client.FilterStrategy.Auto,
    FilterStrategy.PRE: client.FilterStrategy.Pre,
    FilterStrategy.POST: client.FilterStrategy.Post,
}
SCOPES = {FilterScope.GATE: client.FilterScope.Gate, FilterScope.PUSH_DOWN: client.FilterScope.PushDown}
MODES = {
    ScoreMode.RAW: client.ScoreMode.Raw,
    ScoreMode.SIMILARITY: client.ScoreMode.Similarity,
    ScoreMode.DISTANCE: client.ScoreMode.Distance,
}

DIRECTIONS = {False: client.Direction.Ascending, True: client.Direction.Descending}
RECOMMEND_STRATEGIES = {
    RecommendStrategy.AVERAGE: client.RecommendStrategy.Average,
    RecommendStrategy.BEST_SCORE: client.RecommendStrategy.BestScore,
    RecommendStrategy.SUM_SCORES: client.RecommendStrategy.SumScores,
}


def points_of(world: World) -> list[client.PointStruct]:
    return [
        client.PointStruct(key, dict(point.vectors), dict(point.payload) or None) for key, point in world.points.items()
    ]


def query_of(query: Query) -> client.QueryRequest:
    root = query.root
    return client.QueryRequest(
        query=_rank(root.query),
        prefetch=[_prefetch(child) for child in root.prefetch],
        using=root.using,
        filter=filter_of(root.filter),
        limit=root.limit,
        params=_params(root.params),
        score_threshold=root.score_threshold,
        offset=root.offset,
        with_payload=_payload(query.with_payload),
        with_vectors=_vectors(query.with_vectors),
        filter_scope=SCOPES[root.filter_scope],
        score_mode=MODES[root.score_mode],
        explain=query.explain,
    )


def _prefetch(stage: Stage) -> client.PrefetchQuery:
    return client.PrefetchQuery(
        query=_rank(stage.query),
        using=stage.using,
        limit=stage.limit,
        filter=filter_of(stage.filter),
        params=_params(stage.params),
        score_threshold=stage.score_threshold,
        prefetch=[_prefetch(child) for child in stage.prefetch],
        filter_scope=SCOPES[stage.filter_scope],
    )


def _rank(rank: Rank | None) -> client.QueryLike | None:
    match rank:
        case None:
            return None
        case Rrf(k=k, weights=weights):
            return client.Rrf(k, weights)
        case Dbsf(weights=weights):
            return client.Dbsf(weights)
        case Nearest(vector=vector, mmr=mmr):
            return (
                _input(vector) if mmr is None else client.NearestWithMmr(_input(vector), mmr.diversity, mmr.candidates)
            )
        case OrderBy():
            return client.OrderBy(rank.path, DIRECTIONS[rank.descending], rank.start_from)
        case Sample(seed=seed):
            return client.Sample(seed)
        case Recommend():
            positive, negative = map(_input, rank.positive), map(_input, rank.negative)
            return client.Recommend(list(positive), list(negative), RECOMMEND_STRATEGIES[rank.strategy])
        case Discover():
            return client.Discover(_input(rank.target), _pairs(rank.pairs))
        case Context():
            return client.Context(_pairs(rank.pairs))
        case ByMetrics():
            return _rescore(rank)
        case Formula():
            return formula_of(rank, filter_of)
        case Bm25():
            return _bm25(rank)


def _rescore(rank: ByMetrics) -> client.Rescore:
    vector = None if rank.vector is None else _input(rank.vector)
    if rank.metric is not None:
        return client.Rescore(vector, rank.metric.value)
    return client.Rescore(
        vector,
        [
            client.WeightedMetric(
                client.Metric[part.metric.value.title()],
                part.weight,
                None if part.vector is None else _input(part.vector),
                part.using,
            )
            for part in rank.composite
        ],
    )


def _bm25(rank: Bm25) -> client.Bm25:
    highlight = rank.highlight
    return client.Bm25(
        rank.text,
        dict(rank.fields) or None,
        rank.combine.value,
        rank.all_terms,
        rank.last_as_prefix,
        rank.plain,
        highlight is not None and client.HighlightParams(highlight.fragments, highlight.length),
    )


def text_indexes_of(world: World) -> dict[str, client.TextIndexParams]:
    return {
        path: client.TextIndexParams(
            settings.tokenizer.value,
            stop_words=settings.stop_words or False,
            lowercase=settings.lowercase,
            k1=settings.k1,
            b=settings.b,
        )
        for path, settings in world.texts.items()
    }


def _input(vector: VectorInput) -> client.VectorLike | client.PointIdLike:
    if isinstance(vector, QueryVector):
        return vector.values
    assert isinstance(vector, StoredVector), "worlds hold dense vectors"
    return vector.id


def _pairs(pairs: tuple[ContextPair, ...]) -> list[client.ContextPair]:
    return [client.ContextPair(_input(pair.positive), _input(pair.negative)) for pair in pairs]


def _params(params: SearchParams) -> client.SearchParams:
    return client.SearchParams(params.hnsw_ef, params.exact, params.indexed_only, STRATEGIES[params.filter_strategy])


def _payload(selector: PayloadSelector | None) -> bool | client.WithPayloadSelector:
    """The contract takes what to include or what to exclude, and not both."""
    if selector is None:
        return False
    if selector.include is not None:
        return client.WithPayloadSelector(include=selector.include)
    return client.WithPayloadSelector(exclude=selector.exclude) if selector.exclude else True


def _vectors(selector: VectorsSelector | None) -> bool | client.WithVectorsSelector:
    if selector is None:
        return False
    return True if selector.include is None else client.WithVectorsSelector(selector.include)


def filter_of(filter: planned.Filter | None) -> filters.Filter | None:
    if filter is None:
        return None
    enough = filter.min_should
    return filters.Filter(
        must=condition_list(filter.must),
        should=condition_list(filter.should),
        must_not=condition_list(filter.must_not),
        min_should=None if enough is None else filters.MinShould(condition_list(enough.conditions), enough.min_count),
    )


def condition_list(conditions: tuple[planned.Condition, ...]) -> tuple[filters.Condition, ...]:
    return tuple(map(condition_of, conditions))


def condition_of(condition: planned.Condition) -> filters.Condition:
    match condition:
        case planned.Filter():
            nested = filter_of(condition)
            assert nested is not None
            return nested
        case planned.Equal(path=path, value=value):
            return filters.Equal(path, value)
        case planned.AnyOf(path=path, values=values):
            return filters.AnyOf(path, values)
        case planned.ExceptOf(path=path, values=values):
            return filters.ExceptOf(path, values)
        case planned.Range():
            return filters.Range(condition.path, condition.gt, condition.gte, condition.lt, condition.lte)
        case planned.DatetimeRange():
            return filters.DatetimeRange(condition.path, condition.gt, condition.gte, condition.lt, condition.lte)
        case planned.ValuesCount():
            return filters.ValuesCount(condition.path, condition.gt, condition.gte, condition.lt, condition.lte)
        case planned.TextTest(path=path, operator=operator, operand=operand):
            return filters.TextTest(path, filters.TextOperator(operator.value), operand)
        case planned.GeoRadius(path=path, center=center, radius=radius):
            return filters.GeoRadius(path, _place(center), radius)
        case planned.GeoBox(path=path, top_left=top_left, bottom_right=bottom_right):
            return filters.GeoBoundingBox(path, _place(top_left), _place(bottom_right))
        case planned.GeoPolygon(path=path, exterior=exterior, interiors=interiors):
            return filters.GeoPolygon(path, _ring(exterior), tuple(map(_ring, interiors)))
        case planned.Exists(path=path):
            return filters.Exists(path)
        case planned.Nested(path=path, filter=filter):
            inner = filter_of(filter)
            assert inner is not None
            return filters.Nested(path, inner)
        case planned.IsNull(path=path):
            return filters.IsNull(path)
        case planned.IsEmpty(path=path):
            return filters.IsEmpty(path)
        case planned.HasId(ids=ids):
            return filters.HasId(ids)
        case planned.HasVector(using=using):
            return filters.HasVector(using)


def _place(place: planned.GeoPoint) -> filters.Place:
    return place.lat, place.lon


def _ring(ring: tuple[planned.GeoPoint, ...]) -> tuple[filters.Place, ...]:
    return tuple(map(_place, ring))
