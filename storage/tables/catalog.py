"""The catalog of a data directory: names of collections, aliases and snapshots, in an LMDB environment of its own."""

import json
import re
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import TypeVar

import lmdb

from storage.errors import (
    AliasNotFound,
    CollectionAlreadyExists,
    CollectionNotFound,
    CorruptStore,
    SnapshotAlreadyExists,
    SnapshotNotFound,
)
from storage.files import DiskReserve, Identity, check_room
from storage.schema import MAX_NAME_BYTES, Unreadable, check_name, made, parsed
from storage.tables.catalog_file import CatalogFile, is_missing, read_tables

Outcome = TypeVar("Outcome")

_UID = re.compile(rb"[0-9a-f]{32}")
_FILE = "catalog/data.mdb"


class CollectionState(Enum):
    READY = "ready"
    REBUILDING = "rebuilding"
    LOADING = "loading"
    CLOSED = "closed"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class CreateAlias:
    """Makes `alias` point to `collection`; it moves when it exists."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotEntry:
    """A snapshot file that the data directory keeps: the collection it is listed under (which may be gone), its name,
    the uid that names the file, its size in bytes, the commit it holds and when it was taken (unix seconds)."""

    collection: str
    name: str
    uid: str
    size: int
    seq: int
    created: float


class Catalog:
    """Collection name -> uid of its folder, alias -> collection name, and the snapshots by collection and name.

    Each change is durable when it returns.
    """

    def __init__(self, folder: Path, map_size: int, disk_reserve: DiskReserve | None = None) -> None:
        """Opens or creates the catalog. What removes names may use the reserve.

        Raises CorruptStore, StorageFull, StorageFailed or OSError.
        """
        self._map_size = map_size
        self._disk_reserve = disk_reserve or DiskReserve(None)
        self._file = CatalogFile(folder, map_size)
        self._identity = Identity(folder / "data.mdb")
        self._writing = threading.Lock()
        self._name_of: dict[str, str] = {}
        self._aliases_of: Mapping[str, Sequence[str]] = {}
        self._note_all()
        self._file.reopened = self._note_all

    def check_reachable(self) -> None:
        """Raises StorageFailed when its file is not where it was opened."""
        self._identity.check()

    def close(self) -> None:
        self._file.close()

    def uid(self, name: str) -> str | None:
        """The uid of the collection of this name, not alias."""
        with self._file.read() as txn:
            value = txn.get(name.encode(), db=self._file.names) if name else None
            return None if value is None else _uid(value, name)

    def find(self, name: str) -> tuple[str, str]:
        """Own name and uid of the collection of this name or alias. Raises CollectionNotFound."""
        with self._file.read() as txn:
            key = name.encode(errors="replace")
            if not key or len(key) > 511:
                raise CollectionNotFound(name)
            uid = txn.get(key, db=self._file.names)
            if uid is not None:
                return name, _uid(uid, name)
            target = txn.get(key, db=self._file.aliases)
            if target is None:
                raise CollectionNotFound(name)
            own = _text(target)
            uid = txn.get(target, db=self._file.names)
            if uid is None:
                raise CollectionNotFound(name)
            return own, _uid(uid, own)

    def name_of(self, uid: str) -> str | None:
        """The name of the collection of this uid; None when there is none."""
        return self._name_of.get(uid)

    def names(self, prefix: str = "") -> list[tuple[str, str]]:
        """Names that start with `prefix` and uids, sorted by name."""
        start = prefix.encode(errors="replace")
        found: list[tuple[str, str]] = []
        with self._file.read() as txn, txn.cursor(self._file.names) as cursor:
            if not cursor.set_range(start) if start else not cursor.first():
                return found
            for name, uid in cursor:
                if not bytes(name).startswith(start):
                    break
                own = _text(name)
                found.append((own, _uid(uid, own)))
        return found

    def aliases(self, collection: str | None) -> list[tuple[str, str]]:
        """Aliases and their collections, sorted by alias."""
        known = self._aliases_of
        targets = known if collection is None else [collection]
        return sorted((alias, target) for target in targets for alias in known.get(target, ()))

    @staticmethod
    def new_uid() -> str:
        return uuid.uuid4().hex

    def check_free(self, name: str) -> None:
        """Raises CollectionAlreadyExists when a collection or alias has this name."""
        with self._file.read() as txn:
            self._check_free(txn, name)

    def add(self, name: str, uid: str) -> None:
        def change(txn: lmdb.Transaction) -> None:
            self._check_free(txn, name)
            txn.put(name.encode(), uid.encode(), db=self._file.names)

        self._write(change)
        self._name_of[uid] = name

    def remove(self, name: str, uid: str) -> bool:
        """Removes a collection and the aliases that point to it; False when it is gone."""

        def change(txn: lmdb.Transaction) -> bool:
            if txn.get(name.encode(), db=self._file.names) != uid.encode():
                return False
            txn.delete(name.encode(), db=self._file.names)
            for alias in self._aliases_of.get(name, ()):
                txn.delete(alias.encode(), db=self._file.aliases)
            return True

        if not self._write(change, frees=True):
            return False
        self._name_of.pop(uid, None)
        if name in self._aliases_of:
            self._read_aliases()
        return True

    def update_aliases(self, operations: Sequence[AliasOperation]) -> None:
        """Applies all operations in order, or none."""

        def change(txn: lmdb.Transaction) -> None:
            for number, operation in enumerate(operations):
                self._update_alias(txn, operation, f"operations[{number}]")

        self._write(change, frees=all(isinstance(operation, DeleteAlias) for operation in operations))
        self._read_aliases()

    def _update_alias(self, txn: lmdb.Transaction, operation: AliasOperation, field: str) -> None:
        match operation:
            case CreateAlias(alias, collection):
                check_name(alias, f"{field}.create_alias.alias_name")
                if not collection or txn.get(collection.encode(), db=self._file.names) is None:
                    raise CollectionNotFound(collection)
                if txn.get(alias.encode(), db=self._file.names) is not None:
                    raise CollectionAlreadyExists(alias)
                txn.put(alias.encode(), collection.encode(), db=self._file.aliases)
            case RenameAlias(old, new):
                check_name(new, f"{field}.rename_alias.new_alias_name")
                target = txn.pop(old.encode(), db=self._file.aliases) if old else None
                if target is None:
                    raise AliasNotFound(old)
                self._check_free(txn, new)
                txn.put(new.encode(), target, db=self._file.aliases)
            case DeleteAlias(alias):
                if not alias or not txn.delete(alias.encode(), db=self._file.aliases):
                    raise AliasNotFound(alias)

    def snapshots(self) -> list[SnapshotEntry]:
        """All snapshots, by collection and name."""
        with self._file.read() as txn, txn.cursor(self._file.snapshots) as cursor:
            return [_entry(key, value) for key, value in cursor]

    def snapshot(self, collection: str, name: str) -> SnapshotEntry | None:
        """The snapshot of this name of a collection; None when there is none."""
        with self._file.read() as txn:
            key = _snapshot_key(collection, name)
            value = txn.get(key, db=self._file.snapshots) if len(key) <= 511 else None
            return None if value is None else _entry(key, value)

    def add_snapshot(self, entry: SnapshotEntry) -> None:
        """Raises SnapshotAlreadyExists."""

        def change(txn: lmdb.Transaction) -> None:
            key = _snapshot_key(entry.collection, entry.name)
            if not txn.put(key, json.dumps(asdict(entry)).encode(), db=self._file.snapshots, overwrite=False):
                raise SnapshotAlreadyExists(entry.collection, entry.name)

        self._write(change)

    def remove_snapshot(self, collection: str, name: str) -> None:
        """Raises SnapshotNotFound."""

        def change(txn: lmdb.Transaction) -> None:
            if not txn.delete(_snapshot_key(collection, name), db=self._file.snapshots):
                raise SnapshotNotFound(collection, name)

        self._write(change, frees=True)

    def _check_free(self, txn: lmdb.Transaction, name: str) -> None:
        tables = (self._file.names, self._file.aliases)
        if any(txn.get(name.encode(), db=table) is not None for table in tables):
            raise CollectionAlreadyExists(name)

    def _read_aliases(self) -> None:
        """Notes the aliases of each collection, as they are committed."""
        found: dict[str, list[str]] = {}
        with self._file.read() as txn, txn.cursor(self._file.aliases) as cursor:
            for alias, target in cursor:
                found.setdefault(_text(target), []).append(_text(alias))
        self._aliases_of = found

    def _write(self, change: Callable[[lmdb.Transaction], Outcome], *, frees: bool = False) -> Outcome:
        """Commits a change and returns its outcome. One that `frees` room works also when there is none."""
        with self._writing:
            if frees:
                return self._disk_reserve.lend_if_full(lambda: self._commit(change, frees=True))
            return self._commit(change, frees=False)

    def _commit(self, change: Callable[[lmdb.Transaction], Outcome], *, frees: bool) -> Outcome:
        file = self._file
        self._identity.check()
        with file.write() as txn:
            outcome = change(txn)
            if not frees:
                tables = (file.names, file.aliases, file.snapshots)
                check_room(file.env, txn, tables, map_size=self._map_size, disk=self._disk_reserve)
        self._identity.check()  # nothing is durable in a file that was removed
        return outcome

    def _note_all(self) -> None:
        self._name_of = {uid: name for name, uid in self.names()}
        self._read_aliases()


def read_catalog(folder: Path) -> tuple[list[tuple[str, str]], list[SnapshotEntry]]:
    """Names and uids of collections, and the snapshots, of a catalog that nobody has open; changes nothing.

    What was not made yet when its process ended is empty. Raises CorruptStore, StorageFailed or OSError.
    """
    if is_missing(folder):
        return [], []
    names, snapshots = read_tables(folder)
    collections = [(_text(name), _uid(uid, _text(name))) for name, uid in names]
    return collections, [_entry(key, value) for key, value in snapshots]


def _text(value: bytes | memoryview) -> str:
    """A name. Raises CorruptStore."""
    stored = bytes(value)
    try:
        name = stored.decode()
    except UnicodeDecodeError:
        name = ""
    if not name or len(stored) > MAX_NAME_BYTES:
        raise CorruptStore(_FILE, 0, "the name of a collection is none")
    return name


def _uid(value: bytes | memoryview, name: str) -> str:
    """The uid of the collection `name`, which names its folder. Raises CorruptStore for what is none."""
    text = bytes(value)
    if not _UID.fullmatch(text):
        raise CorruptStore(_FILE, 0, f"what is stored of the collection {name!r} is no uid")
    return text.decode()


def _entry(key: bytes | memoryview, value: bytes | memoryview) -> SnapshotEntry:
    """Raises CorruptStore for what no snapshot has."""
    try:
        entry = made(SnapshotEntry, parsed(bytes(value), "it"), "it")
        if not _UID.fullmatch(entry.uid.encode(errors="replace")):
            raise Unreadable("it has no uid")
        if _snapshot_key(entry.collection, entry.name) != bytes(key):
            raise Unreadable("it is that of another")
        return entry
    except Unreadable as error:
        collection, _, name = bytes(key).decode(errors="replace").partition("\0")
        message = f"the entry of the snapshot {name!r} of {collection!r}: {error}"
        raise CorruptStore(_FILE, 0, message) from error


def _snapshot_key(collection: str, name: str) -> bytes:
    # Names have no control characters and at most 255 bytes, so this is unambiguous and fits an LMDB key.
    return f"{collection}\0{name}".encode(errors="replace")
