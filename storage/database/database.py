"""A data directory: its catalog and its collections, opened on first use. One process at a time."""

import logging
import shutil
import threading
from pathlib import Path

from storage.backup import Snapshots
from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.cursors import Cursors
from storage.database.followers import Followers
from storage.database.names import Names
from storage.database.new_collections import NewCollections
from storage.database.opener import Opener
from storage.database.registry import Registry
from storage.database.usage import Usage
from storage.errors import CorruptStore, InvalidName, UnknownFormat
from storage.files import (
    DiskReserve,
    FolderLock,
    Identity,
    Leftovers,
    check_directory,
    check_writable,
    failpoint,
    failure,
    hide_folder,
    is_data_directory,
    make_folder,
    map_reserve,
    mark_directory,
    tighten,
    tighten_folder,
)
from storage.maintenance import Maintenance, Scheduler
from storage.opening import OpenCollections, Opened, most_open
from storage.pages import WALKS
from storage.schema import CollectionSchema
from storage.settings import StorageSettings
from storage.tables import Catalog, NamedCollection, PayloadCodec

log = logging.getLogger(__name__)


class Database:
    """Safe for many threads. Work on one collection never waits for another that is being opened, made or closed.

    Other objects hold parts of it: `names` (collections and aliases), `snapshots`, `cursors`, `maintenance`, `usage`
    (which collections are open) and `followers` (who is told of commits).
    """

    def __init__(self, path: Path, codec: PayloadCodec, settings: StorageSettings, lock: FolderLock) -> None:
        self.path = path
        self._background = settings.background
        self._lock = lock
        self._disk_reserve = DiskReserve(path / "reserve", settings.disk_reserve)
        self._catalog = self._disk_reserve.lend_if_full(
            lambda: Catalog(path / "catalog", settings.map_size, self._disk_reserve)
        )
        self._leftovers = Leftovers()
        self._identity = Identity(path)
        self._closing = threading.Lock()
        self._is_closed = False
        self.snapshots = Snapshots(path / "snapshots", self._catalog.snapshots)
        self.cursors = Cursors()
        scheduler = Scheduler(
            parallel=settings.parallel_tasks, max_memory=settings.max_build_memory, disk_reserve=self._disk_reserve
        )
        self.maintenance = Maintenance(scheduler)
        self.followers = Followers()
        self.followers.watch(scheduler.notify)
        places = OpenCollections(
            settings.max_open_collections or most_open(settings.map_size + map_reserve(settings.map_size))
        )
        self._opener = Opener(
            path / "collections",
            codec,
            settings,
            places=places,
            disk_reserve=self._disk_reserve,
            followers=self.followers,
        )
        self._registry = Registry(
            lambda name, uid: self._opener.make(name, uid, do_open=self._open_files, closing=self.cursors.forget),
            is_known=lambda uid: self._catalog.name_of(uid) is not None,
            leaving=scheduler.forget,
            left=self.followers.tell_closed,
            reopen_on_use=settings.reopen_on_use,
        )
        self.names = Names(self._catalog, self._registry.check_running)
        self.usage = Usage(self.names, self._registry, places, self._opener)
        self._new = NewCollections(self._catalog, self._registry, self._opener, self._leftovers)

    @classmethod
    def open(cls, path: Path, *, codec: PayloadCodec, settings: StorageSettings | None = None) -> "Database":
        """Opens or creates a data directory, and removes what unfinished creations and deletions left.

        Raises StorageFailed (another process has it open, or it cannot be written), UnknownFormat, CorruptStore.
        """
        path = path.absolute()
        hide_folder(path, "the data directory")
        try:
            make_folder(path)
            tighten_folder(path)
            lock = FolderLock(path)
        except OSError as error:
            raise failure(error, f"opening {path}") from error
        try:
            if not is_data_directory(path):
                mark_directory(path)
            check_directory(path)
            for folder in ("catalog", "snapshots"):
                tighten(path / folder)
            database = cls(path, codec, settings or StorageSettings(), lock)
            try:
                database._remove_strays()
            except BaseException:
                database._catalog.close()
                raise
        except BaseException as error:
            lock.release()
            if isinstance(error, OSError):
                raise failure(error, f"opening {path}") from error
            raise
        if database._background:
            database.maintenance.scheduler.start()
        return database

    def check_reachable(self) -> None:
        """Raises StorageFailed when the data directory was removed, replaced or cannot be written. Opens nothing."""
        self._identity.check()
        self._catalog.check_reachable()
        check_writable(self.path)

    def close(self) -> None:
        """Stops background work, commits waiting writes and closes all files."""
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
        self._registry.stop()
        WALKS.abandon(self.path)
        try:
            self.maintenance.scheduler.stop()
            self._registry.close_all()
        finally:
            WALKS.admit(self.path)
        self._opener.stop()
        self._catalog.close()
        self._disk_reserve.close()
        self._lock.release()

    def create_collection(self, name: str, schema: CollectionSchema, budget: Budget = UNLIMITED) -> Collection:
        """Makes an empty collection. Raises what NewCollections raises."""
        return self._new.create(name, schema, budget)

    def clone_collection(self, name: str, target: str, budget: Budget) -> Collection:
        """Makes a copy of the newest commit of a collection. Raises what `collection` and NewCollections raise."""
        return self._new.copy(self.collection(name, budget), target, budget)

    def restore_snapshot(self, collection: str, name: str, target: str, budget: Budget) -> Collection:
        """Makes a collection from an archive, verified. Raises SnapshotNotFound and what NewCollections raises."""
        entry = self.snapshots.get(self.names.snapshot_owner(collection), name)
        return self._new.restore(self.snapshots, entry, target, budget)

    def delete_collection(self, name: str) -> bool:
        """Deletes a collection, durably; False when there is none. Raises InvalidName for an alias."""
        self._registry.check_running()
        uid = self._catalog.uid(name)
        if uid is None:
            if self.names.exists(name):
                raise InvalidName("collection_name", f"{name!r} is an alias; delete aliases by UpdateAliases")
            return False
        with self._registry.removing(uid):
            deleted = self._catalog.remove(name, uid)
            failpoint("drop_collection_committed")
        self._opener.failed_writes.forget(uid)
        self._leftovers.remove(self._opener.folder_of(uid))
        return deleted

    def collection(self, name: str, budget: Budget = UNLIMITED) -> Collection:
        """The collection with this name or alias; opens it when it is not open.

        Raises CollectionNotFound, CollectionClosed, DeadlineExceeded, Cancelled, or the error of opening.
        """
        return self._opened(self.names.find(name), budget)

    def collection_of_uid(self, uid: str, budget: Budget = UNLIMITED) -> Collection | None:
        """The collection with this uid; opens it when it is not open. None when there is none. Raises what `collection`
        raises."""
        self._registry.check_running()
        name = self._catalog.name_of(uid)
        return None if name is None else self._opened(NamedCollection(name, uid), budget)

    def open_collection(self, name: str, budget: Budget = UNLIMITED) -> None:
        """Opens a closed or broken collection."""
        self._opened(self.names.find(name), budget, reopen=True)

    def close_collection(self, name: str) -> None:
        """Closes a collection and unmaps its files. `reopen_on_use` says whether the next use opens it or is
        refused."""
        self._registry.close(self.names.uid(name))

    def _opened(self, named: NamedCollection, budget: Budget, *, reopen: bool = False) -> Collection:
        collection = self._registry.get(named.name, named.uid, budget, reopen=reopen)
        collection.open(budget)
        return collection

    def _open_files(self, collection: Collection) -> Opened:
        """Opens a collection of the catalog. A broken one is noted: it is not tried again until a user opens it."""
        self._registry.check_sound(collection.uid)
        try:
            return self._disk_reserve.lend_if_full(lambda: self._opener.open(collection))
        except (CorruptStore, UnknownFormat) as error:
            log.error("collection %r cannot be opened: %s", collection.name, error)
            self._registry.note_broken(collection.uid, error)
            raise

    def _remove_strays(self) -> None:
        """Removes folders that the catalog does not name. Unfinished creations and deletions leave such folders."""
        known = {each.uid for each in self._catalog.collections()}
        root = self._opener.folder
        make_folder(root)
        folders = list(root.iterdir())
        if not known <= {folder.name for folder in folders}:
            # A uid in the catalog may be damaged. Its folder would then look unnamed, and must stay.
            log.error("%s: some collections have no folder, so folders without a collection are kept", root)
            folders = []
        for folder in folders:
            if folder.name not in known and folder.is_dir() and not folder.is_symlink():
                shutil.rmtree(folder, ignore_errors=True)
        self.snapshots.remove_strays()
