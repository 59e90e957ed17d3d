"""Search: the RPCs of `Points` that rank points and explain the ranking. The planner decides what a query means."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from headwater.v1 import points_pb2 as wire
from planner.bind import DEFAULT_LIMIT
from planner.engine import Engine, QueryAnswer
from planner.limits import check_batch
from planner.query import Query, ShapedQuery
from server.convert import (
    KnownRequest,
    Shapes,
    Unshaped,
    explanation_message,
    point_explanation_message,
    point_ids_of,
    query_of,
    reply_of,
    search_of,
)
from server.embedders import TextInput, Texts, explained
from server.services.cursors import reading
from storage.budget import Budget
from storage.collection import Collection
from storage.database import Database
from storage.errors import InvalidRequest, PointNotFound
from storage.mvcc import Snapshot
from storage.schema import CollectionSchema


class PointQueries:
    """The RPCs of `Points` that search, each on one snapshot."""

    def __init__(self, database: Database, engine: Engine, texts: Texts) -> None:
        self._database = database
        self._engine = engine
        self._texts = texts
        self._shapes = Shapes()

    def search(self, request: wire.PointsSearchRequest | KnownRequest, budget: Budget) -> bytes:
        started = time.perf_counter_ns()
        collection = self._database.collection(request.collection_name, budget)
        answers = self._answers(collection, _asked(request), search_of, budget)
        return reply_of(wire.PointsSearchResponse(microseconds=_microseconds_since(started)), answers)

    def query(self, request: wire.PointsQueryRequest | KnownRequest, budget: Budget) -> bytes:
        started = time.perf_counter_ns()
        collection = self._database.collection(request.collection_name, budget)
        response = wire.PointsQueryResponse()
        if isinstance(request, KnownRequest):
            [answer] = self._answers(collection, request, query_of, budget)
        elif request.HasField("cursor") or request.HasField("cursor_ttl_seconds"):
            with reading(self._database, request, budget) as read:
                [answer] = self._answers(collection, [(request, "")], query_of, budget, reader=read.snapshot)
                limit = request.limit if request.HasField("limit") else DEFAULT_LIMIT
                read.goes_on = len(answer.hits) >= limit
                if read.cursor is not None:
                    response.cursor = read.cursor
        else:
            [answer] = self._answers(collection, [(request, "")], query_of, budget)
        response.microseconds = _microseconds_since(started)
        return reply_of(response, [answer])

    def search_batch(self, request: wire.PointsSearchBatchRequest | KnownRequest, budget: Budget) -> bytes:
        started = time.perf_counter_ns()
        answers = self._batch(request, "searches", search_of, budget)
        return reply_of(wire.PointsSearchBatchResponse(microseconds=_microseconds_since(started)), answers)

    def query_batch(self, request: wire.PointsQueryBatchRequest | KnownRequest, budget: Budget) -> bytes:
        started = time.perf_counter_ns()
        answers = self._batch(request, "queries", query_of, budget)
        return reply_of(wire.PointsQueryBatchResponse(microseconds=_microseconds_since(started)), answers)

    def explain(self, request: wire.PointsExplainRequest, budget: Budget) -> wire.PointsExplainResponse:
        collection = self._database.collection(request.query.collection_name, budget)
        _check_no_cursor(request.query, "query")
        schema = collection.schema
        texts = self._texts.of_queries([(request.query, "query")], schema, budget)
        query = query_of(request.query, "query")
        explanation = self._engine.queries.explain(collection, query, analyze=request.analyze, budget=budget)
        return wire.PointsExplainResponse(explanation=explanation_message(explained(explanation, texts, schema)))

    def explain_point(self, request: wire.PointsExplainPointRequest, budget: Budget) -> wire.PointsExplainPointResponse:
        collection = self._database.collection(request.query.collection_name, budget)
        _check_no_cursor(request.query, "query")
        self._texts.of_queries([(request.query, "query")], collection.schema, budget)
        query, ids = query_of(request.query, "query"), point_ids_of(request.ids, "ids")
        explained = self._engine.queries.explain_points(collection, query, ids, budget)
        points = map(point_explanation_message, explained.points)
        return wire.PointsExplainPointResponse(points=points, seq=explained.seq)

    def _batch(
        self, request: Any, field: str, convert: Callable[[Any, str], Query], budget: Budget
    ) -> list[QueryAnswer]:
        name = request.collection_name
        collection = self._database.collection(name, budget)
        if isinstance(request, KnownRequest):
            self._check_same_collection(collection, name, request.collections, field)
            return self._answers(collection, request, convert, budget, batch_field=field)
        requests: Sequence[Any] = getattr(request, field)
        self._check_same_collection(collection, name, [each.collection_name for each in requests], field)
        check_batch(len(requests), field)
        named = [(request, f"{field}[{index}]") for index, request in enumerate(requests)]
        for request, path in named:
            _check_no_cursor(request, path)
        return self._answers(collection, named, convert, budget, batch_field=field)

    def _answers(
        self,
        collection: Collection,
        requests: Sequence[tuple[Any, str]] | KnownRequest,
        convert: Callable[[Any, str], Query],
        budget: Budget,
        *,
        batch_field: str = "queries",
        reader: Snapshot | None = None,
    ) -> list[QueryAnswer]:
        """Answers requests, each given with its path. The texts of all requests are embedded together.

        `reader` is the commit to read; None: the newest.
        """
        schema = collection.schema if reader is None else reader.schema
        if isinstance(requests, KnownRequest):
            budget.check()
            queries, texts = list[Query | ShapedQuery](requests.queries), list[TextInput]()
        else:
            queries, texts = self._converted(requests, schema, convert, budget)
        try:
            if reader is None:
                answers = self._engine.queries.query(collection, queries, budget, batch_field=batch_field)
            else:
                answers = self._engine.queries.query_on(reader, collection, queries, budget, batch_field=batch_field)
        except PointNotFound as error:
            if any(space.embedder for space in schema.dense.values()) and any(isinstance(id, str) for id in error.ids):
                error.message += " (a string is an id; to search for a text, send it as one: Text in the Python client)"
            raise
        return _explained(answers, queries, texts, schema) if texts else answers

    def _converted(
        self,
        requests: Sequence[tuple[Any, str]],
        schema: CollectionSchema,
        convert: Callable[[Any, str], Query],
        budget: Budget,
    ) -> tuple[list[Query | ShapedQuery], list[TextInput]]:
        """The queries, and the texts that were embedded. Requests of a known shape have no texts."""
        budget.check()
        read = [self._shapes.read(request, path) for request, path in requests]
        others = [each for each, found in zip(requests, read, strict=True) if not isinstance(found, ShapedQuery)]
        texts = self._texts.of_queries(others, schema, budget) if others else []
        queries: list[Query | ShapedQuery] = []
        for (request, path), found in zip(requests, read, strict=True):
            if isinstance(found, ShapedQuery):
                queries.append(found)
                continue
            budget.check()  # a filter that is written as text takes a second to read at most
            query = convert(request, path)
            if isinstance(found, Unshaped) and not texts:
                self._shapes.remember(found, query)
            queries.append(query)
        return queries, texts

    def _check_same_collection(self, collection: Collection, name: str, others: Sequence[str], field: str) -> None:
        """`others` are the names in the queries of a batch."""
        named = {other: index for index, other in enumerate(others)}
        if named.keys() <= {"", name, collection.name}:
            return
        aliases = {alias.name for alias in self._database.names.aliases(collection.name)}
        for other in named.keys() - {"", name, collection.name} - aliases:
            raise InvalidRequest(
                f"{field}[{named[other]}].collection_name",
                f"{other!r} is not the collection of the batch, {collection.name!r}; one batch reads one collection",
            )


def _asked(request: wire.PointsSearchRequest | KnownRequest) -> Sequence[tuple[Any, str]] | KnownRequest:
    return request if isinstance(request, KnownRequest) else [(request, "")]


def _explained(
    answers: list[QueryAnswer],
    queries: Sequence[Query | ShapedQuery],
    texts: Sequence[TextInput],
    schema: CollectionSchema,
) -> list[QueryAnswer]:
    """The answers. Their explanations also name the embedder of each text."""
    by_query: dict[str, list[TextInput]] = {}
    for text in texts:
        by_query.setdefault(text.query, []).append(text)
    return [
        answer
        if answer.explanation is None
        else replace(answer, explanation=explained(answer.explanation, by_query.get(query.path, []), schema))
        for answer, query in zip(answers, queries, strict=True)
    ]


def _check_no_cursor(request: wire.PointsQueryRequest | wire.PointsSearchRequest, path: str) -> None:
    if isinstance(request, wire.PointsQueryRequest):
        for field in ("cursor", "cursor_ttl_seconds"):
            if request.HasField(field):
                raise InvalidRequest(f"{path}.{field}", "only Query has cursors; this RPC reads one commit anyway")


def _microseconds_since(started: int) -> int:
    return (time.perf_counter_ns() - started) // 1_000
