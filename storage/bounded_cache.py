"""A cache of bounded size. It removes the least recently used entries first. It does not know what its entries mean.

cachetools keeps the order and the sum of costs. This module adds the lock and refuses values that are too large.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from cachetools import LRUCache

Key = TypeVar("Key")
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """A least-recently-used cache that is safe for many threads.

    The costs of all values add up to at most `capacity`. `cost` gives the cost of a value, for example its bytes;
    without it each entry costs 1. `most` also bounds the number of entries; None does not.
    """

    def __init__(self, capacity: int, cost: Callable[[Value], int] | None = None) -> None:
        self._entries: LRUCache[Key, Value] = LRUCache(capacity, cost)
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """Returns the value and marks it as used now; None when there is none."""
        with self._lock:
            return self._entries.get(key)

    def put(self, key: Key, value: Value) -> bool:
        """Stores `value` in place of what was there. Returns False, and stores nothing, when its cost exceeds
        `capacity`.

        The cost is measured here alone. Put a value again after its cost has changed.
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
        """The sum of the costs of all values, each as measured when it was put."""
        return int(self._entries.currsize)
