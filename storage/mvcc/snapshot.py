"""A snapshot: the only way to read a collection. It holds one LMDB transaction and the view of the same commit."""

import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.derived import DerivedFiles
from storage.errors import StorageFailed
from storage.files import plain_path
from storage.index import SparseIndexes
from storage.mvcc.space_rows import SpaceRows
from storage.mvcc.space_tokens import SpaceTokens
from storage.mvcc.state import CollectionState, View
from storage.segments import MatchingRowsCache, SpaceView
from storage.tables import Reader, RecordColumns, environment_failure, get_state, read_rows


class Snapshot(Reader):
    """Pins one commit until it is closed; use it in a `with` block. For one thread at a time."""

    def __init__(self, core: CollectionState, release: Callable[[], None]) -> None:
        """`release` is called once, when the snapshot is closed."""
        self._core = core
        self._release = release
        self._closed = False
        txn, self._view = _begin(core)
        super().__init__(txn, core.collection_tables, self._view.state, self._view.schema)

    def __enter__(self) -> "Snapshot":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the snapshot. An error of LMDB that only damage explains becomes CorruptStore."""
        self.close()
        if isinstance(error, (lmdb.Error, struct.error)):
            raise environment_failure(error, self.file) from error

    def close(self) -> None:
        """Releases the commit, once. The snapshot and all memory that it lent must not be used any more."""
        if not self._closed:
            self._closed = True
            self._txn.abort()
            # a forgotten reference to the snapshot must not keep files mapped
            self._view = View(self._view.state, self._view.schema, {})
            self._core.active.end(self.seq)
            self._release()

    @property
    def generation(self) -> int:
        """The generation of the indexes that serve; see State."""
        return self._view.state.generation

    @property
    def derived(self) -> DerivedFiles:
        return self._core.derived

    def changed_since(self, seq: int) -> NDArray[np.uint32] | None:
        return self._core.changes.between(min(seq, self.seq), max(seq, self.seq))

    def ids_and_versions(self, slots: NDArray[np.uint32]) -> Iterator[RecordColumns]:
        """The points in these slots, in their order, part by part, without payloads if they are known."""
        known = self._core.points.find(slots, self.seq)
        if known is not None:
            yield known
            return
        start = 0
        for part in self.points.columns(slots):
            self._core.points.learn(slots[start : start + len(part)], part, self.seq)
            start += len(part)
            yield part

    def all_slots(self) -> NDArray[np.uint32]:
        """The slots of all points, ascending, read-only. They are updated from the last time that they were read."""
        known = self._core.known_slots
        if known is not None and known[0] > self.seq:
            return super().all_slots()
        changed = None if known is None else self.changed_since(known[0])
        if known is None or changed is None or 2 * len(changed) > len(known[1]):
            slots = super().all_slots()
        elif len(changed) == 0:
            slots = known[1]
        else:
            held = np.fromiter(self.points.present(changed.tolist()), np.uint32)
            slots = np.union1d(np.setdiff1d(known[1], changed, assume_unique=True), held)
        slots.flags.writeable = False
        self._core.known_slots = (self.seq, slots)
        return slots

    def vectors(self, space: str, slots: NDArray[np.uint32]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Which of `slots` have a vector in `space`, and the vectors (n, size) as written; zeros where there is none.

        Raises CorruptStore when a vector does not match its checksum.
        """
        return self.rows(space).vectors(slots)

    def slots_with_vector(self, space: str) -> NDArray[np.uint32]:
        """Slots of the points that have a vector in `space`, ascending."""
        if space not in self.schema.dense:
            return super().slots_with_vector(space)
        blocks = []
        for block in self._view.spaces[space].blocks:
            alive = block.alive(self.seq)
            blocks.append(block.slots if alive is None else block.slots[alive])
        return np.sort(np.concatenate(blocks))

    def rows(self, space: str) -> SpaceRows:
        """The rows of a dense space, or those of the tokens of a multi-vector space."""
        return SpaceRows(self._txn, self._rows_table(space), self._view.spaces[space])

    def tokens(self, space: str) -> SpaceTokens:
        """The tokens of a multi-vector space."""
        owners = self._core.token_owners[self.schema.multi[space].uid]
        return SpaceTokens(self.bodies(space), self.rows(space), owners)

    def vector_count(self, space: str) -> int:
        """The number of points that have a vector in `space`."""
        if space in self.schema.dense:
            return self._view.spaces[space].vector_count
        return self.bodies(space).count

    def stored_rows(self, space_uid: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The rows and checksums of all current vectors of a space, in slot order; empty when this commit lacks the
        space."""
        if not any(space.schema.uid == space_uid for space in self._view.spaces.values()):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        _, rows, checksums = read_rows(self._txn, self._tables.rows[space_uid])
        return rows, checksums.astype(np.int64)

    def copy_tables(self, folder: Path) -> None:
        """Writes ids, payloads and row tables as of this commit to data.mdb in `folder`, compacted. Raises
        lmdb.Error."""
        with plain_path(folder) as text:
            self._core.env.copy(text, compact=True, txn=self._txn)

    @property
    def spaces(self) -> Mapping[str, SpaceView]:
        """The spaces as of this commit, by name."""
        return self._view.spaces

    @property
    def sparse_indexes(self) -> SparseIndexes:
        """The indexes of sparse spaces of this collection by uid, which its snapshots share."""
        return self._core.sparse_indexes

    @property
    def matching_rows(self) -> MatchingRowsCache:
        """The rows of filters in the spaces of this collection. All of its snapshots share them."""
        return self._core.matching_rows


def _begin(core: CollectionState) -> tuple[lmdb.Transaction, View]:
    """A read transaction and its view, counted as active."""
    with core.active.lock:
        try:
            txn = core.env.begin(buffers=True)
        except lmdb.PanicError as error:  # LMDB gave the environment up; see tables/catalog_file.py
            raise StorageFailed(f"{core.environment_path}: a write failed; close the collection and open it") from error
        try:
            view = _view_of(txn, core)
        except BaseException:
            txn.abort()
            raise
        core.active.begin(view.state.seq)
        return txn, view


def _view_of(txn: lmdb.Transaction, core: CollectionState) -> View:
    """The view of what `txn` reads. Requires: the lock of active snapshots."""
    number, last = txn.id(), core.last_begun
    if last is not None and last[0] == number:
        return last[1]
    view = core.views[get_state(txn, core.tables).commit]
    core.last_begun = (number, view)
    return view
