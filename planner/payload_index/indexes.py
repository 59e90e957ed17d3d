"""Which payload paths have an index, and its newest state: those that are declared, and those that are filtered often,
within a bound.

What an index holds and answers is in index.py. docs/payload_indexes.md says what users see of it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial

from planner.payload_index.field_types import prepare
from planner.payload_index.index import FieldIndex, build_indexes, updated
from planner.payload_index.stored import KIND, decoded, encoded, held_slots, version
from planner.predicate import path_text
from storage.budget import Budget
from storage.derived import Keeper, few_changes, is_worth_keeping, read_decoded
from storage.mvcc import Snapshot
from storage.tables import Reader

SCANS_BEFORE_INDEX = 2
"""Filters on a path that read all payloads before the next one makes an index of it."""

MAX_PATHS = 4_096
"""Paths remembered, with an index or without, besides declared ones."""

GARBAGE = 2
"""An index is made anew when it knows so many times more values than it has entries."""

_Key = tuple[str, str]
"""The uid of a collection, and a path of its payloads."""


class IndexState(Enum):
    """How far a declared index is."""

    PENDING = "pending"
    BUILDING = "building"
    READY = "ready"


class FieldIndexes:
    """Indexes of all collections: declared ones, and others within `capacity` bytes; 0 makes no others.

    Of the others the least recently used go first. One that would not fit alone is not made again. Safe for many
    threads.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._declared: Keeper[_Key, FieldIndex] = Keeper()
        self._others: Keeper[_Key, FieldIndex] = Keeper(capacity, lambda index: index.bytes, most=MAX_PATHS)

    def get(self, reader: Reader, path: str, budget: Budget) -> FieldIndex | None:
        """The index of `path` as of the reader's commit, if there is one or it is time to make it.

        Raises DeadlineExceeded or Cancelled.
        """
        path = path_text(path)
        if reader.pending or (self._capacity == 0 and path not in reader.schema.field_indexes):
            return None
        index = self._find(reader, path, budget)
        if index is not None and reader.derived is not None and path not in reader.schema.field_indexes:
            reader.derived.use(KIND, path)
        return index

    def build(self, reader: Reader, paths: Iterable[str], budget: Budget) -> None:
        """Makes the indexes of declared paths, in one pass, or updates them. Waits for whoever does so already.

        Raises DeadlineExceeded or Cancelled.
        """
        keys = [(reader.collection_uid, path) for path in sorted(paths)]
        for key in keys:
            self._declared.take_over(key, self._others)
        found = self._declared.find_all(keys, _FieldMaker(reader, budget, prepares=True))
        for (_, path), index in found.items():
            prepare(index, reader.schema.field_indexes[path].type, budget)

    def state(self, collection_uid: str, path: str) -> IndexState:
        """How far the index of a declared path is."""
        key = (collection_uid, path)
        if self._declared.known(key) is not None:
            return IndexState.READY
        return IndexState.BUILDING if self._declared.is_busy(key) else IndexState.PENDING

    def forget(self, collection_uid: str, path: str | None = None) -> None:
        """Lets go of what is known of a collection, or of one of its declared paths."""
        self._declared.forget(lambda key: key[0] == collection_uid and path in (None, key[1]))
        if path is None:
            self._others.forget(lambda key: key[0] == collection_uid)

    def known(self, collection_uid: str, path: str) -> FieldIndex | None:
        """The newest index that there is of the path now, perhaps not of the newest commit. Nothing is made."""
        key = (collection_uid, path_text(path))
        declared = self._declared.known(key)
        return self._others.known(key) if declared is None else declared

    def has(self, collection_uid: str, path: str) -> bool:
        """Whether there is an index of the path now."""
        return self.known(collection_uid, path) is not None

    def load(self, reader: Snapshot, budget: Budget) -> None:
        """Reads the files of indexes that were not declared: as many as there is room for, those last used first."""
        for path in reader.derived.keys(KIND):
            if reader.derived.is_unused(KIND, path):
                reader.derived.remove(KIND, path)
            elif path not in reader.schema.field_indexes and self.used < self._capacity:
                self._find(reader, path, budget)

    def keep(self, reader: Snapshot) -> None:
        """Writes the files of the indexes that there are, where that is worth it."""
        for (uid, path), index in (*self._others.items(), *self._declared.items()):
            if uid == reader.collection_uid and is_worth_keeping(reader, KIND, path, index.seq, len(index.slots)):
                reader.derived.write(KIND, path, encoded(index))

    def fit(self, collection_uid: str, path: str) -> None:
        """Sees to the bound after an index that is not declared grew by what tests make of its values."""
        self._others.fit((collection_uid, path))

    @property
    def used(self) -> int:
        """Bytes in use, about, by indexes that were not declared."""
        return self._others.used

    def _find(self, reader: Reader, path: str, budget: Budget) -> FieldIndex | None:
        key = (reader.collection_uid, path)
        if path not in reader.schema.field_indexes:
            return self._others.find(key, _FieldMaker(reader, budget), patience=SCANS_BEFORE_INDEX)
        self._declared.take_over(key, self._others)
        return self._declared.find(key, _FieldMaker(reader, budget))


@dataclass(frozen=True, slots=True)
class _FieldMaker:
    """Makes field indexes as of the commit of `reader`. With `prepares`, those of declared paths are ready for tests of
    their type before anybody sees them."""

    reader: Reader
    budget: Budget
    prepares: bool = False

    @property
    def seq(self) -> int:
        return self.reader.seq

    def stored(self, key: _Key) -> FieldIndex | None:
        return read_decoded(self.reader.derived, KIND, key[1], version(), partial(decoded, path=key[1]))

    def updated(self, key: _Key, value: FieldIndex) -> FieldIndex | None:
        changed = few_changes(self.reader, value.seq, partial(held_slots, value), self.reader.point_count)
        if changed is None:
            return None
        index = updated(value, self.reader, changed, self.budget)
        return None if index.value_count > GARBAGE * len(index.slots) + 1_024 else index

    def completed(self, values: Mapping[_Key, FieldIndex | None]) -> Iterator[tuple[_Key, FieldIndex]]:
        keys = {path: (uid, path) for (uid, path), index in values.items() if index is None}
        if not keys:
            return
        made = build_indexes(self.reader, keys, self.budget)
        for path, index in made.items():
            if self.prepares:
                prepare(index, self.reader.schema.field_indexes[path].type, self.budget)
            yield keys[path], index
        if self.reader.derived is not None:
            self.reader.derived.outdated()
