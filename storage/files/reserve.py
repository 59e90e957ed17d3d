"""Reserved space, so that deletes still work when the disk or an environment's map is full.

LMDB never changes a page in place, so even a delete first needs new pages. Ordinary writes stop before they use the
reserve. Deletes, drops and vacuums may use it. The writer and the catalog know which is which.
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
"""A map reserves 1/MAP_RESERVE_SHARE of its size, so that a delete may copy that much in one commit."""

MIN_MAP_RESERVE = 2**30
"""Least bytes that a map reserves. A smaller map reserves its own size again, enough to copy all of it."""

MAX_DISK_SHARE = 8
"""The disk reserve takes at most 1/MAX_DISK_SHARE of the file system."""

_PAGE_BYTES = 4096  # bytes: the reserve grows by whole pages
_SPARE = 2**20  # bytes of a map for commits that only make freed pages usable

Result = TypeVar("Result")


def map_reserve(map_size: int) -> int:
    """Bytes that a map has in addition to the `map_size` that ordinary writes may fill."""
    return max(map_size // MAP_RESERVE_SHARE, min(map_size, MIN_MAP_RESERVE)) + _SPARE


def mapped_bytes(file: Path, map_size: int) -> int:
    """Bytes to map for the environment in `file`. A file that grew under a larger map still gets a reserve."""
    found = file.stat().st_size if file.exists() else 0
    reserve = map_reserve(map_size)
    return map_size + reserve if found <= map_size + reserve else found + reserve


class DiskReserve:
    """A file of allocated bytes in the data directory. It shrinks while something frees room, and grows again after
    that.

    While it is short, the disk counts as full. A delete gets half of it, since the pages that it takes stay in LMDB's
    files. A vacuum gets all of it, since it gives back more than it takes. Safe for many threads.
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
        """Bytes of the complete reserve."""
        return self._target

    @property
    def is_lent(self) -> bool:
        """Whether the reserve is lent out, so that free room on the disk is not really free."""
        return self._borrowers > 0

    def shortfall(self) -> int:
        """Takes back what the disk has free; returns the bytes that are still missing, 0 while the disk has room."""
        if self._held == self._target:
            return 0
        with self._lock:
            if not self._borrowers:
                self._take()
            return self._target - self._held

    @contextmanager
    def lent(self, *, whole: bool = False) -> Iterator[None]:
        """Gives up half of the reserve while the context lasts, or the `whole` of it. Then takes back what is free."""
        with self._lock:
            self._borrowers += 1
            kept = 0 if whole else min(self._held, self._target // 2 // _PAGE_BYTES * _PAGE_BYTES)
            if kept < self._held:
                with suppress(OSError):  # the caller tries with the room that there is
                    os.ftruncate(self._handle, kept)
                    self._held = kept
                    os.fsync(self._handle)  # some file systems reuse freed blocks only after a sync
        try:
            yield
        finally:
            with self._lock:
                self._borrowers -= 1
                if not self._borrowers:
                    self._take()

    def lend_if_full(self, action: Callable[[], Result]) -> Result:
        """Returns the result of `action`. If it raises StorageFull, tries once more with the reserve lent."""
        try:
            return action()
        except StorageFull:
            with self.lent(whole=True):
                return action()

    def close(self) -> None:
        """Closes the file. Its bytes stay allocated for the next process that opens the directory."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle, self._target, self._held = -1, 0, 0

    def _take(self) -> None:
        """Grows towards the target, in ever smaller steps where there is little room. Requires: the lock."""
        step = self._target - self._held
        while step >= _PAGE_BYTES:
            try:
                os.posix_fallocate(self._handle, self._held, step)
                self._held += step
                step = min(step, self._target - self._held)
            except OSError as error:
                if error.errno not in NO_ROOM:
                    self._target = self._held  # a file system that cannot reserve room
                    return
                os.ftruncate(self._handle, self._held)  # drops the part of the step that was allocated
                step = step // 2 // _PAGE_BYTES * _PAGE_BYTES


def check_room(
    env: lmdb.Environment,
    txn: lmdb.Transaction,
    tables: Iterable["lmdb._Database | None"],
    *,
    map_size: int,
    disk: DiskReserve,
) -> None:
    """Raises StorageFull when `txn`, which frees no room, would use the reserves.

    `tables`: all tables of the environment, None for the main one. Lent bytes of the disk reserve become pages of some
    file. So while the reserve is short, as many pages of this file must stay free.
    """
    used, free = used_and_free(env, txn, tables)
    if used > map_size:
        raise StorageFull(
            f"the collection uses {used:,} bytes for ids and payloads; map_size allows {map_size:,}; deletes still work"
        )
    if disk.is_lent:
        raise StorageFull("no space left on the device: the disk reserve is in use to free some; try again")
    short = disk.shortfall()
    if short and free < short:
        raise StorageFull(
            f"no space left on the device: the disk reserve lacks {short:,} of its {disk.size:,} bytes; "
            "deletes still work"
        )


def used_and_free(
    env: lmdb.Environment, txn: lmdb.Transaction, tables: Iterable["lmdb._Database | None"]
) -> tuple[int, int]:
    """Bytes of the pages in use after `txn`, and bytes of the file's free pages."""
    page = env.stat()["psize"]
    used = page * sum(_pages(txn, table) for table in (None, *tables))
    return used, max(0, page * (env.info()["last_pgno"] + 1) - used)


def _pages(txn: lmdb.Transaction, table: "lmdb._Database | None") -> int:
    found = txn.stat(table) if table is not None else txn.stat()
    pages: int = found["branch_pages"] + found["leaf_pages"] + found["overflow_pages"]
    return pages
