"""Tells when the process that owns this server has ended, however it ended. It stops nothing itself."""

import os
import threading
from collections.abc import Callable

PERIOD_SECONDS = 0.25


class OwnerWatch:
    """A thread that looks every PERIOD_SECONDS whether the owner still lives, until it is closed."""

    def __init__(self, owner: int, ended: Callable[[], None]) -> None:
        """`owner`: the number of its process. Calls `ended` once, in the thread."""
        self._owner = owner
        self._ended = ended
        self._is_parent = os.getppid() == owner
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="owner-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the watch."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while self._lives():
            if self._stopping.wait(PERIOD_SECONDS):
                return
        self._ended()

    def _lives(self) -> bool:
        """Whether the owner lives. Of a parent this is certain; the number of another process may be given again."""
        if self._is_parent:
            return os.getppid() == self._owner
        try:
            os.kill(self._owner, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
