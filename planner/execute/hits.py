"""Hits as columns: the points of a request's answers, whose objects are made only for those who look at them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from planner.execute.fetching import POINT_OVERHEAD, POINTS_PER_CHECK, StoredValue
from planner.text import Highlight
from storage.budget import Budget
from storage.mvcc import Snapshot
from storage.schema import PointId


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
    """Ranked points: ids (n,), versions (n,), and scores float32 (n,). `payloads` None: they were not asked for."""

    ids: list[PointId]
    versions: list[int]
    scores: NDArray[np.float32]
    payloads: list[bytes] | None


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
        table, rows = self.table, slice(self.start, self.end)
        payloads = [None] * len(self) if table.payloads is None else table.payloads[rows]
        scores = table.scores[rows].tolist()
        for about in zip(table.ids[rows], scores, table.versions[rows], payloads, strict=True):
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
    ids, versions, stored = list[PointId](), list[int](), list[bytes]()
    answer = budget.meter.answer
    for start, slot in enumerate(slots.tolist()):
        if start % POINTS_PER_CHECK == 0:
            budget.check()
        version, point_id, payload = reader.parts(slot)
        answer(POINT_OVERHEAD + len(payload) if payloads else POINT_OVERHEAD)
        ids.append(point_id)
        versions.append(version)
        if payloads:
            stored.append(bytes(payload))
    table = HitTable(ids, versions, scores, stored if payloads else None)
    return [HitColumns(table, start, end) for start, end in zip([0, *ends], ends, strict=False)]
