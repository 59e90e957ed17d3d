"""Names of collections and aliases, and the collections that they stand for. Opens no collection."""

from collections.abc import Callable, Sequence

from storage.errors import CollectionNotFound
from storage.tables import Alias, AliasOperation, Catalog, NamedCollection


class Names:
    """The names of one database. Safe for many threads. Every method raises ShuttingDown once the database is
    closing."""

    def __init__(self, catalog: Catalog, check_running: Callable[[], None]) -> None:
        self._catalog = catalog
        self._check_running = check_running

    def find(self, name: str) -> NamedCollection:
        """The collection with this name or alias. Raises CollectionNotFound."""
        self._check_running()
        return self._catalog.find(name)

    def resolve(self, name: str) -> str:
        """The own name of the collection with this name or alias. Raises CollectionNotFound."""
        return self.find(name).name

    def uid(self, name: str) -> str:
        """The uid of the collection with this name or alias. A uid is never used again. Raises CollectionNotFound."""
        return self.find(name).uid

    def exists(self, name: str) -> bool:
        """Whether a collection or alias has this name."""
        try:
            self.find(name)
        except CollectionNotFound:
            return False
        return True

    def collections(self, prefix: str = "") -> list[str]:
        """Names of collections that start with `prefix`, sorted."""
        return [each.name for each in self.all(prefix)]

    def all(self, prefix: str = "") -> list[NamedCollection]:
        """The collections whose names start with `prefix`, sorted by name."""
        self._check_running()
        return self._catalog.collections(prefix)

    def snapshot_owner(self, name: str) -> str:
        """The collection name that archives of this name or alias are listed under. An archive outlives its
        collection."""
        try:
            return self.resolve(name)
        except CollectionNotFound:
            return name

    def update_aliases(self, operations: Sequence[AliasOperation]) -> None:
        """Applies all operations in order, or none."""
        self._check_running()
        self._catalog.aliases.update(operations)

    def aliases(self, collection: str | None = None) -> list[Alias]:
        """All aliases, or those of a collection, sorted. Raises CollectionNotFound."""
        if collection is not None:
            return self._catalog.aliases.of(self.resolve(collection))
        self._check_running()
        return self._catalog.aliases.all()
