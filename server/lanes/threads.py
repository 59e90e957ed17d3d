"""Threads that run functions. A new thread is made when none is free, and ends when it was not needed for a while.

It does not bound the number of threads; lanes do.
"""

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable

KEPT_SECONDS = 30.0
"""A thread ends after this time without work."""

Work = Callable[[], None]

logger = logging.getLogger(__name__)


class Threads:
    """Runs functions in daemon threads, so that one that hangs in native code does not keep the process alive.

    Safe for many threads.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._free = 0
        self._numbers = itertools.count()

    def run(self, work: Work) -> None:
        """Runs `work` soon, in another thread, and returns at once. Requires: `work` raises nothing."""
        with self._lock:
            if self._free > 0:
                self._free -= 1
            else:
                self._add()
        self._work.put(work)

    @property
    def count(self) -> int:
        """The number of threads, busy or free."""
        return len(self._threads)

    def close(self, seconds: float) -> bool:
        """Ends each thread when it is free. Returns False if one still works after `seconds`.

        Requires: `run` is not called any more.
        """
        end = time.monotonic() + seconds
        threads = list(self._threads)
        for _ in threads:
            self._work.put(None)
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _add(self) -> None:
        thread = threading.Thread(target=self._serve, name=f"{self._name}-{next(self._numbers)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system allows no more threads, so the work waits until an existing one is free
            logger.exception("no more threads than %d can be started", len(self._threads))
            return
        self._threads.add(thread)

    def _serve(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=KEPT_SECONDS)
            except queue.Empty:
                with self._lock:
                    if self._free > 0:  # else `run` relies on this thread, and its work comes in a moment
                        self._free -= 1
                        break
                continue
            if work is None:
                break
            try:
                work()
            except Exception:
                logger.exception("a request's thread")
            del work
            with self._lock:
                self._free += 1
        self._threads.discard(threading.current_thread())
