"""Tells followers of a database when a collection is opened or closed, and of each commit."""

from collections.abc import Callable

from storage.collection import Collection

Follower = Callable[[Collection], None]


def _nothing(collection: Collection) -> None:
    pass


class Followers:
    """The functions that it calls must not wait. Code that derives data from collections sets them before first use."""

    def __init__(self) -> None:
        self.opened: Follower = _nothing
        """Called with each collection once it is open."""
        self.closed: Follower = _nothing
        """Called with each collection once it is closed, also for room."""
        self._watchers: list[Follower] = []

    def watch(self, watcher: Follower) -> None:
        """Registers `watcher`. It is called after every commit, from the writer's thread, and when a collection is
        opened."""
        self._watchers.append(watcher)

    def tell_opened(self, collection: Collection) -> None:
        self.tell_committed(collection)
        self.opened(collection)

    def tell_closed(self, collection: Collection) -> None:
        self.closed(collection)

    def tell_committed(self, collection: Collection) -> None:
        """There is a new commit, or the collection was opened."""
        for watcher in self._watchers:
            watcher(collection)
