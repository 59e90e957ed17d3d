"""Keeps data derived from commits in memory, by key: one thread makes or updates what others wait for, within a bound.

How a value is made, updated and read from a file is its `Maker`'s, of which there is one for each kind of value. Who
asks for a value is one of two: either it cannot do without (`get`, `held`), or it has another way to answer (`find`).
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from storage.derived.maker import Key, Maker, Value

Copy = TypeVar("Copy")


@dataclass(slots=True, eq=False)
class _Entry(Generic[Value]):
    """What is known of a key. `lock`: held by the thread that reads, makes or changes the value.

    `newest` may not be whole. `recent`: whole values by commit, the newest among them; replaced, never changed.
    `looked_up`: whether its file was read, if there is one. `asked`: how often somebody asked for it. `too_large`:
    whether it went since it does not fit alone.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    newest: Value | None = None
    recent: Mapping[int, Value] = field(default_factory=dict)
    looked_up: bool = False
    asked: int = 0
    too_large: bool = False

    def remember(self, value: Value, states: int) -> None:
        """Keeps a whole value, of the newest commit or of an older one."""
        if states == 0:
            return
        recent = {**{seq: each for seq, each in self.recent.items() if seq != value.seq}, value.seq: value}
        self.recent = dict(list(recent.items())[max(0, len(recent) - states) :])

    def drop(self) -> None:
        """Lets go of the value, for good."""
        self.newest, self.recent, self.too_large = None, {}, True


class Keeper(Generic[Key, Value]):
    """Safe for many threads. Values of the least recently used keys go first when what all cost is more than
    `capacity`, and keys when there are more than `most` (None: as many as there are).

    `states`: of how many commits the whole value of a key is kept. 0: values are changed in place, and used only in
    `held` and `copied`.
    """

    def __init__(
        self,
        capacity: float = math.inf,
        cost: Callable[[Value], int] = lambda value: 0,
        *,
        states: int = 1,
        most: int | None = None,
    ) -> None:
        self._capacity = capacity
        self._value_cost = cost
        self._states = states
        self._most = most
        self._entries: OrderedDict[Key, _Entry[Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, maker: Maker[Key, Value]) -> Value:
        """The value as of the maker's commit, for who cannot do without; waits while another thread makes it.

        However large it is, it is kept until another one is used. Raises DeadlineExceeded or Cancelled; what is done
        is kept.
        """
        found = self._entry(key).recent.get(maker.seq)
        if found is not None:
            return found
        with self.held(key, maker) as value:
            return value

    @contextmanager
    def held(self, key: Key, maker: Maker[Key, Value]) -> Iterator[Value]:
        """The same, as a context in which nobody changes the value."""
        entry = self._entry(key)
        maker.budget.acquire(entry.lock)
        try:
            yield self._brought({key: entry}, maker)[key]
        finally:
            entry.lock.release()
            self._make_room(entry)

    def find(self, key: Key, maker: Maker[Key, Value], *, patience: int = 0) -> Value | None:
        """The value as of the maker's commit, for who can do without.

        It is made when it is asked for more than `patience` times, unless another thread does so now: then it is None.
        It is None, too, for a commit before the newest one that is known. A value that does not fit alone is not kept,
        and not made again. Waits while another thread reads it from its file or updates it: that is short.
        Raises DeadlineExceeded or Cancelled.
        """
        entry = self._entry(key)
        found = entry.recent.get(maker.seq)
        if found is not None:
            return found
        if not entry.looked_up:
            maker.budget.acquire(entry.lock)
            try:
                _look_up(key, entry, maker)
            finally:
                entry.lock.release()
                self.fit(key)
        if entry.newest is not None:
            maker.budget.acquire(entry.lock)
        elif entry.too_large or entry.asked <= patience or not entry.lock.acquire(blocking=False):
            return None
        try:
            return None if _is_later(entry, maker) else self._brought({key: entry}, maker)[key]
        finally:
            entry.lock.release()
            self.fit(key)

    def find_all(self, keys: Iterable[Key], maker: Maker[Key, Value]) -> dict[Key, Value]:
        """Values of several keys, for who can do without: made in one pass, or updated. Waits for whoever does so.

        Those of which a later commit is known are left out. Requires: keys in the same order each time, so that two
        threads wait for each other in turn. Raises DeadlineExceeded or Cancelled.
        """
        entries = {key: self._entry(key) for key in keys}
        with ExitStack() as held:
            for key, entry in entries.items():
                maker.budget.acquire(entry.lock)
                held.callback(self.fit, key)
                held.callback(entry.lock.release)
            for key, entry in entries.items():
                _look_up(key, entry, maker)
            return self._brought({key: each for key, each in entries.items() if not _is_later(each, maker)}, maker)

    def known(self, key: Key) -> Value | None:
        """The newest value in memory, perhaps not whole, and not of the newest commit. Is no use of it."""
        with self._lock:
            entry = self._entries.get(key)
        return None if entry is None else entry.newest

    def items(self) -> list[tuple[Key, Value]]:
        """All values that `known` gives."""
        with self._lock:
            return [(key, entry.newest) for key, entry in self._entries.items() if entry.newest is not None]

    def copied(self, key: Key, copy: Callable[[Value], Copy]) -> Copy | None:
        """What `copy` takes of the newest value, which nobody changes meanwhile; None when there is none in memory."""
        with self._lock:
            entry = self._entries.get(key)
        if entry is None:
            return None
        with entry.lock:
            return None if entry.newest is None else copy(entry.newest)

    def is_busy(self, key: Key) -> bool:
        """Whether a thread reads, makes or changes the value now."""
        with self._lock:
            entry = self._entries.get(key)
        return entry is not None and entry.lock.locked()

    def fit(self, key: Key) -> None:
        """Sees to the bound after a value that `find` gave was made, or grew by its use: it goes if it does not fit
        alone, else others do."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and self._cost(entry) > self._capacity:
                entry.drop()
        if entry is not None:
            self._make_room(entry)

    def take_over(self, key: Key, other: "Keeper[Key, Value]") -> None:
        """Takes what another keeper has of the key, also while a thread makes it, unless it is here already."""
        if key in self._entries:
            return
        with other._lock, self._lock:
            if key not in self._entries and key in other._entries:
                self._entries[key] = other._entries.pop(key)
                self._entries[key].too_large = False

    def forget(self, is_gone: Callable[[Key], bool]) -> None:
        """Lets go of the keys that are gone."""
        with self._lock:
            for key in [key for key in self._entries if is_gone(key)]:
                del self._entries[key]

    @property
    def used(self) -> int:
        """What all values cost together now."""
        with self._lock:
            return sum(map(self._cost, self._entries.values()))

    def _cost(self, entry: _Entry[Value]) -> int:
        return 0 if entry.newest is None else self._value_cost(entry.newest)

    def _entry(self, key: Key) -> _Entry[Value]:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry()
            else:
                self._entries.move_to_end(key)
            entry.asked += 1
            if self._most is not None and len(self._entries) > self._most:
                self._entries.popitem(last=False)
            return entry

    def _brought(self, entries: Mapping[Key, _Entry[Value]], maker: Maker[Key, Value]) -> dict[Key, Value]:
        """The whole values as of the maker's commit. Requires: the locks of the entries."""
        begun = {key: _updated(key, entry, maker) for key, entry in entries.items()}
        values = {key: value for key, value in begun.items() if value is not None}
        for key, value in maker.completed(begun):
            values[key] = value
            newest = entries[key].newest
            # What is made for an old commit alone does not replace a newer one; what goes on with that one does.
            if newest is None or value.seq >= newest.seq or begun[key] is not None:
                entries[key].newest = value
        for key, value in values.items():
            entries[key].remember(value, self._states)
        return values

    def _make_room(self, kept: _Entry[Value]) -> None:
        if self._capacity == math.inf:
            return
        with self._lock:
            excess = sum(map(self._cost, self._entries.values())) - self._capacity
            for key, entry in list(self._entries.items()):
                if excess <= 0:
                    return
                if entry is not kept and entry.newest is not None:
                    excess -= self._cost(entry)
                    del self._entries[key]


def _look_up(key: Key, entry: _Entry[Value], maker: Maker[Key, Value]) -> None:
    """Takes the value from its file, if there is one, once. Requires: the entry's lock."""
    if not entry.looked_up:
        entry.newest = maker.stored(key)
        entry.looked_up = True


def _is_later(entry: _Entry[Value], maker: Maker[Key, Value]) -> bool:
    return entry.newest is not None and entry.newest.seq > maker.seq


def _updated(key: Key, entry: _Entry[Value], maker: Maker[Key, Value]) -> Value | None:
    """A value that is there, made good for the maker's commit, perhaps not whole; None: it is to be made anew.

    Requires: the entry's lock.
    """
    found = entry.recent.get(maker.seq)
    if found is not None:  # another thread made it meanwhile
        return found
    _look_up(key, entry, maker)
    newest = entry.newest
    if newest is None:
        return None
    value = newest if newest.seq == maker.seq else maker.updated(key, newest)
    if value is None:
        entry.recent = {}
    elif value.seq >= newest.seq:
        entry.newest = value
    return value
