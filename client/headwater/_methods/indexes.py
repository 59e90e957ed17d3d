"""The namespace `.indexes`: spaces by payload property, blocking and async."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from headwater import _rpcs as rpcs
from headwater._plain import Where, filter_of_where
from headwater._rpc import AsyncNamespace, BlockingNamespace, Namespace, remote
from headwater._wire import (
    asks_vectors,
    index_arguments,
    index_create_request,
    index_hits_of,
    index_of,
    index_search_request,
    index_stats_of,
    item_messages,
)
from headwater.models import (
    Distance,
    Index,
    IndexHits,
    IndexSource,
    IndexStats,
    ReadyPolicy,
    ScoreMode,
    SearchParamsLike,
    Text,
    VectorLike,
    VectorsUpserted,
    WithPayload,
    WithVectors,
)
from headwater.v1 import indexes_pb2

Indices = list[Index]


class IndexMethods(Namespace):
    """Indexes of (label, property), where a label is a collection. Each index has its own vector space.

    An index is given by its id or as an Index. `create` and `search` take their arguments by name, or as one dict with
    names in either case: `{"label": ..., "propertyName": ...}`. `timeout` is in seconds; None: the client's. All raise
    HeadwaterError.
    """

    __slots__ = ()

    @remote
    async def create(
        self,
        index: Mapping[str, Any] | None = None,
        *,
        label: str | None = None,
        property_name: str | None = None,
        source_type: IndexSource | str | None = None,
        external: bool | None = None,
        similarity_function: Distance | str | None = None,
        dimensions: int | None = None,
        ready_policy: ReadyPolicy | str | None = None,
        embedder: str | None = None,
        using: str | None = None,
        timeout: float | None = None,
    ) -> Index:
        """Creates an index of a payload property. No record needs to have the property yet.

        An "external" index needs `dimensions`, and callers write its vectors. It is the default unless an `embedder` is
        named; `external=True` means the same. In a "managed" index, the server embeds the texts of the property,
        existing and new ones. `similarity_function`: "cosine" (default), "euclidean" or "dot". `using` names the space.
        Raises IndexAlreadyExistsError when another index has the same label, property, source, similarity and
        dimensions.
        """
        named = {
            "label": label,
            "property_name": property_name,
            "source_type": source_type,
            "external": external,
            "similarity_function": similarity_function,
            "dimensions": dimensions,
            "ready_policy": ready_policy,
            "embedder": embedder,
            "using": using,
        }
        request = index_create_request(_given("create", "index", index, named))
        return index_of((await self._calls(rpcs.Indexes.CREATE, request, timeout)).index)

    @remote
    async def get(self, index: str | Index, *, timeout: float | None = None) -> Index:
        """Returns the current state of the index. Raises IndexNotFoundError."""
        request = indexes_pb2.IndexesGetRequest(index_id=_id(index))
        return index_of((await self._calls(rpcs.Indexes.GET, request, timeout)).index)

    @remote
    async def list(
        self, label: str | None = None, *, property_name: str | None = None, timeout: float | None = None
    ) -> Indices:
        """Returns all indexes, or those of one label or property."""
        request = indexes_pb2.IndexesListRequest(label=label, property_name=property_name)
        return [index_of(index) for index in (await self._calls(rpcs.Indexes.LIST, request, timeout)).indexes]

    @remote
    async def delete(self, index: str | Index, *, timeout: float | None = None) -> Index:
        """Deletes an index with its vectors; returns its last state. Raises IndexNotFoundError."""
        request = indexes_pb2.IndexesDeleteRequest(index_id=_id(index))
        return index_of((await self._calls(rpcs.Indexes.DELETE, request, timeout)).index)

    @remote
    async def stats(self, index: str | Index, *, timeout: float | None = None) -> IndexStats:
        """Returns how many records should have a vector, and how many have one."""
        request = indexes_pb2.IndexesGetStatsRequest(index_id=_id(index))
        return index_stats_of((await self._calls(rpcs.Indexes.GET_STATS, request, timeout)).coverage)

    @remote
    async def rearm(self, index: str | Index, *, timeout: float | None = None) -> Index:
        """Makes a managed index that gave up try again."""
        request = indexes_pb2.IndexesRearmRequest(index_id=_id(index))
        return index_of((await self._calls(rpcs.Indexes.REARM, request, timeout)).index)

    @remote
    async def upsert_vectors(
        self,
        index: str | Index,
        items: Mapping[str, Any] | Iterable[Any],
        *,
        wait: bool = True,
        timeout: float | None = None,
    ) -> VectorsUpserted:
        """Sets vectors of existing records in an external index: all or nothing. Repeating it does no harm.

        `items` is `{"items": [{"recordId", "vector"}, ...]}`, that list, or pairs of record id and vector. Raises
        PointNotFoundError, which lists the missing records.
        """
        given = _items(items)
        request = indexes_pb2.IndexesUpsertVectorsRequest(index_id=_id(index), items=item_messages(given), wait=wait)
        answer = await self._calls(rpcs.Indexes.UPSERT_VECTORS, request, timeout)
        return VectorsUpserted(answer.updated, answer.requested, answer.unchanged, answer.seq)

    @remote
    async def search(
        self,
        search: Mapping[str, Any] | None = None,
        *,
        labels: Iterable[str] | str | None = None,
        property_name: str | None = None,
        query_vector: VectorLike | None = None,
        query: str | Text | None = None,
        similarity_function: Distance | str | None = None,
        source_type: IndexSource | str | None = None,
        using: str | None = None,
        where: Where | None = None,
        limit: int | None = None,
        skip: int | None = None,
        offset: int | None = None,
        score_threshold: float | None = None,
        score_mode: ScoreMode | str | None = None,
        params: SearchParamsLike | None = None,
        with_payload: WithPayload = True,
        with_vectors: WithVectors = False,
        timeout: float | None = None,
    ) -> IndexHits:
        """Returns the records in the index of a property that are nearest to a vector or to a text (`query`).

        The index is found by label, property, the length of the vector, and the other arguments given. If a space is
        named by `using`, it alone counts. `where` is a filter, or a dict: `{"price": {"$lt": 5}}`. `skip` and `offset`
        mean the same. Raises IndexNotFoundError, or AmbiguousIndexError when several indexes fit.
        """
        named = {
            "labels": labels,
            "property_name": property_name,
            "query_vector": query_vector,
            "query": query,
            "similarity_function": similarity_function,
            "source_type": source_type,
            "using": using,
            "where": where,
            "limit": limit,
            "skip": skip,
            "offset": offset,
            "score_threshold": score_threshold,
            "score_mode": score_mode,
        }
        given = _given("search", "search", search, named)
        given["where"] = filter_of_where(given.get("where"))
        request = index_search_request(given, params=params, with_payload=with_payload, with_vectors=with_vectors)
        answer = await self._calls(rpcs.Indexes.SEARCH, request, timeout)
        return index_hits_of(answer, asks_vectors(request.with_vectors))


class Indexes(IndexMethods, BlockingNamespace):
    """Indexes, blocking."""

    __slots__ = ()


class AsyncIndexes(IndexMethods, AsyncNamespace):
    """Indexes, for asyncio."""

    __slots__ = ()


def _id(index: str | Index) -> str:
    return index.id if isinstance(index, Index) else index


def _given(method: str, argument: str, given: Mapping[str, Any] | None, named: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a method, given by name and in the dict that is its parameter `argument`."""
    chosen = index_arguments(given, named, method, argument)
    return cast(dict[str, Any], vars(IndexMethods)[method].arguments.each(chosen))


def _items(given: Mapping[str, Any] | Iterable[Any]) -> Iterable[Any]:
    """Raises TypeError for a dict that is not `{"items": [...]}`."""
    if not isinstance(given, Mapping):
        return given
    if set(given) != {"items"} or isinstance(given["items"], str) or not isinstance(given["items"], Iterable):
        raise TypeError('items as a dict is {"items": [...]}')
    items: Iterable[Any] = given["items"]
    return items
