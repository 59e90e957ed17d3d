"""Analyses: the RPCs of `Points` for groups, facets, aggregations and distance matrices. The planner computes them."""

import time
from dataclasses import replace

from headwater.v1 import points_pb2 as wire
from planner.engine import Engine
from server.convert import (
    aggregate_query_of,
    facet_query_of,
    fill_aggregates,
    fill_facets,
    fill_groups,
    fill_offsets,
    fill_pairs,
    group_query_of,
    matrix_query_of,
)
from server.embedders import Texts, explained
from storage.budget import Budget
from storage.database import Database


class PointAnalyses:
    """The RPCs of `Points` that look at the values of many points, each on one snapshot."""

    def __init__(self, database: Database, engine: Engine, texts: Texts) -> None:
        self._database = database
        self._texts = texts
        self._analyses = engine.analyses

    def query_groups(self, request: wire.PointsQueryGroupsRequest, budget: Budget) -> wire.PointsQueryGroupsResponse:
        started = time.perf_counter_ns()
        collection = self._database.collection(request.query.collection_name, budget)
        schema = collection.schema
        places = self._texts.of_queries([(request.query, "query")], schema, budget)
        response = wire.PointsQueryGroupsResponse()
        answer = self._analyses.groups(collection, group_query_of(request), budget)
        if answer.explanation is not None:
            answer = replace(answer, explanation=explained(answer.explanation, places, schema))
        fill_groups(response, answer)
        response.microseconds = _microseconds_since(started)
        return response

    def facet(self, request: wire.PointsFacetRequest, budget: Budget) -> wire.PointsFacetResponse:
        started = time.perf_counter_ns()
        collection = self._database.collection(request.collection_name, budget)
        response = wire.PointsFacetResponse()
        fill_facets(response, self._analyses.facet(collection, facet_query_of(request), budget))
        response.microseconds = _microseconds_since(started)
        return response

    def aggregate(self, request: wire.PointsAggregateRequest, budget: Budget) -> wire.PointsAggregateResponse:
        started = time.perf_counter_ns()
        collection = self._database.collection(request.collection_name, budget)
        response = wire.PointsAggregateResponse()
        fill_aggregates(response, self._analyses.aggregate(collection, aggregate_query_of(request), budget))
        response.microseconds = _microseconds_since(started)
        return response

    def search_matrix_pairs(
        self, request: wire.PointsSearchMatrixPairsRequest, budget: Budget
    ) -> wire.PointsSearchMatrixPairsResponse:
        started = time.perf_counter_ns()
        collection = self._database.collection(request.collection_name, budget)
        response = wire.PointsSearchMatrixPairsResponse()
        fill_pairs(response, self._analyses.matrix(collection, matrix_query_of(request), budget))
        response.microseconds = _microseconds_since(started)
        return response

    def search_matrix_offsets(
        self, request: wire.PointsSearchMatrixOffsetsRequest, budget: Budget
    ) -> wire.PointsSearchMatrixOffsetsResponse:
        started = time.perf_counter_ns()
        collection = self._database.collection(request.collection_name, budget)
        response = wire.PointsSearchMatrixOffsetsResponse()
        fill_offsets(response, self._analyses.matrix(collection, matrix_query_of(request), budget))
        response.microseconds = _microseconds_since(started)
        return response


def _microseconds_since(started: int) -> int:
    return (time.perf_counter_ns() - started) // 1_000
