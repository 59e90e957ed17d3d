"""Who follows the collections of a database: is told of each that is opened or closed, and of each commit."""

from collections.abc import Callable

from storage.collection import Collection

Follower = Callable[[Collection], None]


def _nothing(collection: Collection) -> None:
    pass


class Followers:
    """What it calls must not wait. Set before collections are used, by whoever derives data from them."""

    def __init__(self) -> None:
        self.opened: Follower = _nothing
        """Called with each collection once it is open."""
        self.closed: Follower = _nothing
        """Called with each collection once it is closed, also for room."""
        self._watchers: list[Follower] = []

    def watch(self, watcher: Follower) -> None:
        """Has `watcher` called after every commit of a collection, from its writer's thread, and when one is opened."""
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
