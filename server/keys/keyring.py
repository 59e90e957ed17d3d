"""Finds the key of a secret. The file of keys is read again when it changes; a broken one leaves the old keys."""

import hmac
import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from server.errors import Unauthenticated
from server.keys.access import EVERYTHING, Access, Scope
from server.keys.key_file import InvalidKeys, hashed, read_keys
from server.keys.managed import ManagedKey, ManagedKeys
from storage.errors import InvalidRequest

LOOK_SECONDS = 1.0
"""A changed file of keys is noticed after this time."""

logger = logging.getLogger("server.keys")


class Keyring:
    """The keys of a server: those that it stores, those of a file, and one that may do everything.

    Safe for many threads. Without any key, everybody may do everything. Raises InvalidKeys when made, if the file
    cannot be used.
    """

    def __init__(self, managed: ManagedKeys, *, path: Path | None = None, api_key: str | None = None) -> None:
        self.managed = managed
        self._path = path
        self._api_key = None if api_key is None else hashed(api_key)
        self._lock = threading.Lock()
        self._looked = time.monotonic()
        self._state = _state(path)
        self._keys: Mapping[str, Access] = {} if path is None else read_keys(path)

    @property
    def is_open(self) -> bool:
        """Whether everybody may do everything."""
        return self._path is None and self._api_key is None and not self.managed

    def access_of(self, secret: str | bytes | None) -> Access:
        """What the key with this secret may do. Raises Unauthenticated if there is none, or if it has expired."""
        if self.is_open:
            return EVERYTHING
        if not secret:
            raise Unauthenticated()
        given = hashed(secret)
        if self._api_key is not None and hmac.compare_digest(given, self._api_key):
            return _ADMINISTRATOR
        self._look()
        # A stored key goes before one of the file. Either is found by a hash, so the time that it takes tells nothing.
        access = self.managed.find(given) or self._keys.get(given)
        if access is None or (access.expires is not None and time.time() >= access.expires):
            raise Unauthenticated()
        return access

    def of_file(self) -> list[Access]:
        """The keys of the file."""
        return list({access.name: access for access in self._keys.values()}.values())

    def create(self, access: Access) -> tuple[ManagedKey, str]:
        """Stores a key. Returns it and its secret. Raises InvalidRequest if it would lock everybody out or has the
        name of another, and what ManagedKeys.create raises."""
        return self.managed.create(access, self._check_new)

    def delete(self, name: str) -> bool:
        """Removes a stored key. False: there is none. Raises InvalidRequest if no key could administer the server any
        more: then it would be open, or locked."""
        return self.managed.delete(name, self._check_removal)

    def _check_new(self, access: Access) -> None:
        if self.is_open and not _administers(access):
            reason = "the first key of a server must have the scope ADMIN, reach everything and not expire"
            raise InvalidRequest("scope", f"{reason}: without it nobody could make another")
        if any(each.name == access.name for each in self.of_file()):
            raise InvalidRequest("key_name", f"a key of the file has the name {access.name!r}")

    def _check_removal(self, removed: Access, rest: list[Access]) -> None:
        if self._api_key is not None or any(map(_administers, [*self.of_file(), *rest])):
            return
        opens = self._path is None and not rest
        if opens or (removed.scope is Scope.ADMIN and removed.is_whole):
            raise InvalidRequest("key_name", "it is the last key that may administer the server")

    def _look(self) -> None:
        """Reads the file again if it changed."""
        if (
            self._path is None
            or time.monotonic() - self._looked < LOOK_SECONDS
            or not self._lock.acquire(blocking=False)
        ):
            return
        try:
            self._looked = time.monotonic()
            state = _state(self._path)
            if state == self._state:
                return
            self._state = state
            self._keys = read_keys(self._path)
            logger.info("the keys were read again: %d secrets", len(self._keys))
        except InvalidKeys as error:
            logger.error("the old keys stay: %s", error)
        finally:
            self._lock.release()


def _administers(access: Access) -> bool:
    return access.scope is Scope.ADMIN and access.is_whole and access.expires is None


_ADMINISTRATOR = Access(name="api-key", scope=Scope.ADMIN)


def _state(path: Path | None) -> tuple[int, int, int] | None:
    """What changes when a file does. None: it is not there."""
    if path is None:
        return None
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size, about.st_ino
