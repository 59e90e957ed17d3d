"""How many points an index covers, and the status that follows from these numbers."""

import time
from dataclasses import dataclass

from headwater.v1 import indexes_pb2 as wire
from planner.analyze import Coverage, Matching, coverage, has_property, has_text, matching_at
from server.indexes.resolve import Index
from server.indexes.workers import IndexWorkers
from storage.bounded_cache import BoundedCache
from storage.budget import UNLIMITED, Budget
from storage.errors import SpaceNotFound
from storage.files import told
from storage.mvcc import Snapshot
from storage.schema import IndexSource, ReadyPolicy

MIN_INTERVAL_FACTOR = 20
"""Counts in answers to searches are made again only after so many times the time that counting took."""
MAX_REMEMBERED = 256
"""Indexes whose counts are kept, with 4 bytes for each of their points."""


@dataclass(frozen=True, slots=True)
class _Counted:
    coverage: Coverage
    seconds: float
    at: float


class IndexCounts:
    """Counts and statuses of indexes. Safe for many threads."""

    def __init__(self, workers: IndexWorkers) -> None:
        self._workers = workers
        self._counted: BoundedCache[str, _Counted] = BoundedCache(MAX_REMEMBERED)
        self._matching: BoundedCache[str, Matching] = BoundedCache(MAX_REMEMBERED)

    def exact(self, index: Index, budget: Budget = UNLIMITED) -> Coverage:
        """The counts as of the newest commit."""
        with index.collection.snapshot() as snapshot:
            return self._count(index, snapshot, budget)

    def recent(self, index: Index, budget: Budget) -> Coverage:
        """The counts at a recent commit. A search does not count again after every write."""
        now = time.monotonic()
        known = self._counted.get(index.id)
        if known is not None:
            current = known.coverage.seq == index.collection.seq and index.policy.source is IndexSource.EXTERNAL
            if current or now - known.at < MIN_INTERVAL_FACTOR * known.seconds:
                return known.coverage
        counted = self.exact(index, budget)
        done = time.monotonic()
        self._counted.put(index.id, _Counted(counted, done - now, done))
        return counted

    def status(self, index: Index, budget: Budget = UNLIMITED) -> tuple[wire.IndexStatus, str]:
        """The status, and for ERROR the reason; else an empty string."""
        if index.policy.source is IndexSource.MANAGED:
            return self._managed_status(index)
        with index.collection.snapshot() as snapshot:
            _check_there(index, snapshot)
            ready = len(snapshot.slots_with_vector(index.space)) > 0
            if ready and index.policy.ready is ReadyPolicy.FULL_COVERAGE:
                ready = self._count(index, snapshot, budget).pending == 0
        return (wire.INDEX_STATUS_READY if ready else wire.INDEX_STATUS_AWAITING_VECTORS), ""

    def _managed_status(self, index: Index) -> tuple[wire.IndexStatus, str]:
        managed = self._workers.of(index)
        if managed is None or not managed.began:
            error = "" if managed is None else managed.error
            return (wire.INDEX_STATUS_ERROR, told(error)) if error else (wire.INDEX_STATUS_PENDING, "")
        if managed.error:
            return wire.INDEX_STATUS_ERROR, told(managed.error)
        with index.collection.snapshot() as snapshot:
            up_to_date = managed.is_up_to_date(snapshot)
        return (wire.INDEX_STATUS_READY if up_to_date else wire.INDEX_STATUS_INDEXING), ""

    def _count(self, index: Index, snapshot: Snapshot, budget: Budget) -> Coverage:
        _check_there(index, snapshot)
        path = index.policy.property
        external = index.policy.source is IndexSource.EXTERNAL
        before = self._matching.get(index.id)
        filter = has_property(path) if external else has_text(path)
        matching = matching_at(snapshot, filter, before, budget)
        if before is None or matching.seq > before.seq:
            self._matching.put(index.id, matching)
        if external:
            return coverage(snapshot, index.space, matching.slots)
        managed = self._workers.of(index)
        stale = matching.slots[:0] if managed is None else managed.stale(snapshot)
        return coverage(snapshot, index.space, matching.slots, stale)


def _check_there(index: Index, snapshot: Snapshot) -> None:
    """Raises SpaceNotFound if the index was deleted after it was looked up."""
    if index.space not in snapshot.schema.dense:
        raise SpaceNotFound(index.space, snapshot.schema.names)
