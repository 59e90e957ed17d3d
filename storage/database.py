"""A data directory: its catalog and its collections, opened on first use. One process at a time."""

import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import lmdb

from storage.backup import Snapshots, copy_collection
from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.cursors import Cursors
from storage.errors import CollectionNotFound, CorruptStore, InvalidName, UnknownFormat
from storage.failed_writes import FailedWriteLog
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
    last_used,
    make_folder,
    map_reserve,
    mark_directory,
    sync_folder,
    tighten,
    tighten_folder,
)
from storage.maintenance import Maintenance
from storage.mvcc import Core
from storage.opening import OpenCollections, OpenCounts, Opened, most_open
from storage.pages import WALKS
from storage.registry import Registry
from storage.schema import CollectionSchema, check_name, check_schema
from storage.segments import MatchingRowsCache
from storage.settings import StorageSettings
from storage.tables import AliasOperation, Catalog, CollectionState, PayloadCodec, write_failure
from storage.write import Writer, WriteThreads

log = logging.getLogger(__name__)


class Database:
    """Safe to use from many threads. One collection never waits for another that is being opened, made or closed."""

    def __init__(self, path: Path, codec: PayloadCodec, settings: StorageSettings, lock: FolderLock) -> None:
        self.path = path
        self._codec = codec
        self._settings = settings
        self._lock = lock
        self._disk_reserve = DiskReserve(path / "reserve", settings.disk_reserve)
        self._failed_writes = FailedWriteLog()
        self._catalog = self._disk_reserve.lend_if_full(
            lambda: Catalog(path / "catalog", settings.map_size, self._disk_reserve)
        )
        self.snapshots = Snapshots(path / "snapshots", self._catalog)
        self._leftovers = Leftovers()
        self._places = OpenCollections(
            settings.max_open_collections or most_open(settings.map_size + map_reserve(settings.map_size))
        )
        self._write_threads = WriteThreads()
        self._watchers: list[Callable[[Collection], None]] = []
        self.maintenance = Maintenance(
            parallel=settings.parallel_tasks, max_memory=settings.max_build_memory, disk_reserve=self._disk_reserve
        )
        self.cursors = Cursors()
        self.opened: Callable[[Collection], None] = _nothing
        """Called with each collection once it is open; must not wait. Set by whoever derives data from collections."""
        self.closed: Callable[[Collection], None] = _nothing
        """Called with each collection once it is closed, also for room; must not wait."""
        self._matching_rows = MatchingRowsCache()
        self._collections = Registry(
            self._make,
            is_known=lambda uid: self._catalog.name_of(uid) is not None,
            leaving=self.maintenance.forget,
            left=lambda collection: self.closed(collection),
            reopen_on_use=settings.reopen_on_use,
        )
        self._identity = Identity(path)
        self._closing = threading.Lock()
        self._is_closed = False

    @classmethod
    def open(cls, path: Path, *, codec: PayloadCodec, settings: StorageSettings | None = None) -> "Database":
        """Opens or creates a data directory and removes what unfinished creations and deletions left.

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
        if database._settings.background:
            database.maintenance.start()
        return database

    def check_reachable(self) -> None:
        """Raises StorageFailed when the data directory was removed, replaced or cannot be written. Opens nothing."""
        self._identity.check()
        self._catalog.check_reachable()
        check_writable(self.path)

    def close(self) -> None:
        """Stops background work, commits what waits and closes all files."""
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
        self._collections.stop()
        WALKS.abandon(self.path)
        try:
            self.maintenance.stop()
            self._collections.close_all()
        finally:
            WALKS.admit(self.path)
        self._write_threads.stop()
        self._catalog.close()
        self._disk_reserve.close()
        self._lock.release()

    def create_collection(self, name: str, schema: CollectionSchema, budget: Budget = UNLIMITED) -> Collection:
        """Makes an empty collection. Raises InvalidName, InvalidRequest, CollectionAlreadyExists, StorageFull, and what
        opening one raises."""
        check_name(name, "collection_name")
        check_schema(schema)
        self._check_running()
        self._catalog.check_free(name)
        uid = Catalog.new_uid()
        with self._removed_on_failure(self._folder(uid)) as folder:

            def create() -> Core:
                shutil.rmtree(folder, ignore_errors=True)  # of an attempt that the system had no room for
                with _our_errors(folder):
                    return Core.create(uid, folder, schema, self._codec, self._settings.map_size)

            return self._publish(name, uid, create, budget)

    def clone_collection(self, name: str, target: str, budget: Budget) -> Collection:
        """Makes a collection of the newest commit of another, whose writes go on meanwhile; see `_add_collection`."""
        source = self.collection(name, budget)

        def copy(folder: Path) -> None:
            copy_collection(partial(source.snapshot, budget), folder, budget)

        return self._add_collection(target, copy, budget)

    def restore_snapshot(self, collection: str, name: str, target: str, budget: Budget) -> Collection:
        """Makes a collection of a snapshot, verified. Raises SnapshotNotFound too; see `_add_collection`."""
        entry = self.snapshots.get(self.snapshot_owner(collection), name)
        return self._add_collection(target, lambda folder: self.snapshots.extract(entry, folder, budget), budget)

    def snapshot_owner(self, name: str) -> str:
        """The name under which the snapshots of a collection or alias are listed: they outlive their collection."""
        try:
            return self.resolve(name)
        except CollectionNotFound:
            return name

    def delete_collection(self, name: str) -> bool:
        """Deletes a collection, durably; False when there is none. Raises InvalidName for an alias."""
        self._check_running()
        uid = self._catalog.uid(name)
        if uid is None:
            if self.exists(name):
                raise InvalidName("collection_name", f"{name!r} is an alias; delete aliases by UpdateAliases")
            return False
        with self._collections.removing(uid):
            deleted = self._catalog.remove(name, uid)
            failpoint("drop_collection_committed")
        self._failed_writes.forget(uid)
        self._leftovers.remove(self._folder(uid))
        return deleted

    def collection(self, name: str, budget: Budget = UNLIMITED) -> Collection:
        """The collection of this name or alias, opened if need be.

        Raises CollectionNotFound, CollectionClosed, DeadlineExceeded, Cancelled, or what opening it failed with.
        """
        return self._opened(*self._find(name), budget)

    def collection_of_uid(self, uid: str, budget: Budget = UNLIMITED) -> Collection | None:
        """The collection of this uid, opened if need be; None when there is none. Raises like `collection`."""
        self._check_running()
        name = self._catalog.name_of(uid)
        return None if name is None else self._opened(name, uid, budget)

    def watch(self, watcher: Callable[[Collection], None]) -> None:
        """Has `watcher` called after every commit of a collection, from its writer's thread, and when one is opened."""
        self._watchers.append(watcher)

    def resolve(self, name: str) -> str:
        """The collection's own name. Raises CollectionNotFound."""
        return self._find(name)[0]

    def uid(self, name: str) -> str:
        """What tells the collection of this name or alias from all others, for ever. Raises CollectionNotFound."""
        return self._find(name)[1]

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
        return [name for name, _ in self._catalog.names(prefix)]

    def update_aliases(self, operations: Sequence[AliasOperation]) -> None:
        """Applies all operations in order, or none."""
        self._check_running()
        self._catalog.update_aliases(operations)

    def aliases(self, collection: str | None = None) -> list[tuple[str, str]]:
        """Aliases and their collections, sorted by alias. Raises CollectionNotFound."""
        self._check_running()
        return self._catalog.aliases(None if collection is None else self.resolve(collection))

    def open_collection(self, name: str, budget: Budget = UNLIMITED) -> None:
        """Opens a closed or broken collection."""
        own_name, uid = self._find(name)
        self._collections.get(own_name, uid, budget, reopen=True).open(budget)

    def close_collection(self, name: str) -> None:
        """Closes a collection and unmaps its files. The settings say whether its next use opens it or is refused."""
        self._collections.close(self.uid(name))

    def state(self, name: str) -> tuple[CollectionState, str]:
        """The state of a collection, and the reason when it is ERROR. Does not open it. Raises CollectionNotFound."""
        return self._collections.state(self.uid(name))

    def open_collections(self) -> list[Collection]:
        """Those whose files are open."""
        return self._collections.open_ones()

    def last_used(self, most: int) -> list[str]:
        """Names of the collections that were used last, newest first, about: at most `most`, and half of the places.

        Large ones, which take long to open, are left out.
        """
        self._check_running()
        names = {self._folder(uid): name for name, uid in self._catalog.names()}
        return [names[folder] for folder in last_used(names, min(most, self._places.counts().most // 2))]

    def open_counts(self) -> OpenCounts:
        """How many collections are open, and how often one was opened, or closed to make room."""
        return self._places.counts()

    def _find(self, name: str) -> tuple[str, str]:
        """Own name and uid of a collection. Raises CollectionNotFound."""
        self._check_running()
        return self._catalog.find(name)

    def _opened(self, name: str, uid: str, budget: Budget) -> Collection:
        collection = self._collections.get(name, uid, budget)
        collection.open(budget)
        return collection

    def _add_collection(self, name: str, fill: Callable[[Path], None], budget: Budget) -> Collection:
        """Makes a collection of the files that `fill` writes, durably, into the folder it is given.

        Raises InvalidName, CollectionAlreadyExists, StorageFull, CorruptStore, UnknownFormat, or what `fill` raises;
        then nothing is left.
        """
        check_name(name, "target_collection_name")
        self._check_running()
        self._catalog.check_free(name)
        uid = Catalog.new_uid()
        with self._removed_on_failure(self._folder(uid)) as folder:
            folder.mkdir()
            fill(folder)
            sync_folder(folder.parent)

            def open_copy() -> Core:
                return Core.open(uid, folder, self._codec, self._settings.map_size)

            return self._publish(name, uid, open_copy, budget)

    def _publish(self, name: str, uid: str, do_open: Callable[[], Core], budget: Budget) -> Collection:
        """Opens a new collection by `do_open` and gives it its name, durably, or closes it."""
        collection = self._make(name, uid)
        with self._collections.adding(collection):
            collection.open(budget, lambda: self._with_writer(collection, do_open()))
            failpoint("restore_publish")
            self._check_running()
            self._catalog.add(name, uid)
        return collection

    def _make(self, name: str, uid: str) -> Collection:
        return Collection(
            name,
            uid,
            self._places,
            self._open_files,
            opened=self._tell_opened,
            closed=lambda collection: self.closed(collection),
            closing=self.cursors.forget,
        )

    def _open_files(self, collection: Collection) -> Opened:
        """Opens a collection that the catalog names. What is broken is noted, and not tried again until asked for."""
        name, uid = collection.name, collection.uid
        self._collections.check_sound(uid)
        try:
            core = self._disk_reserve.lend_if_full(
                lambda: Core.open(uid, self._folder(uid), self._codec, self._settings.map_size)
            )
        except (CorruptStore, UnknownFormat) as error:
            log.error("collection %r cannot be opened: %s", name, error)
            self._collections.note_broken(uid, error)
            raise
        return self._with_writer(collection, core)

    def _with_writer(self, collection: Collection, core: Core) -> Opened:
        core.matching_rows = self._matching_rows
        core.disk_reserve, core.failed_writes = self._disk_reserve, self._failed_writes
        writer = Writer(
            core,
            self._write_threads,
            max_writes=self._settings.max_pending_writes,
            max_bytes=self._settings.max_pending_bytes,
            committed=lambda: self._committed(collection),
        )
        return Opened(core, writer)

    def _tell_opened(self, collection: Collection) -> None:
        self._committed(collection)
        self.opened(collection)

    def _committed(self, collection: Collection) -> None:
        """Tells those who follow commits that there is a new one, or that the collection was opened."""
        self.maintenance.notify(collection)
        for watcher in self._watchers:
            watcher(collection)

    def _check_running(self) -> None:
        self._collections.check_running()

    def _folder(self, uid: str) -> Path:
        return self.path / "collections" / uid

    @contextmanager
    def _removed_on_failure(self, folder: Path) -> Iterator[Path]:
        """The folder of a collection in the making. What the disk or LMDB refuses becomes an error of ours."""
        try:
            with _our_errors(folder):
                yield folder
        except BaseException:
            self._leftovers.remove(folder)
            raise

    def _remove_strays(self) -> None:
        """Removes folders that the catalog does not name: of creations and deletions that were cut short."""
        known = {uid for _, uid in self._catalog.names()}
        root = self.path / "collections"
        make_folder(root)
        folders = list(root.iterdir())
        if not known <= {folder.name for folder in folders}:
            # One that is named by a damaged uid would look like one that nothing names.
            log.error("%s: some collections have no folder, so folders that none names are kept", root)
            folders = []
        for folder in folders:
            if folder.name not in known and folder.is_dir() and not folder.is_symlink():
                shutil.rmtree(folder, ignore_errors=True)
        self.snapshots.remove_strays()


def _nothing(collection: Collection) -> None:
    pass


@contextmanager
def _our_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise failure(error, f"writing {folder}") from error
    except lmdb.Error as error:
        raise write_failure(error, folder.parent) from error
