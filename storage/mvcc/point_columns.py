"""Ids and versions of the points of an open collection, by slot, so that hits need not be looked up in LMDB.

Only ids that are numbers are here. What is not here is read from LMDB, and entered.
"""

import threading

import numpy as np
from numpy.typing import NDArray

from storage.tables import RecordColumns, numbered

_LEAST_ROOM = 1024


class PointColumns:
    """Safe for many threads. Snapshots of any commit may ask.

    A version is that of the newest commit, or 0: unknown. So it is right for a snapshot of an older commit, too, if it
    is not later than that commit: then nothing has changed the point since. Before a commit becomes visible, the
    versions that it changes are made unknown, and from then on no snapshot of an older commit may enter what it read.
    A slot never gets another point, so ids stay.
    """

    def __init__(self) -> None:
        self._arrays = np.zeros(0, np.uint64), np.zeros(0, np.uint64)
        self._since = 0
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return sum(array.nbytes for array in self._arrays)

    def find(self, slots: NDArray[np.uint32], seq: int) -> RecordColumns | None:
        """Ids and versions of points that a snapshot of commit `seq` sees. None: not all of them are known."""
        versions, numbers = self._arrays
        if not len(slots):
            return None
        try:
            found = versions.take(slots)
        except IndexError:
            return None
        if int((found - np.uint64(1)).max()) >= seq:  # the unknown ones are the largest now
            return None
        return numbered(found, numbers.take(slots))

    def begin(self, seq: int, slots: NDArray[np.uint32]) -> None:
        """Commit `seq`, which may become visible from now on, changes the points in these slots."""
        with self._lock:
            versions, _ = self._arrays
            versions[slots[slots < len(versions)]] = 0
            self._since = seq

    def enter(self, slots: NDArray[np.uint32], versions: NDArray[np.uint64], ids: NDArray[np.uint64], seq: int) -> None:
        """What a snapshot of commit `seq` sees, or this commit wrote: versions and ids of points."""
        if not len(slots):
            return
        with self._lock:
            if seq < self._since:
                return
            self._reserve(int(slots.max()) + 1)
            known_versions, known_ids = self._arrays
            known_ids[slots] = ids  # before versions, which tell that the ids are there
            known_versions[slots] = versions

    def learn(self, slots: NDArray[np.uint32], points: RecordColumns, seq: int) -> None:
        """Enters what a snapshot of commit `seq` read in these slots."""
        strings = points.string_places()
        if not strings:
            self.enter(slots, points.versions, points.numbers, seq)
        elif len(strings) < len(points):
            are_numbers = np.ones(len(points), np.bool_)
            are_numbers[strings] = False
            self.enter(slots[are_numbers], points.versions[are_numbers], points.numbers[are_numbers], seq)

    def _reserve(self, count: int) -> None:
        """Makes room for so many slots. Requires: the lock."""
        now = len(self._arrays[0])
        if count > now:
            room = max(count, now + now // 2, _LEAST_ROOM)
            self._arrays = _grown(self._arrays[0], room), _grown(self._arrays[1], room)


def _grown(array: NDArray[np.uint64], count: int) -> NDArray[np.uint64]:
    grown = np.zeros(count, np.uint64)  # the system gives memory for zeros when they are overwritten
    grown[: len(array)] = array
    return grown
