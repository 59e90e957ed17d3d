"""The text indexes of all collections: read from a file or made when first asked for, then brought up to date commit by
commit.

What is made is kept, also when the request that made it ran out of time: the next one goes on where it stopped.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from planner.text.analysis import Analyzer
from planner.text.index import TextIndex, Vocabulary, extended, updated
from planner.text.stored import KIND, decoded, encoded, held_slots, key_of, version
from storage.budget import Budget
from storage.derived import Keeper, few_changes, is_worth_keeping, read_decoded
from storage.mvcc import Snapshot
from storage.schema import TextSettings
from storage.tables import Reader

MAX_INDEXES = 1_024
"""Indexes kept in memory, of all collections together."""

RECENT = 8
"""Recent states of an index that are kept, for requests that read the commit before."""

_Key = tuple[str, str, TextSettings]
"""The uid of a collection, a path of its payloads, and how texts there become terms."""


class TextIndexes:
    """Safe for many threads. The least recently used go first when all together hold more than `capacity` bytes."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._keeper: Keeper[_Key, TextIndex] = Keeper(
            capacity, lambda index: index.bytes, states=RECENT, most=MAX_INDEXES
        )

    def get(self, reader: Reader, path: str, settings: TextSettings, budget: Budget) -> TextIndex:
        """The index of `path` as of the reader's commit. Raises DeadlineExceeded or Cancelled; what is done is kept."""
        return self._keeper.get((reader.collection_uid, path, settings), _TextMaker(reader, budget))

    def keep(self, reader: Snapshot, path: str, settings: TextSettings, budget: Budget) -> None:
        """Brings the index up to date unless there is no room for it in memory, and its file when that is worth it."""
        is_known = self._keeper.known((reader.collection_uid, path, settings)) is not None
        if is_known or self.used < self._capacity:
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
        return self._keeper.used


@dataclass(frozen=True, slots=True)
class _TextMaker:
    """Makes text indexes as of the commit of `reader`. Those that are not complete are of no use to a search yet."""

    reader: Reader
    budget: Budget

    @property
    def seq(self) -> int:
        return self.reader.seq

    def stored(self, key: _Key) -> TextIndex | None:
        _, path, settings = key
        decode = partial(decoded, path=path, settings=settings)
        return read_decoded(self.reader.derived, KIND, key_of(path, settings), version(), decode)

    def updated(self, key: _Key, value: TextIndex) -> TextIndex | None:
        changed = few_changes(self.reader, value.seq, partial(held_slots, value), self.reader.point_count)
        index = None if changed is None else updated(value, self.reader, changed, self.budget)
        return None if index is None or index.is_mostly_garbage else index

    def completed(self, values: Mapping[_Key, TextIndex | None]) -> Iterator[tuple[_Key, TextIndex]]:
        for key, found in values.items():
            _, path, settings = key
            index = TextIndex(path, self.seq, Vocabulary(Analyzer(settings))) if found is None else found
            if not index.is_complete:
                for more in extended(index, self.reader, self.budget):
                    yield key, more
                if self.reader.derived is not None:
                    self.reader.derived.outdated()
