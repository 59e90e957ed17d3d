"""A managed index at work: a thread that embeds the texts of one property and follows every change of them.

The thread goes through the points once, in the order of their slots. When commits change points, it looks at those
again. It saves its progress in the collection from time to time. After a restart it repeats work that was not saved.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from server.embedders import Embedders, Role, check_row
from server.errors import EmbedderNotConfigured
from server.indexes.progress import Progress
from server.indexes.texts import POINTS_PER_CHUNK, Chunk, chunk_from, chunk_of, digest
from server.indexes.vector_writes import delete_vectors, set_vectors, write
from storage.budget import Budget
from storage.collection import Collection
from storage.errors import Cancelled, CollectionClosed, EngineError, ShuttingDown
from storage.mvcc import Snapshot
from storage.schema import DenseSpace
from storage.write import Operation

MAX_FAILURES = 3
"""After so many failures in a row, an index is in ERROR."""
FIRST_WAIT_SECONDS = 0.5
"""The wait after the first failure. Each further wait is twice as long."""
NOTE_SECONDS = 1.0
"""How often progress is saved when less than a chunk was done."""
POLL_SECONDS = 0.5
"""How long it may take until the thread notices that a collection was closed."""

log = logging.getLogger(__name__)

Slots = NDArray[np.uint32]


class ManagedIndex:
    """The index in the space `space_uid` of `collection`. `run` needs a thread of its own."""

    def __init__(self, collection: Collection, space_uid: int, embedders: Embedders) -> None:
        self.collection = collection
        self.space_uid = space_uid
        self.error = ""
        """Why the index gave up; empty while it works."""
        self.began = False
        """Whether the thread has read points at least once."""
        self._embedders = embedders
        self._progress = Progress()
        self._embedder: str | None = None
        self._changed = threading.Condition()
        self._woken = self._rearmed = self._stopping = self._idle = False
        self._unnoted = 0
        self._noted_at = 0.0

    def run(self) -> None:
        """Works until `stop`, or until the index or its collection is gone.

        While it waits for changes, it does not keep the collection open.
        """
        failures = 0
        while not self._ended():
            try:
                with self.collection.hold():  # until the work is saved, else it would be repeated
                    more = self._round()
                    failures = 0
                    if not more and self._unnoted:
                        self._rest()
                        continue
                if not more:
                    self._rest()
            except (CollectionClosed, ShuttingDown, Cancelled, _Gone):
                break
            except Exception as error:
                failures += 1
                self._failed(error, failures)
                if self._rearmed:
                    failures, self._rearmed = 0, False
        if self._unnoted and not self.collection.closed and not len(self._progress.stale):
            self._note()

    def wake(self) -> None:
        """Tells the thread that there may be work."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def rearm(self) -> None:
        """Lets the thread try again after it gave up."""
        with self._changed:
            self._rearmed, self.error = True, ""
            self._changed.notify_all()

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping

    def stop(self) -> None:
        """Ends `run` soon."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def stale(self, snapshot: Snapshot) -> Slots:
        """Slots of points that changed after the thread looked at them: uint32, ascending."""
        return self._progress.stale_at(snapshot)

    def is_up_to_date(self, snapshot: Snapshot) -> bool:
        """Whether the thread has looked at all that the snapshot sees."""
        return self._idle and self._progress.has_seen(snapshot)

    def _round(self) -> bool:
        """Looks at up to POINTS_PER_CHUNK points. Returns whether there are more."""
        progress = self._progress
        with self.collection.snapshot() as snapshot:
            name, space = self._space(snapshot)
            assert space.policy is not None
            self._idle = False
            progress.take_changes(snapshot)
            again = progress.stale[:POINTS_PER_CHUNK]
            if len(again):
                chunk = chunk_of(snapshot, space.policy.property, again)
            else:
                chunk = chunk_from(snapshot, space.policy.property, progress.next_slot)
            self.began = True
            operations, digests = self._operations(snapshot, name, space, chunk)
        if write(self.collection, operations):
            progress.remember(digests)
        self._unnoted += len(chunk.records)
        if len(again):
            progress.stale = progress.stale[len(again) :]
        elif chunk.records:
            progress.next_slot = chunk.records[-1].slot + 1
        more = len(again) > 0 or len(chunk.records) == POINTS_PER_CHUNK
        if not len(progress.stale) and self._unnoted >= POINTS_PER_CHUNK:
            self._note()
        self._idle = not more
        return more

    def _space(self, snapshot: Snapshot) -> tuple[str, DenseSpace]:
        """The space and its name. If the embedder was changed, all texts are embedded again.

        Raises _Gone, EmbedderNotConfigured.
        """
        found = [each for each in snapshot.schema.dense.items() if each[1].uid == self.space_uid]
        if not found:
            raise _Gone()
        [(name, space)] = found
        assert space.policy is not None
        if space.embedder is None:
            raise EmbedderNotConfigured(f"the space {name!r} has no embedder any more")
        if space.embedder != self._embedder:
            self._embedder = space.embedder
            self._progress.restart(space.policy.seq, space.policy.next_slot)
        return name, space

    def _operations(
        self, snapshot: Snapshot, name: str, space: DenseSpace, chunk: Chunk
    ) -> tuple[list[Operation], dict[int, int]]:
        """What to write, and the digests (by slot) of the texts whose vectors are right after the write."""
        slots = np.array([record.slot for record in chunk.records], np.uint32)
        present, stored = snapshot.vectors(name, slots)
        digests = {int(slot): digest(text) for slot, text in zip(slots, chunk.texts, strict=True) if text is not None}
        wanted = [
            number
            for number, (slot, text) in enumerate(zip(slots.tolist(), chunk.texts, strict=True))
            if text is not None and not (present[number] and self._progress.digest_of(slot) == digests[slot])
        ]
        rows = self._embed([chunk.texts[number] or "" for number in wanted], snapshot, name, space)
        new = [
            (chunk.records[number], row)
            for number, row in zip(wanted, rows, strict=True)
            if not (present[number] and np.array_equal(stored[number], row))
        ]
        gone = [
            record
            for number, (record, text) in enumerate(zip(chunk.records, chunk.texts, strict=True))
            if text is None and present[number]
        ]
        operations: list[Operation] = []
        if new:
            operations.append(set_vectors([record for record, _ in new], [row for _, row in new], name))
        if gone:
            operations.append(delete_vectors(gone, name))
        return operations, digests

    def _embed(
        self, texts: Sequence[str], snapshot: Snapshot, name: str, space: DenseSpace
    ) -> list[NDArray[np.float32]]:
        """A vector for each text: float32, of the space's dimension. Raises what embedders raise."""
        if not texts:
            return []
        assert space.embedder is not None
        budget = Budget(None, lambda: self._stopping or self.collection.closed)
        rows = self._embedders.get(space.embedder).embed(texts, Role.DOCUMENT, budget)
        for row in rows:
            check_row(row, snapshot.schema, name, space.embedder)
        return rows

    def _note(self) -> None:
        """Saves durably how far the thread is. Requires: no slot is stale."""
        assert self._embedder is not None
        progress = self._progress
        self.collection.unseen.set_index_progress(self.space_uid, self._embedder, progress.seq, progress.next_slot)
        self._unnoted, self._noted_at = 0, time.monotonic()

    def _rest(self) -> None:
        """Waits until it is woken. Saves its progress if that is due."""
        due = self._noted_at + NOTE_SECONDS - time.monotonic() if self._unnoted else None
        if due is None or due > 0:
            self._wait_for(lambda: self._woken, due)
        self._woken = False
        if self._unnoted and time.monotonic() >= self._noted_at + NOTE_SECONDS:
            self._note()

    def _failed(self, error: Exception, failures: int) -> None:
        """Waits before the next attempt.

        After MAX_FAILURES it waits until `rearm` is called or the embedder changes.
        """
        message = error.message if isinstance(error, EngineError) else f"{type(error).__name__}: {error}"
        if not isinstance(error, EngineError):
            log.error("an index of %r failed", self.collection.name, exc_info=error)
        if failures < MAX_FAILURES and not isinstance(error, EmbedderNotConfigured):
            self._wait_for(lambda: self._rearmed, FIRST_WAIT_SECONDS * 2 ** (failures - 1))
            return
        log.warning("an index of %r gives up: %s", self.collection.name, message)
        self.error = message
        tried = _settings(self.collection, self.space_uid)
        self._wait_for(lambda: self._rearmed or _settings(self.collection, self.space_uid) != tried, None)
        self.error, self._rearmed = "", True

    def _wait_for(self, condition: Callable[[], bool], seconds: float | None) -> None:
        """Waits until the condition holds or the index is to end, at most `seconds`. None: without limit."""
        end = None if seconds is None else time.monotonic() + seconds
        with self._changed:
            while not condition() and not self._ended():
                left = POLL_SECONDS if end is None else min(POLL_SECONDS, end - time.monotonic())
                if left <= 0:
                    return
                self._changed.wait(left)

    def _ended(self) -> bool:
        return self._stopping or self.collection.closed


class _Gone(Exception):
    """The index was deleted."""


def _settings(collection: Collection, space_uid: int) -> tuple[str, str | None] | None:
    """The name and the embedder of the space; None if the space is gone."""
    for name, space in collection.schema.dense.items():
        if space.uid == space_uid:
            return name, space.embedder
    return None
