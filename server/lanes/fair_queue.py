"""Keeps waiting requests, and decides which gets the next turn. Not safe for threads: the lane holds the lock."""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Waiting(Protocol):
    """A request that waits. Its `caller` never changes."""

    caller: str


T = TypeVar("T", bound=Waiting)


class FairQueue(Generic[T]):
    """Callers take turns, one request each. A caller's requests that have begun come first, the others in order."""

    def __init__(self) -> None:
        self._callers: OrderedDict[str, tuple[deque[T], deque[T]]] = OrderedDict()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, item: T, *, begun: bool) -> None:
        """Adds a request. A caller that has no other request here gets its turn after all other callers."""
        queues = self._callers.get(item.caller)
        if queues is None:
            queues = self._callers[item.caller] = (deque(), deque())
        queues[0 if begun else 1].append(item)
        self._length += 1

    def next(self, may_begin: Callable[[str], bool]) -> T | None:
        """Takes out and returns the next request; None if no request may go on.

        A request that has not begun is taken only if `may_begin` allows it for its caller.
        """
        for caller, (begun, others) in self._callers.items():
            if begun or (others and may_begin(caller)):
                item = begun.popleft() if begun else others.popleft()
                self._callers.move_to_end(caller)
                self._left(caller)
                return item
        return None

    def remove(self, item: T) -> bool:
        """Takes out a request that no longer wants a turn. Returns False if it is not here."""
        for queue in self._callers.get(item.caller, ()):
            if item in queue:
                queue.remove(item)
                self._left(item.caller)
                return True
        return False

    def take_from_longest(self, caller: str) -> T | None:
        """Takes out and returns the last new request of the caller that has the most; None if `caller` has the most.

        A new request is one that has not begun.
        """
        longest = max(self._callers, key=lambda each: len(self._callers[each][1]), default=caller)
        if longest == caller or len(self._callers[longest][1]) <= self.waiting_of(caller) + 1:
            return None
        item = self._callers[longest][1].pop()
        self._left(longest)
        return item

    def take_all_new(self) -> list[T]:
        """Takes out and returns all requests that have not begun."""
        found: list[T] = []
        for caller, (_, others) in list(self._callers.items()):
            for _ in range(len(others)):
                found.append(others.popleft())
                self._left(caller)
        return found

    def waiting_of(self, caller: str) -> int:
        """Counts the requests of a caller that have not begun."""
        queues = self._callers.get(caller)
        return 0 if queues is None else len(queues[1])

    def _left(self, caller: str) -> None:
        self._length -= 1
        if not any(self._callers[caller]):
            del self._callers[caller]
