"""Reads keys from a TOML file. A key stands there by the hash of its secret, so that the file gives no key away.

[[key]]
name = "reports"
scope = "read"                      # read, write or admin
sha256 = ["..."]                    # of its secrets; two while the old one is being replaced
collections = ["shop", "logs-*"]    # names and beginnings; all if left out
filter = 'tenant == "a"'            # the points that it may reach; all if left out
expires = 2027-01-31T00:00:00Z      # never if left out
"""

import hashlib
import re
import secrets
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from planner.parse import parse_filter
from planner.predicate import compile_filter
from planner.query import Filter, HasId, HasVector
from server.keys.access import Access, Scope, Tenant
from storage.errors import InvalidRequest

MAX_KEYS = 10_000
"""Keys of a file."""
_HASH = re.compile(r"[0-9a-f]{64}")
_KNOWN = {"name", "scope", "sha256", "collections", "filter", "expires"}


class InvalidKeys(ValueError):
    """A file of keys cannot be used. The message names the file, and the key if it is one."""


def new_secret() -> str:
    """A secret that nobody can guess: 256 random bits."""
    return f"hw_{secrets.token_urlsafe(32)}"


def hashed(secret: str | bytes) -> str:
    """The SHA-256 of a secret, in hexadecimal. Secrets are random, so that no slower hash is needed."""
    return hashlib.sha256(secret if isinstance(secret, bytes) else secret.encode()).hexdigest()


def read_keys(path: Path) -> Mapping[str, Access]:
    """The keys of a file, by the hashes of their secrets. Raises InvalidKeys."""
    try:
        listed = tomllib.loads(path.read_text()).get("key", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidKeys(f"{path}: {error}") from None
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise InvalidKeys(f"{path}: each key is a table [[key]]")
    if len(listed) > MAX_KEYS:
        raise InvalidKeys(f"{path}: more than MAX_KEYS = {MAX_KEYS:,} keys")
    found: dict[str, Access] = {}
    names = set[str]()
    for number, about in enumerate(listed, 1):
        try:
            access, hashes = _key(about)
            if access.name in names:
                raise ValueError("another key has this name")
            if found.keys() & set(hashes):
                raise ValueError("another key has this secret")
        except ValueError as error:
            name = about.get("name")
            raise InvalidKeys(f"{path}: key {number}{f' ({name})' if name else ''}: {error}") from None
        names.add(access.name)
        found |= dict.fromkeys(hashes, access)
    return found


def _key(about: Mapping[str, Any]) -> tuple[Access, list[str]]:
    """A key and the hashes of its secrets. Raises ValueError."""
    unknown = about.keys() - _KNOWN
    if unknown:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")
    name, scope, hashes = about.get("name"), about.get("scope"), about.get("sha256", [])
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise ValueError("name: a text is needed")
    if not isinstance(scope, str) or scope.upper() not in Scope.__members__:
        raise ValueError("scope: read, write or admin is needed")
    hashes = [hashes] if isinstance(hashes, str) else hashes
    if not isinstance(hashes, list) or not all(isinstance(each, str) and _HASH.fullmatch(each) for each in hashes):
        raise ValueError("sha256: hashes of 64 hexadecimal digits are needed")
    access = Access(
        name=name,
        scope=Scope[scope.upper()],
        collections=_collections(about.get("collections")),
        tenant=_tenant(about.get("filter")),
        expires=_expires(about.get("expires")),
    )
    if access.tenant is not None and access.scope is Scope.ADMIN:
        raise ValueError("filter: a key with a filter reads or writes")
    return access, hashes


def _collections(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value or not all(isinstance(each, str) and each for each in value):
        raise ValueError("collections: a list of names is needed, or leave it out for all")
    return tuple(value)


def _tenant(value: object) -> Tenant | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("filter: a filter as text is needed")
    return tenant_of(value)


def tenant_of(value: str) -> Tenant:
    """The points that a filter in text lets through. Raises ValueError."""
    try:
        filter = parse_filter(value, "filter")
        if not _is_on_payload(filter):
            raise ValueError("filter: it may ask for payload only, not for ids or vectors")
        return Tenant(value, compile_filter(filter))
    except InvalidRequest as error:
        raise ValueError(str(error)) from None


def _is_on_payload(filter: Filter) -> bool:
    some = () if filter.min_should is None else filter.min_should.conditions
    for condition in (*filter.must, *filter.should, *filter.must_not, *some):
        if isinstance(condition, HasId | HasVector) or getattr(condition, "path", "") == "$id":
            return False
        if isinstance(condition, Filter) and not _is_on_payload(condition):
            return False
    return True


def _expires(value: object) -> float | None:
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("expires: an instant with its offset is needed, such as 2027-01-31T00:00:00Z")
    return value.timestamp()
