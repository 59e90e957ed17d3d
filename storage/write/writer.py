"""The one writer of a collection: takes waiting writes and commits them together, in one thread at a time.

Writes that arrive while a commit is being synced share the next one. Each write is all or nothing by itself: a failed
one is undone, and the others of its commit stay. All collections share the threads and take turns. A turn is one
commit, begun and ended in one thread, as LMDB requires.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import lmdb

from storage.errors import EngineError, ShuttingDown, StorageFailed, StorageFull, TooManyWrites
from storage.files import check_room, failure
from storage.mvcc import CollectionState
from storage.tables import age_pages, write_failure
from storage.write.transaction import Transaction
from storage.write.write_threads import WriteThreads

log = logging.getLogger(__name__)

MAX_GROUP_BYTES = 64 * 2**20
MAX_GROUP_WRITES = 256


@dataclass(slots=True, eq=False)
class Unit:
    """A write that waits. `apply` works on a transaction and returns a function that makes the result from the
    sequence.

    `alone`: it changes the structure (spaces, blocks, settings), so it shares its commit with no other write.
    `unseen`: it changes nothing that users see, so the commit sequence stays. Requires: `alone`.
    `frees`: it only frees room, so it may use the reserves when there is no other room.
    `apply` None: a barrier. It is done when all writes before it are; then `finish` runs in the writer's thread.
    """

    apply: Callable[[Transaction], Any] | None
    finish: Callable[[int, Any], Any]
    size: int = 0
    alone: bool = False
    unseen: bool = False
    frees: bool = False
    future: Future[Any] = field(default_factory=Future)


class Writer:
    """Takes its turns on `threads`. `committed` is called after each commit, from the thread of the turn."""

    def __init__(
        self,
        core: CollectionState,
        threads: WriteThreads,
        *,
        max_writes: int,
        max_bytes: int,
        committed: Callable[[], None],
    ) -> None:
        self._core = core
        self._threads = threads
        self._max_writes = max_writes
        self._max_bytes = max_bytes
        self._committed = committed
        self._waiting: deque[Unit] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._has_turn = False
        """Whether a turn was asked for or is running."""
        self._stopping = False
        self._failure: EngineError | None = None

    @property
    def is_busy(self) -> bool:
        """Whether writes wait or are being applied."""
        with self._changed:
            return self._has_turn

    @property
    def waiting(self) -> int:
        """The number of writes that wait, without those that are being applied."""
        return len(self._waiting)

    @property
    def failure(self) -> EngineError | None:
        """The error that stopped the writer for good; None while it works."""
        return self._failure

    def submit(self, unit: Unit) -> "Future[Any]":
        """Queues a write. Raises TooManyWrites, ShuttingDown, or the StorageFailed that stopped the writer."""
        with self._changed:
            if self._failure is not None:
                raise self._failure
            if self._stopping:
                raise ShuttingDown("the collection is being closed")
            # Barriers and changes of structure are few, and a graph that took minutes to build must not be refused.
            bounded = unit.apply is not None and not unit.alone
            too_many = len(self._waiting) >= self._max_writes
            if bounded and (too_many or (self._waiting and self._waiting_bytes + unit.size > self._max_bytes)):
                raise TooManyWrites(
                    f"{len(self._waiting):,} writes of {self._waiting_bytes:,} bytes are waiting; try again"
                )
            if not self._has_turn:
                self._threads.ask(self._turn)
                self._has_turn = True
            self._waiting.append(unit)
            self._waiting_bytes += unit.size
        return unit.future

    def stop(self) -> None:
        """Accepts no more writes, and returns once all waiting ones are committed."""
        with self._changed:
            self._stopping = True
            while self._has_turn:
                self._changed.wait()

    def _turn(self) -> None:
        """Commits the waiting writes that share a commit, then asks for the next turn if more wait."""
        with self._changed:
            group = self._take_group()
        running = [unit for unit in group if unit.future.set_running_or_notify_cancel()]
        if running:
            try:
                self._commit_or_fail(running)
            except Exception as error:  # callers must not wait for ever, and other writers need the thread
                self._fail([unit for unit in running if not unit.future.done()], self._meaning_of(error))
            self._tell_committed()
        with self._changed:
            if self._waiting:
                self._threads.ask(self._turn)
            else:
                self._has_turn = False
                self._changed.notify_all()

    def _tell_committed(self) -> None:
        try:
            self._committed()
        except Exception:  # other writers need the thread
            log.exception("a follower of the commits of %s failed", self._core.uid)

    def _take_group(self) -> list[Unit]:
        """The next writes that share a commit. Requires: the lock."""
        group: list[Unit] = []
        taken = 0
        while self._waiting and len(group) < MAX_GROUP_WRITES:
            unit = self._waiting[0]
            if group and (unit.alone or group[0].alone or taken + unit.size > MAX_GROUP_BYTES):
                break
            group.append(self._waiting.popleft())
            taken += unit.size
        self._waiting_bytes -= taken
        return group

    def _commit_or_fail(self, group: list[Unit]) -> None:
        if self._failure is not None:
            for unit in group:
                unit.future.set_exception(self._failure)
            return
        try:
            self._commit(group)
        except Exception as error:
            meaning = self._meaning_of(error)
            if isinstance(meaning, StorageFull):
                self._retry_singly(group, meaning)
            else:
                self._fail(group, meaning)

    def _meaning_of(self, error: Exception) -> EngineError:
        """The EngineError for an error with which a commit failed."""
        match error:
            case EngineError():
                return error
            case lmdb.Error():
                return write_failure(error, self._core.path / "lmdb")
            case OSError():
                return failure(error, f"writing {self._core.path}")
            case _:
                log.error("a commit failed", exc_info=error)
                return StorageFailed(f"{self._core.path}: {error}")

    def _retry_singly(self, group: list[Unit], error: EngineError) -> None:
        """Commits each write alone: a large write that does not fit must not make small ones fail."""
        self._core.refused_for_room = True
        if len(group) > 1:
            for unit in group:
                self._commit_or_fail([unit])
        elif group[0].frees:
            self._commit_from_reserve(group[0])
        else:
            group[0].future.set_exception(error)

    def _commit_from_reserve(self, unit: Unit) -> None:
        """Commits a write that found no room with the room of the reserve."""
        for whole in (False, True):
            with self._core.disk_reserve.lent(whole=whole):
                try:
                    age_pages(self._core.env, self._core.tables)
                    return self._commit([unit])
                except Exception as error:
                    meaning = self._meaning_of(error)
                    if whole or not isinstance(meaning, StorageFull):
                        return self._fail([unit], meaning)

    def _fail(self, group: list[Unit], error: EngineError) -> None:
        """Stops the writer: the state on disk is unknown until the collection is opened again."""
        self._core.commit_counts.fail()
        if isinstance(error, StorageFailed):
            self._failure = error
        for unit in group:
            unit.future.set_exception(error)

    def _commit(self, group: list[Unit]) -> None:
        self._core.identity.check()
        if all(unit.apply is None for unit in group):
            for unit in group:
                unit.future.set_result(unit.finish(self._core.view.state.seq, None))
            return
        started = time.perf_counter()
        transaction = Transaction(self._core, unseen=group[0].unseen)
        try:
            outcomes = [self._apply(transaction, unit, nested=len(group) > 1) for unit in group]
        except BaseException:
            transaction.abort()
            raise
        if all(isinstance(outcome, Exception) for outcome in outcomes):
            transaction.abort()
            seq = self._core.view.state.seq
        else:
            if not all(unit.frees or unit.apply is None for unit in group):
                self._check_room(transaction)
            seq = transaction.commit().state.seq
            self._core.identity.check()  # a commit to a removed file is not durable
            self._core.freed_room |= any(unit.frees and not unit.alone for unit in group)
            seconds = time.perf_counter() - started
            self._core.commit_counts.add(len(group), seconds=seconds, sync_seconds=transaction.sync_seconds)
        for unit, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, Exception):
                unit.future.set_exception(outcome)
            else:
                unit.future.set_result(unit.finish(seq, outcome))

    def _check_room(self, transaction: Transaction) -> None:
        """Raises StorageFull when the room that is left is reserved for writes that free some."""
        core = self._core
        try:
            check_room(core.env, transaction.txn, core.tables_in_use(), map_size=core.map_size, disk=core.disk_reserve)
        except BaseException:
            transaction.abort()
            raise

    def _apply(self, transaction: Transaction, unit: Unit, *, nested: bool) -> Any:
        """The outcome of a unit, or the error for which it was undone. Errors of LMDB fail the whole commit, so they
        are raised."""
        if unit.apply is None:
            return None
        savepoint = transaction.begin_nested() if nested else None
        try:
            outcome = unit.apply(transaction)
        except Exception as error:
            if savepoint is not None:
                transaction.abort_nested(savepoint)
            if isinstance(error, lmdb.Error | StorageFull):
                raise
            return self._meaning_of(error) if isinstance(error, OSError) else error
        if savepoint is not None:
            transaction.end_nested()
        return outcome
