"""Hits as columns: the points of a request's answers, whose objects are made only for those who look at them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from planner.execute.fetched_columns import read_columns
from planner.execute.fetching import StoredValue
from planner.text import Highlight
from storage.budget import Budget
from storage.mvcc import Snapshot
from storage.schema import PointId
from storage.tables import RecordColumns


class Hit(NamedTuple):  # one is made per hit, and a frozen dataclass takes three times as long
    """A ranked point. `payload` is encoded by the collection's codec; None if the query did not ask for it.

    `vectors` are by space name, as they were written. Spaces that the point lacks are left out. `highlights` are the
    fragments of its texts that queries by BM25 ask for.
    """

    id: PointId
    score: float
    version: int
    payload: bytes | None
    vectors: dict[str, StoredValue]
    highlights: tuple[Highlight, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class HitTable:
    """Ranked points (n,) and their scores, float32 (n,). `has_payloads`: they were asked for."""

    points: RecordColumns
    scores: NDArray[np.float32]
    has_payloads: bool


class HitColumns(Sequence[Hit]):
    """The hits of one answer: the rows of a table from `start` to `end`."""

    __slots__ = ("end", "start", "table")

    def __init__(self, table: HitTable, start: int, end: int) -> None:
        self.table = table
        self.start = start
        self.end = end

    def __len__(self) -> int:
        return self.end - self.start

    def __iter__(self) -> Iterator[Hit]:
        points = self.table.points.take(np.arange(self.start, self.end))
        scores = self.table.scores[self.start : self.end].tolist()
        payloads = points.payloads() if self.table.has_payloads else [None] * len(points)
        for about in zip(points.ids(), scores, points.versions.tolist(), payloads, strict=True):
            yield Hit(*about, {})

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> list[Hit]: ...
    def __getitem__(self, index: int | slice) -> Hit | list[Hit]:
        return list(self)[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))


def fetch_columns(
    reader: Snapshot,
    slots: NDArray[np.uint32],
    scores: NDArray[np.float32],
    ends: Sequence[int],
    *,
    payloads: bool,
    budget: Budget,
) -> list[HitColumns]:
    """The hits of several answers: slots and scores of the points of all, one answer after the other, and where those
    of each end. `payloads`: whole ones are wanted.

    Raises ReplyTooLarge as soon as the points that were read are too large for the reply, DeadlineExceeded, Cancelled.
    """
    table = HitTable(read_columns(reader, slots, payloads=payloads, budget=budget), scores, payloads)
    return [HitColumns(table, start, end) for start, end in zip([0, *ends], ends, strict=False)]
