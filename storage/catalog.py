"""The catalog of a data directory: names of collections, aliases and snapshots, in an LMDB environment of its own."""

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

import lmdb

from storage.environment import environment_failure, open_environment, open_read_only, write_failure
from storage.errors import (
    AliasNotFound,
    CollectionAlreadyExists,
    CollectionNotFound,
    SnapshotAlreadyExists,
    SnapshotNotFound,
)
from storage.files import make_folder, sync_folder
from storage.schema import check_name
from storage.seal import write_seal

_MAP_SIZE = 2**30


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

    def __init__(self, folder: Path) -> None:
        """Opens or creates the catalog. Raises CorruptStore, StorageFull, StorageFailed or OSError."""
        make_folder(folder)
        self._env = open_environment(folder, _MAP_SIZE)
        try:
            self._names = self._env.open_db(b"names")
            self._aliases = self._env.open_db(b"aliases")
            self._snapshots = self._env.open_db(b"snapshots")
            sync_folder(folder)
        except BaseException as error:
            self._env.close()
            if isinstance(error, lmdb.Error):
                raise environment_failure(error, folder / "data.mdb") from error
            raise

    def close(self) -> None:
        write_seal(self._env, Path(self._env.path()))
        self._env.close()

    def uid(self, name: str) -> str | None:
        """The uid of the collection of this name, not alias."""
        with self._env.begin() as txn:
            value = txn.get(name.encode(), db=self._names) if name else None
            return None if value is None else bytes(value).decode()

    def resolve(self, name: str) -> str:
        """The collection's own name. Raises CollectionNotFound."""
        with self._env.begin() as txn:
            key = name.encode(errors="replace")
            if not key or len(key) > 511:
                raise CollectionNotFound(name)
            if txn.get(key, db=self._names) is not None:
                return name
            target = txn.get(key, db=self._aliases)
            if target is None:
                raise CollectionNotFound(name)
            return bytes(target).decode()

    def names(self) -> list[tuple[str, str]]:
        """Names and uids, sorted by name."""
        with self._env.begin() as txn, txn.cursor(self._names) as cursor:
            return [(bytes(name).decode(), bytes(uid).decode()) for name, uid in cursor]

    def aliases(self, collection: str | None) -> list[tuple[str, str]]:
        """Aliases and their collections, sorted by alias."""
        with self._env.begin() as txn, txn.cursor(self._aliases) as cursor:
            pairs = [(bytes(alias).decode(), bytes(target).decode()) for alias, target in cursor]
        return [pair for pair in pairs if collection is None or pair[1] == collection]

    @staticmethod
    def new_uid() -> str:
        return uuid.uuid4().hex

    def check_free(self, name: str) -> None:
        """Raises CollectionAlreadyExists when a collection or alias has this name."""
        with self._env.begin() as txn:
            self._check_free(txn, name)

    def add(self, name: str, uid: str) -> None:
        with self._write() as txn:
            self._check_free(txn, name)
            txn.put(name.encode(), uid.encode(), db=self._names)

    def remove(self, name: str) -> None:
        """Removes a collection and the aliases that point to it."""
        with self._write() as txn:
            txn.delete(name.encode(), db=self._names)
            with txn.cursor(self._aliases) as cursor:
                gone = [bytes(alias) for alias, target in cursor if bytes(target) == name.encode()]
            for alias in gone:
                txn.delete(alias, db=self._aliases)

    def update_aliases(self, operations: Sequence[AliasOperation]) -> None:
        """Applies all operations in order, or none."""
        with self._write() as txn:
            for number, operation in enumerate(operations):
                self._update_alias(txn, operation, f"operations[{number}]")

    def _update_alias(self, txn: lmdb.Transaction, operation: AliasOperation, field: str) -> None:
        match operation:
            case CreateAlias(alias, collection):
                check_name(alias, f"{field}.create_alias.alias_name")
                if not collection or txn.get(collection.encode(), db=self._names) is None:
                    raise CollectionNotFound(collection)
                if txn.get(alias.encode(), db=self._names) is not None:
                    raise CollectionAlreadyExists(alias)
                txn.put(alias.encode(), collection.encode(), db=self._aliases)
            case RenameAlias(old, new):
                check_name(new, f"{field}.rename_alias.new_alias_name")
                target = txn.pop(old.encode(), db=self._aliases) if old else None
                if target is None:
                    raise AliasNotFound(old)
                self._check_free(txn, new)
                txn.put(new.encode(), target, db=self._aliases)
            case DeleteAlias(alias):
                if not alias or not txn.delete(alias.encode(), db=self._aliases):
                    raise AliasNotFound(alias)

    def snapshots(self) -> list[SnapshotEntry]:
        """All snapshots, by collection and name."""
        with self._env.begin() as txn, txn.cursor(self._snapshots) as cursor:
            return [_entry(value) for _, value in cursor]

    def add_snapshot(self, entry: SnapshotEntry) -> None:
        """Raises SnapshotAlreadyExists."""
        with self._write() as txn:
            key = _snapshot_key(entry.collection, entry.name)
            if not txn.put(key, json.dumps(asdict(entry)).encode(), db=self._snapshots, overwrite=False):
                raise SnapshotAlreadyExists(entry.collection, entry.name)

    def remove_snapshot(self, collection: str, name: str) -> None:
        """Raises SnapshotNotFound."""
        with self._write() as txn:
            if not txn.delete(_snapshot_key(collection, name), db=self._snapshots):
                raise SnapshotNotFound(collection, name)

    def _check_free(self, txn: lmdb.Transaction, name: str) -> None:
        if txn.get(name.encode(), db=self._names) is not None or txn.get(name.encode(), db=self._aliases) is not None:
            raise CollectionAlreadyExists(name)

    @contextmanager
    def _write(self) -> Iterator[lmdb.Transaction]:
        try:
            with self._env.begin(write=True) as txn:
                yield txn
        except lmdb.Error as error:
            raise write_failure(error, Path(self._env.path())) from error


def read_catalog(folder: Path) -> tuple[list[tuple[str, str]], list[SnapshotEntry]]:
    """Names and uids of collections, and the snapshots, of a catalog that nobody has open; changes nothing.

    What was not made yet when its process ended is empty. Raises CorruptStore, StorageFailed or OSError.
    """
    file = folder / "data.mdb"
    if not file.exists() or file.stat().st_size == 0:
        return [], []
    env = open_read_only(folder)
    try:
        with env.begin() as txn:
            names, snapshots = _rows(env, txn, b"names"), _rows(env, txn, b"snapshots")
    except lmdb.Error as error:
        raise environment_failure(error, file) from error
    finally:
        env.close()
    return [(name.decode(), uid.decode()) for name, uid in names], [_entry(value) for _, value in snapshots]


def _rows(env: lmdb.Environment, txn: lmdb.Transaction, table: bytes) -> list[tuple[bytes, bytes]]:
    if txn.get(table) is None:
        return []
    with txn.cursor(env.open_db(table, txn=txn, create=False)) as cursor:
        return [(bytes(key), bytes(value)) for key, value in cursor]


def _entry(value: bytes) -> SnapshotEntry:
    return SnapshotEntry(**json.loads(bytes(value)))


def _snapshot_key(collection: str, name: str) -> bytes:
    # Names have no control characters and at most 255 bytes, so this is unambiguous and fits an LMDB key.
    return f"{collection}\0{name}".encode()
