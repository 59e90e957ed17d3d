"""A data directory: its catalog and its collections, opened on first use. One process at a time."""

import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import lmdb

from storage.budget import Budget
from storage.catalog import AliasOperation, Catalog, CollectionState
from storage.collection import Collection
from storage.core import Core
from storage.cursors import Cursors
from storage.directory import check_directory, is_data_directory, mark_directory
from storage.environment import write_failure
from storage.errors import (
    CollectionClosed,
    CollectionNotFound,
    CorruptStore,
    EngineError,
    InvalidName,
    ShuttingDown,
    UnknownFormat,
)
from storage.failpoint import failpoint
from storage.files import FolderLock, failure, make_folder, sync_folder
from storage.maintenance import Maintenance
from storage.matching import MatchingRowsCache
from storage.parts import copy_collection
from storage.payload import PayloadCodec
from storage.schema import CollectionSchema, check_name, check_schema
from storage.settings import StorageSettings
from storage.snapshots import Snapshots

log = logging.getLogger(__name__)


class Database:
    """Safe to use from many threads."""

    def __init__(self, path: Path, codec: PayloadCodec, settings: StorageSettings, lock: FolderLock) -> None:
        self.path = path
        self._codec = codec
        self._settings = settings
        self._lock = lock
        self._catalog = Catalog(path / "catalog")
        self.snapshots = Snapshots(path / "snapshots", self._catalog)
        self._mutex = threading.RLock()
        self._left = threading.Condition(self._mutex)
        self._open: dict[str, Collection] = {}
        self._closed: set[str] = set()
        self._leaving: set[str] = set()
        self._broken: dict[str, EngineError] = {}
        self._opening: set[str] = set()
        self._stopping = False
        self._watchers: list[Callable[[Collection], None]] = []
        self.maintenance = Maintenance(
            self.open_collections, parallel=settings.parallel_tasks, max_memory=settings.max_build_memory
        )
        self.cursors = Cursors()
        self.opened: Callable[[Collection], None] = _nothing
        """Called with each collection once it is open; must not wait. Set by whoever derives data from collections."""
        self.closed: Callable[[Collection], None] = _nothing
        """Called with each collection once it is closed."""
        self._matching_rows = MatchingRowsCache()

    @classmethod
    def open(cls, path: Path, *, codec: PayloadCodec, settings: StorageSettings | None = None) -> "Database":
        """Opens or creates a data directory and removes what unfinished creations and deletions left.

        Raises StorageFailed (another process has it open, or it cannot be written), UnknownFormat, CorruptStore.
        """
        try:
            make_folder(path)
            lock = FolderLock(path)
        except OSError as error:
            raise failure(error, f"opening {path}") from error
        try:
            if not is_data_directory(path):
                mark_directory(path)
            check_directory(path)
            database = cls(path, codec, settings or StorageSettings(), lock)
        except BaseException as error:
            lock.release()
            if isinstance(error, OSError):
                raise failure(error, f"opening {path}") from error
            raise
        database._remove_strays()
        if database._settings.background:
            database.maintenance.start()
        return database

    def close(self) -> None:
        """Stops background work, commits what waits and closes all files."""
        with self._mutex:
            if self._stopping:
                return
            self._stopping = True
        self.maintenance.stop()
        with self._mutex:
            collections = list(self._open.values())
            self._open.clear()
        for collection in collections:
            collection.close()
        self._catalog.close()
        self._lock.release()

    def create_collection(self, name: str, schema: CollectionSchema) -> Collection:
        """Makes an empty collection. Raises InvalidName, InvalidRequest, CollectionAlreadyExists, StorageFull."""
        check_name(name, "collection_name")
        check_schema(schema)
        with self._mutex:
            self._check_running()
            self._catalog.check_free(name)
            uid = Catalog.new_uid()
            with _removed_on_failure(self._folder(uid)) as folder:
                core = Core.create(uid, folder, schema, self._codec, self._settings.map_size)
                self._name(name, uid, core)
            return self._enter(name, core)

    def clone_collection(self, name: str, target: str, budget: Budget) -> Collection:
        """Makes a collection of the newest commit of another, whose writes go on meanwhile; see `_add_collection`."""
        source = self.collection(name)

        def copy(folder: Path) -> None:
            with source.snapshot() as snapshot:
                copy_collection(snapshot, folder, budget)

        return self._add_collection(target, copy)

    def restore_snapshot(self, collection: str, name: str, target: str, budget: Budget) -> Collection:
        """Makes a collection of a snapshot, verified. Raises SnapshotNotFound too; see `_add_collection`."""
        entry = self.snapshots.get(self.snapshot_owner(collection), name)
        return self._add_collection(target, lambda folder: self.snapshots.extract(entry, folder, budget))

    def snapshot_owner(self, name: str) -> str:
        """The name under which the snapshots of a collection or alias are listed: they outlive their collection."""
        try:
            return self.resolve(name)
        except CollectionNotFound:
            return name

    def delete_collection(self, name: str) -> bool:
        """Deletes a collection, durably; False when there is none. Raises InvalidName for an alias."""
        with self._mutex:
            self._check_running()
            uid = self._catalog.uid(name)
            if uid is None:
                if self.exists(name):
                    raise InvalidName("collection_name", f"{name!r} is an alias; delete aliases by UpdateAliases")
                return False
            self._catalog.remove(name)
            self._closed.discard(name)
            self._broken.pop(name, None)
            collection = self._open.pop(name, None)
        failpoint("drop_collection_committed")
        if collection is not None:
            self.maintenance.forget(collection)
            collection.close()
            self.closed(collection)
        shutil.rmtree(self._folder(uid), ignore_errors=True)
        return True

    def collection(self, name: str) -> Collection:
        """The collection of this name or alias, opened if need be.

        Raises CollectionNotFound, CollectionClosed, or what opening it failed with.
        """
        collection = self._open.get(name)
        if collection is not None:
            return collection
        own_name = self.resolve(name)
        collection = self._open.get(own_name)
        if collection is not None:
            return collection
        if own_name in self._closed and self._settings.reopen_on_use:
            return self._reopen(own_name)
        return self._open_once(own_name)

    def collection_of_uid(self, uid: str) -> Collection | None:
        """The collection of this uid, opened if need be; None when there is none. Raises like `collection`."""
        self._check_running()
        name = next((name for name, known in self._catalog.names() if known == uid), None)
        return None if name is None else self.collection(name)

    def watch(self, watcher: Callable[[Collection], None]) -> None:
        """Has `watcher` called after every commit of a collection, from its writer's thread, and when one is opened."""
        self._watchers.append(watcher)

    def resolve(self, name: str) -> str:
        """The collection's own name. Raises CollectionNotFound."""
        self._check_running()
        return self._catalog.resolve(name)

    def uid(self, name: str) -> str:
        """What tells the collection of this name or alias from all others, for ever. Raises CollectionNotFound."""
        uid = self._catalog.uid(self.resolve(name))
        if uid is None:
            raise CollectionNotFound(name)
        return uid

    def exists(self, name: str) -> bool:
        """Whether a collection or alias has this name."""
        try:
            self.resolve(name)
        except CollectionNotFound:
            return False
        return True

    def collection_names(self, prefix: str = "") -> list[str]:
        """Names of collections that start with `prefix`, sorted."""
        self._check_running()
        return [name for name, _ in self._catalog.names() if name.startswith(prefix)]

    def update_aliases(self, operations: Sequence[AliasOperation]) -> None:
        """Applies all operations in order, or none."""
        self._check_running()
        self._catalog.update_aliases(operations)

    def aliases(self, collection: str | None = None) -> list[tuple[str, str]]:
        """Aliases and their collections, sorted by alias. Raises CollectionNotFound."""
        self._check_running()
        return self._catalog.aliases(None if collection is None else self.resolve(collection))

    def open_collection(self, name: str) -> None:
        """Opens a closed or broken collection."""
        self._reopen(self.resolve(name))

    def close_collection(self, name: str) -> None:
        """Closes a collection and unmaps its files. The settings say whether its next use opens it or is refused."""
        own_name = self.resolve(name)
        with self._mutex:
            self._closed.add(own_name)
            collection = self._open.pop(own_name, None)
            if collection is None:
                return
            self._leaving.add(own_name)
        try:
            self.maintenance.forget(collection)
            collection.close()  # waits for readers, who may need the mutex
            self.closed(collection)
        finally:
            with self._left:
                self._leaving.discard(own_name)
                self._left.notify_all()

    def state(self, name: str) -> tuple[CollectionState, str]:
        """The state of a collection, and the reason when it is ERROR. Does not open it. Raises CollectionNotFound."""
        own_name = self.resolve(name)
        if own_name in self._closed:
            return CollectionState.CLOSED, ""
        if own_name in self._opening:
            return CollectionState.LOADING, ""
        if own_name in self._broken:
            return CollectionState.ERROR, self._broken[own_name].message
        collection = self._open.get(own_name)
        if collection is not None and collection.is_worked_on:
            return CollectionState.REBUILDING, ""
        return CollectionState.READY, ""

    def open_collections(self) -> list[Collection]:
        with self._mutex:
            return list(self._open.values())

    def _add_collection(self, name: str, fill: Callable[[Path], None]) -> Collection:
        """Makes a collection of the files that `fill` writes, durably, into the folder it is given.

        Raises InvalidName, CollectionAlreadyExists, StorageFull, CorruptStore, UnknownFormat, or what `fill` raises;
        then nothing is left.
        """
        check_name(name, "target_collection_name")
        self._check_running()
        self._catalog.check_free(name)
        uid = Catalog.new_uid()
        with _removed_on_failure(self._folder(uid)) as folder:
            folder.mkdir()
            fill(folder)
            sync_folder(folder.parent)
            core = Core.open(uid, folder, self._codec, self._settings.map_size)
            failpoint("restore_publish")
            with self._mutex:
                self._name(name, uid, core)
                return self._enter(name, core)

    def _name(self, name: str, uid: str, core: Core) -> None:
        """Gives a new collection its name, durably, or closes it. Requires: the mutex."""
        try:
            self._check_running()
            self._catalog.add(name, uid)
        except BaseException:
            core.close()
            raise

    def _reopen(self, name: str) -> Collection:
        with self._left:
            while name in self._leaving:  # one process may have an LMDB environment open only once
                self._left.wait()
            self._closed.discard(name)
            self._broken.pop(name, None)
        return self._open_once(name)

    def _open_once(self, name: str) -> Collection:
        with self._mutex:
            self._check_running()
            collection = self._open.get(name)
            if collection is not None:
                return collection
            if name in self._closed:
                raise CollectionClosed(name)
            if name in self._broken:
                raise self._broken[name]
            uid = self._catalog.uid(name)
            if uid is None:
                raise CollectionNotFound(name)
            self._opening.add(name)
            try:
                core = Core.open(uid, self._folder(uid), self._codec, self._settings.map_size)
            except (CorruptStore, UnknownFormat) as error:
                log.error("collection %r cannot be opened: %s", name, error)
                self._broken[name] = error
                raise
            finally:
                self._opening.discard(name)
            return self._enter(name, core)

    def _enter(self, name: str, core: Core) -> Collection:
        core.matching_rows = self._matching_rows
        collection = Collection(name, core, self._settings, committed=self._committed, closing=self.cursors.forget)
        self._open[name] = collection
        self._committed(collection)
        self.opened(collection)
        return collection

    def _committed(self, collection: Collection) -> None:
        """Tells those who follow commits that there is a new one, or that the collection was opened."""
        self.maintenance.notify(collection)
        for watcher in self._watchers:
            watcher(collection)

    def _check_running(self) -> None:
        if self._stopping:
            raise ShuttingDown()

    def _folder(self, uid: str) -> Path:
        return self.path / "collections" / uid

    def _remove_strays(self) -> None:
        """Removes folders that the catalog does not name: of creations and deletions that were cut short."""
        known = {uid for _, uid in self._catalog.names()}
        root = self.path / "collections"
        make_folder(root)
        for folder in root.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)
        self.snapshots.remove_strays()


def _nothing(collection: Collection) -> None:
    pass


@contextmanager
def _removed_on_failure(folder: Path) -> Iterator[Path]:
    """The folder of a collection in the making. What the disk or LMDB refuses becomes an error of ours."""
    try:
        yield folder
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise failure(error, f"writing {folder}") from error
        if isinstance(error, lmdb.Error):
            raise write_failure(error, folder.parent) from error
        raise
