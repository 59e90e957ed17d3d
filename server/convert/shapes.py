"""Shapes of requests: those that differ in vectors and ids of queries alone are converted once.

A request is known again by its bytes without its vectors. So no part of a request can be forgotten, and every kind of
query has its shapes. Texts are no vectors yet: a request that has some is converted as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headwater.v1 import points_pb2, query_pb2
from planner.query import Query, QueryShape, ShapedQuery, VectorInput, shaped
from server.convert.ranks import StageMessage, vector_input_of
from storage.bounded_cache import BoundedCache
from storage.errors import InvalidRequest

SHAPES = 1_024
"""Shapes of requests that are remembered."""

SHAPE_BYTES = 1_024
"""Bytes of a request without its vectors, above which its shape is not remembered. What is kept takes up to some 13
times as much, since each condition becomes objects: about 16 MiB for all shapes at most."""

RootMessage = points_pb2.PointsQueryRequest | points_pb2.PointsSearchRequest
_Key = tuple[type, bytes, tuple[type, ...]]
"""The kind of request, its bytes without its vectors, and the kinds of these."""


@dataclass(frozen=True, slots=True)
class Unshaped:
    """A request that must be converted, what its shape is remembered by, and its vectors."""

    key: _Key
    vectors: tuple[VectorInput, ...]


class Shapes:
    """The shapes of requests that were converted. Safe for many threads, each with requests of its own."""

    def __init__(self) -> None:
        self._known = BoundedCache[_Key, QueryShape](SHAPES)

    def read(self, request: RootMessage, path: str) -> ShapedQuery | Unshaped | None:
        """The query at `path`, if its shape is known; then the request has lost its vectors.

        None: it has texts, it is too large, or it cannot be converted.
        """
        holders = list(_holders(request))
        try:
            vectors = tuple([vector_input_of(holder, stage, "") for holder, stage in holders])
        except InvalidRequest:
            return None
        data = [holder.SerializeToString() for holder, _ in holders]
        for holder, _ in holders:
            holder.Clear()
        key = (type(request), request.SerializeToString(), tuple(map(type, vectors)))
        shape = self._known.get(key)
        if shape is not None:
            return ShapedQuery(shape, vectors, path)
        for (holder, _), vector in zip(holders, data, strict=True):
            holder.MergeFromString(vector)
        return Unshaped(key, vectors) if len(key[1]) <= SHAPE_BYTES else None

    def remember(self, unshaped: Unshaped, query: Query) -> None:
        """Keeps the shape of what `unshaped` was converted to, if that has the vectors that were found."""
        found = shaped(query)
        if found.vectors == unshaped.vectors:
            self._known.put(unshaped.key, found.shape)


def _holders(request: RootMessage) -> Iterator[tuple[query_pb2.VectorInput, Any]]:
    """The vectors of a request and their stages, in the order of planner.query.shaped."""
    if isinstance(request, points_pb2.PointsSearchRequest):
        yield request.vector, request
    else:
        yield from _in_stage(request)


def _in_stage(stage: StageMessage) -> Iterator[tuple[query_pb2.VectorInput, Any]]:
    if stage.HasField("query"):
        for holder in _in_query(stage.query):
            yield holder, stage
    for child in stage.prefetch:
        yield from _in_stage(child)


def _in_query(query: query_pb2.Query) -> Iterator[query_pb2.VectorInput]:
    match query.WhichOneof("kind"):
        case "nearest":
            yield query.nearest
        case "nearest_with_mmr":
            yield query.nearest_with_mmr.nearest
        case "recommend":
            yield from query.recommend.positive
            yield from query.recommend.negative
        case "discover":
            yield query.discover.target
            yield from _in_pairs(query.discover.context)
        case "context":
            yield from _in_pairs(query.context.pairs)
        case "rescore":
            if query.rescore.HasField("vector"):
                yield query.rescore.vector
            for part in query.rescore.composite:
                if part.HasField("vector"):
                    yield part.vector


def _in_pairs(pairs: Any) -> Iterator[query_pb2.VectorInput]:
    for pair in pairs:
        yield pair.positive
        yield pair.negative
