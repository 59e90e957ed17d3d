"""The aliases in the catalog: other names of collections, and changes to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import lmdb

from storage.errors import AliasNotFound, CollectionAlreadyExists, CollectionNotFound
from storage.schema import check_name
from storage.tables.catalog_file import CatalogFile
from storage.tables.catalog_writer import CatalogWriter
from storage.tables.stored_names import name_from


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name of a collection."""

    name: str
    collection: str


@dataclass(frozen=True, slots=True)
class CreateAlias:
    """Makes `alias` point to `collection`. An existing alias is moved."""

    alias: str
    collection: str


@dataclass(frozen=True, slots=True)
class RenameAlias:
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class DeleteAlias:
    alias: str


AliasOperation = CreateAlias | RenameAlias | DeleteAlias


class AliasTable:
    """Maps each alias to the name of a collection. Each change is durable when its method returns."""

    def __init__(self, file: CatalogFile, writer: CatalogWriter) -> None:
        self._file = file
        self._writer = writer
        self._of: Mapping[str, Sequence[str]] = {}

    def all(self) -> list[Alias]:
        """All aliases, sorted."""
        known = self._of
        return sorted((Alias(name, target) for target in known for name in known[target]), key=_name_of)

    def of(self, collection: str) -> list[Alias]:
        """The aliases of one collection, sorted."""
        return [Alias(name, collection) for name in sorted(self._of.get(collection, ()))]

    def update(self, operations: Sequence[AliasOperation]) -> None:
        """Applies all operations in order, or none.

        Raises InvalidName, AliasNotFound, CollectionNotFound, CollectionAlreadyExists.
        """

        def change(txn: lmdb.Transaction) -> None:
            for number, operation in enumerate(operations):
                self._apply(txn, operation, f"operations[{number}]")

        self._writer.write(change, frees=all(isinstance(operation, DeleteAlias) for operation in operations))
        self.read()

    def remove_of(self, txn: lmdb.Transaction, collection: str) -> None:
        """Removes in `txn` the aliases of a collection that is being deleted. Call `read` once `txn` is committed."""
        for alias in self._of.get(collection, ()):
            txn.delete(alias.encode(), db=self._file.aliases)

    def read(self) -> None:
        """Reads the committed aliases of each collection into memory."""
        found: dict[str, list[str]] = {}
        with self._file.read() as txn, txn.cursor(self._file.aliases) as cursor:
            for alias, target in cursor:
                found.setdefault(name_from(target), []).append(name_from(alias))
        self._of = found

    def _apply(self, txn: lmdb.Transaction, operation: AliasOperation, field: str) -> None:
        file = self._file
        match operation:
            case CreateAlias(alias, collection):
                check_name(alias, f"{field}.create_alias.alias_name")
                if not collection or txn.get(collection.encode(), db=file.names) is None:
                    raise CollectionNotFound(collection)
                if txn.get(alias.encode(), db=file.names) is not None:
                    raise CollectionAlreadyExists(alias)
                txn.put(alias.encode(), collection.encode(), db=file.aliases)
            case RenameAlias(old, new):
                check_name(new, f"{field}.rename_alias.new_alias_name")
                target = txn.pop(old.encode(), db=file.aliases) if old else None
                if target is None:
                    raise AliasNotFound(old)
                check_free(txn, file, new)
                txn.put(new.encode(), target, db=file.aliases)
            case DeleteAlias(alias):
                if not alias or not txn.delete(alias.encode(), db=file.aliases):
                    raise AliasNotFound(alias)


def check_free(txn: lmdb.Transaction, file: CatalogFile, name: str) -> None:
    """Raises CollectionAlreadyExists when a collection or alias has this name."""
    if any(txn.get(name.encode(), db=table) is not None for table in (file.names, file.aliases)):
        raise CollectionAlreadyExists(name)


def _name_of(alias: Alias) -> str:
    return alias.name
