"""The catalog of a data directory: names of collections, aliases and archives, in an LMDB environment of its own."""

import uuid
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import lmdb

from storage.errors import CollectionNotFound
from storage.files import DiskReserve, Identity
from storage.tables.aliases import AliasTable, check_free
from storage.tables.catalog_file import CatalogFile, is_missing, read_tables
from storage.tables.catalog_writer import CatalogWriter
from storage.tables.snapshot_entries import SnapshotEntry, SnapshotTable
from storage.tables.stored_names import name_from, uid_from

KNOWN_NAMES = 1_024
"""Names and aliases that are remembered, so that most requests do not read the catalog."""


class CollectionState(Enum):
    READY = "ready"
    REBUILDING = "rebuilding"
    LOADING = "loading"
    CLOSED = "closed"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class NamedCollection:
    """A collection's own name, and its uid, which no other collection ever has."""

    name: str
    uid: str


class Catalog:
    """Maps the name of each collection to its uid, which names its folder. Also holds the aliases and the archives.

    Each change is durable when its method returns.
    """

    def __init__(self, folder: Path, map_size: int, disk_reserve: DiskReserve | None = None) -> None:
        """Opens or creates the catalog. Changes that remove names may use the reserve.

        Raises CorruptStore, StorageFull, StorageFailed or OSError.
        """
        self._file = CatalogFile(folder, map_size)
        identity = Identity(folder / "data.mdb")
        self._writer = CatalogWriter(self._file, identity, map_size, disk_reserve or DiskReserve(None))
        self._name_of: dict[str, str] = {}
        self.aliases = AliasTable(self._file, self._writer)
        self.snapshots = SnapshotTable(self._file, self._writer)
        self._note_all()
        self._file.reopened = self._note_all

    def check_reachable(self) -> None:
        """Raises StorageFailed when its file is not where it was opened."""
        self._writer.check_reachable()

    def close(self) -> None:
        self._file.close()

    def uid(self, name: str) -> str | None:
        """The uid of the collection with this name. Aliases do not count."""
        with self._file.read() as txn:
            value = txn.get(name.encode(), db=self._file.names) if name else None
            return None if value is None else uid_from(value, name)

    def find(self, name: str) -> NamedCollection:
        """The collection with this name or alias. Raises CollectionNotFound."""
        known = self._file.known
        found = known.get(name)
        if isinstance(found, NamedCollection):
            return found
        found = self._find(name)
        if len(known) < KNOWN_NAMES:
            known[name] = found
        return found

    def _find(self, name: str) -> NamedCollection:
        with self._file.read() as txn:
            key = name.encode(errors="replace")
            if not key or len(key) > 511:
                raise CollectionNotFound(name)
            uid = txn.get(key, db=self._file.names)
            if uid is not None:
                return NamedCollection(name, uid_from(uid, name))
            target = txn.get(key, db=self._file.aliases)
            if target is None:
                raise CollectionNotFound(name)
            own = name_from(target)
            uid = txn.get(target, db=self._file.names)
            if uid is None:
                raise CollectionNotFound(name)
            return NamedCollection(own, uid_from(uid, own))

    def name_of(self, uid: str) -> str | None:
        """The name of the collection with this uid; None when there is none."""
        return self._name_of.get(uid)

    def collections(self, prefix: str = "") -> list[NamedCollection]:
        """The collections whose names start with `prefix`, sorted by name."""
        start = prefix.encode(errors="replace")
        found: list[NamedCollection] = []
        with self._file.read() as txn, txn.cursor(self._file.names) as cursor:
            if not cursor.set_range(start) if start else not cursor.first():
                return found
            for name, uid in cursor:
                if not bytes(name).startswith(start):
                    break
                found.append(_named(name, uid))
        return found

    @staticmethod
    def new_uid() -> str:
        return uuid.uuid4().hex

    def check_free(self, name: str) -> None:
        """Raises CollectionAlreadyExists when a collection or alias has this name."""
        with self._file.read() as txn:
            check_free(txn, self._file, name)

    def add(self, name: str, uid: str) -> None:
        def change(txn: lmdb.Transaction) -> None:
            check_free(txn, self._file, name)
            txn.put(name.encode(), uid.encode(), db=self._file.names)

        self._writer.write(change)
        self._name_of[uid] = name

    def remove(self, name: str, uid: str) -> bool:
        """Removes a collection and its aliases; False when it does not exist any more."""

        def change(txn: lmdb.Transaction) -> bool:
            if txn.get(name.encode(), db=self._file.names) != uid.encode():
                return False
            txn.delete(name.encode(), db=self._file.names)
            self.aliases.remove_of(txn, name)
            return True

        if not self._writer.write(change, frees=True):
            return False
        self._name_of.pop(uid, None)
        if self.aliases.of(name):
            self.aliases.read()
        return True

    def _note_all(self) -> None:
        self._name_of = {each.uid: each.name for each in self.collections()}
        self.aliases.read()


@dataclass(frozen=True, slots=True)
class CatalogContent:
    """The collections and archives in a catalog."""

    collections: tuple[NamedCollection, ...]
    snapshots: tuple[SnapshotEntry, ...]


def read_catalog(folder: Path) -> CatalogContent:
    """Reads a catalog that nobody has open; changes nothing.

    A catalog that was not finished when its process ended is empty. Raises CorruptStore, StorageFailed or OSError.
    """
    if is_missing(folder):
        return CatalogContent((), ())
    names, snapshots = read_tables(folder)
    return CatalogContent(
        tuple(_named(name, uid) for name, uid in names),
        tuple(SnapshotEntry.from_json(key, value) for key, value in snapshots),
    )


def _named(name: bytes | memoryview, uid: bytes | memoryview) -> NamedCollection:
    own = name_from(name)
    return NamedCollection(own, uid_from(uid, own))
