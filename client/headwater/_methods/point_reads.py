"""Reading, searching and querying points; each method sees one commit. The other half of `.points` writes."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any, cast

from headwater import _rpcs as rpcs
from headwater._rpc import Namespace, remote, remote_items
from headwater._wire import (
    asks_vectors,
    explanation_of,
    filter_message,
    hits_of,
    id_message,
    id_messages,
    page_of,
    payload_selector,
    query_request,
    record_of,
    search_after_message,
    search_request,
    unsigned,
    vectors_selector,
)
from headwater.errors import InvalidQueryError
from headwater.filters import FilterLike
from headwater.models import (
    DEFAULT_LIMIT,
    Explanation,
    FilterScope,
    Hits,
    LookupFromLike,
    Page,
    PointIdLike,
    PointIds,
    PrefetchLike,
    QueryLike,
    QueryRequest,
    Record,
    RecordList,
    ScoredPoint,
    ScoreMode,
    SearchAfterLike,
    SearchParamsLike,
    SearchRequest,
    VectorLike,
    WithPayload,
    WithVectors,
)
from headwater.v1 import points_pb2

SCROLL_BATCH_SIZE = 256
"""Points of a page of `scroll_all`, unless it says otherwise."""
SCROLL_CURSOR_TTL = 300
"""Seconds that the caller may take for one page of `scroll_all`, unless it says otherwise."""


class PointReads(Namespace):
    """Reads, searches and queries; each sees one commit.

    `with_payload` and `with_vectors` are a bool, a list of paths or of spaces, or a selector. `using` None: the unnamed
    space, or the only one. `timeout` is in seconds; None: the client's. All raise HeadwaterError.
    """

    __slots__ = ()

    @remote
    async def get(
        self,
        collection: str,
        ids: PointIds,
        *,
        with_payload: WithPayload = True,
        with_vectors: WithVectors = False,
        timeout: float | None = None,
    ) -> RecordList:
        """The points of these ids that exist, in the order asked."""
        request = points_pb2.PointsGetRequest(
            collection_name=collection,
            ids=id_messages(ids),
            with_payload=payload_selector(with_payload),
            with_vectors=vectors_selector(with_vectors),
        )
        points = (await self._calls(rpcs.Points.GET, request, timeout)).points
        return RecordList([record_of(point, asks_vectors(request.with_vectors)) for point in points])

    @remote
    async def search(
        self,
        collection: str,
        vector: VectorLike | PointIdLike,
        *,
        using: str | None = None,
        limit: int | None = DEFAULT_LIMIT,
        filter: FilterLike | None = None,
        params: SearchParamsLike | None = None,
        score_threshold: float | None = None,
        offset: int | None = None,
        with_payload: WithPayload = True,
        with_vectors: WithVectors = False,
        score_mode: ScoreMode | str | None = None,
        lookup_from: LookupFromLike | None = None,
        explain: bool = False,
        timeout: float | None = None,
    ) -> Hits:
        """The nearest points to a vector, or to a stored point given by its id (which is left out). Best first."""
        search = SearchRequest(
            vector=vector,
            using=using,
            limit=limit,
            filter=filter,
            params=params,
            score_threshold=score_threshold,
            offset=offset,
            with_payload=with_payload,
            with_vectors=with_vectors,
            score_mode=score_mode,
            lookup_from=lookup_from,
            explain=explain,
        )
        request = search_request(search, collection)
        response = await self._calls(rpcs.Points.SEARCH, request, timeout)
        return hits_of(response.result, vectors=asks_vectors(request.with_vectors))

    @remote
    async def search_batch(
        self,
        collection: str,
        searches: Iterable[SearchRequest | Mapping[str, Any]],
        *,
        timeout: float | None = None,
    ) -> list[Hits]:
        """Up to 256 searches on one snapshot; each a SearchRequest or a dict of its arguments. One result each."""
        requests = cast("Iterable[SearchRequest]", searches)  # dicts were made into such
        request = points_pb2.PointsSearchBatchRequest(
            collection_name=collection, searches=map(search_request, requests)
        )
        results = (await self._calls(rpcs.Points.SEARCH_BATCH, request, timeout)).results
        return _all_hits(results, request.searches)

    @remote
    async def query(
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
        with_payload: WithPayload = True,
        with_vectors: WithVectors = False,
        lookup_from: LookupFromLike | None = None,
        filter_scope: FilterScope | str | None = None,
        score_mode: ScoreMode | str | None = None,
        explain: bool = False,
        search_after: SearchAfterLike | None = None,
        cursor_ttl: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> Hits:
        """Runs a tree of stages: the prefetches, then `query` over their union: a fusion, or a vector that re-ranks.

        `query` is a vector, the id of a stored point, `Fusion.RRF`, `Rrf(k, weights)`, `Dbsf(weights)`, or one of
        these three as `{"fusion": ...}`; None lists the matching points by id. `filter` of a query with prefetches
        drops candidates after they ran, unless `filter_scope` pushes it down.

        To go through a whole ranking, give each call the last hit of the call before as `search_after`, instead of an
        `offset`. To read all of it from one commit, give the first call `cursor_ttl` (seconds that its cursor lives
        after its last use), and `hits.cursor` to those that follow; `query_all` does both.
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
            with_payload=with_payload,
            with_vectors=with_vectors,
            lookup_from=lookup_from,
            filter_scope=filter_scope,
            score_mode=score_mode,
            explain=explain,
            search_after=search_after,
        )
        request = query_request(root, collection)
        if cursor_ttl is not None:
            request.cursor_ttl_seconds = _seconds_of(cursor_ttl)
        if cursor is not None:
            request.cursor = cursor
        response = await self._calls(rpcs.Points.QUERY, request, timeout)
        next_page = response.cursor if response.HasField("cursor") else None
        return hits_of(response.result, next_page, vectors=asks_vectors(request.with_vectors))

    @remote_items
    async def query_all(
        self,
        collection: str,
        query: QueryLike | None = None,
        *,
        prefetch: PrefetchLike = (),
        using: str | None = None,
        filter: FilterLike | None = None,
        params: SearchParamsLike | None = None,
        score_threshold: float | None = None,
        batch_size: int = SCROLL_BATCH_SIZE,
        with_payload: WithPayload = True,
        with_vectors: WithVectors = False,
        lookup_from: LookupFromLike | None = None,
        filter_scope: FilterScope | str | None = None,
        search_after: SearchAfterLike | None = None,
        cursor_ttl: int = SCROLL_CURSOR_TTL,
        timeout: float | None = None,
    ) -> AsyncGenerator[ScoredPoint, None]:
        """The whole ranking of a query, best first, from one commit; read in pages of `batch_size`.

        A search is exact, so that nothing is left out: each page costs a pass over the vectors that match. Between two
        pages at most `cursor_ttl` seconds may pass, and an hour in all; later it raises CursorExpiredError. `timeout`
        holds for each page.
        """
        root = QueryRequest(
            query=query,
            prefetch=prefetch,
            using=using,
            filter=filter,
            limit=batch_size,
            params=params,
            score_threshold=score_threshold,
            with_payload=with_payload,
            with_vectors=with_vectors,
            lookup_from=lookup_from,
            filter_scope=filter_scope,
            search_after=search_after,
        )
        request = query_request(root, collection)
        if not request.prefetch and request.query.WhichOneof("kind") != "nearest_with_mmr":
            request.params.exact = True  # what an index misses on the first page would be on no later one
        request.cursor_ttl_seconds = _seconds_of(cursor_ttl)
        cursor = None
        try:
            while True:
                response = await self._calls(rpcs.Points.QUERY, request, timeout)
                hits = hits_of(response.result, vectors=asks_vectors(request.with_vectors))
                cursor = response.cursor or cursor
                for hit in hits:
                    yield hit
                if not response.HasField("cursor"):
                    break
                request.search_after.CopyFrom(search_after_message(hits[-1]))
                request.ClearField("cursor_ttl_seconds")
                request.cursor = response.cursor
        finally:
            if cursor is not None:
                await self._calls.release(rpcs.Points.CLOSE_CURSOR, points_pb2.PointsCloseCursorRequest(cursor=cursor))

    @remote
    async def query_batch(
        self,
        collection: str,
        queries: Iterable[QueryRequest | Mapping[str, Any]],
        *,
        timeout: float | None = None,
    ) -> list[Hits]:
        """Up to 256 queries on one snapshot; each a QueryRequest or a dict of its arguments. One result each."""
        requests = cast("Iterable[QueryRequest]", queries)  # dicts were made into such
        request = points_pb2.PointsQueryBatchRequest(collection_name=collection, queries=map(query_request, requests))
        results = (await self._calls(rpcs.Points.QUERY_BATCH, request, timeout)).results
        return _all_hits(results, request.queries)

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
        """How a query would run; with `analyze` it runs, and the actual numbers are set. `str()` is the plan's tree."""
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
    async def scroll(
        self,
        collection: str,
        *,
        filter: FilterLike | None = None,
        limit: int | None = DEFAULT_LIMIT,
        offset: PointIdLike | None = None,
        with_payload: WithPayload = True,
        with_vectors: WithVectors = False,
        cursor_ttl: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> Page:
        """A page of points in id order, from the id `offset` on, and the offset of the next page (None: no more).

        Pages are of the commits that are newest when they are read. To read all of one commit, give the first call
        `cursor_ttl`, the seconds that its cursor shall live after its last use, and `page.cursor` to those that follow.
        Such pages can be read again, until CursorExpiredError.
        """
        request = points_pb2.PointsScrollRequest(
            collection_name=collection,
            filter=filter_message(filter),
            offset=None if offset is None else id_message(offset, "offset"),
            limit=unsigned(limit, "limit"),
            with_payload=payload_selector(with_payload),
            with_vectors=vectors_selector(with_vectors),
            cursor_ttl_seconds=None if cursor_ttl is None else _seconds_of(cursor_ttl),
            cursor=cursor,
        )
        return page_of(await self._calls(rpcs.Points.SCROLL, request, timeout), asks_vectors(request.with_vectors))

    @remote
    async def close_cursor(self, cursor: str, *, timeout: float | None = None) -> bool:
        """Lets go of a cursor before its time. Returns whether it was open."""
        request = points_pb2.PointsCloseCursorRequest(cursor=cursor)
        return (await self._calls(rpcs.Points.CLOSE_CURSOR, request, timeout)).closed

    @remote_items
    async def scroll_all(
        self,
        collection: str,
        *,
        filter: FilterLike | None = None,
        batch_size: int = SCROLL_BATCH_SIZE,
        with_payload: WithPayload = True,
        with_vectors: WithVectors = False,
        cursor_ttl: int = SCROLL_CURSOR_TTL,
        timeout: float | None = None,
    ) -> AsyncGenerator[Record, None]:
        """All points of one commit in id order, whatever is written meanwhile; read in pages of `batch_size`.

        Between two pages at most `cursor_ttl` seconds may pass, and an hour in all; later it raises CursorExpiredError.
        `timeout` holds for each page.
        """
        request = points_pb2.PointsScrollRequest(
            collection_name=collection,
            filter=filter_message(filter),
            limit=unsigned(batch_size, "limit"),
            with_payload=payload_selector(with_payload),
            with_vectors=vectors_selector(with_vectors),
            cursor_ttl_seconds=None if cursor_ttl is None else _seconds_of(cursor_ttl),
        )
        cursor = None
        try:
            while True:
                answer = await self._calls(rpcs.Points.SCROLL, request, timeout)
                page = page_of(answer, asks_vectors(request.with_vectors))
                cursor = page.cursor or cursor
                for record in page.points:
                    yield record
                if page.next_offset is None:
                    break
                request.offset.CopyFrom(id_message(page.next_offset, "offset"))
                request.ClearField("cursor_ttl_seconds")
                request.cursor = page.cursor or ""
        finally:
            if cursor is not None:
                await self._calls.release(rpcs.Points.CLOSE_CURSOR, points_pb2.PointsCloseCursorRequest(cursor=cursor))

    @remote
    async def count(self, collection: str, *, filter: FilterLike | None = None, timeout: float | None = None) -> int:
        """How many points there are, exactly; with `filter` how many match."""
        request = points_pb2.PointsCountRequest(collection_name=collection, filter=filter_message(filter))
        return (await self._calls(rpcs.Points.COUNT, request, timeout)).count


def _seconds_of(cursor_ttl: int) -> int:
    return unsigned(cursor_ttl, "cursor_ttl", InvalidQueryError) or 0


def _all_hits(
    results: Iterable[points_pb2.QueryResult],
    asked: Iterable[points_pb2.PointsSearchRequest | points_pb2.PointsQueryRequest],
) -> list[Hits]:
    return [
        hits_of(result, vectors=asks_vectors(each.with_vectors)) for result, each in zip(results, asked, strict=True)
    ]
