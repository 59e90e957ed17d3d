"""Has derived indexes of open collections there before they are asked for: read from their files or made, brought up to
date after writes, and written. One thread, behind the requests. What an index is, others know.

Nothing waits for it. Who needs an index that it is reading or making waits for that one, and makes no second.
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
"""After the last commit until indexes follow: while many writes come, they follow once."""

LONGEST_SECONDS = 30.0
"""After the first commit that indexes do not know yet until they follow, however many come."""


@dataclass(slots=True)
class _Due:
    """When a collection is looked after, and at the latest; seconds of `time.monotonic()`. `opened`: for the first time
    since it was opened."""

    at: float
    latest: float
    opened: bool


class Upkeep:
    """Starts its thread with the first collection. Safe for many threads."""

    def __init__(self, texts: TextIndexes, fields: FieldIndexes) -> None:
        self._texts = texts
        self._fields = fields
        self._opening: set[Collection] = set()
        """Those that were opened, and whose indexes are not all there yet."""
        self._due: dict[Collection, _Due] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def opened(self, collection: Collection) -> None:
        """Reads or makes the indexes of a collection that was opened, at once but in the background."""
        schema = collection.schema
        if collection.derived.is_empty and not schema.names and not (schema.text_indexes or schema.field_indexes):
            return
        collection.derived.outdated = lambda: self.changed(collection)
        with self._changed:
            self._opening.add(collection)
        self._put(collection, _Due(0.0, 0.0, opened=True))

    def is_opening(self, collection: Collection) -> bool:
        """Whether something is left to do since it was opened."""
        with self._changed:
            return collection in self._opening

    def changed(self, collection: Collection) -> None:
        """Sees to the indexes after a commit, or after one was made, soon."""
        now = time.monotonic()
        self._put(collection, _Due(now + QUIET_SECONDS, now + LONGEST_SECONDS, opened=False))

    def closed(self, collection: Collection) -> None:
        """Nothing is left to do for a collection that was closed."""
        with self._changed:
            self._due.pop(collection, None)
            self._opening.discard(collection)

    def close(self) -> None:
        """Ends the thread; waits for the file that it may be writing."""
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
        """The collection that is due, once one is; None when it is time to end."""
        with self._changed:
            while not self._stopping:
                first = min(self._due, key=lambda collection: self._due[collection].at, default=None)
                wait = None if first is None else self._due[first].at - time.monotonic()
                if first is not None and wait is not None and wait <= 0:
                    return first, self._due.pop(first)
                self._changed.wait(wait)
            return None

    def look_after(self, collection: Collection, *, opened: bool) -> None:
        """Does what is due for a collection, unless its files are closed. `opened`: it was opened just now.

        Raises Cancelled when it is closed meanwhile, CorruptStore, DeadlineExceeded.
        """
        hold = collection.hold_if_open()
        if hold is None:
            return  # its next opening sees to it
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
