"""Which payload paths have an index, and its newest state: made for paths that are filtered often, within a bound.

What an index holds and answers is in field_index.py. docs/payload_indexes.md says what users see of it.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from planner.conditions import ElementCondition
from planner.field_index import FieldIndex, Slots, build_index, updated
from planner.filter import AnyOf, DatetimeRange, Equal, ExceptOf, IsNull, PayloadCondition, Range, TextTest
from storage.budget import Budget
from storage.reader import Reader

SCANS_BEFORE_INDEX = 2
"""Filters on a path that read all payloads before the next one makes an index of it."""

MAX_PATHS = 4_096
"""Paths remembered, with an index or without."""

GARBAGE = 2
"""An index is made anew when it knows so many times more values than it has entries."""


@dataclass(slots=True, eq=False)
class _Path:
    """A path of a collection. `lock`: held by the thread that makes or updates the index."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    scans: int = 0
    index: FieldIndex | None = None
    too_large: bool = False


class FieldIndexes:
    """Indexes of all collections within `capacity` bytes; 0 makes none. Safe for many threads.

    The least recently used go first. An index that would not fit alone is not made again.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._paths: OrderedDict[tuple[str, str], _Path] = OrderedDict()
        self._lock = threading.Lock()

    def serve(
        self, reader: Reader, conditions: Iterable[PayloadCondition], budget: Budget
    ) -> Mapping[PayloadCondition, Slots]:
        """Slots, ascending, that match, for each of the conditions that an index answers; the others are left out."""
        if reader.pending or self._capacity == 0:
            return {}
        by_path: dict[str, list[ElementCondition]] = {}
        for condition in conditions:
            if isinstance(condition, Equal | AnyOf | ExceptOf | Range | DatetimeRange | TextTest | IsNull):
                by_path.setdefault(condition.path, []).append(condition)
        served: dict[PayloadCondition, Slots] = {}
        for path, tests in by_path.items():
            index = self._index(reader, path, budget)
            if index is not None:
                served |= {condition: index.matching(condition) for condition in tests}
        return served

    def has(self, collection_uid: str, path: str) -> bool:
        """Whether there is an index of the path now."""
        with self._lock:
            found = self._paths.get((collection_uid, path))
            return found is not None and found.index is not None

    @property
    def used(self) -> int:
        """Bytes in use, about."""
        with self._lock:
            return self._used()

    def _index(self, reader: Reader, path: str, budget: Budget) -> FieldIndex | None:
        """The index as of the reader's commit; None when there is none, or only of a later commit."""
        entry = self._entry(reader.collection_uid, path)
        index = entry.index
        if index is not None and index.seq == reader.seq:
            return index
        if index is None and (entry.too_large or entry.scans <= SCANS_BEFORE_INDEX):
            return None
        # Others scan while the first makes the index; an update is shorter than a scan, so it is waited for.
        if not entry.lock.acquire(blocking=index is not None):
            return None
        try:
            return self._refresh(entry, reader, path, budget)
        finally:
            entry.lock.release()

    def _entry(self, collection_uid: str, path: str) -> _Path:
        key = (collection_uid, path)
        with self._lock:
            entry = self._paths.setdefault(key, _Path())
            entry.scans += 1
            self._paths.move_to_end(key)
            if len(self._paths) > MAX_PATHS:
                self._paths.popitem(last=False)
            return entry

    def _refresh(self, entry: _Path, reader: Reader, path: str, budget: Budget) -> FieldIndex | None:
        """Requires: the entry's lock."""
        index = entry.index
        if index is not None and index.seq > reader.seq:
            return None
        if index is None or index.seq < reader.seq:
            index = self._of_commit(index, reader, path, budget)
            entry.too_large = index.bytes > self._capacity
            entry.index = None if entry.too_large else index
            self._make_room(entry)
        return index

    @staticmethod
    def _of_commit(old: FieldIndex | None, reader: Reader, path: str, budget: Budget) -> FieldIndex:
        changed = None if old is None else reader.changed_since(old.seq)
        if old is None or changed is None or 2 * len(changed) > reader.point_count:
            return build_index(reader, path, budget)
        new = updated(old, reader, changed, budget)
        return build_index(reader, path, budget) if new.value_count > GARBAGE * len(new.slots) + 1_024 else new

    def _make_room(self, kept: _Path) -> None:
        with self._lock:
            for key, entry in list(self._paths.items()):
                if self._used() <= self._capacity:
                    return
                if entry is not kept:
                    del self._paths[key]

    def _used(self) -> int:
        return sum(entry.index.bytes for entry in self._paths.values() if entry.index is not None)
