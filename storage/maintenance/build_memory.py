"""Which work may begin beside what runs: together it takes a bounded memory, and nothing large waits for ever."""

from storage.maintenance.attempts import WorkKey


class BuildMemory:
    """Safe under the lock of the jobs.

    What needs no memory may always begin. The first work that finds no room waits, and until it begins no other work
    that needs memory does: else small builds, one after the other, could keep a large one waiting.
    """

    def __init__(self, maximum: int | None) -> None:
        """`maximum`: bytes that all running work may take; None: there is no bound."""
        self._maximum = maximum
        self.waiting: WorkKey | None = None
        """The work that found no room first, and has not begun."""

    def may_begin(self, key: WorkKey, memory: int, used: int) -> bool:
        """Whether work that takes `memory` bytes may begin beside work that takes `used`; if not, it waits.

        Work that runs alone always may; what it may take is checked when it runs.
        """
        if self._maximum is None or memory == 0:
            return True
        if self.waiting not in (None, key):
            return False
        if used and used + memory > self._maximum:
            self.waiting = key
            return False
        self.waiting = None
        return True

    def keep_waiting(self, collection_uid: str, due: set[WorkKey]) -> None:
        """Notes what is left to do in a collection: work that is not due any more waits no longer."""
        if self.waiting is not None and self.waiting.collection_uid == collection_uid and self.waiting not in due:
            self.waiting = None
