"""Room kept back so that what frees room still works when there is none: on the disk, and in an environment's map.

LMDB never changes a page in place, so even a delete needs new pages first. Ordinary writes stop while the reserve is
whole; deletes, drops and the publishing of vacuums may use it. Who does which, the writer and the catalog know.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import lmdb

from storage.errors import StorageFull
from storage.files.durable import NO_ROOM

MAP_RESERVE_SHARE = 8
"""The map keeps an eighth of its size back, so that a delete may copy that much in one commit."""

MIN_MAP_RESERVE = 2**30
"""Bytes a map keeps back at least, unless it is smaller itself: then as many as it has, enough to copy all of it."""

MAX_DISK_SHARE = 8
"""The disk reserve takes at most an eighth of the file system."""

_PAGE_BYTES = 4096  # bytes: the reserve grows by whole pages
_SPARE = 2**20  # bytes of a map for commits that only make freed pages usable

Result = TypeVar("Result")


def map_reserve(map_size: int) -> int:
    """Bytes that a map has beyond the `map_size` that ordinary writes may fill."""
    return max(map_size // MAP_RESERVE_SHARE, min(map_size, MIN_MAP_RESERVE)) + _SPARE


def mapped_bytes(file: Path, map_size: int) -> int:
    """Bytes to map for the environment in `file`: also one that grew beyond a map that is smaller now has a reserve."""
    found = file.stat().st_size if file.exists() else 0
    reserve = map_reserve(map_size)
    return map_size + reserve if found <= map_size + reserve else found + reserve


class DiskReserve:
    """A file of allocated bytes in the data directory, given up while something frees room, then taken back.

    While it is short the disk counts as full. Deletes get half of it first, since what they take becomes part of LMDB's
    files for good, and vacuums all, since they give back more than they take. Safe to use from many threads.
    """

    def __init__(self, path: Path | None, size: int = 0) -> None:
        """Allocates up to `size` bytes in the file `path`, as far as there is room. `path` None: there is no reserve.

        Raises OSError when the file cannot be opened.
        """
        self._lock = threading.Lock()
        self._held = 0
        self._borrowers = 0
        self._target = 0
        self._handle = -1
        if path is not None:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            found = os.fstatvfs(self._handle)
            self._target = min(size, found.f_blocks * found.f_frsize // MAX_DISK_SHARE) // _PAGE_BYTES * _PAGE_BYTES
            if os.fstat(self._handle).st_size > self._target:
                os.ftruncate(self._handle, self._target)
            self._take()

    @property
    def size(self) -> int:
        """Bytes that it holds when it is whole."""
        return self._target

    @property
    def is_lent(self) -> bool:
        """Whether the room that there seems to be is only lent to someone."""
        return self._borrowers > 0

    def shortfall(self) -> int:
        """Bytes that are missing, after taking back what can be had: 0 while the disk has room."""
        if self._held == self._target:
            return 0
        with self._lock:
            if not self._borrowers:
                self._take()
            return self._target - self._held

    @contextmanager
    def lent(self, *, whole: bool = False) -> Iterator[None]:
        """Gives half of it up while the context lasts, or the `whole` of it, and takes back what is left then."""
        with self._lock:
            self._borrowers += 1
            kept = 0 if whole else min(self._held, self._target // 2 // _PAGE_BYTES * _PAGE_BYTES)
            if kept < self._held:
                with suppress(OSError):  # whoever asked tries with what there is
                    os.ftruncate(self._handle, kept)
                    self._held = kept
                    os.fsync(self._handle)  # some file systems give freed blocks out only after that
        try:
            yield
        finally:
            with self._lock:
                self._borrowers -= 1
                if not self._borrowers:
                    self._take()

    def lend_if_full(self, action: Callable[[], Result]) -> Result:
        """The result of `action`, which is tried once more with the reserve when it raises StorageFull."""
        try:
            return action()
        except StorageFull:
            with self.lent(whole=True):
                return action()

    def close(self) -> None:
        """Keeps the bytes for whoever opens the directory next."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle, self._target, self._held = -1, 0, 0

    def _take(self) -> None:
        """Grows towards the target, by ever smaller steps where there is no room. Requires: the lock."""
        step = self._target - self._held
        while step >= _PAGE_BYTES:
            try:
                os.posix_fallocate(self._handle, self._held, step)
                self._held += step
                step = min(step, self._target - self._held)
            except OSError as error:
                if error.errno not in NO_ROOM:
                    self._target = self._held  # a file system that cannot keep room back
                    return
                os.ftruncate(self._handle, self._held)  # what was allocated of the step
                step = step // 2 // _PAGE_BYTES * _PAGE_BYTES


def check_room(
    env: lmdb.Environment,
    txn: lmdb.Transaction,
    tables: Iterable["lmdb._Database | None"],
    *,
    map_size: int,
    disk: DiskReserve,
) -> None:
    """Raises StorageFull unless `txn`, which frees no room, leaves the reserves to those that do.

    `tables`: all of the environment, None for the main one. What was taken of the disk reserve became pages of some
    file, so while it is short as many pages of this one must stay free.
    """
    used, free = used_and_free(env, txn, tables)
    if used > map_size:
        raise StorageFull(
            f"the space reserved is full: {used:,} bytes of {map_size:,} (the setting map_size); deletes still work"
        )
    if disk.is_lent:
        raise StorageFull("no space left on the device: what is kept back is in use to free some; try again")
    short = disk.shortfall()
    if short and free < short:
        raise StorageFull(
            f"no space left on the device: {short:,} bytes of the reserve of {disk.size:,} are missing; "
            "deletes still work"
        )


def used_and_free(
    env: lmdb.Environment, txn: lmdb.Transaction, tables: Iterable["lmdb._Database | None"]
) -> tuple[int, int]:
    """Bytes of the pages that `txn` leaves in use, and of those that are in the file and are not."""
    page = env.stat()["psize"]
    used = page * sum(_pages(txn, table) for table in (None, *tables))
    return used, max(0, page * (env.info()["last_pgno"] + 1) - used)


def _pages(txn: lmdb.Transaction, table: "lmdb._Database | None") -> int:
    found = txn.stat(table) if table is not None else txn.stat()
    pages: int = found["branch_pages"] + found["leaf_pages"] + found["overflow_pages"]
    return pages
