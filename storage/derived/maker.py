"""What makes values of one kind that are derived from commits: anew, from another commit's, or from a file.

Which values are kept, and which thread makes one, is keeper.py's.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol, TypeVar

from storage.budget import Budget


class Versioned(Protocol):
    """Data derived from commit `seq`."""

    @property
    def seq(self) -> int: ...


Key = TypeVar("Key")
Value = TypeVar("Value", bound=Versioned)


class Maker(Protocol[Key, Value]):
    """Makes values for one request: as of commit `seq`, which it reads, and within its `budget`.

    All methods may raise DeadlineExceeded or Cancelled. One thread at a time makes the value of a key.
    """

    @property
    def seq(self) -> int: ...

    @property
    def budget(self) -> Budget: ...

    def stored(self, key: Key) -> Value | None:
        """What a file has, perhaps of another commit; None when there is none."""
        ...

    def updated(self, key: Key, value: Value) -> Value | None:
        """The value of another commit, made good for this one; None when to make it anew is less work, or the only
        way."""
        ...

    def completed(self, values: Mapping[Key, Value | None]) -> Iterator[tuple[Key, Value]]:
        """Makes those that are None, and goes on with those that are not whole; leaves out the others.

        Gives a value as often as there is more of it, at last the whole one: what it gave is kept when it raises.
        """
        ...
