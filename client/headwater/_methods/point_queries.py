"""Searching and querying points. Each method reads one commit."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any, cast

from headwater import _rpcs as rpcs
from headwater._methods.pages import CURSOR_TTL, PAGE_SIZE, cursor_seconds
from headwater._rpc import Namespace, remote, remote_items
from headwater._wire import (
    asks_vectors,
    hits_of,
    query_request,
    search_after_message,
    search_request,
)
from headwater.filters import FilterLike
from headwater.models import (
    DEFAULT_LIMIT,
    FilterScope,
    Hits,
    LookupFromLike,
    PointIdLike,
    PrefetchLike,
    QueryLike,
    QueryRequest,
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


class PointQueries(Namespace):
    """Searches and queries; each method reads one commit.

    `with_payload` and `with_vectors` are a bool, a list of paths or of spaces, or a selector. `using` None: the unnamed
    space, or the only one. `timeout` is in seconds; None: the client's. All raise HeadwaterError.
    """

    __slots__ = ()

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
        """Returns the points nearest to a vector, best first. An id instead means the vector of that point, which is
        left out."""
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
        """Runs up to 256 searches on one snapshot. Each is a SearchRequest or a dict of its arguments. Returns one
        result each."""
        requests = cast("Iterable[SearchRequest]", searches)  # dicts are already converted
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
        """Runs a tree of stages: first the prefetches, then `query` over all their points: a fusion or a new ranking.

        `query` is a vector, the id of a stored point, `Fusion.RRF`, `Rrf(k, weights)`, `Dbsf(weights)`, or one of these
        three as `{"fusion": ...}`. None lists the matching points by id. In a query with prefetches, `filter` drops
        candidates after the prefetches ran, unless `filter_scope` pushes it down.

        To read a whole ranking page by page, give each call the last hit of the call before as `search_after`, instead
        of an `offset`. To read all pages from one commit, give the first call `cursor_ttl`: the seconds that its cursor
        lives after its last use. Give `hits.cursor` to the calls that follow. `query_all` does both.
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
            request.cursor_ttl_seconds = cursor_seconds(cursor_ttl)
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
        batch_size: int = PAGE_SIZE,
        with_payload: WithPayload = True,
        with_vectors: WithVectors = False,
        lookup_from: LookupFromLike | None = None,
        filter_scope: FilterScope | str | None = None,
        search_after: SearchAfterLike | None = None,
        cursor_ttl: int = CURSOR_TTL,
        timeout: float | None = None,
    ) -> AsyncGenerator[ScoredPoint, None]:
        """Yields the whole ranking of a query, best first, from one commit, in pages of `batch_size`.

        Searches are exact, so that no point is left out. Each page therefore scans all matching vectors. At most
        `cursor_ttl` seconds may pass between two pages, and an hour in all; after that it raises CursorExpiredError.
        `timeout` holds for each page.
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
            request.params.exact = True  # a point that an index misses on the first page would be on no page
        request.cursor_ttl_seconds = cursor_seconds(cursor_ttl)
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
        """Runs up to 256 queries on one snapshot. Each is a QueryRequest or a dict of its arguments. Returns one result
        each."""
        requests = cast("Iterable[QueryRequest]", queries)  # dicts are already converted
        request = points_pb2.PointsQueryBatchRequest(collection_name=collection, queries=map(query_request, requests))
        results = (await self._calls(rpcs.Points.QUERY_BATCH, request, timeout)).results
        return _all_hits(results, request.queries)


def _all_hits(
    results: Iterable[points_pb2.QueryResult],
    asked: Iterable[points_pb2.PointsSearchRequest | points_pb2.PointsQueryRequest],
) -> list[Hits]:
    return [
        hits_of(result, vectors=asks_vectors(each.with_vectors)) for result, each in zip(results, asked, strict=True)
    ]
