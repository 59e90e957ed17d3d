"""Makes declared indexes: in the background, or while a request waits. What an index holds is in index.py."""

import logging
import threading
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from planner.payload_index.field_types import points_of
from planner.payload_index.indexes import FieldIndexes, IndexState
from storage.bounded_cache import BoundedCache
from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.errors import Cancelled, CollectionClosed, EngineError
from storage.mvcc import Snapshot
from storage.pacing import paced
from storage.schema import FieldIndexParams, FieldIndexSchema, FieldType

log = logging.getLogger(__name__)

MAX_COUNTED = 4_096
"""Declared paths, of all collections together, whose points are not counted again before the next commit."""


@dataclass(frozen=True, slots=True)
class FieldIndexStatus:
    """A declared index, how many points have a value of its type (0 until it is READY), and how far it is."""

    params: FieldIndexParams
    points: int
    state: IndexState


class _Count(NamedTuple):
    """How many points had a value of a type at commit `seq`."""

    seq: int
    kind: FieldType
    points: int


class FieldBuilds:
    """One thread that lives while something is to be made. Safe for many threads."""

    def __init__(self, fields: FieldIndexes) -> None:
        self._fields = fields
        self._counted: BoundedCache[tuple[str, str], _Count] = BoundedCache(MAX_COUNTED)
        self._waiting: deque[Collection] = deque()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self, collection: Collection) -> None:
        """Makes the indexes of a collection that are declared and not lazy, soon. Does not wait."""
        if not self._due(collection, collection.schema.field_indexes):
            return
        with self._lock:
            if collection not in self._waiting:
                self._waiting.append(collection)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="field-indexes", daemon=True)
                self._thread.start()

    def make(self, collection: Collection, path: str, budget: Budget) -> None:
        """Makes one index now. When the caller cannot wait any longer, it is made in the background."""
        try:
            with collection.snapshot() as reader:
                if path in reader.schema.field_indexes:
                    self._fields.build(reader, [path], budget)
        except EngineError:
            self.start(collection)
            raise

    def status(self, reader: Snapshot, path: str, budget: Budget = UNLIMITED) -> FieldIndexStatus:
        """Requires: the path has a declared index."""
        state = self._fields.state(reader.collection_uid, path)
        points = self._points(reader, path, budget) if state is IndexState.READY else 0
        return FieldIndexStatus(reader.schema.field_indexes[path], points, state)

    def _points(self, reader: Snapshot, path: str, budget: Budget) -> int:
        """How many points have a value of the declared type. Requires: the index is READY."""
        kind = reader.schema.field_indexes[path].type
        counted = self._counted.get((reader.collection_uid, path))
        if counted is not None and (counted.seq, counted.kind) == (reader.seq, kind):
            return counted.points
        index = self._fields.get(reader, path, budget)
        if index is None:  # it is of a later commit
            return 0 if counted is None else counted.points
        points = points_of(index, kind, budget)
        self._counted.put((reader.collection_uid, path), _Count(reader.seq, kind, points))
        return points

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                collection = self._waiting.popleft()
            try:
                self._make_all(collection)
            except (Cancelled, CollectionClosed):
                pass  # it is made when the collection is opened again
            except Exception:
                log.exception("the indexes of payload fields of %r could not be made", collection.name)

    def _make_all(self, collection: Collection) -> None:
        budget = paced(lambda: collection.closed)
        with collection.snapshot() as reader:
            self._fields.build(reader, self._due(collection, reader.schema.field_indexes), budget)

    def _due(self, collection: Collection, fields: FieldIndexSchema) -> list[str]:
        """Declared paths that are to have an index and have none."""
        return [
            path
            for path, params in fields.items()
            if not params.lazy and self._fields.state(collection.uid, path) is not IndexState.READY
        ]
