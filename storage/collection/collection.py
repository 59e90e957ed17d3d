"""A collection: snapshots for reading and a writer for writing. Its first use opens its files."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

from storage.budget import UNLIMITED, Budget
from storage.collection.background_work import BackgroundWork
from storage.collection.sizes import CollectionSize, size_of_view
from storage.collection.statistics import collection_stats
from storage.collection.unseen_changes import UnseenChanges
from storage.derived import DerivedFiles
from storage.mvcc import Snapshot
from storage.opening import Hold, OpenCollections, Opened, OpenOnUse
from storage.schema import CollectionSchema, CollectionStats, SchemaChange
from storage.segments import SpaceView
from storage.tables import PayloadCodec
from storage.write import (
    Applied,
    Operation,
    Transaction,
    Unit,
    WriteResult,
    apply,
    change_schema,
    check_change,
    frees_room,
    size_of,
    wait_for,
)


class Collection:
    """Safe for many threads. Database makes and closes it.

    The object may be kept for long. While nobody uses it, its files may be closed so that others can be open; the next
    use opens them again. After it is closed for good, every use raises CollectionClosed. Every use may also raise what
    opening raises: CorruptStore, UnknownFormat, StorageFull, StorageFailed, TooManyOpenCollections, SystemLimitReached.
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
        """`do_open` opens its files. `opened` is called after each opening, `closed` after each closing for room.

        `closing` is called once, when no more snapshots are given out. It releases the snapshots that are kept for
        longer.
        """
        self.name = name
        self.uid = uid
        self._forget = closing
        self._files = OpenOnUse(
            name, places, lambda: do_open(self), opened=lambda: opened(self), closed=lambda: closed(self)
        )
        self.unseen = UnseenChanges(self._files)
        self.work = BackgroundWork()

    @property
    def schema(self) -> CollectionSchema:
        """The newest committed schema. Requires: it was opened before."""
        return self._files.core.view.schema

    @property
    def codec(self) -> PayloadCodec:
        return self._files.core.codec

    @property
    def derived(self) -> DerivedFiles:
        """Where data derived from the collection are stored. Requires: it was opened before."""
        return self._files.core.derived

    @property
    def seq(self) -> int:
        """The newest commit sequence. Requires: it was opened before."""
        return self._files.core.view.state.seq

    @property
    def commit(self) -> int:
        """The number of commits so far, with those that users do not see. Requires: it was opened before."""
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
        """Whether a use is waiting for its files to be opened."""
        return self._files.is_opening

    @property
    def point_column_bytes(self) -> int:
        """Bytes of the ids and versions of points that are remembered. Requires: it was opened before."""
        return self._files.core.points.nbytes

    @property
    def waiting_writes(self) -> int:
        """The number of writes that wait for their commit, without those that are being applied."""
        return self._files.waiting_writes

    def open(self, budget: Budget = UNLIMITED, do_open: Callable[[], Opened] | None = None) -> None:
        """Opens its files if they are closed: with `do_open` if it is given."""
        if not self._files.is_open or self._files.ended:
            self._files.use(budget, do_open)
            self._files.leave()

    def hold(self, budget: Budget = UNLIMITED) -> Hold:
        """Keeps its files open, for work in several steps: `with collection.hold()`."""
        return self._files.hold(budget)

    def hold_if_open(self) -> Hold | None:
        """Keeps its files open if they are open; else returns None. Does not wait."""
        return self._files.hold_if_open()

    def hold_again(self) -> Hold:
        """Returns a second hold, to keep the files open after the first is released. Requires: a hold."""
        return self._files.hold_again()

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

        The future completes when the commit is durable and visible. If it fails, nothing was written. It can be
        cancelled until the writer takes it. `unattended` names a write whose result nobody waits for: its failure is
        counted and logged. Raises TooManyWrites, CollectionClosed or StorageFailed.
        """
        budget.check()

        def apply_all(transaction: Transaction) -> list[Applied]:
            return [apply(transaction, operation) for operation in operations]

        frees = all(map(frees_room, operations))
        future = self._files.submit(
            Unit(apply_all, _write_result, size=sum(map(size_of, operations)), frees=frees), budget
        )
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
        schema: CollectionSchema = wait_for(self._files.submit(unit, budget), budget)
        return schema

    def flush(self, budget: Budget = UNLIMITED) -> int:
        """Waits until all writes accepted before are durable; returns the commit sequence."""
        seq: int = wait_for(self._files.submit(Unit(None, lambda seq, outcome: seq), budget), budget)
        return seq

    def stats(self) -> CollectionStats:
        with self.snapshot() as snapshot:
            return collection_stats(snapshot, self.work, self._files.core.failed_writes.of(self.uid))

    def size(self) -> CollectionSize:
        """Its size as of the newest commit that was seen. Opens nothing, and is no use of it. Requires: it was opened
        before."""
        return size_of_view(self._files.core.view, self.name, self.waiting_writes)

    def spaces(self) -> Mapping[str, SpaceView]:
        """The spaces as of the newest commit, by name. Raises CollectionClosed."""
        with self.hold():
            return self._files.core.view.spaces

    def close(self) -> None:
        """Commits waiting writes, waits for snapshots in use, and closes all files for good."""
        self._files.close(lambda: self._forget(self))


def _write_result(seq: int, applied: Sequence[Applied]) -> WriteResult:
    return WriteResult(seq, tuple(each.affected for each in applied), tuple(each.skipped for each in applied))
