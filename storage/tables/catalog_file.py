"""The LMDB environment of a catalog. It appears complete, and is opened again when LMDB gives it up. Knows no names.

LMDB gives an environment up, also for reads, when it cannot write the page that makes a commit count. That commit is
then lost, and all earlier ones are kept.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb

from storage.files import FOLDER_MODE, failure, sync_file, sync_folder, write_seal
from storage.tables.environment import environment_failure, open_environment, open_read_only, write_failure

# Tables. Persisted.
_NAMES = b"names"
_ALIASES = b"aliases"
_SNAPSHOTS = b"snapshots"


class CatalogFile:
    """Safe for many threads. A read never waits for a write."""

    names: lmdb._Database
    aliases: lmdb._Database
    snapshots: lmdb._Database

    def __init__(self, folder: Path, map_size: int) -> None:
        """Opens or creates it. Raises CorruptStore, StorageFull, StorageFailed or OSError."""
        self._folder = folder
        self._map_size = map_size
        self._writing = threading.RLock()
        self._reading = threading.RLock()  # lock order: `_writing` first, then this one
        self.known: dict[str, object] = {}
        """What readers remember of the newest state. A change replaces it, and so what a reader of an older state
        puts into the old one is lost."""
        self.reopened: Callable[[], None] = lambda: None
        """Called after the environment was opened again: a write that failed may be there after all."""
        if is_missing(folder):
            _create(folder, map_size)
        sync_folder(folder.parent)  # the process that made it may have ended before its name was durable
        self._env = self._opened()

    @property
    def env(self) -> lmdb.Environment:
        """The current environment. Requires: one of its transactions is open."""
        return self._env

    def close(self) -> None:
        try:
            write_seal(self._env, self._folder)
        finally:
            self._env.close()

    @contextmanager
    def read(self) -> Iterator[lmdb.Transaction]:
        """A read transaction. Raises CorruptStore, StorageFull or StorageFailed when the environment could not be
        opened again."""
        with self._reading:
            try:
                begun = self._env.begin()
            except lmdb.Error:
                begun = None
            if begun is not None:
                with begun as txn:
                    yield txn
                return
        with self._writing:
            self._reopen_if_given_up()
        with self._reading, self._env.begin() as txn:
            yield txn

    @contextmanager
    def write(self) -> Iterator[lmdb.Transaction]:
        """A write transaction, durable when the block ends. Raises StorageFull or StorageFailed; then nothing is
        written."""
        with self._writing:
            self._reopen_if_given_up()
            try:
                with self._env.begin(write=True) as txn:
                    yield txn
            except lmdb.Error as error:
                raise write_failure(error, self._folder) from error
            finally:
                self.known = {}

    def _reopen_if_given_up(self) -> None:
        """Requires: the lock of writes."""
        with self._reading:
            try:
                self._env.begin().abort()
            except lmdb.Error:
                self._env.close()
                try:
                    self._env = self._opened()
                except OSError as error:
                    raise failure(error, f"opening {self._folder}") from error
                self.reopened()

    def _opened(self) -> lmdb.Environment:
        env = open_environment(self._folder, self._map_size)
        self.known = {}
        try:
            self.names, self.aliases, self.snapshots = map(env.open_db, (_NAMES, _ALIASES, _SNAPSHOTS))
        except BaseException as error:
            env.close()
            if isinstance(error, lmdb.Error):
                raise environment_failure(error, self._folder / "data.mdb") from error
            raise
        return env


def is_missing(folder: Path) -> bool:
    """Whether the catalog in `folder` was not finished when its process ended."""
    file = folder / "data.mdb"
    return not file.exists() or file.stat().st_size == 0


def read_tables(folder: Path) -> tuple[list[tuple[bytes, bytes]], list[tuple[bytes, bytes]]]:
    """The entries of names and of archives, of a catalog that nobody has open. Changes nothing.

    Raises CorruptStore, StorageFailed or OSError.
    """
    env = open_read_only(folder)
    try:
        with env.begin() as txn:
            names, snapshots = (_entries(env, txn, table) for table in (_NAMES, _SNAPSHOTS))
            return names, snapshots
    except lmdb.Error as error:
        raise environment_failure(error, folder / "data.mdb") from error
    finally:
        env.close()


def _entries(env: lmdb.Environment, txn: lmdb.Transaction, table: bytes) -> list[tuple[bytes, bytes]]:
    with txn.cursor(env.open_db(table, txn=txn, create=False)) as cursor:
        return [(bytes(key), bytes(value)) for key, value in cursor]


def _create(folder: Path, map_size: int) -> None:
    """Makes an empty catalog appear in `folder` in one step: LMDB needs several writes for the first pages of a
    file."""
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(FOLDER_MODE)
    env = open_environment(new, map_size)
    try:
        for table in (_NAMES, _ALIASES, _SNAPSHOTS):
            env.open_db(table)
        sync_file(new / "data.mdb")
        write_seal(env, new)
    except lmdb.Error as error:
        raise environment_failure(error, new / "data.mdb") from error
    finally:
        env.close()
    sync_folder(new)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(new, folder)
