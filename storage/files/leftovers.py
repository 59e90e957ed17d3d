"""Folders and files that are of no more use. One that the system does not let go of now is tried again later."""

import shutil
import threading
from pathlib import Path


class Leftovers:
    """Safe for many threads. What is left when the process ends is removed when the data directory is opened."""

    def __init__(self) -> None:
        self._left: list[Path] = []
        self._lock = threading.Lock()

    def remove(self, path: Path) -> None:
        """Removes a file, or a folder with all that is in it, and what could not be removed before. Never raises."""
        with self._lock:
            paths, self._left = [*self._left, path], []
        left = [each for each in paths if not _removed(each)]
        with self._lock:
            self._left += left


def _removed(path: Path) -> bool:
    """Whether it is gone now. Listing a folder takes a descriptor, which may not be there."""
    try:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
            return not path.exists()
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
