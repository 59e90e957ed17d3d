"""What changed since data were derived, as long as to enter it is less work than to make the data anew."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Slots = NDArray[np.uint32]


class CatchesUp(Protocol):
    """What is asked of a reader here. See storage/tables/reader.py."""

    def catch_up(self, seq: int, held: Callable[[], Slots]) -> Slots | None: ...


def few_changes(reader: CatchesUp, seq: int, held: Callable[[], Slots], points: int) -> Slots | None:
    """Slots, ascending, of the points that differ between commit `seq` and the reader's.

    `held` gives the slots that the data have, and `points` is how many they would be made of. None when what changed is
    not known, or is more than half of both.
    """
    changed = reader.catch_up(seq, held)
    if changed is None or 2 * len(changed) <= points or 2 * len(changed) <= len(held()):
        return changed
    return None
