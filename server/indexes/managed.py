"""A managed index at work: a thread that embeds the texts of one property and follows every change of them.

It goes through the points in the order of their slots, once, and looks at those again that commits change. A vector is
written on the condition that its point is as it was when its text was read, so it never goes to another text. What it
has noted in the collection may lag behind what it did: after a restart the rest is looked at again.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from planner.predicate import first_key, parse_path, values_at
from server.embedders import MAX_TEXT_BYTES, Embedders, Role, check_row
from server.errors import EmbedderNotConfigured
from storage.budget import UNLIMITED, Budget
from storage.collection import Collection, wait_for
from storage.errors import Cancelled, CollectionClosed, EngineError, PointNotFound, ShuttingDown
from storage.mvcc import Snapshot
from storage.schema import DenseSpace
from storage.tables import PointRecord, Reader
from storage.write import BySlots, DeleteVectors, Operation, SpaceVectors, StoredCondition, UpdateVectors

CHUNK = 256
"""Points that are embedded and written together."""
MAX_FAILURES = 3
"""Failures in a row after which an index is in ERROR."""
FIRST_WAIT_SECONDS = 0.5
NOTE_SECONDS = 1.0
"""How often progress is noted while there is little of it."""
POLL_SECONDS = 0.5  # how soon it is noticed that a collection was closed

log = logging.getLogger(__name__)

Slots = NDArray[np.uint32]
_NO_SLOTS: Slots = np.empty(0, np.uint32)


@dataclass(slots=True)
class _Chunk:
    """Points to look at, with their texts (None: none that could be embedded)."""

    records: list[PointRecord] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)


class ManagedIndex:
    """The index in the space `space_uid` of `collection`. `run` is for a thread of its own."""

    def __init__(self, collection: Collection, space_uid: int, embedders: Embedders) -> None:
        self.collection = collection
        self.space_uid = space_uid
        self.error = ""
        """Why it gave up; empty while it has not."""
        self._embedders = embedders
        self._changed = threading.Condition()
        self._woken = self._rearmed = self._stopping = False
        self._embedder: str | None = None
        self._seen = self._next_slot = 0
        self._dirty: Slots = _NO_SLOTS
        self._digests = np.zeros(0, np.uint64)
        self._unnoted = 0
        self._noted_at = 0.0
        self.began = self._idle = False

    def run(self) -> None:
        """Works until `stop`, or until the index or its collection is gone. At rest it does not keep the collection
        open."""
        failures = 0
        while not self._ended():
            try:
                with self.collection.hold():  # also until what was done is noted: it would be done again
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
        if self._unnoted and not self.collection.closed and not len(self._dirty):
            self._note()

    def wake(self) -> None:
        """There may be something to do."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def rearm(self) -> None:
        """Lets it try again after it gave up."""
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
        """Slots of points that it has not looked at since they changed."""
        changed = snapshot.changed_since(self._seen)
        return np.union1d(self._dirty, _NO_SLOTS if changed is None else changed).astype(np.uint32)

    def is_up_to_date(self, snapshot: Snapshot) -> bool:
        """Whether it has looked at all that the snapshot sees."""
        changed = snapshot.changed_since(self._seen)
        return self._idle and changed is not None and not len(changed)

    # One round

    def _round(self) -> bool:
        """Looks at up to CHUNK points. Whether there are more."""
        with self.collection.snapshot() as snapshot:
            name, space = self._space(snapshot)
            self._idle = False
            self._take_changes(snapshot)
            was_dirty = len(self._dirty) > 0
            chunk, rest = self._next_chunk(snapshot, space)
            self.began = True
            operations, digests = self._operations(snapshot, name, space, chunk)
        if self._write(operations):
            self._remember(digests)
        self._unnoted += len(chunk.records)
        rest()
        more = was_dirty or len(chunk.records) == CHUNK
        if not len(self._dirty) and self._unnoted >= CHUNK:
            self._note()
        self._idle = not more
        return more

    def _space(self, snapshot: Snapshot) -> tuple[str, DenseSpace]:
        """The space; where to begin when its embedder is another than before. Raises _Gone."""
        found = [each for each in snapshot.schema.dense.items() if each[1].uid == self.space_uid]
        if not found:
            raise _Gone()
        [(name, space)] = found
        assert space.policy is not None
        if space.embedder is None:
            raise EmbedderNotConfigured(f"the space {name!r} has no embedder any more")
        if space.embedder != self._embedder:
            self._embedder = space.embedder
            self._seen, self._next_slot = space.policy.seq, space.policy.next_slot
            self._dirty, self._digests = _NO_SLOTS, np.zeros(0, np.uint64)
        return name, space

    def _take_changes(self, snapshot: Snapshot) -> None:
        """Adds what changed since the last round, among the points that were looked at, to what is dirty."""
        changed = snapshot.changed_since(self._seen)
        if changed is None:  # after a restart: the points themselves know
            below = snapshot.all_slots()
            below = below[below < self._next_slot]
            newer = [record.slot for record in snapshot.existing(below) if record.version > self._seen]
            changed = np.array(newer, np.uint32)
        self._dirty = np.union1d(self._dirty, changed[changed < self._next_slot]).astype(np.uint32)
        self._seen = snapshot.seq

    def _next_chunk(self, snapshot: Snapshot, space: DenseSpace) -> tuple[_Chunk, Callable[[], None]]:
        """Dirty points, or else the next ones, and what to do once they are dealt with."""
        assert space.policy is not None
        path, chunk = space.policy.property, _Chunk()
        steps, key = parse_path(path), first_key(path)
        if len(self._dirty):
            taken = self._dirty[:CHUNK]
            for record in snapshot.existing(taken):
                chunk.records.append(record)
                chunk.texts.append(text_of(values_at(snapshot.codec.decode(record.payload, {key}), steps)))

            def clean() -> None:
                self._dirty = self._dirty[len(taken) :]

            return chunk, clean
        last = self._next_slot - 1
        for slot, payload in islice(snapshot.payloads({key}, start=self._next_slot), CHUNK):
            chunk.records.append(snapshot.record(slot))
            chunk.texts.append(text_of(values_at(payload, steps)))
            last = slot

        def advance() -> None:
            self._next_slot = last + 1

        return chunk, advance

    def _operations(
        self, snapshot: Snapshot, name: str, space: DenseSpace, chunk: _Chunk
    ) -> tuple[list[Operation], dict[int, int]]:
        """What to write, and the digests of the texts whose vectors are right once it is written."""
        slots = np.array([record.slot for record in chunk.records], np.uint32)
        present, stored = snapshot.vectors(name, slots)
        digests = {int(slot): _digest(text) for slot, text in zip(slots, chunk.texts, strict=True) if text is not None}
        wanted = [
            number
            for number, (slot, text) in enumerate(zip(slots.tolist(), chunk.texts, strict=True))
            if text is not None and not (present[number] and self._digest_of(slot) == digests[slot])
        ]
        rows = self._embed([chunk.texts[number] or "" for number in wanted], snapshot, name, space)
        new = [
            (number, row)
            for number, row in zip(wanted, rows, strict=True)
            if not (present[number] and np.array_equal(stored[number], row))
        ]
        gone = [number for number, text in enumerate(chunk.texts) if text is None and present[number]]
        versions = {record.slot: record.version for record in chunk.records}
        operations: list[Operation] = []
        if new:
            operations.append(
                UpdateVectors(
                    ids=tuple(chunk.records[number].id for number, _ in new),
                    vectors={name: SpaceVectors(np.arange(len(new)), np.stack([row for _, row in new]))},
                    condition=StoredCondition(holds=lambda reader, slots: _unchanged(reader, slots, versions)),
                )
            )
        if gone:
            operations.append(DeleteVectors(selector=_still(slots[gone], versions), spaces=(name,)))
        return operations, digests

    def _embed(
        self, texts: Sequence[str], snapshot: Snapshot, name: str, space: DenseSpace
    ) -> list[NDArray[np.float32]]:
        if not texts:
            return []
        assert space.embedder is not None
        budget = Budget(None, lambda: self._stopping or self.collection.closed)
        rows = self._embedders.get(space.embedder).embed(texts, Role.DOCUMENT, budget)
        for row in rows:
            check_row(row, snapshot.schema, name, space.embedder)
        return rows

    def _write(self, operations: list[Operation]) -> bool:
        """Whether all of it was applied. What changed meanwhile is left, and will be dirty."""
        if not operations:
            return True
        try:
            result = wait_for(self.collection.write(operations), UNLIMITED)
        except PointNotFound as error:
            kept = [_without(operation, set(error.ids)) for operation in operations]
            self._write([operation for operation in kept if operation is not None])
            return False
        return not any(result.skipped)

    # What it remembers

    def _digest_of(self, slot: int) -> int:
        return int(self._digests[slot]) if slot < len(self._digests) else 0

    def _remember(self, digests: dict[int, int]) -> None:
        if digests and max(digests) >= len(self._digests):
            grown = np.zeros(2 * max(digests) + CHUNK, np.uint64)
            grown[: len(self._digests)] = self._digests
            self._digests = grown
        self._digests[list(digests)] = list(digests.values())

    def _note(self) -> None:
        """Notes how far it is, durably. Requires: nothing is dirty."""
        assert self._embedder is not None
        self.collection.set_index_progress(self.space_uid, self._embedder, self._seen, self._next_slot)
        self._unnoted, self._noted_at = 0, time.monotonic()

    # Waiting

    def _rest(self) -> None:
        """Waits until it is woken; meanwhile notes what it did."""
        due = self._noted_at + NOTE_SECONDS - time.monotonic() if self._unnoted else None
        if due is None or due > 0:
            self._wait_for(lambda: self._woken, due)
        self._woken = False
        if self._unnoted and time.monotonic() >= self._noted_at + NOTE_SECONDS:
            self._note()

    def _failed(self, error: Exception, failures: int) -> None:
        """Waits before the next attempt, or after too many until it is rearmed or has another embedder."""
        message = error.message if isinstance(error, EngineError) else f"{type(error).__name__}: {error}"
        if not isinstance(error, EngineError):
            log.error("an index of %r failed", self.collection.name, exc_info=error)
        if failures < MAX_FAILURES and not isinstance(error, EmbedderNotConfigured):
            self._wait_for(lambda: self._rearmed, FIRST_WAIT_SECONDS * 2 ** (failures - 1))
            return
        log.warning("an index of %r gives up: %s", self.collection.name, message)
        self.error = message
        tried = self._settings()
        self._wait_for(lambda: self._rearmed or self._settings() != tried, None)
        self.error, self._rearmed = "", True

    def _settings(self) -> tuple[str, str | None] | None:
        """The name and the embedder of the space; None when it is gone."""
        for name, space in self.collection.schema.dense.items():
            if space.uid == self.space_uid:
                return name, space.embedder
        return None

    def _wait_for(self, condition: Callable[[], bool], seconds: float | None) -> None:
        """Waits until the condition holds or it is to end, at most so long."""
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


def text_of(values: Sequence[object]) -> str | None:
    """What is embedded of the values of a property: its strings, and those in its arrays, joined by spaces, at most
    MAX_TEXT_BYTES of them; None when there is nothing but white space."""
    parts = [part for value in values for part in (value if isinstance(value, list) else [value])]
    text = " ".join(part for part in parts if isinstance(part, str)).strip()
    if len(text) > MAX_TEXT_BYTES // 4:
        text = text.encode()[:MAX_TEXT_BYTES].decode(errors="ignore")
    return text or None


def _digest(text: str) -> int:
    """Never 0, which stands for none."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) | 1


def _unchanged(reader: Reader, slots: Slots, versions: dict[int, int]) -> NDArray[np.bool_]:
    found = [reader.record(slot).version == versions.get(slot) for slot in slots.tolist()]
    return np.array(found, np.bool_)


def _still(slots: Slots, versions: dict[int, int]) -> BySlots:
    """Selects those of the slots whose points are as they were."""

    def select(reader: Reader) -> Slots:
        kept = [record.slot for record in reader.existing(slots) if record.version == versions[record.slot]]
        return np.array(kept, np.uint32)

    return BySlots(select)


def _without(operation: Operation, ids: set[int | str]) -> Operation | None:
    """The operation without the points of these ids; None when nothing is left."""
    if not isinstance(operation, UpdateVectors):
        return operation
    kept = [number for number, point_id in enumerate(operation.ids) if point_id not in ids]
    if not kept:
        return None
    vectors = {name: SpaceVectors(np.arange(len(kept)), each.matrix[kept]) for name, each in operation.vectors.items()}
    return UpdateVectors(
        ids=tuple(operation.ids[number] for number in kept), vectors=vectors, condition=operation.condition
    )
