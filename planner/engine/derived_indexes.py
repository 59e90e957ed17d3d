"""Keeps derived indexes in step with their collections: on opening, after commits, and on closing."""

from collections.abc import Callable

from planner.engine.queries import Queries
from planner.execute import Indexes
from planner.payload_index import FieldBuilds
from planner.upkeep import Upkeep, ask_first
from storage.collection import Collection
from storage.pacing import paced


class DerivedIndexes:
    """Indexes of payloads and texts of open collections, made in the background. Safe for many threads."""

    def __init__(self, queries: Queries, indexes: Indexes, builds: FieldBuilds) -> None:
        self._queries = queries
        self._indexes = indexes
        self._builds = builds
        self._upkeep = Upkeep(indexes.texts, indexes.fields)

    def opened(self, collection: Collection) -> None:
        """Reads or makes the derived indexes of a collection that was opened, in the background."""
        self._builds.start(collection)
        self._upkeep.opened(collection)

    def is_preparing(self, collection: Collection) -> bool:
        """Whether that is not finished yet."""
        return self._upkeep.is_opening(collection)

    def ask_first(self, collection: Collection, is_ended: Callable[[], bool]) -> None:
        """Asks one query of each kind that the collection is made for, unless it was closed. See
        upkeep/first_queries.py.

        Raises Cancelled if `is_ended` or if the collection was closed, CorruptStore.
        """
        hold = collection.hold_if_open()
        if hold is not None:
            budget = paced(lambda: is_ended() or collection.closed)
            with hold, collection.snapshot() as reader:
                ask_first(
                    reader,
                    lambda query: self._queries.query_on(reader, collection, [query], budget),
                    lambda filter: self._indexes.filters.slots(reader, filter, budget),
                    budget,
                )

    def prepare(self, collection: Collection) -> None:
        """Does now what is otherwise done in the background after opening: afterwards the derived indexes and their
        files exist.

        Raises Cancelled if the collection is closed meanwhile, CorruptStore."""
        self._upkeep.look_after(collection, opened=True)

    def committed(self, collection: Collection) -> None:
        """Updates the derived indexes after a commit, in the background. Does not wait."""
        self._upkeep.changed(collection)

    def closed(self, collection: Collection) -> None:
        """Forgets what was derived from a collection that was closed."""
        self._upkeep.closed(collection)
        self._indexes.fields.forget(collection.uid)

    def close(self) -> None:
        """Ends the work in the background. Requires: no request is running."""
        self._upkeep.close()
