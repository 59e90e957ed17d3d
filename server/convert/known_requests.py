"""Requests whose queries are all of known shapes: they become queries from their bytes, and protobuf makes no messages.

A query is known again by its key, its bytes without the components of its vectors. What one key means was learned from
a request with that key, which protobuf read and the conversion of messages accepted. All other requests are left to
these, so an error has one source.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError, Message

from headwater.v1 import points_pb2
from planner.limits import MAX_BATCH
from planner.query import Query, QueryShape, QueryVector, ShapedQuery, VectorInput, shaped
from server.convert.queries import query_of, search_of
from server.convert.shapes import SHAPE_BYTES, SHAPES
from server.wire import CutRequest, Cutter, Vectors
from storage.bounded_cache import BoundedCache
from storage.errors import EngineError

LAYOUTS = 256
"""Lengths of requests of which a layout is remembered."""


@dataclass(frozen=True, slots=True)
class KnownRequest:
    """A request as its queries. `collections` are the names in these, of which most are that of the request, or empty.

    `points`: those of all answers and stages, as lanes count them. `size`: its bytes.
    """

    collection_name: str
    queries: list[ShapedQuery]
    collections: Sequence[str]
    points: int
    size: int


@dataclass(frozen=True, slots=True)
class _Known:
    """What a key means. `sources`: for each vector of the shape, its number among those of the bytes; or the vector,
    when the key has it."""

    shape: QueryShape
    sources: tuple[int | VectorInput, ...]
    collection_name: str
    points: int

    def query(self, vectors: Vectors, path: str) -> ShapedQuery:
        given = [QueryVector(vectors[each]) if isinstance(each, int) else each for each in self.sources]
        return ShapedQuery(self.shape, tuple(given), path)


class _Layout(NamedTuple):
    """Where a request with one vector has it: between `head` and `tail`. A request as long, with both, differs from it
    in components alone, since `head` has the lengths of all that is around them."""

    head: bytes
    tail: bytes
    known: _Known

    def read(self, raw: bytes) -> KnownRequest | None:
        if not (raw.startswith(self.head) and raw.endswith(self.tail)):
            return None
        start = len(self.head)
        values = np.frombuffer(raw, np.float32, (len(raw) - start - len(self.tail)) // 4, start).copy()
        return _request(self.known, (values,), len(raw))


def _request(known: _Known, vectors: Vectors, size: int) -> KnownRequest:
    return KnownRequest(known.collection_name, [known.query(vectors, "")], (), known.points, size)


class _Kind:
    """Reads the requests of one type: one query, or a `field` with a list of queries."""

    def __init__(
        self,
        request_type: type[Any],
        convert: Callable[[Any, str], Query],
        points_of: Callable[[Any], int],
        field: str = "",
    ) -> None:
        self._request_type = request_type
        self._convert = convert
        self._points_of = points_of
        self._field = field
        if field:
            listed = request_type.DESCRIPTOR.fields_by_name[field]
            self._paths = [f"{field}[{number}]" for number in range(MAX_BATCH)]
            self._cutter = Cutter(listed.message_type, listed.number)
        else:
            self._cutter = Cutter(request_type.DESCRIPTOR)
        self._known = BoundedCache[bytes, _Known](SHAPES)
        self._asked = BoundedCache[bytes, bool](SHAPES)
        self._layouts: dict[int, _Layout] = {}
        """The layout of the newest request of each length: most requests come in a few lengths."""

    def read(self, raw: bytes) -> Any:
        """A KnownRequest, or the message. Raises DecodeError."""
        layout = self._layouts.get(len(raw))
        found = None if layout is None else layout.read(raw)
        if found is not None:
            return found
        cut = self._cutter.cut(raw)
        if cut is None or len(cut.parts) > MAX_BATCH:
            return self._request_type.FromString(raw)
        if self._field:
            return self._list(raw, cut) or self._request_type.FromString(raw)
        part = cut.parts[0]
        known = self._known.get(part.key)
        if known is None:
            self._learn_if_repeated(raw, cut, (part.key,))
            return self._request_type.FromString(raw)
        if len(part.vectors) == 1:
            self._note_layout(raw, known)
        return _request(known, part.vectors, len(raw))

    def _note_layout(self, raw: bytes, known: _Known) -> None:
        [(start, count)] = self._cutter.places(raw)
        if len(self._layouts) == LAYOUTS:
            self._layouts = {}
        self._layouts[len(raw)] = _Layout(raw[:start], raw[start + 4 * count :], known)

    def _list(self, raw: bytes, cut: CutRequest) -> KnownRequest | None:
        known, unknown = dict[bytes, _Known](), list[bytes]()
        for key in {part.key for part in cut.parts}:
            meaning = self._known.get(key)
            if meaning is None:
                unknown.append(key)
            else:
                known[key] = meaning
        if unknown:
            self._learn_if_repeated(raw, cut, unknown)
            return None
        try:
            name: str = self._request_type.FromString(cut.others).collection_name
        except DecodeError:
            return None
        found = [known[part.key] for part in cut.parts]
        queries = [
            each.query(part.vectors, path)
            for each, part, path in zip(found, cut.parts, self._paths[: len(found)], strict=True)
        ]
        points = sum(each.points for each in found)
        return KnownRequest(name, queries, [each.collection_name for each in found], points, len(raw))

    def _learn_if_repeated(self, raw: bytes, cut: CutRequest, keys: Iterable[bytes]) -> None:
        """Learns keys that came before, since learning takes as long as converting the request."""
        wanted = {key for key in keys if len(key) <= SHAPE_BYTES and (self._asked.get(key) or self._note(key))}
        if wanted:
            for key, known in self._learned(raw, cut, wanted):
                self._known.put(key, known)

    def _note(self, key: bytes) -> bool:
        self._asked.put(key, True)
        return False

    def _learned(self, raw: bytes, cut: CutRequest, wanted: set[bytes]) -> Iterable[tuple[bytes, _Known]]:
        """What keys mean, as a request tells whose vectors are numbered: so one sees where each of them goes."""
        marked = bytearray(raw)
        places = iter(self._cutter.places(raw))
        for part in cut.parts:
            for number, _ in enumerate(part.vectors):
                start, count = next(places)
                marked[start : start + 4 * count] = np.full(count, number, "<f4").tobytes()
        try:
            message = self._request_type.FromString(bytes(marked))
        except DecodeError:
            return
        messages = getattr(message, self._field) if self._field else [message]
        for part, each in zip(cut.parts, messages, strict=True):
            if part.key in wanted:
                wanted.discard(part.key)
                known = self._meaning(each, part.vectors)
                if known is not None:
                    yield part.key, known

    def _meaning(self, message: Any, vectors: Vectors) -> _Known | None:
        """What a query with numbered vectors means; None: this cannot be told from its key."""
        if any(field.name in ("cursor", "cursor_ttl_seconds") for field, _ in message.ListFields()):
            return None
        try:
            query = self._convert(message, "")
        except EngineError:
            return None
        found = shaped(query)
        sources = [_number_of(each, vectors) if isinstance(each, QueryVector) else each for each in found.vectors]
        if sorted(each for each in sources if isinstance(each, int)) != list(range(len(vectors))):
            return None
        return _Known(found.shape, tuple(sources), message.collection_name, self._points_of(message))


def _number_of(marked: QueryVector, vectors: Vectors) -> int:
    """The number that a marked vector has; -1: it is none of `vectors`."""
    number = int(marked.values[0]) if len(marked.values) else -1
    is_whole = 0 <= number < len(vectors) and len(marked.values) == len(vectors[number])
    return number if is_whole and (marked.values == number).all() else -1


class KnownRequests:
    """Reads the requests that search. Safe for many threads."""

    def __init__(self, points_of: Callable[[Any], int]) -> None:
        """`points_of` counts the points of a single query: see KnownRequest."""
        searches = points_pb2.PointsSearchBatchRequest, search_of, points_of, "searches"
        queries = points_pb2.PointsQueryBatchRequest, query_of, points_of, "queries"
        self._kinds: Mapping[type[Message], _Kind] = {
            points_pb2.PointsSearchRequest: _Kind(points_pb2.PointsSearchRequest, search_of, points_of),
            points_pb2.PointsQueryRequest: _Kind(points_pb2.PointsQueryRequest, query_of, points_of),
            points_pb2.PointsSearchBatchRequest: _Kind(*searches),
            points_pb2.PointsQueryBatchRequest: _Kind(*queries),
        }

    @property
    def readers(self) -> Mapping[type[Message], Callable[[bytes], Any]]:
        """What reads requests of each type from their bytes: a KnownRequest, or the message. It raises DecodeError."""
        return {request_type: kind.read for request_type, kind in self._kinds.items()}
