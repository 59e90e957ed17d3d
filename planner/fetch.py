"""Reads what a request wants of the points it ended up with: payloads and vectors of those, and of no others."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.paths import check_path, first_key, keep, remove
from planner.query import PayloadSelector, VectorsSelector
from storage.errors import SpaceNotFound
from storage.record_search import RecordVector, record_vectors
from storage.records import PointRecord
from storage.schema import CollectionSchema, PointId
from storage.snapshot import Snapshot

StoredValue = NDArray[np.float32] | RecordVector
"""A vector as it was written: a float32 row, or a sparse or multi-vector."""


class Fetched(NamedTuple):  # one is made per hit: a frozen dataclass takes three times as long
    """A stored point. `payload` is encoded by the collection's codec, None when it was not asked for.

    `vectors` are by space name, as they were written; spaces that the point lacks are left out.
    """

    id: PointId
    version: int
    payload: bytes | None
    vectors: dict[str, StoredValue]


def check_selectors(
    payload: PayloadSelector | None, vectors: VectorsSelector | None, schema: CollectionSchema, path: str
) -> None:
    """Raises InvalidQuery for a path that is none, SpaceNotFound for a space that is none. `path` is the query's."""
    path = f"{path}." if path else ""
    if payload is not None:
        _check_paths(payload.include or (), f"{path}with_payload.include")
        _check_paths(payload.exclude, f"{path}with_payload.exclude")
    for index, name in enumerate((vectors and vectors.include) or ()):
        if name not in schema.names:
            raise SpaceNotFound(name, schema.names, field=f"{path}with_vectors.include[{index}]")


def _check_paths(paths: tuple[str, ...], field: str) -> None:
    for index, path in enumerate(paths):
        check_path(path, f"{field}[{index}]")


def fetch(
    reader: Snapshot, slots: NDArray[np.uint32], payload: PayloadSelector | None, vectors: VectorsSelector | None
) -> list[Fetched]:
    """The points of `slots`, in their order. Requires: checked selectors."""
    records = reader.records(slots)
    rows = _vectors(reader, slots, vectors)
    return [
        Fetched(record.id, record.version, _payload(reader, record, payload), row)
        for record, row in zip(records, rows, strict=True)
    ]


def _payload(reader: Snapshot, record: PointRecord, selector: PayloadSelector | None) -> bytes | None:
    if selector is None:
        return None
    if selector.include is None and not selector.exclude:
        return record.payload  # stored as it is returned: no decoding
    keys = None if selector.include is None else frozenset(map(first_key, selector.include))
    payload = reader.codec.decode(record.payload, keys)
    if selector.include is not None:
        payload = keep(payload, selector.include)
    return reader.codec.encode(remove(payload, selector.exclude))


def _vectors(
    reader: Snapshot, slots: NDArray[np.uint32], selector: VectorsSelector | None
) -> list[dict[str, StoredValue]]:
    by_point: list[dict[str, StoredValue]] = [{} for _ in range(len(slots))]
    if selector is None:
        return by_point
    names = reader.schema.names if selector.include is None else selector.include
    for name in dict.fromkeys(names):
        if name in reader.schema.records:
            for position, vector in record_vectors(reader, name, slots):
                by_point[position][name] = vector
            continue
        present, rows = reader.vectors(name, slots)
        for position in np.flatnonzero(present).tolist():
            by_point[position][name] = rows[position]
    return by_point
