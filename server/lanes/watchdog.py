"""Ends streams that stand still: the client neither sends nor reads. It knows no streams, only functions to call."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_STEP_SECONDS = 0.5


class Watchdog:
    """One thread, which runs while something is watched. Safe for many threads."""

    def __init__(self) -> None:
        self._watched: dict[int, tuple[float, Callable[[], None]]] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._runs = False

    @contextmanager
    def within(self, seconds: float, give_up: Callable[[], None]) -> Iterator[None]:
        """Calls `give_up` once if the context does not end within `seconds` (and half a second).

        `give_up` must not wait.
        """
        number = next(self._numbers)
        with self._lock:
            self._watched[number] = (time.monotonic() + seconds, give_up)
            if not self._runs:
                self._runs = True
                threading.Thread(target=self._run, name="watchdog", daemon=True).start()
        try:
            yield
        finally:
            self._watched.pop(number, None)

    def _run(self) -> None:
        while True:
            time.sleep(_STEP_SECONDS)
            now = time.monotonic()
            with self._lock:
                if not self._watched:
                    self._runs = False
                    return
                late = [number for number, (end, _) in self._watched.items() if end <= now]
                expired = [each for number in late if (each := self._watched.pop(number, None)) is not None]
            for _, give_up in expired:
                give_up()
