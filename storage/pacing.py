"""A budget for background work: it releases the interpreter often, so that requests get their turn."""

import time
from collections.abc import Callable

from storage.budget import Budget

_WORK_SECONDS = 0.005
_PAUSE_SECONDS = 0.001  # after _WORK_SECONDS of work


def paced(is_ended: Callable[[], bool]) -> Budget:
    """Returns a budget whose checks pause now and then. It counts as cancelled once `is_ended` returns True."""
    rested = time.monotonic()

    def is_cancelled() -> bool:
        nonlocal rested
        if time.monotonic() - rested > _WORK_SECONDS:
            time.sleep(_PAUSE_SECONDS)
            rested = time.monotonic()
        return is_ended()

    return Budget(is_cancelled=is_cancelled)
