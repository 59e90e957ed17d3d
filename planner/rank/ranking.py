"""Rankings: ordered lists of points, and how one is made from scores. It reads ids, to break ties."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from storage.schema import PointId
from storage.vectors import rank


class Ids(Protocol):
    """The ids of points, which break ties."""

    def id_keys(self, slots: NDArray[np.uint32]) -> list[bytes]:
        """Ids as bytes, which sort as ids do."""

    def slots_of(self, ids: Sequence[PointId]) -> NDArray[np.int64]:
        """The slot of each id; -1 where there is no such point."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Slots (uint32, (n,)) and scores (float32, (n,)), best first, ties by point id ascending, no slot twice."""

    slots: NDArray[np.uint32]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.slots)

    def take(self, kept: "NDArray[np.bool_] | slice") -> "Ranking":
        return Ranking(self.slots[kept], self.scores[kept])


@dataclass(frozen=True, slots=True)
class Place:
    """The rank (from 1) of a point among `candidates` points, and its score."""

    rank: int
    score: float
    candidates: int

    def __str__(self) -> str:
        return f"rank {self.rank:,} of {self.candidates:,} by score {self.score:.6g}"


SortKey = tuple[object, ...]
"""What a row of a ranking is sorted by, least first. Keys of one way to rank compare, whichever source gave them."""


@dataclass(frozen=True, slots=True)
class Descending:
    """Sorts as its value does, the other way round."""

    value: tuple[bool, int | float | str]

    def __lt__(self, other: "Descending") -> bool:
        return other.value < self.value


NOTHING = Ranking(np.empty(0, np.uint32), np.empty(0, np.float32))


def ranked(
    slots: NDArray[np.uint32],
    scores: NDArray[np.float32],
    ids: Ids,
    *,
    higher_is_better: bool = True,
    limit: int | None = None,
    sure: int | None = None,
) -> Ranking:
    """Sorts by score, best first, then by id; of `limit`, only so many, and no id of the others is read.

    With `sure`, rows after so many are sorted by score alone, for whoever does not look at them.
    """
    best = rank(slots, scores, higher_is_better=higher_is_better, id_keys=ids.id_keys, limit=limit, sure=sure)
    return Ranking(slots[best], scores[best])


def places_in(ranking: Ranking, wanted: Sequence[int]) -> dict[int, Place]:
    """The place of each slot in `wanted` that the ranking has."""
    positions = np.flatnonzero(np.isin(ranking.slots, np.array(wanted, np.uint32)))
    return {
        int(ranking.slots[position]): Place(position + 1, float(ranking.scores[position]), len(ranking))
        for position in positions.tolist()
    }


def unscored(slots: NDArray[np.uint32]) -> Ranking:
    """The points in the given order, with scores of 0."""
    return Ranking(slots, np.zeros(len(slots), np.float32))
