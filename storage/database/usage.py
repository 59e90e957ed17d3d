"""Which collections of a database are open, in what state the others are, and which were used last. Opens none."""

from storage.collection import Collection
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
        """The state of the collection of this name or alias. Raises CollectionNotFound."""
        return self._registry.status(self._names.uid(name))

    def open_collections(self) -> list[Collection]:
        """Those whose files are open."""
        return self._registry.open_ones()

    def counts(self) -> OpenCounts:
        """How many collections are open, and how often one was opened, or closed to make room."""
        return self._places.counts()

    def last_used(self, most: int) -> list[str]:
        """Names of the collections that were used last, newest first, about: at most `most`, and half of the places.

        Large ones, which take long to open, are left out.
        """
        names = {self._opener.folder_of(each.uid): each.name for each in self._names.all()}
        return [names[folder] for folder in last_used(names, min(most, self._places.counts().most // 2))]
