"""The budget of work that nobody waits for: it lets go of the interpreter again and again. It knows no work."""

import time
from collections.abc import Callable

from storage.budget import Budget

_WORK_SECONDS = 0.005
_PAUSE_SECONDS = 0.001  # after so much work, so that requests get their turn


def paced(is_ended: Callable[[], bool]) -> Budget:
    """A budget whose checks pause now and then, and that is cancelled once `is_ended`."""
    rested = time.monotonic()

    def is_cancelled() -> bool:
        nonlocal rested
        if time.monotonic() - rested > _WORK_SECONDS:
            time.sleep(_PAUSE_SECONDS)
            rested = time.monotonic()
        return is_ended()

    return Budget(is_cancelled=is_cancelled)
