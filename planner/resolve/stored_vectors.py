"""Reads the vectors of stored points, from the snapshot that will be searched or from another collection.

It reads single points, and searches nothing.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from planner.query import QueryVector, StoredVector, VectorInput
from planner.resolve.spaces import space_of
from storage.collection import Collection
from storage.errors import PointNotFound, VectorNotFound
from storage.mvcc import Snapshot
from storage.schema import PointId
from storage.search import sparse_or_multi_vectors
from storage.vectors import MultiVector, SparseVector

GivenVector = QueryVector | SparseVector | MultiVector
"""A vector of any kind, from a request or from a stored point."""

Bound = TypeVar("Bound")
Unread = Callable[["Reading"], Bound]
"""A function that makes a part of a bound stage once stored vectors can be read. It was checked against the schema."""


class VectorSource:
    """Where stored vectors are read: the searched snapshot, and one snapshot of each other collection that is named.

    `others` closes those snapshots. `lookup` finds collections by name or alias.
    """

    def __init__(self, searched: str, reader: Snapshot, lookup: Callable[[str], Collection], others: ExitStack) -> None:
        self.reader = reader
        self._lookup = lookup
        self._others = others
        self._readers = {searched: reader}

    def reader_of(self, collection: str | None) -> Snapshot:
        """The snapshot of a collection; None means the searched one. Raises CollectionNotFound or CollectionClosed."""
        if collection is None:
            return self.reader
        found = self._lookup(collection)
        if found.name not in self._readers:
            self._readers[found.name] = self._others.enter_context(found.snapshot())
        return self._readers[found.name]


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads the vectors of the stage at `path`: stored ones, and in a shape `vectors`, by number.

    `given`: the points of the searched snapshot that gave one.
    """

    source: VectorSource
    path: str
    vectors: Sequence[VectorInput] = ()
    given: dict[PointId, None] = field(default_factory=dict)

    def read(self, stored: StoredVector, space: str, check: Callable[[GivenVector], Bound]) -> Bound:
        """The result of `check` for the stored vector. The vector is in `space` unless the request names another space.

        Raises PointNotFound, VectorNotFound, CollectionNotFound, SpaceNotFound, and what `check` raises.
        """
        reader = self.source.reader_of(stored.collection)
        wanted = space if stored.using is None else stored.using
        held_in = space_of(wanted, reader.schema, f"{self.path}lookup_from.using")
        checked = check(_read_vector(reader, stored.id, held_in))
        if reader is self.source.reader:
            self.given[stored.id] = None
        return checked


def _read_vector(reader: Snapshot, point_id: PointId, space: str) -> GivenVector:
    slots = reader.slots_of([point_id])
    if slots[0] < 0:
        raise PointNotFound([point_id])
    if space in reader.schema.dense:
        present, rows = reader.vectors(space, slots.astype(np.uint32))
        if present[0]:
            return QueryVector(np.array(rows[0], dtype=np.float32))
    else:
        for _, vector in sparse_or_multi_vectors(reader, space, slots.astype(np.uint32)):
            return vector
    raise VectorNotFound(point_id, space)
