"""Groups, facets, aggregations and distance matrices of points; each method sees one commit. Part of `.points`."""

from collections.abc import Mapping
from typing import Any

from headwater import _rpcs as rpcs
from headwater._rpc import Namespace, remote
from headwater._wire import (
    aggregates_of,
    aggregation_messages,
    facets_of,
    filter_message,
    groups_of,
    lookup_message,
    offsets_of,
    pairs_of,
    query_request,
    unsigned,
)
from headwater.errors import InvalidQueryError
from headwater.filters import FilterLike
from headwater.models import (
    DEFAULT_LIMIT,
    Aggregates,
    AggregationLike,
    Facets,
    FilterScope,
    Groups,
    LookupFromLike,
    MatrixOffsets,
    MatrixPairs,
    PrefetchLike,
    QueryLike,
    QueryRequest,
    ScoreMode,
    SearchParamsLike,
    WithLookup,
    WithPayload,
    WithVectors,
)
from headwater.v1 import points_pb2

DEFAULT_GROUP_SIZE = 3
"""Points of a group by default."""


class PointAnalyses(Namespace):
    """Groups, facets, aggregations and distance matrices. Each call reads one commit.

    The values of a field are its strings, numbers and bools; each element of an array counts by itself. None: the
    server's default.
    """

    __slots__ = ()

    @remote
    async def query_groups(
        self,
        collection: str,
        query: QueryLike | None = None,
        *,
        group_by: str,
        group_size: int | None = DEFAULT_GROUP_SIZE,
        limit: int | None = DEFAULT_LIMIT,
        offset: int | None = None,
        prefetch: PrefetchLike = (),
        using: str | None = None,
        filter: FilterLike | None = None,
        params: SearchParamsLike | None = None,
        score_threshold: float | None = None,
        with_payload: WithPayload = True,
        with_vectors: WithVectors = False,
        with_lookup: WithLookup | str | Mapping[str, Any] | None = None,
        lookup_from: LookupFromLike | None = None,
        filter_scope: FilterScope | str | None = None,
        score_mode: ScoreMode | str | None = None,
        explain: bool = False,
        timeout: float | None = None,
    ) -> Groups:
        """Returns the best `limit` groups of points by the values of the field `group_by`, with up to `group_size`
        points each.

        The other arguments are those of `query`; `limit` and `offset` count groups. A point whose field is an array
        belongs to the group of each element. Points without a value are left out. `with_lookup` names a collection; its
        point with the group's value as id is returned with the group.
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
        )
        request = points_pb2.PointsQueryGroupsRequest(
            query=query_request(root, collection),
            group_by=group_by,
            group_size=unsigned(group_size, "group_size"),
            with_lookup=lookup_message(with_lookup),
        )
        return groups_of(await self._calls(rpcs.Points.QUERY_GROUPS, request, timeout), request)

    @remote
    async def facet(
        self,
        collection: str,
        key: str,
        *,
        filter: FilterLike | None = None,
        limit: int | None = DEFAULT_LIMIT,
        timeout: float | None = None,
    ) -> Facets:
        """Returns the `limit` most frequent values of the field `key`, with the exact number of points of each."""
        request = points_pb2.PointsFacetRequest(
            collection_name=collection, key=key, filter=filter_message(filter), limit=unsigned(limit, "limit")
        )
        return facets_of(await self._calls(rpcs.Points.FACET, request, timeout))

    @remote
    async def aggregate(
        self,
        collection: str,
        aggregations: Mapping[str, AggregationLike],
        *,
        group_by: str | None = None,
        filter: FilterLike | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> Aggregates:
        """Computes aggregations by name, such as `{"revenue": Aggregation.sum("price"), "n": "count"}`.

        There is one group of all matching points, or one for each value of the field `group_by`, in the order of the
        values. `limit` None: up to 10,000 groups.
        """
        request = points_pb2.PointsAggregateRequest(
            collection_name=collection,
            aggregations=aggregation_messages(aggregations),
            group_by=group_by,
            filter=filter_message(filter),
            limit=unsigned(limit, "limit"),
        )
        return aggregates_of(await self._calls(rpcs.Points.AGGREGATE, request, timeout), list(aggregations))

    @remote
    async def search_matrix_pairs(
        self,
        collection: str,
        *,
        sample: int | None = None,
        limit: int | None = None,
        using: str | None = None,
        filter: FilterLike | None = None,
        seed: int | None = None,
        timeout: float | None = None,
    ) -> MatrixPairs:
        """Returns pairs with scores: each of `sample` (10) random points with its `limit` (3) nearest in the sample."""
        request = points_pb2.PointsSearchMatrixPairsRequest(
            collection_name=collection,
            sample=unsigned(sample, "sample", InvalidQueryError),
            limit=unsigned(limit, "limit"),
            using=using,
            filter=filter_message(filter),
            seed=unsigned(seed, "seed", InvalidQueryError, bits=64),
        )
        return pairs_of(await self._calls(rpcs.Points.SEARCH_MATRIX_PAIRS, request, timeout))

    @remote
    async def search_matrix_offsets(
        self,
        collection: str,
        *,
        sample: int | None = None,
        limit: int | None = None,
        using: str | None = None,
        filter: FilterLike | None = None,
        seed: int | None = None,
        timeout: float | None = None,
    ) -> MatrixOffsets:
        """Returns the pairs of `search_matrix_pairs` as a sparse matrix of positions in the list of ids."""
        request = points_pb2.PointsSearchMatrixOffsetsRequest(
            collection_name=collection,
            sample=unsigned(sample, "sample", InvalidQueryError),
            limit=unsigned(limit, "limit"),
            using=using,
            filter=filter_message(filter),
            seed=unsigned(seed, "seed", InvalidQueryError, bits=64),
        )
        return offsets_of(await self._calls(rpcs.Points.SEARCH_MATRIX_OFFSETS, request, timeout))
