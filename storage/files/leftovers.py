"""Removes folders and files that are of no more use. What cannot be removed now is tried again later."""

import shutil
import threading
from pathlib import Path


class Leftovers:
    """Safe for many threads. What is left when the process ends is removed by the next opening of the data
    directory."""

    def __init__(self) -> None:
        self._left: list[Path] = []
        self._lock = threading.Lock()

    def remove(self, path: Path) -> None:
        """Removes a file or a whole folder, and what could not be removed before. Never raises."""
        with self._lock:
            paths, self._left = [*self._left, path], []
        left = [each for each in paths if not _removed(each)]
        with self._lock:
            self._left += left


def _removed(path: Path) -> bool:
    """Tries to remove `path`; returns whether it is gone. Listing a folder needs a descriptor, and none may be free."""
    try:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
            return not path.exists()
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
