"""A snapshot: the only way to read a collection. One LMDB transaction and the view of the same commit, never mixed."""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.derived import DerivedFiles
from storage.errors import CorruptStore, StorageFailed
from storage.files import plain_path
from storage.index import Copy, SparseIndex, SparseView
from storage.mvcc.state import Core, View
from storage.segments import NO_ROW, MatchingRowsCache, SpaceView
from storage.tables import Reader, decode_row, encode_slot, environment_failure, get_state, read_rows
from storage.vectors import decode_tokens

RowsOf = Callable[[NDArray[np.uint32]], NDArray[np.int64]]

VALUES_READ_AT_ONCE = 1 << 20
"""Components of vectors that are read at once: 4 MiB."""


class Tokens(NamedTuple):
    """The tokens of the multi-vector of `slots[i]` are the `counts[i]` rows from `first[i]`."""

    slots: NDArray[np.uint32]
    first: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each point's begin in `rows`."""
        return np.cumsum(self.counts) - self.counts

    @property
    def rows(self) -> NDArray[np.int64]:
        """All rows, one point's after the other's."""
        return np.repeat(self.first - self.starts, self.counts) + np.arange(int(self.counts.sum()))

    def take(self, kept: "NDArray[np.bool_] | slice") -> "Tokens":
        return Tokens(self.slots[kept], self.first[kept], self.counts[kept])


class Snapshot(Reader):
    """Pins one commit until it is closed; use it with `with`. For one thread at a time."""

    def __init__(self, core: Core, release: Callable[[], None]) -> None:
        """`release` is called once, when the snapshot is closed."""
        self._core = core
        self._release = release
        self._closed = False
        txn, self._view = _begin(core)
        state = self._view.state
        super().__init__(
            txn,
            core.tables,
            seq=state.seq,
            schema=self._view.schema,
            codec=core.codec,
            collection_uid=core.uid,
            point_count=state.point_count,
            path=core.environment_path,
        )

    def __enter__(self) -> "Snapshot":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes; what LMDB found damaged becomes CorruptStore."""
        self.close()
        if isinstance(error, (lmdb.Error, struct.error)):
            raise environment_failure(error, self._path / "data.mdb") from error

    def close(self) -> None:
        """Lets go of the commit, once. The snapshot and all it lent are of no more use."""
        if not self._closed:
            self._closed = True
            self._txn.abort()
            self._view = replace(self._view, spaces={})  # who still has the snapshot must not keep files mapped
            self._core.active.end(self.seq)
            self._release()

    @property
    def generation(self) -> int:
        """Generation of the indexes that serve; see State."""
        return self._view.state.generation

    @property
    def derived(self) -> DerivedFiles:
        return self._core.derived

    def changed_since(self, seq: int) -> NDArray[np.uint32] | None:
        return self._core.changes.between(min(seq, self.seq), max(seq, self.seq))

    def all_slots(self) -> NDArray[np.uint32]:
        """Slots of all points, ascending, read-only: those of the last time that they were read, and what changed."""
        known = self._core.known_slots
        if known is not None and known[0] > self.seq:
            return super().all_slots()
        changed = None if known is None else self.changed_since(known[0])
        if known is None or changed is None or 2 * len(changed) > len(known[1]):
            slots = super().all_slots()
        elif len(changed) == 0:
            slots = known[1]
        else:
            table = self._tables.points
            held = np.array([self._txn.get(encode_slot(slot), db=table) is not None for slot in changed.tolist()])
            slots = np.union1d(np.setdiff1d(known[1], changed, assume_unique=True), changed[held])
        slots.flags.writeable = False
        self._core.known_slots = (self.seq, slots)
        return slots

    def vector_chunks(
        self, space: str, slots: NDArray[np.uint32], budget: Budget
    ) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.float32]]]:
        """Those of `slots` that have a vector in `space`, in their order, some at a time, with the vectors (n, size).

        Raises DeadlineExceeded or Cancelled as `budget` says.
        """
        view = self._view.spaces[space]
        rows = self.rows_of(space)(slots)
        found, rows = slots[rows != NO_ROW], rows[rows != NO_ROW]
        step = max(1, VALUES_READ_AT_ONCE // view.schema.size)
        for start in range(0, len(rows), step):
            budget.check()
            yield found[start : start + step], view.gather(rows[start : start + step])

    def is_indexed(self, space: str, slot: int) -> bool:
        """Whether a graph covers the vector that the point in `slot` has in `space`. Requires: it has one."""
        rows = self.rows_of(space)(np.array([slot], np.uint32))
        [(block, _, _)] = self._view.spaces[space].locate(rows)
        return block.graph is not None

    def vectors(self, space: str, slots: NDArray[np.uint32]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Which of `slots` have a vector in `space`, and the vectors (n, size) as written, zeros where there is none.

        Raises CorruptStore when a vector does not have its checksum.
        """
        view = self._view.spaces[space]
        table = self._rows_table(space)
        present = np.zeros(len(slots), np.bool_)
        out = np.zeros((len(slots), view.schema.size), np.float32)
        for number, slot in enumerate(slots.tolist()):
            value = self._txn.get(encode_slot(slot), db=table)
            if value is None:
                continue
            row, checksum = decode_row(value)
            out[number] = view.gather(np.array([row], np.int64))[0]
            if zlib.crc32(out[number]) != checksum:
                raise _corrupt_vector(view, row)
            present[number] = True
        return present, out

    def slots_with_vector(self, space: str) -> NDArray[np.uint32]:
        """Slots of the points that have a vector in `space`, ascending."""
        if space not in self.schema.dense:
            return super().slots_with_vector(space)
        blocks = []
        for block in self._view.spaces[space].blocks:
            alive = block.alive(self.seq)
            blocks.append(block.slots if alive is None else block.slots[alive])
        return np.sort(np.concatenate(blocks))

    def sparse_view(self, space: str, build: Callable[[], SparseIndex], budget: Budget) -> SparseView:
        """A view, good for this commit, of the index of a sparse space; `build` makes it when there is none.

        Raises DeadlineExceeded or Cancelled, also while another thread makes the index.
        """
        return self._core.sparse_indexes.view(self._sparse_uid(space), self.seq, build, budget)

    def has_sparse_index(self, space: str) -> bool:
        """Whether the index of a sparse space is in memory."""
        return self._core.sparse_indexes.has(self._sparse_uid(space))

    def copied_sparse_index(self, space: str, copy: Callable[[SparseIndex], Copy]) -> Copy | None:
        """What `copy` takes of that index, which nobody changes meanwhile; None when there is none."""
        return self._core.sparse_indexes.copied(self._sparse_uid(space), copy)

    def tokens_of(self, space: str, slots: NDArray[np.uint32] | None) -> Tokens:
        """Which rows are the tokens of those of `slots` (None: all) that have a multi-vector, in slot order of all.

        Raises CorruptStore.
        """
        if slots is None:
            found = list(self.vector_bodies(space))
        else:
            bodies = ((slot, self.vector_body(space, slot)) for slot in slots.tolist())
            found = [(slot, body) for slot, body in bodies if body is not None]
        ranges = np.array([decode_tokens(body) for _, body in found], np.int64).reshape(-1, 2)
        return Tokens(np.array([slot for slot, _ in found], np.uint32), ranges[:, 0], ranges[:, 1])

    def token_rows(self, space: str, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The tokens in `rows` (n, size), as they were written. Raises CorruptStore for one without its checksum."""
        view, table = self._view.spaces[space], self._rows_table(space)
        out = view.gather(rows)
        for row, vector in zip(rows.tolist(), out, strict=True):
            value = self._txn.get(encode_slot(row), db=table)
            if value is None or zlib.crc32(vector) != decode_row(value)[1]:
                raise _corrupt_vector(view, row)
        return out

    def token_owners(self, space: str) -> NDArray[np.uint32]:
        """The slot whose token each row of a space of multi-vectors is, as of whenever it was written."""
        return self._core.token_owners[self.schema.multi[space].uid].view()

    def vector_count(self, space: str) -> int:
        """How many points have a vector in `space`."""
        if space in self.schema.dense:
            return self._view.spaces[space].vector_count
        count: int = self._txn.stat(self._bodies_table(space))["entries"]
        return count

    def stored_rows(self, space_uid: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows and checksums of all current vectors of a space, in slot order; none when this commit has no such
        space."""
        if not any(space.schema.uid == space_uid for space in self._view.spaces.values()):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        _, rows, checksums = read_rows(self._txn, self._tables.rows[space_uid])
        return rows, checksums.astype(np.int64)

    def copy_tables(self, folder: Path) -> None:
        """Writes ids, payloads and row tables as of this commit to the file data.mdb in `folder`, without gaps.

        Raises lmdb.Error.
        """
        with plain_path(folder) as text:
            self._core.env.copy(text, compact=True, txn=self._txn)

    def _sparse_uid(self, space: str) -> int:
        return self.schema.sparse[space].uid

    @property
    def path(self) -> Path:
        """The folder of ids and payloads."""
        return self._path

    @property
    def spaces(self) -> Mapping[str, SpaceView]:
        """The spaces as of this commit, by name."""
        return self._view.spaces

    @property
    def matching_rows(self) -> MatchingRowsCache:
        """The rows of filters in the spaces of this collection, which its snapshots share."""
        return self._core.matching_rows

    def rows_of(self, space: str) -> RowsOf:
        """A function from slots (uint32) to the rows (int64) that they have in `space`, NO_ROW where there is none."""
        return partial(_current_rows, self._txn, self._rows_table(space), self._view.spaces[space])


def _current_rows(
    txn: lmdb.Transaction, table: lmdb._Database, view: SpaceView, slots: NDArray[np.uint32]
) -> NDArray[np.int64]:
    """The rows of slots as of the commit of `view` and `txn`, NO_ROW where there is no vector.

    The array in memory belongs to the newest commit. A row that it shows and that this commit knows is this commit's
    row too; any other entry (none, or a later row) is looked up in the transaction.
    """
    known = view.rows
    rows = np.full(len(slots), NO_ROW, np.int64)
    inside = slots < len(known)
    rows[inside] = known[slots[inside]]
    for number in np.flatnonzero((rows == NO_ROW) | (rows >= view.row_count)).tolist():
        value = txn.get(encode_slot(int(slots[number])), db=table)
        rows[number] = NO_ROW if value is None else decode_row(value)[0]
    return rows


def _begin(core: Core) -> tuple[lmdb.Transaction, View]:
    """A read transaction and its view, counted among the active ones."""
    with core.active.lock:
        try:
            txn = core.env.begin(buffers=True)
        except lmdb.PanicError as error:  # a commit could not be counted; see tables/catalog_file.py
            raise StorageFailed(f"{core.environment_path}: a write failed; close the collection and open it") from error
        try:
            view = core.views[get_state(txn, core.tables).commit]
        except BaseException:
            txn.abort()
            raise
        core.active.begin(view.state.seq)
        return txn, view


def _corrupt_vector(view: SpaceView, row: int) -> CorruptStore:
    [(block, _, positions)] = view.locate(np.array([row], np.int64))
    offset = int(positions[0]) * view.schema.size * 4
    return CorruptStore(block.block.path, offset, "the vector does not have its checksum")
