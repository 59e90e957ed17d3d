"""The tables of dropped spaces. The newest commit has nothing in them, but older snapshots may still read them.

The files of a space are removed with the commit that drops it; its mappings end with the last reader. A table is
removed by the first commit after its last reader is gone. LMDB may then give its handle to another table.
"""

from collections.abc import Callable
from dataclasses import dataclass

import lmdb

from storage.mvcc.active_snapshots import ActiveSnapshots
from storage.tables import remove_tables


@dataclass(frozen=True, slots=True)
class _Dropped:
    """A space by uid. The commits from `added` to before `dropped` have it."""

    uid: int
    added: int
    dropped: int


class DroppedSpaces:
    """Only the writer uses it. `active` counts the readers of the collection. `forget_space` releases all else of a
    space, by uid."""

    def __init__(self, env: lmdb.Environment, active: ActiveSnapshots, forget_space: Callable[[int], None]) -> None:
        self._env = env
        self._active = active
        self._forget_space = forget_space
        self._added: dict[int, int] = {}
        self._left: list[_Dropped] = []

    def __len__(self) -> int:
        return len(self._left)

    def note_added(self, uid: int, seq: int) -> None:
        """Commit `seq` adds a space. Spaces that exist at opening need not be noted."""
        self._added[uid] = seq

    def note_dropped(self, uid: int, seq: int) -> None:
        """Commit `seq` dropped a space, durably."""
        self._left.append(_Dropped(uid, self._added.pop(uid, 0), seq))

    def remove_unread(self, txn: lmdb.Transaction) -> Callable[[], None] | None:
        """Removes, in `txn`, the tables that nobody reads any more. Returns what to do once `txn` is durable.

        Until then the tables count as left, since `txn` may fail. LMDB has closed their handles all the same.
        """
        unread = [each for each in self._left if not self._active.is_read(each.added, each.dropped)]
        if not unread:
            return None
        with self._active.lock:
            for each in unread:
                remove_tables(self._env, txn, each.uid)

        def forget() -> None:
            for each in unread:
                self._left.remove(each)
                self._forget_space(each.uid)

        return forget
