"""Keys that the server stores: a JSON file in its data directory, replaced whole and durably with each change.

It has hashes only. Secrets are made here and told once.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from server.keys.access import Access, Scope
from server.keys.key_file import MAX_KEYS, InvalidKeys, hashed, new_secret, tenant_of
from storage.errors import InvalidRequest, LimitExceeded
from storage.files import FILE_MODE, failure, make_folder, publish

FORMAT = 1
MAX_OVERLAP_SECONDS = 30 * 86_400.0
"""Longest time for which the old secret of a rotated key stays good."""


@dataclass(frozen=True, slots=True)
class Secret:
    """The hash of a secret, and until when it is good, in seconds since 1970; None: as long as its key."""

    sha256: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class ManagedKey:
    """A key that the server stores."""

    access: Access
    created: float
    secrets: tuple[Secret, ...]


class ManagedKeys:
    """The keys in a file. Safe for many threads. Raises InvalidKeys when made, if the file is damaged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._keys = _read(path)
        self._by_hash = _by_hash(self._keys)

    def find(self, sha256: str) -> Access | None:
        """The access of the key with this hash of a secret, unless the secret is no longer good."""
        found = self._by_hash.get(sha256)
        if found is None or (found[1] is not None and time.time() >= found[1]):
            return None
        return found[0]

    def __len__(self) -> int:
        return len(self._keys)

    def all(self) -> list[ManagedKey]:
        """The keys by name."""
        return [self._keys[name] for name in sorted(self._keys)]

    def create(self, access: Access, check: Callable[[Access], None]) -> tuple[ManagedKey, str]:
        """Stores a key. Returns it and its secret. Raises InvalidRequest, LimitExceeded, and what `check` and writing
        raise."""
        with self._lock:
            check(access)
            if access.name in self._keys:
                raise InvalidRequest("key_name", f"another key has the name {access.name!r}")
            if len(self._keys) >= MAX_KEYS:
                raise LimitExceeded("", limit="MAX_KEYS", maximum=MAX_KEYS, actual=len(self._keys) + 1)
            secret = new_secret()
            key = ManagedKey(access, time.time(), (Secret(hashed(secret)),))
            self._store({**self._keys, access.name: key})
            return key, secret

    def rotate(self, name: str, overlap_seconds: float) -> str:
        """Gives a key another secret, and returns it. Raises InvalidRequest, and what writing raises."""
        if not 0 <= overlap_seconds <= MAX_OVERLAP_SECONDS:
            raise InvalidRequest("overlap_seconds", f"must be between 0 and {MAX_OVERLAP_SECONDS:,.0f}")
        with self._lock:
            key = self._keys.get(name)
            if key is None:
                raise InvalidRequest("key_name", f"the server stores no key with the name {name!r}")
            now, secret = time.time(), new_secret()
            end = now + overlap_seconds
            old = [replace(each, until=end if each.until is None else min(end, each.until)) for each in key.secrets]
            kept = [each for each in old if each.until is not None and each.until > now]
            rotated = replace(key, secrets=(Secret(hashed(secret)), *kept))
            self._store({**self._keys, name: rotated})
            return secret

    def delete(self, name: str, check: Callable[[Access, list[Access]], None]) -> bool:
        """Removes a key. False: there is none. Raises what `check` raises of it and of those that stay, and what
        writing raises.

        No other change comes between the check and the removal: two could otherwise remove the last two keys."""
        with self._lock:
            if name not in self._keys:
                return False
            others = {other: key for other, key in self._keys.items() if other != name}
            check(self._keys[name].access, [key.access for key in others.values()])
            self._store(others)
            return True

    def _store(self, keys: Mapping[str, ManagedKey]) -> None:
        """Writes the keys, and then uses them. Raises StorageFull or StorageFailed; then the old ones stay."""
        part = self._path.with_suffix(".part")
        try:
            make_folder(self._path.parent)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "w") as file:
                json.dump({"format": FORMAT, "keys": [_written(each) for each in keys.values()]}, file)
            publish(part, self._path)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise failure(error, f"{self._path}") from None
        self._keys = keys
        self._by_hash = _by_hash(keys)


def _by_hash(keys: Mapping[str, ManagedKey]) -> Mapping[str, tuple[Access, float | None]]:
    return {secret.sha256: (key.access, secret.until) for key in keys.values() for secret in key.secrets}


def _written(key: ManagedKey) -> dict[str, Any]:
    access = key.access
    return {
        "name": access.name,
        "scope": access.scope.name,
        "collections": access.collections,
        "filter": None if access.tenant is None else access.tenant.expression,
        "expires": access.expires,
        "created": key.created,
        "secrets": [{"sha256": each.sha256, "until": each.until} for each in key.secrets],
    }


def _read(path: Path) -> Mapping[str, ManagedKey]:
    """The keys in a file; none if it is not there. Raises InvalidKeys."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidKeys(f"{path}: {error}") from None
    try:
        stored = json.loads(text)
        if stored["format"] != FORMAT:
            raise InvalidKeys(f"{path}: it has the format {stored['format']!r}, which this program does not know")
        keys = [_key(each) for each in stored["keys"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, InvalidKeys):
            raise
        raise InvalidKeys(f"{path}: it is damaged: {error!r}") from None
    return {key.access.name: key for key in keys}


def _key(stored: Mapping[str, Any]) -> ManagedKey:
    collections, filter = stored["collections"], stored["filter"]
    access = Access(
        name=str(stored["name"]),
        scope=Scope[stored["scope"]],
        collections=None if collections is None else tuple(str(each) for each in collections),
        tenant=None if filter is None else tenant_of(filter),
        expires=None if stored["expires"] is None else float(stored["expires"]),
    )
    secrets = tuple(
        Secret(str(each["sha256"]), None if each["until"] is None else float(each["until"]))
        for each in stored["secrets"]
    )
    return ManagedKey(access, float(stored["created"]), secrets)
