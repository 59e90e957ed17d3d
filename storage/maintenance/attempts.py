"""Counts how often work failed, and says when it may be tried again. Requires everywhere: the lock of the jobs."""

import time
from dataclasses import dataclass

from storage.schema import DenseSpace, PartitionFile
from storage.segments import Work

MAX_ATTEMPTS = 3
RETRY_SECONDS = 1.0
FULL_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class WorkKey:
    """Work on a collection (by uid) under the current settings and partition. Attempts are counted by it."""

    collection_uid: str
    work: Work
    space: DenseSpace
    partition: PartitionFile | None


@dataclass(frozen=True, slots=True)
class _Failures:
    """How many failures there were, and when (monotonic seconds) the next attempt may begin."""

    count: int = 0
    not_before: float = 0.0

    @property
    def given_up(self) -> bool:
        return self.count >= MAX_ATTEMPTS


class Attempts:
    """Work that failed or was cancelled and is not forgiven."""

    def __init__(self) -> None:
        self._failures: dict[WorkKey, _Failures] = {}

    def __bool__(self) -> bool:
        return bool(self._failures)

    def may_begin(self, key: WorkKey) -> bool:
        """Whether work may be tried now."""
        failures = self._failures.get(key, _Failures())
        return not failures.given_up and time.monotonic() >= failures.not_before

    def is_given_up(self, key: WorkKey) -> bool:
        return self._failures.get(key, _Failures()).given_up

    def are_left(self, collection_uid: str) -> bool:
        """Whether failed work of a collection will be tried again."""
        return any(
            not failures.given_up for key, failures in self._failures.items() if key.collection_uid == collection_uid
        )

    def given_up_blocks(self, collection_uid: str) -> set[tuple[int, int]]:
        """The blocks of work that was given up, as (uid of the space, uid of the block)."""
        return {
            (key.work.space_uid, block)
            for key, failures in self._failures.items()
            if key.collection_uid == collection_uid and failures.given_up
            for block in key.work.blocks
        }

    def fail(self, key: WorkKey, *, for_room: bool) -> int:
        """Counts a failure; returns how many there were. A failure for lack of room does not count: it is always tried
        again."""
        count = self._failures.get(key, _Failures()).count + (not for_room)
        wait = FULL_RETRY_SECONDS if for_room else RETRY_SECONDS
        self._failures[key] = _Failures(count, time.monotonic() + wait)
        return count

    def give_up(self, key: WorkKey) -> None:
        self._failures[key] = _Failures(MAX_ATTEMPTS)

    def succeed(self, key: WorkKey) -> None:
        self._failures.pop(key, None)

    def forgive(self, collection_uid: str) -> None:
        """Forgets all failures of work on a collection."""
        self._failures = {key: known for key, known in self._failures.items() if key.collection_uid != collection_uid}
