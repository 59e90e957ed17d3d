"""A collection: snapshots to read, and a writer to write. Its files are opened by its first use."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

from storage.budget import UNLIMITED, Budget
from storage.collection.background_work import BackgroundWork
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
        return self._files.hold(budget)

    def hold_if_open(self) -> Hold | None:
        """Keeps its files open if they are; None otherwise. Waits for nothing."""
        return self._files.hold_if_open()

    def hold_again(self) -> Hold:
        """Keeps its files open for longer than a hold that there is. Requires: such a hold."""
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

        The future completes once the commit is durable and visible, or fails and then nothing was written. Cancelling
        it works until the write is taken up. `unattended`: what a write is called that nobody waits
        for; if it fails, that is counted and logged. Raises TooManyWrites, CollectionClosed or StorageFailed.
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

    def spaces(self) -> Mapping[str, SpaceView]:
        """The spaces as of the newest commit, by name. Raises CollectionClosed."""
        with self.hold():
            return self._files.core.view.spaces

    def close(self) -> None:
        """Commits what waits, waits for snapshots in use, and closes all files for good."""
        self._files.close(lambda: self._forget(self))


def _write_result(seq: int, applied: Sequence[Applied]) -> WriteResult:
    return WriteResult(seq, tuple(each.affected for each in applied), tuple(each.skipped for each in applied))
