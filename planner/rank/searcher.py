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
from storage.search import SpaceHits, SpaceSearch
from storage.segments import SlotSet


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """Asks for the best `limit` points among `allowed` (None: all).

    `excluded` are slots that are left out; -1 means no point. `after`: only points strictly after it are found.
    `statistics`: see Ranker.rank.
    """

    allowed: SlotSet | None
    excluded: NDArray[np.int64]
    limit: int
    after: SearchAfter | None = None
    statistics: Statistics | None = None

    @property
    def allowed_slots(self) -> Slots | None:
        """The allowed slots, ascending; None: all."""
        return None if self.allowed is None else self.allowed.slots

    @property
    def reach(self) -> int:
        """How many rows to search for, so that `limit` are left without the excluded points."""
        return self.limit + len(self.excluded)

    def kept(self, ranking: Ranking) -> Ranking:
        """The first `reach` rows without the excluded points, at most `limit`."""
        if not len(self.excluded):
            return ranking
        return ranking.take(~np.isin(ranking.slots, self.excluded)).take(slice(self.limit))


class Searcher(Ranker):
    """A way to rank whose leaves search an index."""

    __slots__ = ()

    @property
    def search_name(self) -> str:
        """The name of its leaves that users see."""
        return self.name

    @property
    def goes_on(self) -> bool:
        """Whether a search can start after a hit.

        If not, it finds everything, and the rows up to the hit are dropped.
        """
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
        """How it searches, besides what `describe` says, as short text by name."""
        return {}

    def exactly(self) -> Self:
        """The same search, but over all points if it has such a setting."""
        return self

    def space_search(self, request: SearchRequest) -> SpaceSearch | None:
        """The search of one dense space that is all that it does; None: it does something else, or more."""
        return None

    @abstractmethod
    def search(self, request: SearchRequest, run: RunContext) -> Found:
        """Runs one search. Raises ScanTooLarge, DeadlineExceeded, Cancelled."""

    @classmethod
    def search_together(cls, searches: Sequence[tuple[Self, SearchRequest]], run: RunContext) -> list[Found]:
        """The result of each search, in order. Subclasses may run several searches at once."""
        return [searcher.search(request, run) for searcher, request in searches]


def found_by_storage(hits: SpaceHits, request: SearchRequest, rows_in: int) -> Found:
    """What storage found for a request, and how."""
    ranking = request.kept(Ranking(hits.slots, hits.scores))
    total = None if len(request.excluded) else hits.total
    return Found(ranking, rows_in, hits.strategy, hits.reason, hits.distance_computations, total)
