"""Ways to rank that search: an index finds the best points, so that not all are ranked. They say how they searched."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from planner.query import SearchAfter
from planner.rank.ranker import Found, Ranker, Slots, Statistics
from planner.rank.ranking import Ranking
from planner.rank.run_context import RunContext
from storage.search import SpaceHits
from storage.segments import SlotSet


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """The best `limit` points are asked for, of those that are `allowed` (None: all).

    `excluded`: slots that are left out, -1 is nobody. `after`: only what comes strictly after it is found.
    `statistics`: see Ranker.rank.
    """

    allowed: SlotSet | None
    excluded: NDArray[np.int64]
    limit: int
    after: SearchAfter | None = None
    statistics: Statistics | None = None

    @property
    def allowed_slots(self) -> Slots | None:
        """Ascending."""
        return None if self.allowed is None else self.allowed.slots

    @property
    def reach(self) -> int:
        """Rows to search for, so that `limit` are left when the excluded points are dropped."""
        return self.limit + len(self.excluded)

    def kept(self, ranking: Ranking) -> Ranking:
        """What is left of the first `reach` rows."""
        if not len(self.excluded):
            return ranking
        return ranking.take(~np.isin(ranking.slots, self.excluded)).take(slice(self.limit))


class Searcher(Ranker):
    """A way to rank whose leaves search."""

    __slots__ = ()

    @property
    def search_name(self) -> str:
        """The name of its leaves, as users see it."""
        return self.name

    @property
    def goes_on(self) -> bool:
        """Whether a search can go on after a hit. If not, it finds all, and what comes before the hit is dropped."""
        return False

    @property
    def finds_all_at_once(self) -> bool:
        """Whether finding all points takes about as long as finding a few."""
        return True

    @property
    def indexed_only(self) -> bool:
        """Whether points that no index covers yet are left out."""
        return False

    def settings(self) -> dict[str, str]:
        """How it searches, beside what `describe` says, as short text by name."""
        return {}

    def exactly(self) -> Self:
        """The same search, which looks at all points if it can be told to."""
        return self

    @abstractmethod
    def search(self, request: SearchRequest, run: RunContext) -> Found:
        """Raises ScanTooLarge, DeadlineExceeded, Cancelled."""

    @classmethod
    def search_together(cls, searches: Sequence[tuple[Self, SearchRequest]], run: RunContext) -> list[Found]:
        """What each search finds, in order. A way to rank may do the work of several at once."""
        return [searcher.search(request, run) for searcher, request in searches]


def found_by_storage(hits: SpaceHits, request: SearchRequest, rows_in: int) -> Found:
    """What storage found for a request. Storage says how it found it."""
    ranking = request.kept(Ranking(hits.slots, hits.scores))
    total = None if len(request.excluded) else hits.total
    return Found(ranking, rows_in, hits.strategy, hits.reason, hits.distance_computations, total)
