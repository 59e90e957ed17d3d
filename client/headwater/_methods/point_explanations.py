"""Explanations of queries, and of points that are or are not in an answer. Part of `.points`."""

from headwater import _rpcs as rpcs
from headwater._rpc import Namespace, remote
from headwater._wire import explanation_of, id_message, id_messages, point_explanation_of, query_request
from headwater.filters import FilterLike
from headwater.models import (
    DEFAULT_LIMIT,
    Explanation,
    FilterScope,
    LookupFromLike,
    PointExplanation,
    PointIdLike,
    PointIds,
    PrefetchLike,
    QueryLike,
    QueryRequest,
    ScoreMode,
    SearchParamsLike,
)
from headwater.v1 import points_pb2


class PointExplanations(Namespace):
    """Explains queries; the arguments are those of `points.query`. All raise HeadwaterError."""

    __slots__ = ()

    @remote
    async def explain(
        self,
        collection: str,
        query: QueryLike | None = None,
        *,
        prefetch: PrefetchLike = (),
        using: str | None = None,
        filter: FilterLike | None = None,
        limit: int | None = DEFAULT_LIMIT,
        params: SearchParamsLike | None = None,
        score_threshold: float | None = None,
        offset: int | None = None,
        lookup_from: LookupFromLike | None = None,
        filter_scope: FilterScope | str | None = None,
        score_mode: ScoreMode | str | None = None,
        analyze: bool = False,
        timeout: float | None = None,
    ) -> Explanation:
        """Returns the plan of a query. With `analyze` the query runs, and the numbers are measured. `str()` shows the
        tree."""
        root = QueryRequest(
            query=query,
            prefetch=prefetch,
            using=using,
            filter=filter,
            limit=limit,
            params=params,
            score_threshold=score_threshold,
            offset=offset,
            lookup_from=lookup_from,
            filter_scope=filter_scope,
            score_mode=score_mode,
        )
        request = points_pb2.PointsExplainRequest(query=query_request(root, collection), analyze=analyze)
        return explanation_of((await self._calls(rpcs.Points.EXPLAIN, request, timeout)).explanation)

    @remote
    async def explain_point(
        self,
        collection: str,
        id: PointIdLike,
        query: QueryLike | None = None,
        *,
        prefetch: PrefetchLike = (),
        using: str | None = None,
        filter: FilterLike | None = None,
        limit: int | None = DEFAULT_LIMIT,
        params: SearchParamsLike | None = None,
        score_threshold: float | None = None,
        offset: int | None = None,
        lookup_from: LookupFromLike | None = None,
        filter_scope: FilterScope | str | None = None,
        score_mode: ScoreMode | str | None = None,
        timeout: float | None = None,
    ) -> PointExplanation:
        """Returns why a point is, or is not, in the answer to a query: the result of each stage for the point.

        `str()` of it is a verdict in one sentence, and a line per stage.
        """
        root = QueryRequest(
            query=query,
            prefetch=prefetch,
            using=using,
            filter=filter,
            limit=limit,
            params=params,
            score_threshold=score_threshold,
            offset=offset,
            lookup_from=lookup_from,
            filter_scope=filter_scope,
            score_mode=score_mode,
        )
        request = points_pb2.PointsExplainPointRequest(
            query=query_request(root, collection), ids=[id_message(id, "ids[0]")]
        )
        (point,) = (await self._calls(rpcs.Points.EXPLAIN_POINT, request, timeout)).points
        return point_explanation_of(point)

    @remote
    async def explain_points(
        self,
        collection: str,
        ids: PointIds,
        query: QueryLike | None = None,
        *,
        prefetch: PrefetchLike = (),
        using: str | None = None,
        filter: FilterLike | None = None,
        limit: int | None = DEFAULT_LIMIT,
        params: SearchParamsLike | None = None,
        score_threshold: float | None = None,
        offset: int | None = None,
        lookup_from: LookupFromLike | None = None,
        filter_scope: FilterScope | str | None = None,
        score_mode: ScoreMode | str | None = None,
        timeout: float | None = None,
    ) -> list[PointExplanation]:
        """Does `explain_point` for up to 100 points in one run of the query. Returns one explanation per id, in
        order."""
        root = QueryRequest(
            query=query,
            prefetch=prefetch,
            using=using,
            filter=filter,
            limit=limit,
            params=params,
            score_threshold=score_threshold,
            offset=offset,
            lookup_from=lookup_from,
            filter_scope=filter_scope,
            score_mode=score_mode,
        )
        request = points_pb2.PointsExplainPointRequest(query=query_request(root, collection), ids=id_messages(ids))
        points = (await self._calls(rpcs.Points.EXPLAIN_POINT, request, timeout)).points
        return [point_explanation_of(point) for point in points]
