"""The threads that all writers share. What a writer does in its turn is in writer.py."""

import threading
from collections import deque
from collections.abc import Callable

WRITE_THREADS = 16
"""Threads that commit. Most of a commit is waiting for the disk, so there are more of them than cores."""


class WriteThreads:
    """Runs turns in the order in which they were asked for. Threads start as they are needed. Safe for many threads."""

    def __init__(self, most: int = WRITE_THREADS) -> None:
        self._most = most
        self._turns: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._resting = 0
        self._stopping = False

    def ask(self, turn: Callable[[], None]) -> None:
        """Has `turn` called, once, by one of the threads. It must not raise."""
        with self._changed:
            self._turns.append(turn)
            if self._resting >= len(self._turns) or len(self._threads) >= self._most:
                self._changed.notify()
                return
            thread = threading.Thread(target=self._run, name=f"writer-{len(self._threads)}", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system gives no more threads: those that there are do it
                if not self._threads:
                    self._turns.pop()
                    raise
                return
            self._threads.append(thread)

    def stop(self) -> None:
        """Ends all threads once every turn that was asked for is over."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._resting += 1
                while not self._turns and not self._stopping:
                    self._changed.wait()
                self._resting -= 1
                if not self._turns:
                    return
                turn = self._turns.popleft()
            turn()
