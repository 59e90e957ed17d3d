"""Reads points by id order and by id, and counts them, each from one snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from planner.execute import (
    Fetched,
    FetchedColumns,
    Indexes,
    are_columns,
    fetch,
    fetch_repeated,
    fetch_some,
    read_repeated_columns,
    read_some_columns,
)
from planner.filtering import first_matching
from planner.limits import check_ids, check_page
from planner.query import Filter, PayloadSelector, VectorsSelector
from planner.resolve import CheckedFilter, check_filter, check_selectors
from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.mvcc import Snapshot
from storage.schema import CollectionSchema, PointId
from storage.write import check_point_id

ALL_PAYLOAD = PayloadSelector()
"""Selects the whole payload, which is the default everywhere."""


@dataclass(frozen=True, slots=True)
class Page:
    """Points in id order, the id at which the next page starts (None: no more pages), and the commit that was read."""

    points: Sequence[Fetched]
    next_id: PointId | None
    seq: int


@dataclass(frozen=True, slots=True)
class Found:
    """Points in the order of the request, the ids that do not exist, and the commit that was read."""

    points: Sequence[Fetched]
    missing: list[PointId]
    seq: int


class Reads:
    """Reads points of collections. Safe for many threads."""

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes

    def scroll(
        self,
        collection: Collection,
        filter: Filter | None = None,
        *,
        offset: PointId | None = None,
        limit: int = 10,
        with_payload: PayloadSelector | None = ALL_PAYLOAD,
        with_vectors: VectorsSelector | None = None,
        budget: Budget = UNLIMITED,
    ) -> Page:
        """The first `limit` matching points in id order, from id `offset` on (inclusive)."""
        with collection.snapshot() as reader:
            return self.page(
                reader,
                filter,
                offset=offset,
                limit=limit,
                with_payload=with_payload,
                with_vectors=with_vectors,
                budget=budget,
            )

    def page(
        self,
        reader: Snapshot,
        filter: Filter | None = None,
        *,
        offset: PointId | None = None,
        limit: int = 10,
        with_payload: PayloadSelector | None = ALL_PAYLOAD,
        with_vectors: VectorsSelector | None = None,
        budget: Budget = UNLIMITED,
    ) -> Page:
        """`scroll` on a snapshot: equal arguments give equal pages. A page that is too large for a reply is shortened.

        Raises ReplyTooLarge if a single point is too large, and what a filter and the budget raise.
        """
        check_page(limit)
        if offset is not None:
            check_point_id(offset, "offset")
        checked = _check_read(reader.schema, filter, with_payload, with_vectors)
        slots = first_matching(reader, checked, limit + 1, self._indexes.filters, budget, start=offset)
        points = _first(reader, slots[:limit], with_payload, with_vectors, budget)
        following = slots[len(points) :][:1]
        next_id = reader.point_ids(following)[0] if len(following) else None
        return Page(points, next_id, reader.seq)

    def get(
        self,
        collection: Collection,
        ids: Sequence[PointId],
        *,
        with_payload: PayloadSelector | None = ALL_PAYLOAD,
        with_vectors: VectorsSelector | None = None,
        budget: Budget = UNLIMITED,
    ) -> Found:
        """The points of `ids` in the order of the request, repeats included.

        Raises ReplyTooLarge, and what selectors raise.
        """
        check_ids(ids)
        with collection.snapshot() as reader:
            _check_read(reader.schema, None, with_payload, with_vectors)
            slots = reader.slots_of(ids)
            found = slots >= 0
            missing = [] if found.all() else [ids[place] for place in np.flatnonzero(~found).tolist()]
            points = _repeated(reader, slots[found].astype(np.uint32), with_payload, with_vectors, budget)
            return Found(points, missing, reader.seq)

    def count(
        self, collection: Collection, filter: Filter | None = None, budget: Budget = UNLIMITED
    ) -> tuple[int, int]:
        """The exact number of matching points, and the sequence number of the commit that was read."""
        with collection.snapshot() as reader:
            if filter is None:
                return reader.point_count, reader.seq
            checked = check_filter(filter, reader.schema, "filter")
            return len(self._indexes.filters.slots(reader, checked, budget)), reader.seq


def _check_read(
    schema: CollectionSchema,
    filter: Filter | None,
    with_payload: PayloadSelector | None,
    with_vectors: VectorsSelector | None,
) -> CheckedFilter | None:
    """The filter. Raises what filters and selectors may raise."""
    checked = None if filter is None else check_filter(filter, schema, "filter")
    check_selectors(with_payload, with_vectors, schema, "")
    return checked


def _first(
    reader: Snapshot,
    slots: NDArray[np.uint32],
    payload: PayloadSelector | None,
    vectors: VectorsSelector | None,
    budget: Budget,
) -> Sequence[Fetched]:
    """The first points of `slots` for which the reply has room, at least one."""
    if not are_columns(payload, vectors):
        return fetch_some(reader, slots, payload, vectors, budget)
    payloads = payload is not None
    return FetchedColumns(read_some_columns(reader, slots, payloads=payloads, budget=budget), payloads)


def _repeated(
    reader: Snapshot,
    slots: NDArray[np.uint32],
    payload: PayloadSelector | None,
    vectors: VectorsSelector | None,
    budget: Budget,
) -> Sequence[Fetched]:
    """The points of `slots`, which may be repeated."""
    if not are_columns(payload, vectors):
        read = partial(fetch, reader, payload=payload, vectors=vectors, budget=budget)
        return fetch_repeated(slots, read, budget)
    payloads = payload is not None
    return FetchedColumns(read_repeated_columns(reader, slots, payloads=payloads, budget=budget), payloads)
