"""The service Keys."""

import logging
import math
import time

from headwater.v1 import keys_pb2 as wire
from server.keys import Access, Keyring, ManagedKey, Scope, tenant_of
from storage.budget import Budget
from storage.errors import InvalidRequest

DEFAULT_OVERLAP_SECONDS = 86_400.0
"""How long the old secret of a rotated key stays good by default."""

logger = logging.getLogger("server.keys")


class Keys:
    """The RPCs of `Keys`."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def create(self, request: wire.KeysCreateRequest, budget: Budget) -> wire.KeysCreateResponse:
        access = _access_of(request)
        key, secret = self._keyring.create(access)
        _log("a key was made", access.name)
        return wire.KeysCreateResponse(key=_info(key.access, key), secret=secret)

    def list(self, request: wire.KeysListRequest, budget: Budget) -> wire.KeysListResponse:
        managed = {key.access.name: _info(key.access, key) for key in self._keyring.managed.all()}
        of_file = {access.name: _info(access) for access in self._keyring.of_file()}
        found = {**of_file, **managed}
        return wire.KeysListResponse(keys=[found[name] for name in sorted(found)])

    def rotate(self, request: wire.KeysRotateRequest, budget: Budget) -> wire.KeysRotateResponse:
        given = request.HasField("overlap_seconds")
        overlap = request.overlap_seconds if given else DEFAULT_OVERLAP_SECONDS
        secret = self._keyring.managed.rotate(request.key_name, overlap)
        _log("a key got another secret", request.key_name)
        return wire.KeysRotateResponse(secret=secret)

    def delete(self, request: wire.KeysDeleteRequest, budget: Budget) -> wire.KeysDeleteResponse:
        deleted = self._keyring.delete(request.key_name)
        if deleted:
            _log("a key was deleted", request.key_name)
        return wire.KeysDeleteResponse(deleted=deleted)


def _log(what: str, name: str) -> None:
    """Says which key changed; the audit log says who changed it."""
    logger.info(what, extra={"fields": {"key_name": name}})


def _access_of(request: wire.KeysCreateRequest) -> Access:
    """What the new key may do. Raises InvalidRequest."""
    name = request.key_name
    if not name.strip() or not name.isprintable():
        raise InvalidRequest("key_name", "must be a text without control characters")
    if request.scope not in (wire.KEY_SCOPE_READ, wire.KEY_SCOPE_WRITE, wire.KEY_SCOPE_ADMIN):
        raise InvalidRequest("scope", "must be KEY_SCOPE_READ, KEY_SCOPE_WRITE or KEY_SCOPE_ADMIN")
    if not all(request.collections):
        raise InvalidRequest("collections", "has an empty name")
    scope = Scope(request.scope)
    tenant = None
    if request.HasField("filter"):
        if scope is Scope.ADMIN:
            raise InvalidRequest("filter", "a key with a filter reads or writes")
        try:
            tenant = tenant_of(request.filter)
        except ValueError as error:
            raise InvalidRequest("filter", str(error).removeprefix("filter: ")) from None
    expires = request.expires if request.HasField("expires") else None
    if expires is not None and not math.isfinite(expires):
        raise InvalidRequest("expires", "must be finite")
    if expires is not None and expires <= time.time():
        raise InvalidRequest("expires", "must be later than now")
    return Access(
        name=name, scope=scope, collections=tuple(request.collections) or None, tenant=tenant, expires=expires
    )


def _info(access: Access, key: ManagedKey | None = None) -> wire.KeyInfo:
    return wire.KeyInfo(
        key_name=access.name,
        scope=wire.KeyScope.Name(access.scope),
        collections=access.collections or (),
        filter=None if access.tenant is None else access.tenant.expression,
        expires=access.expires,
        created=None if key is None else key.created,
    )
