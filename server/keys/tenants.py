"""Narrows requests of a key with a filter to the points that it may reach. What cannot be narrowed is refused.

Filters are joined by `and` at every stage of a query, so no point from outside takes part in any list. Points whose
vectors are a query are looked up before. New points must match, and stored ones that do not are left as they are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from headwater.v1 import common_pb2, filter_pb2, points_pb2, query_pb2
from server.convert import payload_of
from server.errors import PermissionDenied
from server.keys.access import Access, Tenant
from server.keys.names import kinds_within
from storage.errors import InvalidPayload

Owned = Callable[[str, Sequence[common_pb2.PointId], str], set[bytes]]
"""Which of some points of a collection match a filter in text: their ids, serialized."""

_WITH_FILTER = frozenset(
    {"Count", "Facet", "Aggregate", "SearchMatrixPairs", "SearchMatrixOffsets", "Scroll", "Search", "SearchBatch"}
)
_QUERIES = frozenset({"Query", "QueryBatch", "QueryGroups"})
_WITH_CONDITION = frozenset({"Upsert", "UpdateVectors", "Delete"})
_POINTS = "headwater.v1.Points/"
_WITHOUT_POINTS = frozenset(
    {"headwater.v1.Collections/List", "headwater.v1.Collections/Exists", "headwater.v1.Points/CloseCursor"}
)
_REVEALING = ("explain", "lookup_from", "with_lookup")
"""Fields that would tell of other points. Cursors do not: they keep a commit, and each page has its own filter."""


def narrowed(method: str, access: Access, request: Message, owned: Owned) -> Message:
    """The request, narrowed to the points of the key. It is changed. Raises PermissionDenied and InvalidPayload."""
    tenant = access.tenant
    assert tenant is not None, "only keys with a filter are narrowed"
    if method in _WITHOUT_POINTS:
        return request
    name = method.removeprefix(_POINTS)
    narrow = _NARROWERS.get(name) if method.startswith(_POINTS) else None
    if narrow is None:
        raise PermissionDenied(access.name, f"a key with a filter cannot call {method.partition('v1.')[2]}")
    _Narrowing(access, tenant, owned).check_revealing(request)
    narrow(_Narrowing(access, tenant, owned), request)
    return request


class _Narrowing:
    """The narrowing of one request."""

    def __init__(self, access: Access, tenant: Tenant, owned: Owned) -> None:
        self._access = access
        self._tenant = tenant
        self._owned = owned

    def check_revealing(self, request: Message) -> None:
        """Raises PermissionDenied if a field is set, anywhere, that would tell something of other points."""
        if not _can_reveal(request.DESCRIPTOR):
            return
        for each in messages_in(request):
            for field, _ in each.ListFields():
                if field.name in _REVEALING:
                    raise PermissionDenied(self._access.name, f"a key with a filter cannot use {field.name}")

    def filtered(self, request: Any) -> None:
        """Searches, scrolls, counts and analyses: filters of the request, and of those in a batch."""
        for each in getattr(request, "searches", [request]):
            self._and(each.filter)
        self._check_vectors(request)

    def queried(self, request: Any) -> None:
        """Queries: filters of every stage."""
        queries = request.queries if hasattr(request, "queries") else [_query_of(request)]
        for query in queries:
            pending: list[Any] = [query]
            while pending:
                stage = pending.pop()
                self._and(stage.filter)
                pending.extend(stage.prefetch)
        self._check_vectors(request)

    def read(self, request: Any) -> None:
        """Points by their ids: nothing to narrow. Permissions.answer reads them with the filter."""

    def written(self, request: Any) -> None:
        """Writes of points: new ones must match, and stored ones that do not are left."""
        if isinstance(request, points_pb2.PointsUpsertRequest):
            for number, point in enumerate(request.points):
                if not self._tenant.matches(_payload(point, f"points[{number}].payload")):
                    reason = f"points[{number}] does not match the filter of the key"
                    raise PermissionDenied(self._access.name, reason)
            if request.mode == points_pb2.UPSERT_MODE_INSERT_ONLY:
                return  # no stored point is changed
        self._and(request.condition)

    def _and(self, filter: filter_pb2.Filter) -> None:
        """Joins the filter of the key to one of the request. All clauses of a filter must hold, so it is one more, at
        the end: then errors in those of the request are told with their own paths."""
        filter.must.add().filter.expression = self._tenant.expression

    def _check_vectors(self, request: Any) -> None:
        """Raises PermissionDenied if the vector of a point of others is a query."""
        ids = [point for each in messages_in(request) for point in _points_named(each)]
        if not ids:
            return
        name = request.query.collection_name if hasattr(request, "group_by") else request.collection_name
        mine = self._owned(name, ids, self._tenant.expression)
        if any(each.SerializeToString() not in mine for each in ids):
            raise PermissionDenied(self._access.name, "the query is the vector of a point that is not one of the key's")


_NARROWERS: Mapping[str, Callable[[_Narrowing, Any], None]] = {
    **dict.fromkeys(_WITH_FILTER, _Narrowing.filtered),
    **dict.fromkeys(_QUERIES, _Narrowing.queried),
    **dict.fromkeys(_WITH_CONDITION, _Narrowing.written),
    "Get": _Narrowing.read,
}


@cache
def _can_reveal(kind: Descriptor) -> bool:
    """Whether a request of a kind has a field, anywhere, that would tell of other points. Writes of many points have
    none, and are not walked through."""
    return any(field.name in _REVEALING for each in kinds_within(kind) for field in each.fields)


def messages_in(message: Message) -> Iterator[Message]:
    """The message and all messages in it."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if isinstance(value, Message):
            yield from messages_in(value)
        elif field.message_type.GetOptions().map_entry:
            for each in value.values():
                if isinstance(each, Message):
                    yield from messages_in(each)
        else:
            for each in value:
                yield from messages_in(each)


def _points_named(message: Message) -> list[common_pb2.PointId]:
    """The point whose vector a message means, if it means one."""
    if isinstance(message, query_pb2.VectorInput) and message.WhichOneof("kind") == "id":
        return [message.id]
    return []


def _query_of(request: Any) -> Any:
    """The query of a request: of QueryGroups, the one in it."""
    return request.query if isinstance(request, points_pb2.PointsQueryGroupsRequest) else request


def _payload(point: common_pb2.PointStruct, path: str) -> dict[str, object]:
    """The payload of a new point. Raises InvalidPayload."""
    try:
        return payload_of(point.payload)
    except (ValueError, RecursionError) as error:
        raise InvalidPayload(path, str(error)) from None
