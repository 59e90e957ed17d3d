"""A way to rank that only tests know: points whose ids are numbers, by how near these are to a number.

It is what a way to rank is: one file that binds it, ranks by it, says what it needs and describes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner.errors import InvalidQuery
from planner.rank.ranker import Ranker, Slots, Statistics
from planner.rank.ranking import Ranking, ranked
from planner.rank.run_context import RunContext
from planner.resolve import Asked, Unread


@dataclass(frozen=True, slots=True)
class NearNumber:
    """The word of a query."""

    number: int


@dataclass(frozen=True, slots=True)
class Total:
    """How many points there are."""

    points: int

    def __add__(self, other: "Total") -> "Total":
        return Total(self.points + other.points)


@dataclass(frozen=True, slots=True)
class ByNumber(Ranker):
    """The score is how far the id is from the number, as a share of all points. Lower is better."""

    number: int

    @property
    def name(self) -> str:
        return "near_number"

    @property
    def higher_is_better(self) -> bool:
        return False

    def describe(self) -> dict[str, str]:
        return {"number": str(self.number)}

    @property
    def needs_statistics(self) -> bool:
        return True

    def statistics(self, run: RunContext, *, in_full: bool = False) -> Total:
        return Total(run.reader.point_count)

    def describe_statistics(self, statistics: Statistics) -> dict[str, str]:
        assert isinstance(statistics, Total)
        return {"points": str(statistics.points)}

    def rank(
        self,
        slots: Slots,
        run: RunContext,
        lists: Sequence[Ranking] = (),
        limit: int | None = None,
        statistics: Statistics | None = None,
    ) -> tuple[Ranking, int]:
        total = statistics if isinstance(statistics, Total) else self.statistics(run)
        ids = run.reader.point_ids(slots)
        kept = np.array([isinstance(point_id, int) for point_id in ids], np.bool_)
        distances = [abs(point_id - self.number) for point_id in ids if isinstance(point_id, int)]
        scores = np.array(distances, np.float32) / np.float32(total.points)
        return ranked(slots[kept], scores, run.reader, higher_is_better=False, limit=limit), 0


def bind_near_number(word: NearNumber, asked: Asked) -> Unread[ByNumber]:
    """Raises InvalidQuery."""
    asked.refuse_using("nearness to a number")
    if word.number < 0:
        raise InvalidQuery(f"{asked.path}query.near_number.number", "no id is less than 0")
    return lambda _: ByNumber(word.number)
