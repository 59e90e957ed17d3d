"""Applies keys to requests: who asks, whether the key may call the RPC, and which collections and points it reaches."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from google.protobuf.message import Message

from headwater.v1 import collections_pb2, common_pb2
from planner.limits import MAX_LIMIT
from server.errors import PermissionDenied
from server.keys.access import Access, Scope
from server.keys.keyring import Keyring
from server.keys.names import collections_of
from server.keys.own_points import Handler, get_own, own_ids
from server.keys.scopes import NOT_LIMITED, SCOPES
from server.keys.tenants import narrowed
from storage.budget import Budget
from storage.errors import CollectionNotFound

API_KEY_METADATA = "api-key"
_LISTED = "headwater.v1.Collections/List"
_GET = "headwater.v1.Points/Get"
_WITHOUT_NAMES = (_LISTED, "headwater.v1.Points/CloseCursor")

audit = logging.getLogger("server.audit")


class Permissions:
    """What keys may do on one server. `own_name` finds the own name of a collection by its name or alias.

    `scroll` is set before anything is served: the handler of Scroll, which finds out which points a key reaches.
    """

    def __init__(self, keyring: Keyring, own_name: Callable[[str], str]) -> None:
        self.keyring = keyring
        self._own_name = own_name
        self.scroll: Handler | None = None

    def access_of(self, method: str, metadata: Iterable[tuple[str, str | bytes]]) -> Access:
        """What the caller may do. Raises Unauthenticated, and PermissionDenied if the key's scope does not allow it."""
        if self.keyring.is_open:
            return self.keyring.access_of(None)
        given = dict(metadata).get(API_KEY_METADATA)
        access = self.keyring.access_of(given)
        needed = SCOPES[method]
        if access.scope < needed:
            raise self._denied(method, access, f"it needs the scope {needed.name.lower()}")
        if method in NOT_LIMITED and not access.is_whole:
            raise self._denied(method, access, "it needs a key for all collections")
        return access

    def check_page(self, metadata: Iterable[tuple[str, str | bytes]]) -> None:
        """Raises Unauthenticated, and PermissionDenied unless the caller may read everything: a page tells of all."""
        access = self.keyring.access_of(None if self.keyring.is_open else dict(metadata).get(API_KEY_METADATA))
        if not access.is_whole:
            raise PermissionDenied(access.name, "it needs a key for all collections")

    def check(self, method: str, access: Access, request: Message, budget: Budget) -> Message:
        """The request, as the key may make it. Raises PermissionDenied and what narrowing raises.

        Requires: the key does not reach everything."""
        names = list(collections_of(request))
        for name in names:
            if not access.sees(self._resolved(name)):
                raise self._denied(method, access, f"it does not reach the collection {name!r}", name)
        if not names and method not in _WITHOUT_NAMES:
            raise self._denied(method, access, "the request must name a collection that the key reaches")
        if access.tenant is None:
            return request
        if len({self._resolved(name) for name in names}) > 1:
            raise self._denied(method, access, "a key with a filter asks one collection at a time", names[0])

        def owned(collection: str, ids: Sequence[common_pb2.PointId], expression: str) -> set[bytes]:
            assert self.scroll is not None
            return own_ids(self.scroll, collection, ids, expression, budget)

        try:
            return narrowed(method, access, request, owned)
        except PermissionDenied as error:
            self._note(method, access, names[0] if names else "", f"denied: {error}")
            raise

    def answer(self, method: str, access: Access, request: Any, handler: Handler, budget: Budget) -> Any:
        """The reply of a handler, with what the key may see. Raises what the handler raises.

        Requires: the key does not reach everything, and `check` made the request."""
        if method == _GET and access.tenant is not None and 0 < len(request.ids) <= MAX_LIMIT:
            assert self.scroll is not None
            return get_own(self.scroll, request, access.tenant.expression, budget)
        reply = handler(request, budget)
        if method != _LISTED:
            return reply
        assert isinstance(reply, collections_pb2.CollectionsListResponse)
        seen = [name for name in reply.collection_names if access.sees(name)]
        return collections_pb2.CollectionsListResponse(collection_names=seen)

    def note(self, method: str, access: Access, collection: str, outcome: str) -> None:
        """Writes down who changed something: requests that write or administer, unless the server is open."""
        if access.name and SCOPES[method] is not Scope.READ:
            self._note(method, access, collection, outcome)

    def _denied(self, method: str, access: Access, reason: str, collection: str = "") -> PermissionDenied:
        self._note(method, access, collection, f"denied: {reason}")
        return PermissionDenied(access.name, reason)

    def _note(self, method: str, access: Access, collection: str, outcome: str) -> None:
        fields = {"key": access.name, "method": method, "collection": collection, "outcome": outcome}
        audit.info("audit", extra={"fields": fields})

    def _resolved(self, name: str) -> str:
        """The own name of a collection; the name itself if there is none."""
        try:
            return self._own_name(name)
        except CollectionNotFound:
            return name
