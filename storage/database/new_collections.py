"""Makes collections: empty ones, copies of others, and from archives. After an error nothing is left."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import lmdb

from storage.backup import Snapshots, copy_collection
from storage.budget import Budget
from storage.collection import Collection
from storage.database.opener import Opener
from storage.database.registry import Registry
from storage.files import Leftovers, failpoint, failure, sync_folder
from storage.opening import Opened
from storage.schema import CollectionSchema, check_name, check_schema
from storage.tables import Catalog, SnapshotEntry, write_failure


class NewCollections:
    """Safe for many threads.

    Each method may raise InvalidName, CollectionAlreadyExists, StorageFull, StorageFailed, ShuttingDown, what opening
    raises, or as its budget says.
    """

    def __init__(self, catalog: Catalog, registry: Registry, opener: Opener, leftovers: Leftovers) -> None:
        self._catalog = catalog
        self._registry = registry
        self._opener = opener
        self._leftovers = leftovers

    def create(self, name: str, schema: CollectionSchema, budget: Budget) -> Collection:
        """Makes an empty collection. Raises InvalidRequest too."""
        check_name(name, "collection_name")
        check_schema(schema)
        with self._in_the_making(name) as folder:

            def do_open(collection: Collection) -> Opened:
                shutil.rmtree(folder, ignore_errors=True)  # left by an earlier try that the system refused
                with _our_errors(folder):
                    return self._opener.create(collection, schema)

            return self._publish(name, folder.name, do_open, budget)

    def copy(self, source: Collection, target: str, budget: Budget) -> Collection:
        """Copies the newest commit of `source`; writes to it go on meanwhile."""
        begin = partial(source.snapshot, budget)
        return self._fill(target, lambda folder: copy_collection(begin, folder, budget), budget)

    def restore(self, snapshots: Snapshots, entry: SnapshotEntry, target: str, budget: Budget) -> Collection:
        """Makes a collection from an archive, verified. Raises CorruptStore and UnknownFormat too."""
        return self._fill(target, lambda folder: snapshots.extract(entry, folder, budget), budget)

    def _fill(self, name: str, fill: Callable[[Path], None], budget: Budget) -> Collection:
        """Makes a collection. `fill` writes its files, durably, into a folder."""
        check_name(name, "target_collection_name")
        with self._in_the_making(name) as folder:
            folder.mkdir()
            fill(folder)
            sync_folder(folder.parent)
            return self._publish(name, folder.name, self._opener.open, budget)

    def _publish(self, name: str, uid: str, do_open: Callable[[Collection], Opened], budget: Budget) -> Collection:
        """Opens a new collection with `do_open` and gives it its name, durably. Closes it after an error."""
        collection = self._registry.make(name, uid)
        with self._registry.adding(collection):
            collection.open(budget, lambda: do_open(collection))
            failpoint("restore_publish")
            self._registry.check_running()
            self._catalog.add(name, uid)
        return collection

    @contextmanager
    def _in_the_making(self, name: str) -> Iterator[Path]:
        """The folder of a collection that is being made under this name. The folder's name is the uid.

        When the context fails the folder is removed, and errors of the disk or LMDB become EngineErrors.
        """
        self._registry.check_running()
        self._catalog.check_free(name)
        folder = self._opener.folder_of(Catalog.new_uid())
        try:
            with _our_errors(folder):
                yield folder
        except BaseException:
            self._leftovers.remove(folder)
            raise


@contextmanager
def _our_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise failure(error, f"writing {folder}") from error
    except lmdb.Error as error:
        raise write_failure(error, folder.parent) from error
