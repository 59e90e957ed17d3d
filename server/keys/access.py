"""What a key may do. It reads no file and checks no request."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

Predicate = Callable[[dict[str, object]], bool]
"""Whether a payload matches the filter of a key."""


class Scope(IntEnum):
    """What a key may do: each scope includes those before it."""

    READ = 1
    WRITE = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Tenant:
    """The points that a key may reach: its filter as text, and as a test of payloads."""

    expression: str
    matches: Predicate


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What one key may do. `collections`: names, and beginnings of names that end in `*`; None: all. `expires`: seconds
    since 1970, or None."""

    name: str
    scope: Scope
    collections: tuple[str, ...] | None = None
    tenant: Tenant | None = None
    expires: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it reaches all points of all collections."""
        return self.collections is None and self.tenant is None

    def sees(self, collection: str) -> bool:
        """Whether it reaches the collection with this own name."""
        if self.collections is None:
            return True
        return any(
            collection.startswith(each[:-1]) if each.endswith("*") else collection == each for each in self.collections
        )


EVERYTHING = Access(name="", scope=Scope.ADMIN)
"""The access of everybody while a server has no keys."""
