"""Which collections of a database are open, the state of the others, and which were used last. Opens none."""

from storage.collection import Collection
from storage.commit_counts import Commits
from storage.database.names import Names
from storage.database.opener import Opener
from storage.database.registry import CollectionStatus, Registry
from storage.files import last_used
from storage.opening import OpenCollections, OpenCounts


class Usage:
    """Safe for many threads."""

    def __init__(self, names: Names, registry: Registry, places: OpenCollections, opener: Opener) -> None:
        self._names = names
        self._registry = registry
        self._places = places
        self._opener = opener

    def status(self, name: str) -> CollectionStatus:
        """The state of the collection with this name or alias. Raises CollectionNotFound."""
        return self._registry.status(self._names.uid(name))

    def open_collections(self) -> list[Collection]:
        """The collections whose files are open."""
        return self._registry.open_ones()

    def counts(self) -> OpenCounts:
        """How many collections are open, and how many were opened, and closed to make room, so far."""
        return self._places.counts()

    def commits(self) -> Commits:
        """The commits of all collections since the database was opened."""
        return self._opener.commit_counts.read()

    @property
    def matching_row_bytes(self) -> int:
        """Bytes of remembered rows of filters."""
        return self._opener.matching_row_bytes

    @property
    def point_column_bytes(self) -> int:
        """Bytes of the ids and versions of points that open collections remember."""
        return sum(each.point_column_bytes for each in self._registry.open_ones())

    def last_used(self, most: int) -> list[str]:
        """Names of the collections that were used last, roughly newest first: at most `most`, and at most half of the
        places.

        Large collections are left out, since they take long to open.
        """
        names = {self._opener.folder_of(each.uid): each.name for each in self._names.all()}
        return [names[folder] for folder in last_used(names, min(most, self._places.counts().most // 2))]
