"""Commits changes of the catalog one after another. Each is durable when its method returns. Knows no names."""

import threading
from collections.abc import Callable
from typing import TypeVar

import lmdb

from storage.files import DiskReserve, Identity, check_room
from storage.tables.catalog_file import CatalogFile

Outcome = TypeVar("Outcome")


class CatalogWriter:
    """Safe for many threads."""

    def __init__(self, file: CatalogFile, identity: Identity, map_size: int, disk_reserve: DiskReserve) -> None:
        """Changes that remove names may use the reserve."""
        self._file = file
        self._identity = identity
        self._map_size = map_size
        self._disk_reserve = disk_reserve
        self._writing = threading.Lock()

    def check_reachable(self) -> None:
        """Raises StorageFailed when the file is not where it was opened."""
        self._identity.check()

    def write(self, change: Callable[[lmdb.Transaction], Outcome], *, frees: bool = False) -> Outcome:
        """Commits a change and returns its outcome. A change that `frees` room also works when the disk is full."""
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
        self._identity.check()  # a commit to a removed file is not durable
        return outcome
