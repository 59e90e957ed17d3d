"""The archives in a data directory: one file each, listed in the catalog. An archive outlives its collection.

`snapshots/<uid>.snapshot` is written and synced before the catalog names it. Opening the directory removes files that
the catalog does not name. archive.py knows the format.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from storage.backup import archive
from storage.backup.archive import About
from storage.backup.streams import copy_tables, open_files
from storage.budget import Budget
from storage.collection import Collection
from storage.errors import CorruptStore, InvalidRequest, SnapshotAlreadyExists, SnapshotNotFound
from storage.files import Leftovers, failpoint, failure, make_folder, sync_folder
from storage.index import remove_unsound_graphs
from storage.schema import MAX_NAME_BYTES, check_name
from storage.tables import Catalog, SnapshotEntry, SnapshotTable


class Snapshots:
    """Safe to use from many threads. Collections are given by their own names, not aliases."""

    def __init__(self, folder: Path, entries: SnapshotTable) -> None:
        self._folder = folder
        self._entries = entries
        self._leftovers = Leftovers()

    def list(self, collection: str | None = None) -> list[SnapshotEntry]:
        """All archives, or those of one collection, sorted by collection and name."""
        return [entry for entry in self._entries.all() if collection in (None, entry.collection)]

    def get(self, collection: str, name: str) -> SnapshotEntry:
        """Raises SnapshotNotFound."""
        entry = self._entries.get(collection, name)
        if entry is None:
            raise SnapshotNotFound(collection, name)
        return entry

    def create(self, collection: Collection, name: str | None, budget: Budget) -> SnapshotEntry:
        """Archives the newest commit; writes go on meanwhile. `name` None: the name is made of collection, commit and
        time.

        Raises InvalidName, SnapshotAlreadyExists, StorageFull, StorageFailed, or as `budget` says.
        """
        created = time.time()

        def write(path: Path) -> About:
            begin = partial(collection.snapshot, budget)
            with open_files(begin, budget) as files, path.open("xb") as file:
                snapshot = files.snapshot
                about = About(
                    collection=collection.name,
                    schema=snapshot.schema.to_json(),
                    seq=snapshot.seq,
                    points=snapshot.point_count,
                    created=created,
                )
                scratch = path.with_suffix(".tables")
                archive.write(file, about, [copy_tables(files, scratch), *files.streams], budget)
                shutil.rmtree(scratch)
                _sync(file)
            return about

        return self._keep(collection.name, name, write)

    def receive(self, collection: str, name: str, size: int, chunks: Iterable[bytes], budget: Budget) -> SnapshotEntry:
        """Stores an archive of `size` bytes that a client sends, once it is verified. `collection` need not exist.

        Raises InvalidName, SnapshotAlreadyExists, InvalidRequest (not `size` bytes), CorruptStore, UnknownFormat,
        StorageFull, StorageFailed, or as `budget` says.
        """
        check_name(collection, "header.collection_name")

        def write(path: Path) -> About:
            with path.open("xb") as file:
                received = 0
                for chunk in chunks:
                    budget.check()
                    received += len(chunk)
                    if received > size:
                        break
                    file.write(chunk)
                if received != size:
                    word = "more" if received > size else f"{received:,}"
                    raise InvalidRequest("header.size_bytes", f"{size:,} bytes were announced, but {word} came")
                _sync(file)
            return archive.verify_foreign(path, budget)

        return self._keep(collection, name, write, "header.snapshot_name")

    def delete(self, collection: str, name: str) -> None:
        """Raises SnapshotNotFound."""
        entry = self.get(collection, name)
        self._entries.remove(collection, name)
        self._path(entry.uid).unlink(missing_ok=True)

    def extract(self, entry: SnapshotEntry, folder: Path, budget: Budget) -> None:
        """Writes the collection's files into `folder`, verified. Raises CorruptStore, UnknownFormat, OSError."""
        archive.extract(self._path(entry.uid), folder, budget)
        remove_unsound_graphs(folder)  # the archive may be foreign; LMDB's pages are checked when they are opened

    def open(self, entry: SnapshotEntry) -> BinaryIO:
        """Opens the file of the archive; the caller closes it. Raises CorruptStore when the file is gone."""
        try:
            return self._path(entry.uid).open("rb")
        except FileNotFoundError:
            raise CorruptStore(self._path(entry.uid), 0, "the file is missing") from None

    def remove_strays(self) -> None:
        """Removes files of unfinished creations, uploads and deletions. Requires: nothing else uses the folder."""
        make_folder(self._folder)
        known = {self._path(entry.uid) for entry in self._entries.all()}
        for path in self._folder.iterdir():
            if path in known:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _keep(
        self, collection: str, name: str | None, write: Callable[[Path], About], field: str = "snapshot_name"
    ) -> SnapshotEntry:
        """Has `write` write an archive to a path, and lists it in the catalog. After an error nothing is left."""
        if name is not None:
            check_name(name, field)
            if self._entries.get(collection, name) is not None:
                raise SnapshotAlreadyExists(collection, name)
        uid = Catalog.new_uid()
        path = self._path(uid)
        try:
            part = path.with_suffix(".part")
            about = write(part)
            entry = SnapshotEntry(
                collection=collection,
                name=_default_name(about) if name is None else name,
                uid=uid,
                size=part.stat().st_size,
                seq=about.seq,
                created=about.created,
            )
            os.replace(part, path)
            sync_folder(self._folder)
            failpoint("snapshot_publish")
            self._entries.add(entry)
        except BaseException as error:
            self._remove(uid)
            if isinstance(error, OSError):
                raise failure(error, f"writing {path}") from error
            raise
        return entry

    def _remove(self, uid: str) -> None:
        path = self._path(uid)
        for each in (path.with_suffix(".tables"), path.with_suffix(".part"), path):
            self._leftovers.remove(each)

    def _path(self, uid: str) -> Path:
        return snapshot_path(self._folder, uid)


def snapshot_path(folder: Path, uid: str) -> Path:
    """The path of an archive in `folder`, which holds all archives."""
    return folder / f"{uid}.snapshot"


def _default_name(about: About) -> str:
    taken = datetime.fromtimestamp(about.created, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    ending = f"-{about.seq}-{taken}"
    return about.collection.encode()[: MAX_NAME_BYTES - len(ending)].decode(errors="ignore") + ending


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
