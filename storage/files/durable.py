"""Durable files: syncing, publishing by rename, and locking a directory. Knows nothing of their contents."""

import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.errors import EngineError, StorageFailed, StorageFull, SystemLimitReached
from storage.files.access import FILE_MODE, FOLDER_MODE

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""Error numbers of a full disk."""

SYSTEM_LIMITS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)
"""Error numbers of a process that has reached its limit of open files, mappings or address space."""


def failure(error: OSError, what: str) -> EngineError:
    """Maps an OSError to an EngineError.

    StorageFull when the disk is full, SystemLimitReached when the process has reached a limit of the system, else
    StorageFailed.
    """
    if error.errno in NO_ROOM:
        return StorageFull(f"{what}: no space left on the device")
    if error.errno in SYSTEM_LIMITS:
        return SystemLimitReached(what, os.strerror(error.errno))
    return StorageFailed(f"{what}: {error}")


def sync_folder(folder: Path) -> None:
    """Makes names created, renamed or removed in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def plain_path(path: Path) -> Iterator[str]:
    """Yields an ASCII path to `path`, valid in the block, for libraries that encode paths their own way.

    The last name must be ASCII. Folders above it may have names of any bytes, whatever the locale can encode.
    """
    if str(path).isascii() or sys.platform != "linux":
        yield str(path)
        return
    handle = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{path.name}"
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Makes `folder` and its missing parents, and makes their names durable.

    An existing folder is synced too: the process that made it may have ended before its name was durable.
    """
    if not folder.parent.exists():
        make_folder(folder.parent)
    folder.mkdir(FOLDER_MODE, exist_ok=True)
    with suppress(PermissionError):  # a parent that this process may not read was made by somebody else
        sync_folder(folder.parent)


def sync_file(path: Path) -> None:
    """Makes the content of `path` durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish(temporary: Path, final: Path) -> None:
    """Gives a fully written file its final name, in one step and durably."""
    sync_file(temporary)
    os.replace(temporary, final)
    sync_folder(final.parent)


class FolderLock:
    """Locks a directory for one process. The kernel releases the lock when the process dies."""

    def __init__(self, folder: Path) -> None:
        """Raises StorageFailed when another process holds `folder`, OSError when it cannot be locked."""
        self._handle = os.open(folder / "LOCK", os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            self._take(folder)
        except BaseException:
            os.close(self._handle)
            raise

    def _take(self, folder: Path) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._handle, 32).decode(errors="replace").strip()
            raise StorageFailed(f"{folder} is open in another process (pid {holder or 'unknown'})") from None
        try:
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            if error.errno not in NO_ROOM:  # the lock is what counts; the process id in it is only for people
                raise

    def release(self) -> None:
        os.close(self._handle)
