"""Requests of one shape, and what handlers answer to them: for tests that compare requests as they are read."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from google.protobuf.message import Message
from hypothesis import strategies as st

from headwater._wire.queries import query_request
from headwater.v1 import points_pb2 as wire
from planner.engine import Engine
from planner.query.query import (
    Query,
    QueryVector,
    StoredVector,
    VectorInput,
)
from planner.query.shape import shaped
from server.embedders import Embedders, Texts
from server.services.search import PointQueries
from storage.budget import Budget
from storage.database import Database
from storage.errors import EngineError
from tests.support.client_queries import query_of
from tests.support.oracle.query import World
from tests.support.strategies import SIZES, queries, random_world, vectors
from tests.support.vector_forms import FORMS, in_form
from tests.support.worlds import create

Outcome = bytes | tuple[type, str, object]


class Fixture:
    def __init__(self, database: Database) -> None:
        self.world = random_world(2)
        create(database, "world", self.world, SIZES)
        self._database, self._engine = database, Engine(database.collection)
        self.knowing = self.afresh()

    def afresh(self) -> PointQueries:
        """Handlers that know no shape."""
        return PointQueries(self._database, self._engine, Texts(Embedders({})))


def outcome(handlers: PointQueries, request: Message) -> Outcome:
    """The reply without its times, or the error. The request is left as it is."""
    return outcome_of(handlers, type(request).FromString(request.SerializeToString()), type(request))


def outcome_of(handlers: PointQueries, request: object, request_type: type[Message]) -> Outcome:
    """The same for a request as it was read."""
    name, reply_type = REPLIES[request_type]
    try:
        reply = reply_type.FromString(getattr(handlers, name)(request, Budget()))
    except EngineError as error:
        return type(error), str(error), error.metadata
    _without_times(reply)
    return reply.SerializeToString(deterministic=True)


REPLIES: dict[type[Message], tuple[str, type[Message]]] = {
    wire.PointsSearchRequest: ("search", wire.PointsSearchResponse),
    wire.PointsQueryRequest: ("query", wire.PointsQueryResponse),
    wire.PointsSearchBatchRequest: ("search_batch", wire.PointsSearchBatchResponse),
    wire.PointsQueryBatchRequest: ("query_batch", wire.PointsQueryBatchResponse),
}


def _without_times(message: Message) -> None:
    for field, value in message.ListFields():
        if field.name in ("microseconds", "text"):
            message.ClearField(field.name)
        elif field.type == field.TYPE_MESSAGE:
            for each in [value] if isinstance(value, Message) else value if hasattr(value, "add") else ():
                _without_times(each)


def other_vectors(world: World) -> st.SearchStrategy[VectorInput]:
    """Of any space, good and bad."""
    dense = st.sampled_from(sorted(SIZES)).flatmap(vectors).map(QueryVector)
    bad = [QueryVector(np.array(values, np.float32)) for values in ([], [0, 0], [np.inf, 1])]
    ids = [*sorted(world.points, key=str), "nobody", 2**63]
    return dense | st.sampled_from(ids).map(StoredVector) | st.sampled_from(bad)


def alike(world: World, data: st.DataObject) -> list[wire.PointsQueryRequest]:
    """Requests of one shape, with other vectors."""
    first = shaped(data.draw(queries(world)))
    wholes: list[Query] = []
    for _ in range(data.draw(st.integers(1, 3))):
        given = [data.draw(st.just(vector) | other_vectors(world)) for vector in first.vectors]
        wholes.append(replace(first, vectors=tuple(given)).whole())
    form = data.draw(st.sampled_from(FORMS))
    return [in_form(query_request(query_of(query), "world"), form) for query in (first.whole(), *wholes)]


def search(values: Sequence[float], **others: object) -> wire.PointsSearchRequest:
    request = wire.PointsSearchRequest(collection_name="world", **others)  # type: ignore[arg-type]
    request.vector.vector.dense.values.extend(values)
    return request
