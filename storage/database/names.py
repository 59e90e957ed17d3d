"""The names of collections and their aliases, and what they stand for. Opens no collection."""

from collections.abc import Callable, Sequence

from storage.errors import CollectionNotFound
from storage.tables import Alias, AliasOperation, Catalog, NamedCollection


class Names:
    """Those of one database. Safe for many threads. Every use raises ShuttingDown once the database is being closed."""

    def __init__(self, catalog: Catalog, check_running: Callable[[], None]) -> None:
        self._catalog = catalog
        self._check_running = check_running

    def find(self, name: str) -> NamedCollection:
        """The collection of this name or alias. Raises CollectionNotFound."""
        self._check_running()
        return self._catalog.find(name)

    def resolve(self, name: str) -> str:
        """The own name of the collection of this name or alias. Raises CollectionNotFound."""
        return self.find(name).name

    def uid(self, name: str) -> str:
        """What tells the collection of this name or alias from all others, for ever. Raises CollectionNotFound."""
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
        """The name under which the snapshots of a collection or alias are listed: they outlive their collection."""
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
