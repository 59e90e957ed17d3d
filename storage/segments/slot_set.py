"""The points that a search may find, as a hashable value. The planner evaluates filters."""

from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray


class SlotSet:
    """Slots of points, ascending (uint32, (n,)), read-only. It never changes.

    `origin` says what the slots match, at which commit of which collection. It never changes either. Sets with one
    origin are equal, so data made from one may be kept for the next. A set without an origin equals only itself, and
    nothing is kept for it.
    """

    __slots__ = ("_hash", "origin", "slots")

    def __init__(self, slots: NDArray[np.uint32], origin: Hashable | None = None) -> None:
        self.slots = slots.view()
        self.slots.flags.writeable = False
        self.origin = origin
        # Computed once: hashing a filter with many values is slow.
        self._hash = object.__hash__(self) if origin is None else hash(origin)

    def __len__(self) -> int:
        return len(self.slots)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, SlotSet) and self.origin is not None and self.origin == other.origin

    def __hash__(self) -> int:
        return self._hash

    @property
    def nbytes(self) -> int:
        """Bytes of the slots."""
        return self.slots.nbytes
