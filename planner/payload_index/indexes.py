"""Which payload paths have an index, and its newest state: those that are declared, and those that are filtered often,
within a bound.

What an index holds and answers is in index.py. docs/payload_indexes.md says what users see of it.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from planner.payload_index.index import FieldIndex, build_index, build_indexes, updated
from planner.payload_index.stored import KIND, encoded, held_slots, stored_index
from planner.payload_index.types import points_of, prepare
from planner.predicate import path_text
from storage.budget import Budget
from storage.derived import is_worth_keeping
from storage.mvcc import Snapshot
from storage.schema import FieldType
from storage.tables import Reader

SCANS_BEFORE_INDEX = 2
"""Filters on a path that read all payloads before the next one makes an index of it."""

MAX_PATHS = 4_096
"""Paths remembered, with an index or without, besides declared ones."""

GARBAGE = 2
"""An index is made anew when it knows so many times more values than it has entries."""


class IndexState(Enum):
    """How far a declared index is."""

    PENDING = "pending"
    BUILDING = "building"
    READY = "ready"


@dataclass(slots=True, eq=False)
class _Path:
    """A path of a collection. `lock`: held by the thread that reads, makes or updates the index. `looked_up`: whether
    its file was, if there is one. `counted`: commit and number of points of the last count."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    scans: int = 0
    index: FieldIndex | None = None
    too_large: bool = False
    looked_up: bool = False
    declared: bool = False
    counted: tuple[int, FieldType, int] | None = None


class FieldIndexes:
    """Indexes of all collections: declared ones, and others within `capacity` bytes; 0 makes no others.

    Of the others the least recently used go first. One that would not fit alone is not made again. Safe for many
    threads.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._paths: OrderedDict[tuple[str, str], _Path] = OrderedDict()
        self._declared: dict[tuple[str, str], _Path] = {}
        self._lock = threading.Lock()

    def get(self, reader: Reader, path: str, budget: Budget) -> FieldIndex | None:
        """The index of `path` as of the reader's commit, if there is one or it is time to make it."""
        path = path_text(path)
        if reader.pending or (self._capacity == 0 and path not in reader.schema.field_indexes):
            return None
        index = self._index(reader, path, budget)
        if index is not None and reader.derived is not None and path not in reader.schema.field_indexes:
            reader.derived.use(KIND, path)
        return index

    def build(self, reader: Reader, paths: Iterable[str], budget: Budget) -> None:
        """Makes the indexes of declared paths, in one pass, or updates them. Waits for whoever does so already."""
        entries = {path: self._entry(reader, path) for path in sorted(paths)}
        with ExitStack() as held:
            for entry in entries.values():  # in one order, so that two who build wait for each other in turn
                budget.acquire(entry.lock)
                held.callback(entry.lock.release)
            for path, entry in entries.items():
                _look_up(entry, reader, path)
            missing = [path for path, entry in entries.items() if entry.index is None]
            made = build_indexes(reader, missing, budget) if missing else {}
            _tell(reader)
            for path, entry in entries.items():
                index = made[path] if path in made else self._refresh(entry, reader, path, budget)
                if index is not None:
                    prepare(index, reader.schema.field_indexes[path].type, budget)
                    entry.index = index

    def state(self, collection_uid: str, path: str) -> IndexState:
        """How far the index of a declared path is."""
        with self._lock:
            entry = self._declared.get((collection_uid, path))
        if entry is None:
            return IndexState.PENDING
        if entry.index is not None:
            return IndexState.READY
        return IndexState.BUILDING if entry.lock.locked() else IndexState.PENDING

    def points(self, reader: Reader, path: str, budget: Budget) -> int:
        """How many points have a value of the declared type. Requires: the index is READY."""
        kind = reader.schema.field_indexes[path].type
        entry = self._entry(reader, path)
        counted = entry.counted
        if counted is not None and counted[:2] == (reader.seq, kind):
            return counted[2]
        index = self._index(reader, path, budget)
        if index is None:  # it is of a later commit
            return counted[2] if counted is not None else 0
        points = points_of(index, kind, budget)
        entry.counted = (reader.seq, kind, points)
        return points

    def forget(self, collection_uid: str, path: str | None = None) -> None:
        """Lets go of what is known of a collection, or of one of its declared paths."""
        with self._lock:
            for paths in (self._paths, self._declared) if path is None else (self._declared,):
                for key in [key for key in paths if key[0] == collection_uid and path in (None, key[1])]:
                    del paths[key]

    def known(self, collection_uid: str, path: str) -> FieldIndex | None:
        """The newest index that there is of the path now, perhaps not of the newest commit. Nothing is made."""
        key = (collection_uid, path_text(path))
        with self._lock:
            entry = self._declared.get(key) or self._paths.get(key)
            return None if entry is None else entry.index

    def has(self, collection_uid: str, path: str) -> bool:
        """Whether there is an index of the path now."""
        return self.known(collection_uid, path) is not None

    def load(self, reader: Snapshot, budget: Budget) -> None:
        """Reads the files of indexes that were not declared: as many as there is room for, those last used first."""
        for path in reader.derived.keys(KIND):
            if reader.derived.is_unused(KIND, path):
                reader.derived.remove(KIND, path)
            elif path not in reader.schema.field_indexes and self.used < self._capacity:
                self._index(reader, path, budget)

    def keep(self, reader: Snapshot) -> None:
        """Writes the files of the indexes that there are, where that is worth it, and removes those of no use."""
        with self._lock:
            paths = (*self._paths.items(), *self._declared.items())
            found = {path: entry.index for (uid, path), entry in paths if uid == reader.collection_uid}
        for path, index in found.items():
            if index is not None and is_worth_keeping(reader, KIND, path, index.seq, len(index.slots)):
                reader.derived.write(KIND, path, encoded(index))

    @property
    def used(self) -> int:
        """Bytes in use, about, by indexes that were not declared."""
        with self._lock:
            return self._used()

    def _index(self, reader: Reader, path: str, budget: Budget) -> FieldIndex | None:
        """The index as of the reader's commit; None when there is none, or only of a later commit."""
        entry = self._entry(reader, path)
        index = entry.index
        if index is not None and index.seq == reader.seq:
            return index
        if not entry.looked_up:
            budget.acquire(entry.lock)
            try:
                _look_up(entry, reader, path)
            finally:
                entry.lock.release()
            self.fit(reader.collection_uid, path)
            index = entry.index
        unwanted = entry.too_large or entry.scans <= SCANS_BEFORE_INDEX
        if index is None and unwanted and not entry.declared:
            return None
        # Others scan while the first makes the index; an update is shorter than a scan, so it is waited for.
        if index is None:
            if not entry.lock.acquire(blocking=False):
                return None
        else:
            budget.acquire(entry.lock)
        try:
            return self._refresh(entry, reader, path, budget)
        finally:
            entry.lock.release()

    def _entry(self, reader: Reader, path: str) -> _Path:
        key = (reader.collection_uid, path)
        with self._lock:
            if path in reader.schema.field_indexes:
                if key not in self._declared:
                    self._declared[key] = self._paths.pop(key) if key in self._paths else _Path()
                    self._declared[key].declared = True
                return self._declared[key]
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
            index = _at_commit(index, reader, path, budget)
            entry.too_large = index.bytes > self._capacity and not entry.declared
            entry.index = None if entry.too_large else index
            self._make_room(entry)
        return index

    def fit(self, collection_uid: str, path: str) -> None:
        """Sees to the bound after an index that is not declared grew by what tests make of its values."""
        with self._lock:
            entry = self._paths.get((collection_uid, path))
        if entry is not None and entry.index is not None:
            entry.too_large = entry.index.bytes > self._capacity
            entry.index = None if entry.too_large else entry.index
            self._make_room(entry)

    def _make_room(self, kept: _Path) -> None:
        with self._lock:
            for key, entry in list(self._paths.items()):
                if self._used() <= self._capacity:
                    return
                if entry is not kept:
                    del self._paths[key]

    def _used(self) -> int:
        return sum(entry.index.bytes for entry in self._paths.values() if entry.index is not None)


def _look_up(entry: _Path, reader: Reader, path: str) -> None:
    """Takes the index from its file, if there is one, once. Requires: the entry's lock."""
    if not entry.looked_up:
        entry.index = entry.index or stored_index(reader, path)
        entry.looked_up = True


def _tell(reader: Reader) -> None:
    """An index was made that no file has yet."""
    if reader.derived is not None:
        reader.derived.outdated()


def _at_commit(old: FieldIndex | None, reader: Reader, path: str, budget: Budget) -> FieldIndex:
    changed = None if old is None else reader.catch_up(old.seq, partial(held_slots, old))
    if old is None or changed is None or 2 * len(changed) > reader.point_count:
        index = build_index(reader, path, budget)
        _tell(reader)
        return index
    new = updated(old, reader, changed, budget)
    return build_index(reader, path, budget) if new.value_count > GARBAGE * len(new.slots) + 1_024 else new
