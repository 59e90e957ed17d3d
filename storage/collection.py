"""A collection: snapshots to read, a writer to write, and its statistics. Its files are opened by its first use."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.budget import UNLIMITED, Budget
from storage.derived import DerivedFiles
from storage.errors import DeadlineExceeded, SpaceNotFound
from storage.files import failpoint
from storage.ivf import Partition, write_partition
from storage.mvcc import Snapshot
from storage.opening import OpenCollections, Opened, OpenOnUse
from storage.schema import (
    CollectionSchema,
    CollectionStats,
    IndexFile,
    PartitionFile,
    SchemaChange,
    SpaceState,
    SpaceStats,
)
from storage.segments import (
    BlockView,
    SegmentIndex,
    SpaceView,
    due,
    kind_of_index,
    measured_recall,
    seal_threshold,
    warning_of,
)
from storage.tables import PayloadCodec
from storage.write import (
    Applied,
    Merged,
    Operation,
    Place,
    Transaction,
    Unit,
    UpdateVectors,
    Upsert,
    WriteResult,
    apply,
    attach_graph,
    change_schema,
    check_change,
    frees_room,
    is_worthwhile,
    repack,
    replace_blocks,
    reserve_block,
    set_index_progress,
    set_partition,
    show_graph,
)

UNKNOWN = -1
"""Stands in for the checksum of a vector that is not current."""

MIN_SEALED = 1_000
"""Living rows of an open block that make sealing it on demand worthwhile."""


class Hold:
    """Keeps a collection open until it is released, which may be done more than once."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave: Callable[[], None] | None = leave

    def release(self) -> None:
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()

    def __enter__(self) -> "Hold":
        return self

    def __exit__(self, *about: object) -> None:
        self.release()


class Collection:
    """Safe to use from many threads. Made and closed by Database.

    It may be kept for long: while nobody uses it its files may be closed, so that others can be open, and the next use
    opens them. Once it was closed for good every use raises CollectionClosed. Every use may raise what opening raises:
    CorruptStore, UnknownFormat, StorageFull, StorageFailed, TooManyOpenCollections, SystemLimitReached.
    """

    def __init__(
        self,
        name: str,
        uid: str,
        places: OpenCollections,
        do_open: Callable[["Collection"], Opened],
        *,
        opened: Callable[["Collection"], None],
        closed: Callable[["Collection"], None],
        closing: Callable[["Collection"], None],
    ) -> None:
        """`do_open` opens its files. `opened` is called after each opening, `closed` after each closing for room;
        `closing` once, when no more snapshots are given out, to let go of those that are kept."""
        self.name = name
        self.uid = uid
        self._forget = closing
        self._files = OpenOnUse(
            name, places, lambda: do_open(self), opened=lambda: opened(self), closed=lambda: closed(self)
        )
        self._lock = threading.Lock()
        self._work: dict[int, int] = {}
        self.failed: dict[int, str] = {}
        """Why background work failed for good, by the uid of its space; kept by maintenance."""

    @property
    def schema(self) -> CollectionSchema:
        """The newest committed schema. Requires: it was opened before."""
        return self._files.core.view.schema

    @property
    def codec(self) -> PayloadCodec:
        return self._files.core.codec

    @property
    def derived(self) -> DerivedFiles:
        """Where data derived from it are kept. Requires: it was opened before."""
        return self._files.core.derived

    @property
    def seq(self) -> int:
        """The newest commit sequence. Requires: it was opened before."""
        return self._files.core.view.state.seq

    @property
    def commit(self) -> int:
        """The number of commits so far, also of those that users do not see. Requires: it was opened before."""
        return self._files.core.view.state.commit

    @property
    def closed(self) -> bool:
        """Whether it was closed for good, or is about to be."""
        return self._files.ended

    @property
    def is_open(self) -> bool:
        """Whether its files are open now."""
        return self._files.is_open

    @property
    def is_opening(self) -> bool:
        """Whether a use waits for its files to be opened."""
        return self._files.is_opening

    @property
    def waiting_writes(self) -> int:
        """Writes that wait for their commit, without those under way."""
        return self._files.waiting_writes

    def open(self, budget: Budget = UNLIMITED, do_open: Callable[[], Opened] | None = None) -> None:
        """Opens its files, by `do_open` if given, unless they are open."""
        if not self._files.is_open or self._files.ended:
            self._files.use(budget, do_open)
            self._files.leave()

    def hold(self, budget: Budget = UNLIMITED) -> Hold:
        """Keeps its files open, for work that comes back to it: `with collection.hold()`."""
        self._files.use(budget)
        return Hold(self._files.leave)

    def hold_if_open(self) -> Hold | None:
        """Keeps its files open if they are; None otherwise. Waits for nothing."""
        return None if self._files.use_if_open() is None else Hold(self._files.leave)

    def hold_again(self) -> Hold:
        """Keeps its files open for longer than a hold that there is. Requires: such a hold."""
        self._files.use_again()
        return Hold(self._files.leave)

    def snapshot(self, budget: Budget = UNLIMITED) -> Snapshot:
        """Pins the newest commit: `with collection.snapshot() as snapshot`. Raises CollectionClosed."""
        core = self._files.use(budget).core
        try:
            return Snapshot(core, self._files.leave)
        except BaseException:
            self._files.leave()
            raise

    def write(
        self, operations: Sequence[Operation], budget: Budget = UNLIMITED, *, unattended: str = ""
    ) -> "Future[WriteResult]":
        """Queues validated operations as one write, all or nothing, in order.

        The future completes once the commit is durable and visible, or fails and then nothing was written. Cancelling
        it works until the write is taken up. `unattended`: what a write is called that nobody waits
        for; if it fails, that is counted and logged. Raises TooManyWrites, CollectionClosed or StorageFailed.
        """
        budget.check()

        def apply_all(transaction: Transaction) -> list[Applied]:
            return [apply(transaction, operation) for operation in operations]

        frees = all(map(frees_room, operations))
        future = self._submit(Unit(apply_all, _write_result, size=sum(map(_size_of, operations)), frees=frees), budget)
        if unattended:
            self._files.core.failed_writes.follow(future, self.uid, self.name, unattended)
        return future

    def change_schema(self, change: SchemaChange, budget: Budget = UNLIMITED) -> CollectionSchema:
        """Adds, drops and changes spaces and settings, all or nothing; returns the schema after it."""
        with self.hold(budget):
            check_change(self.schema, change)
        unit = Unit(
            lambda transaction: change_schema(transaction, change),
            lambda seq, schema: schema,
            alone=True,
            frees=change.only_drops,
        )
        schema: CollectionSchema = wait_for(self._submit(unit, budget), budget)
        return schema

    def flush(self, budget: Budget = UNLIMITED) -> int:
        """Waits until all writes accepted before are durable; returns the commit sequence."""
        seq: int = wait_for(self._submit(Unit(None, lambda seq, outcome: seq), budget), budget)
        return seq

    def stats(self) -> CollectionStats:
        with self.snapshot() as snapshot:
            slots = [snapshot.slots_with_vector(name) for name in snapshot.schema.names]
            any_vector = len(slots[0]) if len(slots) == 1 else len(np.unique(np.concatenate(slots))) if slots else 0
            disk = (snapshot.path / "data.mdb").stat().st_blocks * 512
            return CollectionStats(
                seq=snapshot.seq,
                points=snapshot.point_count,
                points_with_vectors=any_vector,
                payload_disk_bytes=disk,
                spaces={name: self._space_stats(space) for name, space in snapshot.spaces.items()},
                vector_counts={name: snapshot.vector_count(name) for name in snapshot.schema.spaces},
                failed_writes=self._files.core.failed_writes.of(self.uid),
                generation=snapshot.generation,
            )

    def spaces(self) -> Mapping[str, SpaceView]:
        """The spaces as of the newest commit, by name. Raises CollectionClosed."""
        with self.hold():
            return self._files.core.view.spaces

    def take_refusal(self) -> bool:
        """Whether a write was refused for want of room since this was asked last."""
        core = self._files.core
        refused, core.refused_for_room = core.refused_for_room, False
        return refused

    def repack(self, place: Place) -> Place | None:
        """Fills pages of ids and payloads anew from `place` on, in one commit. Where to go on; None: this was all."""
        left: Place | None = self._change(lambda transaction: repack(transaction, place))
        return left

    @property
    def is_worth_repacking(self) -> bool:
        """Whether something was deleted since this was asked last."""
        return is_worthwhile(self._files.core)

    def seal_tails(self, *, dead_share: float | None = None) -> None:
        """Seals the open block of every space that has MIN_SEALED rows, or of which more than `dead_share` are dead."""

        def seal(transaction: Transaction) -> None:
            for space in transaction.core.spaces.values():
                block = space.blocks[-1]
                alive = block.count - block.deaths
                if alive >= MIN_SEALED if dead_share is None else block.deaths > dead_share * block.count:
                    transaction.seal(space)

        self._submit(Unit(seal, lambda seq, outcome: None, alone=True, unseen=True, frees=True)).result()

    def attach_graph(self, space_uid: int, block_uid: int, graph: SegmentIndex, index: IndexFile) -> bool:
        """Makes a built graph serve its block, durably. False when the block is gone."""
        attached: bool = self._change(lambda transaction: attach_graph(transaction, space_uid, block_uid, graph, index))
        return attached

    def replace_blocks(self, space_uid: int, merged: Merged) -> bool:
        """Puts a merged block in place of its sources, durably. False when one of them is gone."""
        replaced: bool = self._change(lambda transaction: replace_blocks(transaction, space_uid, merged))
        return replaced

    def reserve_block(self, space_uid: int) -> int | None:
        """A uid for a new block of a space; None when the space is gone."""
        uid: int | None = self._change(lambda transaction: reserve_block(transaction, space_uid))
        return uid

    def set_index_progress(self, space_uid: int, embedder: str, seq: int, next_slot: int) -> bool:
        """Notes how far a managed index is, durably. False when it is gone, or has another embedder by now."""
        noted: bool = self._change(
            lambda change: set_index_progress(change, space_uid, embedder, seq, next_slot), frees=False
        )
        return noted

    def set_partition(self, space: str, partition: Partition | None) -> PartitionFile | None:
        """Keeps the partition by which lists of a space are built from now on, durably; None: they make their own.

        Returns how the manifest names it. Raises SpaceNotFound, InvalidRequest, StorageFull, StorageFailed.
        """
        found = self.spaces().get(space)
        if found is None:
            raise SpaceNotFound(space, self.spaces(), "using")
        uid, folder = found.schema.uid, found.blocks[0].block.path.parent
        file = None
        if partition is not None:
            number = self.reserve_block(uid)
            if number is None:
                raise SpaceNotFound(space, self.spaces(), "using")
            file = write_partition(folder / f"{number}.partition", partition)
            failpoint("partition_written")
        if not self._change(lambda transaction: set_partition(transaction, uid, file), frees=partition is None):
            raise SpaceNotFound(space, self.spaces(), "using")
        return file

    def show_graph(self, space_uid: int, block_uid: int, graph: SegmentIndex, index: IndexFile) -> None:
        """Lets a graph serve that the manifest names already, and that has been verified now: another generation."""
        self._change(lambda transaction: show_graph(transaction, space_uid, block_uid, graph, index))

    def checksums_of(self, space: SpaceView, view: BlockView, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Checksums of the vectors at `positions` of a block, UNKNOWN for those that are not current any more."""
        with self.snapshot() as snapshot:
            rows, checksums = snapshot.stored_rows(space.schema.uid)
        wanted = view.row_numbers(positions)
        order = np.argsort(rows)
        places = np.searchsorted(rows, wanted, sorter=order)
        found = order[np.minimum(places, len(order) - 1)] if len(order) else np.zeros(len(wanted), np.intp)
        known = (rows[found] == wanted) if len(order) else np.zeros(len(wanted), np.bool_)
        return np.where(known, checksums[found] if len(order) else 0, UNKNOWN)

    def working(self, space_uid: int, step: int) -> None:
        """Counts background work on a space: `step` +1 when some begins, -1 when it ends."""
        with self._lock:
            self._work[space_uid] = self._work.get(space_uid, 0) + step

    @property
    def is_worked_on(self) -> bool:
        """Whether background work runs."""
        return any(self._work.values())

    def close(self) -> None:
        """Commits what waits, waits for snapshots in use, and closes all files for good."""
        self._files.close(lambda: self._forget(self))

    def _submit(self, unit: Unit, budget: Budget = UNLIMITED) -> "Future[Any]":
        writer = self._files.use(budget).writer
        try:
            return writer.submit(unit)
        finally:
            self._files.leave()

    def _space_stats(self, space: SpaceView) -> SpaceStats:
        graphs = [block for block in space.blocks if block.graph is not None]
        indexed = sum(block.count - block.block.deaths for block in graphs)
        index_bytes = sum(block.block.index_bytes for block in graphs)
        return SpaceStats(
            vectors=space.vector_count,
            indexed_vectors=indexed,
            tail_vectors=space.vector_count - indexed,
            deleted_vectors=sum(block.block.deaths for block in space.blocks),
            segments=len(graphs),
            disk_bytes=sum(block.block.disk_bytes() for block in space.blocks) + index_bytes,
            mapped_bytes=sum(block.block.mapped_bytes() for block in space.blocks) + index_bytes,
            index=", ".join(sorted({kind_of_index(block.graph) for block in graphs if block.graph})) or "flat",
            datatype=", ".join(sorted({block.graph.datatype.value for block in graphs if block.graph})) or "float32",
            state=self._space_state(space),
            recall=measured_recall(space),
            warning=warning_of(space),
        )

    def _space_state(self, space: SpaceView) -> SpaceState:
        uid = space.schema.uid
        if self._work.get(uid):
            return SpaceState.INDEXING
        if uid in self.failed:
            return SpaceState.ERROR
        if due(space, seal_threshold(self.schema, space.schema)):
            return SpaceState.PENDING
        return SpaceState.READY if space.row_count else SpaceState.AWAITING_VECTORS

    def _change(self, change: Callable[[Transaction], Any], *, frees: bool = True) -> Any:
        """Applies a change that users do not see in a commit of its own. What publishes work frees room in the end."""
        unit = Unit(change, lambda seq, outcome: outcome, alone=True, unseen=True, frees=frees)
        return self._submit(unit).result()


def wait_for(future: "Future[Any]", budget: Budget) -> Any:
    """The future's result within the budget. A write that is given up before it was taken up is not applied.

    Raises DeadlineExceeded or Cancelled, or what the future failed with.
    """
    with budget.idle():
        return _result(future, budget)


def _result(future: "Future[Any]", budget: Budget) -> Any:
    while True:
        remaining = budget.remaining()
        step = _POLL_SECONDS if remaining is None else min(_POLL_SECONDS, remaining)
        try:
            return future.result(timeout=step)
        except TimeoutError:
            if future.done():
                return future.result()
            try:
                budget.check()
            except BaseException as error:
                if not future.cancel() and isinstance(error, DeadlineExceeded):
                    raise DeadlineExceeded("the deadline passed while the write was being committed") from None
                raise


_POLL_SECONDS = 0.25  # how soon a caller that went away is noticed


def _write_result(seq: int, applied: Sequence[Applied]) -> WriteResult:
    return WriteResult(seq, tuple(each.affected for each in applied), tuple(each.skipped for each in applied))


def _size_of(operation: Operation) -> int:
    """Bytes a waiting operation holds, about."""
    match operation:
        case Upsert():
            return sum(map(len, operation.payloads)) + _size_of_vectors(operation)
        case UpdateVectors():
            return _size_of_vectors(operation)
        case _:
            return 64


def _size_of_vectors(write: Upsert | UpdateVectors) -> int:
    dense = sum(vectors.matrix.nbytes for vectors in write.vectors.values())
    return dense + sum(len(body) for vectors in write.bodies.values() for body in vectors.bodies)
