"""What every way to rank says of itself. Each is a file of its own, which also binds it, and a line of ways.py."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from planner.query import Metric, Rank
from planner.rank.ranking import Place, Ranking, SortKey, places_in
from planner.rank.run_context import RunContext
from planner.text import Highlighted
from storage.mvcc import Snapshot
from storage.schema import Distance

Slots = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Found:
    """What a ranker found, and how. `rows_in` is the number of points among which it looked.

    `total` is how many it would find without a limit; None if that is not known.
    """

    ranking: Ranking
    rows_in: int
    strategy: str
    reason: str
    distance_computations: int
    total: int | None = None


class Statistics(Protocol):
    """The numbers of the whole collection that a way to rank needs, such as how many points have a term.

    Frozen data.
    """

    def __add__(self, other: Self, /) -> Self:
        """The statistics of two sources together."""


class Ranker(ABC):
    """A way to rank, as frozen data. Equal ones rank alike, even if the request wrote them differently."""

    __slots__ = ()

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that users see, which is that of the contract."""

    @property
    def higher_is_better(self) -> bool:
        """Whether higher scores are better. Where all scores are 0, the answer does not matter."""
        return True

    @property
    def is_scored(self) -> bool:
        """Whether scores decide the order. If not, all scores are 0."""
        return True

    @property
    def is_exact(self) -> bool:
        """Whether the first rows stay the same when more rows are asked for."""
        return True

    @property
    def ranks_everything(self) -> bool:
        """Whether every point has a rank."""
        return False

    @property
    def spaces(self) -> tuple[str, ...]:
        """The spaces in which a point must have a vector, each once."""
        return ()

    @property
    def metric(self) -> Distance | Metric | None:
        """The metric by which scores become similarities and distances; None if they do not."""
        return None

    @abstractmethod
    def describe(self) -> dict[str, str]:
        """Its arguments as short text by name, such as `path` and `direction`."""

    @property
    def needs_statistics(self) -> bool:
        """Whether scores depend on numbers of the whole collection, besides the point's own."""
        return False

    def statistics(self, run: RunContext, *, in_full: bool = False) -> Statistics | None:
        """The numbers of a collection, or of one source of it, on which scores depend. Those of several sources add up.

        `in_full` adds numbers that only `describe_statistics` shows.
        """
        return None

    def describe_statistics(self, statistics: Statistics) -> Mapping[str, str]:
        """The statistics that users see, as text by name. Requires: they are in full."""
        return {}

    def distances(self, ranked: int) -> int:
        """How many distances are computed to rank `ranked` points."""
        return 0

    def certain_hits(self, reader: Snapshot) -> int:
        """How many points of a snapshot a leaf will certainly find, known before the search, if all points are
        allowed.
        """
        return reader.point_count if self.ranks_everything else 0

    def ground_truth(self) -> Self:
        """The ranking with which recall compares this one: it looks at all points, whatever its settings say."""
        return self

    def highlighted(self, word: Rank) -> Highlighted | None:
        """What is to be returned of the texts that match, as the query's `word` for this rank asks; None: nothing."""
        return None

    def no_rank(self) -> str:
        """Why a point that has the needed vectors has no rank."""
        return f"{self.name} gives it no rank"

    @abstractmethod
    def rank(
        self,
        slots: Slots,
        run: RunContext,
        lists: Sequence[Ranking] = (),
        limit: int | None = None,
        statistics: Statistics | None = None,
    ) -> tuple[Ranking, int]:
        """Those of `slots` (n,), ascending, that can be ranked, best first, and how many distances were computed.

        `lists` are rankings whose union is `slots`, if there are any. At least the first `limit` of the ranking are
        returned. `statistics` are those of the whole collection; None: of what the run reads. Raises DeadlineExceeded,
        Cancelled, and InvalidQuery for points for which a formula has no score.
        """

    def sort_keys(self, ranking: Ranking, run: RunContext) -> list[SortKey]:
        """The sort key of each row of a ranking by this way, least first. It ends with the id, so no two are equal.

        Rows of several parts of a collection, sorted by these keys, have the order that they have in one collection.
        """
        worst = -ranking.scores if self.higher_is_better else ranking.scores
        return list(zip(worst.tolist(), run.reader.id_keys(ranking.slots), strict=True))

    def places(
        self, allowed: Slots | None, excluded: NDArray[np.int64], wanted: Sequence[int], run: RunContext
    ) -> dict[int, Place]:
        """The place of each slot in `wanted` that has one, among all that a leaf could find, computed exactly.

        `allowed` and `excluded`: see `find`. Requires: the wanted slots are allowed, and not excluded. Raises what
        `rank` raises.
        """
        slots = run.reader.all_slots() if allowed is None else allowed
        ranking, _ = self.rank(slots[~np.isin(slots, excluded)], run)
        return places_in(ranking, wanted)

    def find(
        self,
        allowed: Slots | None,
        excluded: NDArray[np.int64],
        limit: int,
        run: RunContext,
        statistics: Statistics | None = None,
    ) -> Found:
        """The best `limit` points among `allowed` (ascending; None: all), without those in `excluded`.

        -1 in `excluded` means no point. This ranks all points; ways to rank that can find the best without that are
        Searchers. Raises ScanTooLarge, and what `rank` raises.
        """
        slots = run.reader.all_slots() if allowed is None else allowed
        if len(excluded):
            slots = slots[~np.isin(slots, excluded)]
        if self.spaces:
            run.budget.check_scan(len(slots))
        ranking, distances = self.rank(slots, run, limit=limit, statistics=statistics)
        total = len(slots) if self.ranks_everything else None
        reason = "every matching point is ranked"
        return Found(ranking.take(slice(limit)), len(slots), "exact", reason, distances, total)
