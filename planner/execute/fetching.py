"""Reads payloads and vectors, only of the points that a request returns."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.predicate import first_key, keep, remove
from planner.query import PayloadSelector, VectorsSelector
from storage.budget import Budget
from storage.errors import ReplyTooLarge
from storage.mvcc import Snapshot
from storage.schema import CollectionSchema, PointId
from storage.search import sparse_or_multi_vectors
from storage.tables import RecordColumns
from storage.vectors import MAX_MULTI_VALUES, MultiVector, SparseVector

POINT_BYTES = 400
"""Memory of a point of an answer besides its payload and vectors: the objects that hold it, and its message."""

POINT_OVERHEAD = 16
"""Bytes that a point takes at least in a reply, besides its payload and vectors."""

VECTOR_OVERHEAD = 8
"""Bytes that a vector takes at least in a reply, besides its values."""

MAX_VALUES_PER_READ = 1 << 22
"""Components of vectors that are read together: 16 MiB."""

POINTS_PER_CHECK = 256
"""Points that are read between two looks at the budget."""

StoredValue = NDArray[np.float32] | SparseVector | MultiVector
"""A vector as it was written: a float32 row, or a sparse or multi-vector."""


class Fetched(NamedTuple):  # one is made per hit, and a frozen dataclass takes three times as long
    """A stored point. `payload` is encoded by the collection's codec; None if it was not asked for.

    `vectors` are by space name, as they were written. Spaces that the point lacks are left out.
    """

    id: PointId
    version: int
    payload: bytes | None
    vectors: dict[str, StoredValue]


def fetch(
    reader: Snapshot,
    slots: NDArray[np.uint32],
    payload: PayloadSelector | None,
    vectors: VectorsSelector | None,
    budget: Budget,
) -> list[Fetched]:
    """The points of `slots`, in their order. Requires: checked selectors.

    Raises ReplyTooLarge as soon as the points that were read are too large for the reply, RequestTooLarge,
    DeadlineExceeded, Cancelled.
    """
    found: list[Fetched] = []
    _read_points(reader, slots, payload, vectors, budget, found)
    return found


def fetch_some(
    reader: Snapshot,
    slots: NDArray[np.uint32],
    payload: PayloadSelector | None,
    vectors: VectorsSelector | None,
    budget: Budget,
) -> list[Fetched]:
    """The first points of `slots` for which the reply has room, at least one.

    Raises ReplyTooLarge if one is too large.
    """
    found: list[Fetched] = []
    try:
        _read_points(reader, slots, payload, vectors, budget, found)
    except ReplyTooLarge:
        if not found:
            raise
    return found


def fetch_repeated(
    slots: NDArray[np.uint32], fetch: Callable[[NDArray[np.uint32]], list[Fetched]], budget: Budget
) -> list[Fetched]:
    """What `fetch` returns for slots that may be repeated.

    Each point is read once, but it counts against the reply each time.
    """
    distinct = np.array(list(dict.fromkeys(slots.tolist())), np.uint32)
    by_slot = dict(zip(distinct.tolist(), fetch(distinct), strict=True))
    if len(distinct) == len(slots):
        return list(by_slot.values())
    points = [by_slot[slot] for slot in slots.tolist()]
    budget.answer(sum(map(_reply_bytes, points)) - sum(map(_reply_bytes, by_slot.values())))
    return points


def _reply_bytes(point: Fetched) -> int:
    return POINT_OVERHEAD + len(point.payload or b"") + sum(map(_size, point.vectors.values()))


def _read_points(
    reader: Snapshot,
    slots: NDArray[np.uint32],
    payload: PayloadSelector | None,
    vectors: VectorsSelector | None,
    budget: Budget,
    found: list[Fetched],
) -> None:
    """Adds the points of `slots` to `found` one by one. Each counts against the reply when it is read."""
    is_whole = payload is not None and payload.include is None and not payload.exclude
    names = _names(reader.schema, vectors)
    step = _points_at_once(reader.schema, names)
    answer = budget.meter.answer
    for start in range(0, len(slots), step):
        budget.check()
        part = slots[start : start + step]
        rows = _vectors(reader, part, names)
        points = chain.from_iterable(map(_each, reader.points.columns(part)))
        for (point_id, version, stored), row in zip(points, rows, strict=True):
            size = POINT_OVERHEAD + (sum(map(_size, row.values())) if row else 0)
            answer(size + len(stored) if is_whole else size)
            # A whole payload is returned as it is stored, without decoding.
            data = stored if is_whole else _part_of(reader, stored, payload, budget)
            found.append(Fetched(point_id, version, data, row))


def _each(points: RecordColumns) -> Iterator[tuple[PointId, int, bytes]]:
    """Id, version and payload of each point."""
    return zip(points.ids(), points.versions.tolist(), points.payloads(), strict=True)


def _part_of(reader: Snapshot, stored: bytes, selector: PayloadSelector | None, budget: Budget) -> bytes | None:
    """The selected parts of a payload, encoded; None without a selector."""
    if selector is None:
        return None
    keys = None if selector.include is None else frozenset(map(first_key, selector.include))
    payload = reader.codec.decode(stored, keys)
    if selector.include is not None:
        payload = keep(payload, selector.include)
    encoded = reader.codec.encode(remove(payload, selector.exclude))
    budget.answer(len(encoded))
    return encoded


def _names(schema: CollectionSchema, selector: VectorsSelector | None) -> list[str]:
    """The spaces whose vectors are asked for, each once."""
    if selector is None:
        return []
    return list(dict.fromkeys(schema.names if selector.include is None else selector.include))


def _points_at_once(schema: CollectionSchema, names: Sequence[str]) -> int:
    """How many points' vectors are read together: few if vectors are large."""
    values = sum(schema.dense[name].size if name in schema.dense else MAX_MULTI_VALUES for name in names)
    return max(1, min(POINTS_PER_CHECK, MAX_VALUES_PER_READ // max(1, values)))


def _size(vector: StoredValue) -> int:
    """Bytes of a vector in a reply, about."""
    return vector.nbytes + VECTOR_OVERHEAD


def _vectors(reader: Snapshot, slots: NDArray[np.uint32], names: Sequence[str]) -> list[dict[str, StoredValue]]:
    by_point: list[dict[str, StoredValue]] = [{} for _ in range(len(slots))]
    for name in names:
        if name in reader.schema.dense:
            present, rows = reader.vectors(name, slots)
            for position in np.flatnonzero(present).tolist():
                by_point[position][name] = rows[position]
            continue
        for position, vector in sparse_or_multi_vectors(reader, name, slots):
            by_point[position][name] = vector
    return by_point
