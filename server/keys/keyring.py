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

LOOK_SECONDS = 1.0
"""A changed file of keys is noticed after this time."""

logger = logging.getLogger("server.keys")


class Keyring:
    """The keys of a server: of a file, and one that may do everything. Safe for many threads.

    Without either, everybody may do everything. Raises InvalidKeys when made, if the file cannot be used."""

    def __init__(self, *, path: Path | None = None, api_key: str | None = None) -> None:
        self._path = path
        self._api_key = None if api_key is None else hashed(api_key)
        self._lock = threading.Lock()
        self._looked = time.monotonic()
        self._state = _state(path)
        self._keys: Mapping[str, Access] = {} if path is None else read_keys(path)

    @property
    def is_open(self) -> bool:
        """Whether everybody may do everything."""
        return self._path is None and self._api_key is None

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
        access = self._keys.get(given)  # the time that this takes depends on a hash, which tells nothing of secrets
        if access is None or (access.expires is not None and time.time() >= access.expires):
            raise Unauthenticated()
        return access

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
