"""Keys: who may do what."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class KeyScope(Enum):
    """What a key may do. Each scope includes those before it."""

    READ = "KEY_SCOPE_READ"
    """What changes nothing."""
    WRITE = "KEY_SCOPE_WRITE"
    """Also writes of points."""
    ADMIN = "KEY_SCOPE_ADMIN"
    """Also what makes, changes and deletes collections, indexes and snapshots, and upkeep."""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key, without its secret. `collections` (names, and beginnings that end in `*`) and `filter` None: all.

    `expires` None: never. `created` None: it is in the file of the server's settings. Both are in UTC.
    """

    name: str
    scope: KeyScope
    collections: tuple[str, ...] | None
    filter: str | None
    expires: datetime | None
    created: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made, and its `secret`, which is told only here. `repr` hides it."""

    key: KeyInfo
    secret: str

    def __repr__(self) -> str:
        return f"NewKey(key={self.key!r}, secret=...)"
