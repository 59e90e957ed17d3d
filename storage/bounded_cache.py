"""A cache with a bound, from which the least recently used entries go first. What they mean, their users know.

The order and the sums are cachetools'. Threads, and values that are too large, are seen to here.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from cachetools import LRUCache

Key = TypeVar("Key")
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """Safe for many threads. The costs of all values add up to at most `capacity`: to so many bytes, or to so many
    entries when each costs 1."""

    def __init__(self, capacity: int, cost: Callable[[Value], int] | None = None) -> None:
        self._entries: LRUCache[Key, Value] = LRUCache(capacity, cost)
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """The value, which counts as used now; None when there is none."""
        with self._lock:
            return self._entries.get(key)

    def put(self, key: Key, value: Value) -> bool:
        """Keeps `value` in place of what was there. False when it alone costs too much: then nothing is kept.

        A value whose cost changed is put again.
        """
        with self._lock:
            try:
                self._entries[key] = value
            except ValueError:  # it is larger than the whole cache
                self._entries.pop(key, None)
                return False
            return True

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def used(self) -> int:
        """What all cost together, when each was put."""
        return int(self._entries.currsize)
