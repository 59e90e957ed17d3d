"""The threads that all writers share. writer.py says what a writer does in its turn."""

import threading
from collections import deque
from collections.abc import Callable

WRITE_THREADS = 16
"""Threads that commit. A commit mostly waits for the disk, so there are more threads than cores."""


class WriteThreads:
    """Runs turns in the order of asking. Threads start when they are needed. Safe for many threads."""

    def __init__(self, most: int = WRITE_THREADS) -> None:
        self._most = most
        self._turns: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._resting = 0
        self._stopping = False

    def ask(self, turn: Callable[[], None]) -> None:
        """Has one of the threads call `turn` once. `turn` must not raise."""
        with self._changed:
            self._turns.append(turn)
            if self._resting >= len(self._turns) or len(self._threads) >= self._most:
                self._changed.notify()
                return
            thread = threading.Thread(target=self._run, name=f"writer-{len(self._threads)}", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system allows no more threads: an existing one will run it
                if not self._threads:
                    self._turns.pop()
                    raise
                return
            self._threads.append(thread)

    def stop(self) -> None:
        """Ends all threads after every turn that was asked for."""
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
