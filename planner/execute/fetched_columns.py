"""Reads points that are returned with their whole payloads, or without, and without vectors, as columns."""

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from planner.execute.fetching import POINT_OVERHEAD, Fetched
from planner.query import PayloadSelector, VectorsSelector
from storage.budget import Budget
from storage.errors import ReplyTooLarge
from storage.mvcc import Snapshot
from storage.tables import RecordColumns, joined


class FetchedColumns(Sequence[Fetched]):
    """Points whose objects are made only for those who look at them. `has_payloads`: they were asked for."""

    __slots__ = ("columns", "has_payloads")

    def __init__(self, columns: RecordColumns, has_payloads: bool) -> None:
        self.columns = columns
        self.has_payloads = has_payloads

    def __len__(self) -> int:
        return len(self.columns)

    def __iter__(self) -> Iterator[Fetched]:
        columns = self.columns
        payloads = columns.payloads() if self.has_payloads else [None] * len(columns)
        for point_id, version, payload in zip(columns.ids(), columns.versions.tolist(), payloads, strict=True):
            yield Fetched(point_id, version, payload, {})

    @overload
    def __getitem__(self, index: int) -> Fetched: ...
    @overload
    def __getitem__(self, index: slice) -> list[Fetched]: ...
    def __getitem__(self, index: int | slice) -> Fetched | list[Fetched]:
        return list(self)[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))


def are_columns(payload: PayloadSelector | None, vectors: VectorsSelector | None) -> bool:
    """Whether points of which this is asked are read as columns."""
    return vectors is None and (payload is None or (payload.include is None and not payload.exclude))


def read_columns(reader: Snapshot, slots: NDArray[np.uint32], *, payloads: bool, budget: Budget) -> RecordColumns:
    """The points of `slots`, in their order. `payloads`: they are returned, and count against the reply.

    Raises ReplyTooLarge as soon as the points that were read are too large for the reply, DeadlineExceeded, Cancelled.
    """
    parts: list[RecordColumns] = []
    _read(reader, slots, payloads, budget, parts)
    return joined(parts)


def read_some_columns(reader: Snapshot, slots: NDArray[np.uint32], *, payloads: bool, budget: Budget) -> RecordColumns:
    """The first points of `slots` for which the reply has room, at least one.

    Raises ReplyTooLarge if one is too large.
    """
    parts: list[RecordColumns] = []
    try:
        _read(reader, slots, payloads, budget, parts)
    except ReplyTooLarge:
        if not any(map(len, parts)):
            raise
    return joined(parts)


def read_repeated_columns(
    reader: Snapshot, slots: NDArray[np.uint32], *, payloads: bool, budget: Budget
) -> RecordColumns:
    """The points of `slots`, which may be repeated.

    Each point is read once, but it counts against the reply each time.
    """
    asked = slots.tolist()
    if len(set(asked)) == len(asked):
        return read_columns(reader, slots, payloads=payloads, budget=budget)
    places = {slot: place for place, slot in enumerate(dict.fromkeys(asked))}
    distinct = read_columns(reader, np.array(list(places), np.uint32), payloads=payloads, budget=budget)
    points = distinct.take(np.array([places[slot] for slot in asked]))
    budget.answer(_size(points, payloads) - _size(distinct, payloads))
    return points


def _read(
    reader: Snapshot, slots: NDArray[np.uint32], payloads: bool, budget: Budget, found: list[RecordColumns]
) -> None:
    """Adds points to `found` while the reply has room. Raises ReplyTooLarge for the first that it has no room for."""
    for part in reader.points.columns(slots) if payloads else reader.ids_and_versions(slots):
        budget.check()
        try:
            budget.answer(_size(part, payloads))
        except ReplyTooLarge:
            _add_some(part, payloads, budget, found)
        found.append(part)


def _add_some(points: RecordColumns, payloads: bool, budget: Budget, found: list[RecordColumns]) -> None:
    """Adds the points that the reply has room for, which has none for all. Raises ReplyTooLarge for the next."""
    sizes = points.payload_sizes().tolist() if payloads else [0] * len(points)
    for count, size in enumerate(sizes):
        try:
            budget.answer(POINT_OVERHEAD + size)
        except ReplyTooLarge:
            found.append(points.first(count))
            raise


def _size(points: RecordColumns, payloads: bool) -> int:
    """Bytes that points take in a reply, about."""
    size = POINT_OVERHEAD * len(points)
    return size + int(points.payload_sizes().sum()) if payloads else size
