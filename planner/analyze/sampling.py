"""A sample of the points that have a vector in a space: those that come first in the random order of a seed."""

import numpy as np
from numpy.typing import NDArray

from planner.execute import Demand, Source
from planner.plan import RankAll
from planner.query import Filter, HasVector
from planner.rank import AtRandom
from planner.resolve import CheckedFilter, derived_filter

Slots = NDArray[np.uint32]


def sampled(source: Source, space: str, filter: CheckedFilter | None, seed: int, count: int) -> Slots:
    """At most `count` points that match, and have a vector in the space, in the order of the seed.

    It depends on nothing but the seed and the ids. Raises DeadlineExceeded, Cancelled, and what a filter may raise.
    """
    held = derived_filter(Filter(must=(HasVector(space),)))
    leaf = RankAll(stage="sample", ranker=AtRandom(seed), filter=held, limit=count)
    demand = Demand(leaf, () if filter is None else (filter,))
    return source.answer([demand], {})[demand].ranking.slots
