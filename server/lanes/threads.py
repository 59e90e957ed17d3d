"""Threads that run what is handed to them: one more is made when none is free, and it ends when it was not needed for
long. Bounds nothing: lanes do."""

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable

KEPT_SECONDS = 30.0
"""A thread that nobody needed for so long ends."""

Work = Callable[[], None]

logger = logging.getLogger(__name__)


class Threads:
    """Safe for many threads. They are daemons: one that hangs in native code must not keep the process from ending."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._free = 0
        self._numbers = itertools.count()

    def run(self, work: Work) -> None:
        """Runs `work`, which raises nothing, soon. Does not wait."""
        with self._lock:
            if self._free > 0:
                self._free -= 1
            else:
                self._add()
        self._work.put(work)

    @property
    def count(self) -> int:
        """Threads that there are."""
        return len(self._threads)

    def close(self, seconds: float) -> bool:
        """Ends all threads once they are free. False when one still works after `seconds`. Requires: no more `run`."""
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
        except RuntimeError:  # the system gives no more; the work waits for one of those that there are
            logger.exception("no more threads than %d can be started", len(self._threads))
            return
        self._threads.add(thread)

    def _serve(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=KEPT_SECONDS)
            except queue.Empty:
                with self._lock:
                    if self._free > 0:  # else somebody counts on this thread, and its work is about to come
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
