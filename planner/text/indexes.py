"""The text indexes of all collections: read from a file or made when first asked for, then brought up to date commit by
commit.

What is made is kept, also when the request that made it ran out of time: the next one goes on where it stopped.
"""

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial

from planner.text.analysis import Analyzer
from planner.text.index import TextIndex, Vocabulary, extended, updated
from planner.text.stored import KIND, decoded, encoded, held_slots, key_of, version
from storage.budget import Budget
from storage.derived import is_worth_keeping
from storage.mvcc import Snapshot
from storage.schema import TextSettings
from storage.tables import Reader

log = logging.getLogger(__name__)

MAX_INDEXES = 1_024
"""Indexes kept in memory, of all collections together."""

RECENT = 8
"""Older states of an index that are kept, for requests that read the commit before."""

_Key = tuple[str, str, TextSettings]


@dataclass(slots=True, eq=False)
class _Entry:
    """An index. `lock`: held by the thread that makes it or brings it up to date. `newest` may not be complete."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    newest: TextIndex | None = None
    recent: "OrderedDict[int, TextIndex]" = field(default_factory=OrderedDict)


class TextIndexes:
    """Safe for many threads. The least recently used go first when all together hold more than `capacity` bytes."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[_Key, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, reader: Reader, path: str, settings: TextSettings, budget: Budget) -> TextIndex:
        """The index of `path` as of the reader's commit. Raises DeadlineExceeded or Cancelled; what is done is kept."""
        entry = self._entry((reader.collection_uid, path, settings))
        found = entry.recent.get(reader.seq)
        if found is not None:
            return found
        budget.acquire(entry.lock)
        try:
            found = entry.recent.get(reader.seq)
            return self._refreshed(entry, reader, path, settings, budget) if found is None else found
        finally:
            entry.lock.release()
            self._make_room(entry)

    def keep(self, reader: Snapshot, path: str, settings: TextSettings, budget: Budget) -> None:
        """Brings the index up to date unless there is no room for it in memory, and its file when that is worth it."""
        key = (reader.collection_uid, path, settings)
        with self._lock:
            has_room = key in self._entries or self._used() < self._capacity
        if has_room:
            index = self.get(reader, path, settings, budget)
            if is_worth_keeping(reader, KIND, key_of(path, settings), index.seq, index.count):
                reader.derived.write(KIND, key_of(path, settings), encoded(index))

    @staticmethod
    def drop_others(reader: Snapshot) -> None:
        """Removes the files of indexes that are not declared any more, or have other settings."""
        reader.derived.keep_only(KIND, [key_of(path, each) for path, each in reader.schema.text_indexes.items()])

    @property
    def used(self) -> int:
        """Bytes in use, about."""
        with self._lock:
            return self._used()

    def _entry(self, key: _Key) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            if len(self._entries) > MAX_INDEXES:
                self._entries.popitem(last=False)
            return entry

    @staticmethod
    def _refreshed(entry: _Entry, reader: Reader, path: str, settings: TextSettings, budget: Budget) -> TextIndex:
        """Requires: the entry's lock."""
        if entry.newest is None:
            entry.newest = _stored(reader, path, settings)
        index = _at_commit(entry.newest, reader, budget)
        if index is None or index.is_mostly_garbage:
            index = TextIndex(path, reader.seq, Vocabulary(Analyzer(settings)))
            entry.recent.clear()
        if entry.newest is None or index.seq >= entry.newest.seq:
            entry.newest = index
        if not index.is_complete:
            for more in extended(index, reader, budget):
                entry.newest = index = more
            if reader.derived is not None:
                reader.derived.outdated()
        entry.recent[index.seq] = index
        if len(entry.recent) > RECENT:
            entry.recent.popitem(last=False)
        return index

    def _make_room(self, kept: _Entry) -> None:
        with self._lock:
            for key, entry in list(self._entries.items()):
                if self._used() <= self._capacity:
                    return
                if entry is not kept:
                    del self._entries[key]

    def _used(self) -> int:
        return sum(entry.newest.bytes for entry in self._entries.values() if entry.newest is not None)


def _stored(reader: Reader, path: str, settings: TextSettings) -> TextIndex | None:
    """The index that a file has, perhaps of another commit; None when there is none."""
    if reader.derived is None:
        return None
    stored = reader.derived.read(KIND, key_of(path, settings), version())
    try:
        return None if stored is None else decoded(stored, path, settings)
    except (ValueError, LookupError, TypeError) as error:
        log.warning("the file of the text index of %r cannot be used and is made anew: %r", path, error)
        return None


def _at_commit(index: TextIndex | None, reader: Reader, budget: Budget) -> TextIndex | None:
    """The index as of the reader's commit, older or newer; None when making it anew is less work, or the only way."""
    if index is None or index.seq == reader.seq:
        return index
    changed = reader.catch_up(index.seq, partial(held_slots, index))
    if changed is None or 2 * len(changed) > max(reader.point_count, index.count):
        return None
    return updated(index, reader, changed, budget)
