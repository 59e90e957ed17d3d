"""Opens the files of collections, and gives each collection what all collections of a database share."""

from collections.abc import Callable
from pathlib import Path

from storage.collection import Collection
from storage.commit_counts import CommitCounts
from storage.database.followers import Followers
from storage.failed_writes import FailedWriteLog
from storage.files import DiskReserve
from storage.mvcc import CollectionState, create_core, open_core
from storage.opening import OpenCollections, Opened
from storage.schema import CollectionSchema
from storage.segments import MatchingRowsCache
from storage.settings import StorageSettings
from storage.tables import PayloadCodec
from storage.write import Writer, WriteThreads


class Opener:
    """Safe for many threads."""

    def __init__(
        self,
        folder: Path,
        codec: PayloadCodec,
        settings: StorageSettings,
        *,
        places: OpenCollections,
        disk_reserve: DiskReserve,
        followers: Followers,
    ) -> None:
        """`folder` holds a folder for each collection, named by its uid."""
        self.folder = folder
        self.disk_reserve = disk_reserve
        self.failed_writes = FailedWriteLog()
        self.commit_counts = CommitCounts()
        self._codec = codec
        self._settings = settings
        self._places = places
        self._followers = followers
        self._write_threads = WriteThreads()
        self._matching_rows = MatchingRowsCache()

    @property
    def matching_row_bytes(self) -> int:
        """Bytes of remembered rows of filters."""
        return self._matching_rows.used

    def folder_of(self, uid: str) -> Path:
        return self.folder / uid

    def make(
        self,
        name: str,
        uid: str,
        *,
        do_open: Callable[[Collection], Opened],
        closing: Callable[[Collection], None],
    ) -> Collection:
        """Makes the object of a collection. Its first use calls `do_open`; `closing` is called before it is closed."""
        return Collection(
            name,
            uid,
            self._places,
            do_open,
            opened=self._followers.tell_opened,
            closed=self._followers.tell_closed,
            closing=closing,
        )

    def create(self, collection: Collection, schema: CollectionSchema) -> Opened:
        """Makes the files of an empty collection."""
        folder = self.folder_of(collection.uid)
        core = create_core(collection.uid, folder, schema, self._codec, self._settings.map_size)
        return self._with_writer(collection, core)

    def open(self, collection: Collection) -> Opened:
        """Opens the files that are there. Raises CorruptStore, UnknownFormat, StorageFull or StorageFailed."""
        folder = self.folder_of(collection.uid)
        core = open_core(collection.uid, folder, self._codec, self._settings.map_size)
        return self._with_writer(collection, core)

    def stop(self) -> None:
        """Ends the threads of writers. Requires: every collection is closed."""
        self._write_threads.stop()

    def _with_writer(self, collection: Collection, core: CollectionState) -> Opened:
        core.matching_rows = self._matching_rows
        core.disk_reserve, core.failed_writes = self.disk_reserve, self.failed_writes
        core.commit_counts = self.commit_counts
        writer = Writer(
            core,
            self._write_threads,
            max_writes=self._settings.max_pending_writes,
            max_bytes=self._settings.max_pending_bytes,
            committed=lambda: self._followers.tell_committed(collection),
        )
        return Opened(core, writer)
