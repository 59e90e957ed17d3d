"""The catalog's entries of archives, which users call snapshots. backup/archives.py has their files."""

import json
from dataclasses import asdict, dataclass

import lmdb

from storage.errors import CorruptStore, SnapshotAlreadyExists, SnapshotNotFound
from storage.schema import Unreadable, made, parsed
from storage.tables.catalog_file import CatalogFile
from storage.tables.catalog_writer import CatalogWriter
from storage.tables.stored_names import CATALOG_FILE, is_uid


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotEntry:
    """An archive in the data directory: the collection that it is listed under (which may be deleted), its name, the
    uid that names its file, its size in bytes, its commit, and the time when it was made (unix seconds)."""

    collection: str
    name: str
    uid: str
    size: int
    seq: int
    created: float

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, key: bytes | memoryview, value: bytes | memoryview) -> "SnapshotEntry":
        """The entry that is stored under `key`. Raises CorruptStore when it is not valid."""
        try:
            entry = made(cls, parsed(bytes(value), "it"), "it")
            if not is_uid(entry.uid.encode(errors="replace")):
                raise Unreadable("it has no uid")
            if _key(entry.collection, entry.name) != bytes(key):
                raise Unreadable("it belongs to another key")
            return entry
        except Unreadable as error:
            collection, _, name = bytes(key).decode(errors="replace").partition("\0")
            message = f"the entry of the snapshot {name!r} of {collection!r}: {error}"
            raise CorruptStore(CATALOG_FILE, 0, message) from error


class SnapshotTable:
    """Maps (name of a collection, name of an archive) to its entry. Each change is durable when its method returns."""

    def __init__(self, file: CatalogFile, writer: CatalogWriter) -> None:
        self._file = file
        self._writer = writer

    def all(self) -> list[SnapshotEntry]:
        """All entries, sorted by collection and name."""
        with self._file.read() as txn, txn.cursor(self._file.snapshots) as cursor:
            return [SnapshotEntry.from_json(key, value) for key, value in cursor]

    def get(self, collection: str, name: str) -> SnapshotEntry | None:
        """The entry of this collection and name; None when there is none."""
        with self._file.read() as txn:
            key = _key(collection, name)
            value = txn.get(key, db=self._file.snapshots) if len(key) <= 511 else None
            return None if value is None else SnapshotEntry.from_json(key, value)

    def add(self, entry: SnapshotEntry) -> None:
        """Raises SnapshotAlreadyExists."""

        def change(txn: lmdb.Transaction) -> None:
            key = _key(entry.collection, entry.name)
            if not txn.put(key, entry.to_json(), db=self._file.snapshots, overwrite=False):
                raise SnapshotAlreadyExists(entry.collection, entry.name)

        self._writer.write(change)

    def remove(self, collection: str, name: str) -> None:
        """Raises SnapshotNotFound."""

        def change(txn: lmdb.Transaction) -> None:
            if not txn.delete(_key(collection, name), db=self._file.snapshots):
                raise SnapshotNotFound(collection, name)

        self._writer.write(change, frees=True)


def _key(collection: str, name: str) -> bytes:
    # Names have no control characters and at most 255 bytes. So the key is unambiguous and fits LMDB.
    return f"{collection}\0{name}".encode(errors="replace")
