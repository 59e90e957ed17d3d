"""A random order that a seed gives. Hashes of ids are storage's; see storage/search/random_order.py."""

from collections.abc import Sequence
from dataclasses import dataclass

from planner.rank.ranker import Ranker, Slots, Statistics
from planner.rank.ranking import Ranking, unscored
from planner.rank.run_context import RunContext
from storage.search import seeded_order


@dataclass(frozen=True, slots=True)
class AtRandom(Ranker):
    """The order that a seed gives; scores 0."""

    seed: int

    @property
    def name(self) -> str:
        return "sample"

    @property
    def is_scored(self) -> bool:
        return False

    @property
    def ranks_everything(self) -> bool:
        return True

    def describe(self) -> dict[str, str]:
        return {"seed": str(self.seed)}

    def rank(
        self,
        slots: Slots,
        run: RunContext,
        lists: Sequence[Ranking] = (),
        limit: int | None = None,
        statistics: Statistics | None = None,
    ) -> tuple[Ranking, int]:
        return unscored(seeded_order(self.seed, slots, run.reader, run.budget)), 0
