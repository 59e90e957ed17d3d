"""Groups of a ranking by the values of its points: pure functions of arrays. groups.py decides what is ranked."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.payload_index import Column
from planner.query import Scalar
from planner.rank import Ranking


class RankedGroup(NamedTuple):
    """A value and the best of the points that have it."""

    value: Scalar
    ranking: Ranking


def group_ranking(ranking: Ranking, values: Column, limit: int, size: int) -> list[RankedGroup]:
    """The first `limit` groups of a ranking, each with its first `size` points.

    Groups are in the order of their best points. Groups that share their best point are in the order of their values.
    Requires: `values` has each value once per point, and only entries of points in the ranking.
    """
    if len(values.slots) == 0:
        return []
    order = np.argsort(ranking.slots)
    positions = order[np.searchsorted(ranking.slots, values.slots, sorter=order)]
    best = np.full(len(values.values), len(ranking))
    np.minimum.at(best, values.codes, positions)
    chosen = _first(best, values, len(ranking), limit)
    by_group = np.lexsort((positions, values.codes))
    codes = values.codes[by_group]
    starts, ends = np.searchsorted(codes, chosen, "left"), np.searchsorted(codes, chosen, "right")
    return [
        RankedGroup(values.values[code], _taken(ranking, positions[by_group[start : min(end, start + size)]]))
        for code, start, end in zip(chosen.tolist(), starts.tolist(), ends.tolist(), strict=True)
    ]


def _first(best: NDArray[np.int64], values: Column, length: int, limit: int) -> NDArray[np.int64]:
    """Codes of the first `limit` groups. `best` is the position of each group's best point in the ranking."""
    seen = np.flatnonzero(best < length)
    shared = len(np.unique(best[seen])) < len(seen)
    ties = values.order()[seen] if shared else seen
    return seen[np.lexsort((ties, best[seen]))][:limit]


def _taken(ranking: Ranking, positions: NDArray[np.intp]) -> Ranking:
    return Ranking(ranking.slots[positions], ranking.scores[positions])
