"""How far a managed index is: which points were looked at, and which of them changed since. It embeds nothing."""

import numpy as np
from numpy.typing import NDArray

from server.indexes.texts import POINTS_PER_CHUNK
from storage.mvcc import Snapshot

Slots = NDArray[np.uint32]
_NO_SLOTS: Slots = np.empty(0, np.uint32)


class Progress:
    """Points are looked at in the order of their slots. Only the thread of the index changes it; others may read it."""

    def __init__(self) -> None:
        self.seq = 0
        """The commit up to which changes are known."""
        self.next_slot = 0
        """The first slot that was not looked at yet."""
        self.stale: Slots = _NO_SLOTS
        """Slots below `next_slot` whose points changed after they were looked at: uint32, ascending."""
        self._digests = np.zeros(0, np.uint64)

    def restart(self, seq: int, next_slot: int) -> None:
        """Starts again from the progress that the collection holds, and forgets all else."""
        self.seq, self.next_slot = seq, next_slot
        self.stale, self._digests = _NO_SLOTS, np.zeros(0, np.uint64)

    def take_changes(self, snapshot: Snapshot) -> None:
        """Adds the points that changed since the last call to the stale ones."""
        changed = snapshot.changed_since(self.seq)
        # after a restart there is no list of changes, but each point knows the commit that wrote it
        if changed is None:
            below = snapshot.all_slots()
            below = below[below < self.next_slot]
            newer = [record.slot for record in snapshot.existing(below) if record.version > self.seq]
            changed = np.array(newer, np.uint32)
        self.stale = np.union1d(self.stale, changed[changed < self.next_slot]).astype(np.uint32)
        self.seq = snapshot.seq

    def stale_at(self, snapshot: Snapshot) -> Slots:
        """Slots of points whose newest change in the snapshot was not looked at yet: uint32, ascending."""
        changed = snapshot.changed_since(self.seq)
        return np.union1d(self.stale, _NO_SLOTS if changed is None else changed).astype(np.uint32)

    def has_seen(self, snapshot: Snapshot) -> bool:
        """Whether nothing changed between the last look and the snapshot."""
        changed = snapshot.changed_since(self.seq)
        return changed is not None and not len(changed)

    def digest_of(self, slot: int) -> int:
        """The digest of the text that was embedded for a slot; 0 if it is not known."""
        return int(self._digests[slot]) if slot < len(self._digests) else 0

    def remember(self, digests: dict[int, int]) -> None:
        """Keeps the digests of embedded texts by their slots."""
        if digests and max(digests) >= len(self._digests):
            grown = np.zeros(2 * max(digests) + POINTS_PER_CHUNK, np.uint64)
            grown[: len(self._digests)] = self._digests
            self._digests = grown
        self._digests[list(digests)] = list(digests.values())
