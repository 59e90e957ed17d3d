"""The methods of `.keys`."""

from collections.abc import Sequence
from datetime import UTC, datetime

from headwater import _rpcs as rpcs
from headwater._rpc import AsyncNamespace, BlockingNamespace, Namespace, remote
from headwater.models import KeyInfo, KeyScope, NewKey
from headwater.v1 import keys_pb2


class KeyMethods(Namespace):
    """Keys that the server stores. `timeout` is in seconds; None: the client's. All raise HeadwaterError."""

    __slots__ = ()

    @remote
    async def create(
        self,
        name: str,
        scope: KeyScope | str,
        *,
        collections: Sequence[str] | None = None,
        filter: str | None = None,
        expires: datetime | None = None,
        timeout: float | None = None,
    ) -> NewKey:
        """Makes a key. Its secret is in the answer, and told nowhere else.

        `scope` may also be "read", "write" or "admin". `collections` are names, and beginnings that end in `*`.
        `filter` is a filter in text on payload. None: all. `expires` needs a timezone. The first key of a server must
        have the scope ADMIN and reach everything. Raises ValueError for a time without a timezone and a wrong scope.
        """
        if isinstance(collections, str):
            raise TypeError("collections is a list of names")
        request = keys_pb2.KeysCreateRequest(
            key_name=name,
            scope=_scope(scope).value,
            collections=collections or (),
            filter=filter,
            expires=_time(expires),
        )
        reply = await self._calls(rpcs.Keys.CREATE, request, timeout)
        return NewKey(_info(reply.key), reply.secret)

    @remote
    async def list(self, *, timeout: float | None = None) -> list[KeyInfo]:
        """The keys of the server and of the file of its settings, by name."""
        reply = await self._calls(rpcs.Keys.LIST, keys_pb2.KeysListRequest(), timeout)
        return [_info(key) for key in reply.keys]

    @remote
    async def rotate(self, name: str, *, overlap: float | None = None, timeout: float | None = None) -> str:
        """Gives a key another secret, and returns it. The old one stays good for `overlap` seconds; None: a day."""
        request = keys_pb2.KeysRotateRequest(key_name=name, overlap_seconds=overlap)
        return (await self._calls(rpcs.Keys.ROTATE, request, timeout)).secret

    @remote
    async def delete(self, name: str, *, timeout: float | None = None) -> bool:
        """Deletes a key: from the next request on it is none. Returns False if there was none of this name."""
        return (await self._calls(rpcs.Keys.DELETE, keys_pb2.KeysDeleteRequest(key_name=name), timeout)).deleted


class Keys(KeyMethods, BlockingNamespace):
    """Keys, blocking."""

    __slots__ = ()


class AsyncKeys(KeyMethods, AsyncNamespace):
    """Keys, for asyncio."""

    __slots__ = ()


def _scope(scope: KeyScope | str) -> KeyScope:
    if isinstance(scope, KeyScope):
        return scope
    try:
        return KeyScope[scope.upper()]
    except KeyError:
        raise ValueError(f'scope is "read", "write" or "admin", not {scope!r}') from None


def _time(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("expires needs a timezone")
    return moment.timestamp()


def _info(key: keys_pb2.KeyInfo) -> KeyInfo:
    return KeyInfo(
        key.key_name,
        KeyScope(keys_pb2.KeyScope.Name(key.scope)),
        tuple(key.collections) or None,
        key.filter if key.HasField("filter") else None,
        datetime.fromtimestamp(key.expires, UTC) if key.HasField("expires") else None,
        datetime.fromtimestamp(key.created, UTC) if key.HasField("created") else None,
    )
