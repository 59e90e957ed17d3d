"""Checks that files are still where they were opened: the system lets a process go on writing to a removed file."""

import os
from pathlib import Path

from storage.errors import StorageFailed


class Identity:
    """The device and inode of a file or folder, as they are now."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._path = path
        self._found = _identity(path)

    def check(self) -> None:
        """Raises StorageFailed unless the path still leads to the same file or folder."""
        try:
            same = _identity(self._path) == self._found
        except OSError as error:
            raise StorageFailed(f"{self._path} cannot be reached any more: {error.strerror}") from None
        if not same:
            raise StorageFailed(f"{self._path} was replaced while it was open")


def check_writable(folder: Path) -> None:
    """Raises StorageFailed when nothing may be written to `folder`. Writes nothing."""
    try:
        read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
    except OSError as error:
        raise StorageFailed(f"{folder} cannot be reached any more: {error.strerror}") from None
    if read_only or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise StorageFailed(f"{folder} cannot be written")


def _identity(path: Path) -> tuple[int, int]:
    found = os.stat(path)  # runs on every commit
    return found.st_dev, found.st_ino
