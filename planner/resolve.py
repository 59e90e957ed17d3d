"""Puts the vectors of stored points in the place of the references to them, from the snapshot that will be searched.

It reads single points; nothing is searched. References were checked as far as a schema allows in validate.py.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from planner.query import Nearest, Query, QueryVector, Stage, StoredVector
from planner.validate import space_of
from storage.collection import Collection
from storage.errors import PointNotFound, VectorNotFound
from storage.schema import PointId
from storage.snapshot import Snapshot
from storage.validate import check_query_vector


class VectorSource:
    """Where stored vectors are read: the searched snapshot, and one snapshot of each other collection that is named.

    `others` closes those snapshots; `lookup` finds collections by name or alias.
    """

    def __init__(self, searched: str, reader: Snapshot, lookup: Callable[[str], Collection], others: ExitStack) -> None:
        self.reader = reader
        self._lookup = lookup
        self._others = others
        self._readers = {searched: reader}

    def reader_of(self, collection: str | None) -> Snapshot:
        """Raises CollectionNotFound or CollectionClosed."""
        if collection is None:
            return self.reader
        found = self._lookup(collection)
        if found.name not in self._readers:
            self._readers[found.name] = self._others.enter_context(found.snapshot())
        return self._readers[found.name]


def resolve(query: Query, source: VectorSource) -> Query:
    """The same query (the same object if it names no stored vector) with vectors instead of references.

    Raises PointNotFound, VectorNotFound, CollectionNotFound, and what a vector of the request itself would raise:
    SpaceNotFound, AmbiguousSpace, DimensionMismatch, ZeroVector.
    """
    path = f"{query.path}." if query.path else ""
    root = _resolve_stage(query.root, source, path, query.vector_field)
    return query if root is query.root else replace(query, root=root)


def _resolve_stage(stage: Stage, source: VectorSource, path: str, vector_field: str = "query.nearest") -> Stage:
    prefetch = tuple(
        _resolve_stage(child, source, f"{path}prefetch[{index}].") for index, child in enumerate(stage.prefetch)
    )
    if any(new is not old for new, old in zip(prefetch, stage.prefetch, strict=True)):
        stage = replace(stage, prefetch=prefetch)
    if isinstance(stage.query, Nearest) and isinstance(stage.query.vector, StoredVector):
        return replace(stage, query=_resolve_vector(stage.query.vector, stage.using, source, path, vector_field))
    return stage


def _resolve_vector(
    stored: StoredVector, using: str | None, source: VectorSource, path: str, vector_field: str
) -> Nearest:
    reader = source.reader_of(stored.collection)
    space = space_of(using, source.reader.schema, f"{path}using")
    held_in = space_of(space if stored.using is None else stored.using, reader.schema, f"{path}lookup_from.using")
    values = _read_vector(reader, stored.id, held_in)
    check_query_vector(source.reader.schema.spaces[space], values, f"{path}{vector_field}")
    return Nearest(QueryVector(values), exclude=stored.id if reader is source.reader else None)


def _read_vector(reader: Snapshot, point_id: PointId, space: str) -> NDArray[np.float32]:
    slots = reader.slots_of([point_id])
    if slots[0] < 0:
        raise PointNotFound([point_id])
    present, rows = reader.vectors(space, slots.astype(np.uint32))
    if not present[0]:
        raise VectorNotFound(point_id, space)
    return np.array(rows[0], dtype=np.float32)
