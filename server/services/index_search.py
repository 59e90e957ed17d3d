"""Search by property: the RPC of `Indexes` that finds the right index and asks the planner."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headwater.v1 import indexes_pb2 as wire
from planner.engine import Engine, Hit
from planner.limits import check_page
from planner.query import Nearest, Query, QueryVector, ScoreMode, Stage
from server.convert import (
    SCORE_MODES,
    coverage_message,
    enum_value,
    fill_hit,
    filter_of,
    payload_selector_of,
    search_params_of,
    similarity_of,
    source_of,
    vector_of,
    vectors_selector_of,
)
from server.embedders import Role, TextInput, Texts
from server.indexes import Index, IndexCounts, Wanted, size_of, space_meant
from storage.budget import Budget
from storage.collection import Collection
from storage.database import Database
from storage.errors import InvalidRequest, LimitExceeded
from storage.schema import CollectionSchema, Distance

MAX_LABELS = 16
"""Collections of one search of indexes: each is searched separately."""
DEFAULT_LIMIT = 10


@dataclass(frozen=True, slots=True)
class _Target:
    """One collection to search, the space to search in it, and the query vector."""

    collection: Collection
    schema: CollectionSchema
    space: str
    vector: NDArray[np.float32]

    @property
    def distance(self) -> Distance:
        return self.schema.dense[self.space].distance


class IndexSearches:
    """The RPC of `Indexes` that searches. Each collection is read at one commit."""

    def __init__(self, database: Database, engine: Engine, texts: Texts, counts: IndexCounts) -> None:
        self._database = database
        self._engine = engine
        self._texts = texts
        self._counts = counts

    def search(self, request: wire.IndexesSearchRequest, budget: Budget) -> wire.IndexesSearchResponse:
        limit = request.limit if request.HasField("limit") else DEFAULT_LIMIT
        check_page(limit, request.offset)
        _check_labels(request)
        targets = [self._target(request, position, budget) for position in range(len(request.labels))]
        distances = {target.distance for target in targets}
        if len(distances) > 1:
            known = ", ".join(sorted(each.value for each in distances))
            raise InvalidRequest("labels", f"scores of several metrics cannot be merged: {known}; name the similarity")
        page = (0, limit + request.offset) if len(targets) > 1 else (request.offset, limit)
        found = [self._hits(request, target, page, budget) for target in targets]
        response = wire.IndexesSearchResponse()
        for position, hit in _merged(found, _is_similarity(targets[0].distance, request), request.offset, limit):
            message = response.hits.add()
            message.label = targets[position].collection.name
            fill_hit(message.point, hit)
        for target in targets:
            response.coverage.append(self._coverage(target, budget))
        return response

    def _target(self, request: wire.IndexesSearchRequest, position: int, budget: Budget) -> _Target:
        collection = self._database.collection(request.labels[position], budget)
        schema = collection.schema
        kind = request.WhichOneof("query")
        if kind is None:
            raise InvalidRequest("query", "nothing is set; set one of: query_vector, query_text")
        wanted = Wanted(
            property=request.property_name,
            size=None if kind == "query_text" else size_of(request.query_vector, "query_vector"),
            distance=similarity_of(request.similarity, "similarity"),
            source=source_of(request.source, "source"),
            using=request.using if request.HasField("using") else None,
        )
        space = space_meant(collection, schema, wanted, "", kind)
        if kind == "query_vector":
            return _Target(collection, schema, space, vector_of(request.query_vector, "query_vector"))
        return _Target(collection, schema, space, self._embedded(request.query_text, space, schema, budget))

    def _embedded(self, text: str, space: str, schema: CollectionSchema, budget: Budget) -> NDArray[np.float32]:
        holder = wire.IndexItem()
        holder.vector.text.text = text
        self._texts.embed([TextInput(holder.vector, space, "query_text")], schema, Role.QUERY, budget)
        return vector_of(holder.vector, "query_text")

    def _hits(
        self, request: wire.IndexesSearchRequest, target: _Target, page: tuple[int, int], budget: Budget
    ) -> Sequence[Hit]:
        stage = Stage(
            query=Nearest(QueryVector(target.vector)),
            using=target.space,
            filter=filter_of(request.where, "where") if request.HasField("where") else None,
            params=search_params_of(request.params, "params"),
            score_threshold=request.score_threshold if request.HasField("score_threshold") else None,
            offset=page[0],
            limit=page[1],
            score_mode=enum_value(SCORE_MODES, request.score_mode, "score_mode"),
        )
        query = Query(
            root=stage,
            with_payload=payload_selector_of(request),
            with_vectors=vectors_selector_of(request),
            vector_field="query_vector",
        )
        [answer] = self._engine.queries.query(target.collection, [query], budget)
        return answer.hits

    def _coverage(self, target: _Target, budget: Budget) -> wire.IndexCoverage:
        space = target.schema.dense[target.space]
        if space.policy is None:
            return wire.IndexCoverage()
        index = Index(target.collection, target.space, space)
        return coverage_message(index.id, self._counts.recent(index, budget))


def _check_labels(request: wire.IndexesSearchRequest) -> None:
    labels = request.labels
    if not labels:
        raise InvalidRequest("labels", "give at least one")
    if len(labels) > MAX_LABELS:
        raise LimitExceeded("labels", limit="MAX_LABELS", maximum=MAX_LABELS, actual=len(labels))
    if len(set(labels)) < len(labels):
        raise InvalidRequest("labels", "one is given twice")


def _is_similarity(distance: Distance, request: wire.IndexesSearchRequest) -> bool:
    """Whether a higher score is better."""
    match SCORE_MODES.get(request.score_mode):
        case ScoreMode.SIMILARITY:
            return True
        case ScoreMode.DISTANCE:
            return False
        case _:
            return distance.higher_is_better


def _merged(found: Sequence[Sequence[Hit]], higher_is_better: bool, offset: int, limit: int) -> list[tuple[int, Hit]]:
    """The hits of all lists by score, each with the number of its list. A single list stays as it is."""
    numbered = [(number, hit) for number, hits in enumerate(found) for hit in hits]
    if len(found) == 1:
        return numbered
    sign = -1 if higher_is_better else 1
    # the sort is stable, so equal scores stay in the order of ids in a list
    numbered.sort(key=lambda each: (sign * each[1].score, each[0]))
    return numbered[offset : offset + limit]
