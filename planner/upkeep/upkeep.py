"""Prepares derived indexes of open collections before requests need them, in one background thread.

Indexes are read from their files or made, updated after writes, and written to their files. The rooms text and
payload_index know what an index is. A request that needs an index that is being read or made here waits for it, and
does not make a second one.
"""

import logging
import threading
import time
from dataclasses import dataclass

from planner.payload_index import FieldIndexes
from planner.text import TextIndexes
from storage.budget import Budget
from storage.collection import Collection
from storage.errors import Cancelled, CollectionClosed, EngineError
from storage.mvcc import Snapshot
from storage.pacing import paced
from storage.search import keep_sparse

log = logging.getLogger(__name__)

QUIET_SECONDS = 1.0
"""Seconds without a commit until indexes are updated. After many writes in a row they are updated once."""

MAX_DELAY_SECONDS = 30.0
"""Seconds after the first new commit until indexes are updated, even if more commits follow."""


@dataclass(slots=True)
class _Due:
    """When a collection is due, and the latest time for it, in seconds of `time.monotonic()`.

    `opened`: it is due because it was opened."""

    at: float
    latest: float
    opened: bool


class Upkeep:
    """Starts its thread with the first collection. Safe for many threads."""

    def __init__(self, texts: TextIndexes, fields: FieldIndexes) -> None:
        self._texts = texts
        self._fields = fields
        self._opening: set[Collection] = set()
        """Collections that were opened, and whose indexes are not all ready yet."""
        self._due: dict[Collection, _Due] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def opened(self, collection: Collection) -> None:
        """Reads or makes the indexes of a collection that was opened. The work starts at once, in the background."""
        schema = collection.schema
        if collection.derived.is_empty and not schema.names and not (schema.text_indexes or schema.field_indexes):
            return
        collection.derived.outdated = lambda: self.changed(collection)
        with self._changed:
            self._opening.add(collection)
        self._put(collection, _Due(0.0, 0.0, opened=True))

    def is_opening(self, collection: Collection) -> bool:
        """Whether the work after its opening is not finished yet."""
        with self._changed:
            return collection in self._opening

    def changed(self, collection: Collection) -> None:
        """Updates the indexes soon, after a commit or after an index was made."""
        now = time.monotonic()
        self._put(collection, _Due(now + QUIET_SECONDS, now + MAX_DELAY_SECONDS, opened=False))

    def closed(self, collection: Collection) -> None:
        """Forgets the work for a collection that was closed."""
        with self._changed:
            self._due.pop(collection, None)
            self._opening.discard(collection)

    def close(self) -> None:
        """Ends the thread. Waits for the file that it may be writing."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _put(self, collection: Collection, due: _Due) -> None:
        with self._changed:
            if self._stopping:
                return
            known = self._due.get(collection)
            if known is None:
                self._due[collection] = due
            else:
                known.at = min(due.at, known.latest)
                known.opened = known.opened or due.opened
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="derived-indexes", daemon=True)
                self._thread.start()
            if known is None or due.at == 0.0:  # else the thread sees it when it wakes up
                self._changed.notify()

    def _run(self) -> None:
        while (taken := self._next()) is not None:
            collection, due = taken
            try:
                self.look_after(collection, opened=due.opened)
            except (Cancelled, CollectionClosed):
                pass  # it is made when the collection is opened again
            except EngineError as error:
                log.warning("derived indexes of %r are left to the requests that need them: %s", collection.name, error)
            except Exception:
                log.exception("derived indexes of %r could not be made", collection.name)
            finally:
                if due.opened:
                    with self._changed:
                        self._opening.discard(collection)

    def _next(self) -> tuple[Collection, _Due] | None:
        """The collection that is due, as soon as there is one; None when the thread must end."""
        with self._changed:
            while not self._stopping:
                first = min(self._due, key=lambda collection: self._due[collection].at, default=None)
                wait = None if first is None else self._due[first].at - time.monotonic()
                if first is not None and wait is not None and wait <= 0:
                    return first, self._due.pop(first)
                self._changed.wait(wait)
            return None

    def look_after(self, collection: Collection, *, opened: bool) -> None:
        """Does the work that is due for a collection, unless its files are closed. `opened`: it was opened just now.

        Raises Cancelled if it is closed meanwhile, CorruptStore, DeadlineExceeded.
        """
        hold = collection.hold_if_open()
        if hold is None:
            return  # the next opening does this work
        budget = paced(lambda: self._stopping or collection.closed)
        with hold, collection.snapshot() as reader:
            self._look_after_texts(reader, budget)
            keep_sparse(reader, budget)
            declared = [path for path, params in reader.schema.field_indexes.items() if not params.lazy]
            if declared:
                self._fields.build(reader, declared, budget)
            if opened:
                self._fields.load(reader, budget)
            self._fields.keep(reader)

    def _look_after_texts(self, reader: Snapshot, budget: Budget) -> None:
        self._texts.drop_others(reader)
        for path, settings in reader.schema.text_indexes.items():
            self._texts.keep(reader, path, settings, budget)
