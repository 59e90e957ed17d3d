"""Search: the RPCs of `Points` that rank points, and the explanation of how. What a query means is the planner's."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from headwater.v1 import points_pb2 as wire
from planner.engine import Engine, QueryAnswer
from planner.query import Query
from server.convert.answers import explanation_message, fill_result
from server.convert.explanations import point_explanation_message
from server.convert.ids import point_ids_of
from server.convert.queries import query_of, search_of
from storage.budget import Budget
from storage.collection import Collection
from storage.database import Database
from storage.errors import InvalidRequest


class PointQueries:
    """The RPCs of `Points` that search, each on one snapshot."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine

    def search(self, request: wire.PointsSearchRequest, budget: Budget) -> wire.PointsSearchResponse:
        started = time.perf_counter_ns()
        collection = self._database.collection(request.collection_name)
        [answer] = self._engine.query(collection, [search_of(request)], budget)
        response = wire.PointsSearchResponse()
        fill_result(response.result, answer)
        response.microseconds = _microseconds_since(started)
        return response

    def query(self, request: wire.PointsQueryRequest, budget: Budget) -> wire.PointsQueryResponse:
        started = time.perf_counter_ns()
        collection = self._database.collection(request.collection_name)
        [answer] = self._engine.query(collection, [query_of(request)], budget)
        response = wire.PointsQueryResponse()
        fill_result(response.result, answer)
        response.microseconds = _microseconds_since(started)
        return response

    def search_batch(self, request: wire.PointsSearchBatchRequest, budget: Budget) -> wire.PointsSearchBatchResponse:
        started = time.perf_counter_ns()
        response = wire.PointsSearchBatchResponse()
        for answer in self._batch(request.collection_name, request.searches, "searches", search_of, budget):
            fill_result(response.results.add(), answer)
        response.microseconds = _microseconds_since(started)
        return response

    def query_batch(self, request: wire.PointsQueryBatchRequest, budget: Budget) -> wire.PointsQueryBatchResponse:
        started = time.perf_counter_ns()
        response = wire.PointsQueryBatchResponse()
        for answer in self._batch(request.collection_name, request.queries, "queries", query_of, budget):
            fill_result(response.results.add(), answer)
        response.microseconds = _microseconds_since(started)
        return response

    def explain(self, request: wire.PointsExplainRequest, budget: Budget) -> wire.PointsExplainResponse:
        collection = self._database.collection(request.query.collection_name)
        query = query_of(request.query, "query")
        explanation = self._engine.explain(collection, query, analyze=request.analyze, budget=budget)
        return wire.PointsExplainResponse(explanation=explanation_message(explanation))

    def explain_point(self, request: wire.PointsExplainPointRequest, budget: Budget) -> wire.PointsExplainPointResponse:
        collection = self._database.collection(request.query.collection_name)
        query, ids = query_of(request.query, "query"), point_ids_of(request.ids, "ids")
        explained = self._engine.explain_points(collection, query, ids, budget)
        points = map(point_explanation_message, explained.points)
        return wire.PointsExplainPointResponse(points=points, seq=explained.seq)

    def _batch(
        self, name: str, requests: Sequence[Any], field: str, convert: Callable[[Any, str], Query], budget: Budget
    ) -> list[QueryAnswer]:
        collection = self._database.collection(name)
        self._check_same_collection(collection, name, requests, field)
        queries = [convert(request, f"{field}[{index}]") for index, request in enumerate(requests)]
        return self._engine.query(collection, queries, budget, batch_field=field)

    def _check_same_collection(self, collection: Collection, name: str, requests: Sequence[Any], field: str) -> None:
        named = {request.collection_name: index for index, request in enumerate(requests)}
        if named.keys() <= {"", name, collection.name}:
            return
        aliases = {alias for alias, _ in self._database.aliases(collection.name)}
        for other in named.keys() - {"", name, collection.name} - aliases:
            raise InvalidRequest(
                f"{field}[{named[other]}].collection_name",
                f"{other!r} is not the collection of the batch, {collection.name!r}; one batch reads one collection",
            )


def _microseconds_since(started: int) -> int:
    return (time.perf_counter_ns() - started) // 1_000
