"""Does each kind of operation while the system gives no descriptor, or only a few: run as a process of its own.

Prints one line per failure: an error that is not ours, one that stays, a descriptor or a file that was left.
"""

import gc
import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from storage.budget import UNLIMITED
from storage.database import Database
from storage.errors import EngineError, StorageFailed
from storage.schema import CollectionSchema, DenseSpace, SchemaChange, SparseSpace
from storage.settings import StorageSettings
from storage.tables.aliases import CreateAlias
from tests.storage.model import Point, upsert, write
from tests.support.directories import CODEC

LIMIT = 128
SCHEMA = CollectionSchema(spaces={"v": DenseSpace(size=4)})
VECTOR = np.ones(4, np.float32)


class Operations:
    """Each leaves things as they were, but for points."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._collection = database.create_collection("c", SCHEMA)
        database.create_collection("other", SCHEMA)
        self._number = 0

    def all(self) -> dict[str, Callable[[], None]]:
        names = ("upsert", "grow", "structure", "create", "reopen", "snapshot", "clone", "alias", "read", "stats")
        return {name: getattr(self, name) for name in names}

    def upsert(self) -> None:
        write(self._collection, upsert([(1, Point({}, {"v": VECTOR}))]))

    def grow(self) -> None:
        self._number += 1
        ids = range(self._number * 1_000, self._number * 1_000 + 300)
        write(self._collection, upsert([(number, Point({}, {"v": VECTOR})) for number in ids]))

    def structure(self) -> None:
        spaces = {f"s{number}": DenseSpace(size=4) for number in range(10)}
        left = tuple(name for name in self._collection.schema.names if name != "v")
        if left:
            self._collection.change_schema(SchemaChange(drop=left))
        self._collection.change_schema(SchemaChange(add={**spaces, "sparse": SparseSpace()}))
        self._collection.change_schema(SchemaChange(drop=tuple(spaces), drop_sparse=("sparse",)))

    def create(self) -> None:
        self._database.delete_collection("n")
        self._database.create_collection("n", SCHEMA)
        self._database.delete_collection("n")

    def reopen(self) -> None:
        self._database.close_collection("other")
        with self._database.collection("other").snapshot():
            pass

    def snapshot(self) -> None:
        for left in self._database.snapshots.list("c"):
            self._database.snapshots.delete("c", left.name)
        entry = self._database.snapshots.create(self._collection, None, UNLIMITED)
        self._database.delete_collection("restored")
        self._database.restore_snapshot("c", entry.name, "restored", UNLIMITED)
        self._database.delete_collection("restored")
        self._database.snapshots.delete("c", entry.name)

    def clone(self) -> None:
        self._database.delete_collection("clone")
        self._database.clone_collection("c", "clone", UNLIMITED)
        self._database.delete_collection("clone")

    def alias(self) -> None:
        self._database.names.update_aliases([CreateAlias("alias", "c")])

    def read(self) -> None:
        with self._collection.snapshot() as snapshot:
            snapshot.vectors("v", snapshot.all_slots()[:1])

    def stats(self) -> None:
        self._collection.stats()


@contextmanager
def few_descriptors(free: int) -> Iterator[None]:
    """Only so many may be opened."""
    taken = []
    try:
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        pass
    for _ in range(free):
        os.close(taken.pop())
    try:
        yield
    finally:
        for each in taken:
            os.close(each)


def _open_descriptors(database: Database) -> int:
    for name in ("c", "other"):
        database.collection(name)
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def _files(root: Path) -> set[str]:
    """Those that are there for good: not what LMDB and the vectors of points grow by."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.suffix != ".seal"}


def try_operations(database: Database, root: Path) -> Iterator[str]:
    operations = Operations(database).all()
    for operation in operations.values():
        operation()
    descriptors, files = _open_descriptors(database), _files(root)
    for name, operation in operations.items():
        for free in range(8):
            with few_descriptors(free):
                try:
                    operation()
                except EngineError as error:
                    if isinstance(error, StorageFailed):
                        yield f"{name} with {free}: {error!r}"
                except Exception as error:
                    yield f"{name} with {free}: not an error of ours: {error!r}"
            try:
                operation()
            except Exception as error:
                yield f"{name} after {free}: {error!r}"
            now = _open_descriptors(database)
            if now != descriptors:
                yield f"{name} with {free}: {descriptors} descriptors became {now}"
    for operation in operations.values():
        operation()
    left = _files(root) - files
    if left:
        yield f"files were left: {sorted(left)}"


def main(root: Path) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
    database = Database.open(root, codec=CODEC, settings=StorageSettings(background=False, map_size=2**26))
    for failure in try_operations(database, root):
        print(failure)
    database.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
