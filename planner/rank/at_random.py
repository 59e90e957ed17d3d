"""A random order from a seed. Storage hashes the ids; see storage/search/random_order.py."""

from collections.abc import Sequence
from dataclasses import dataclass

from planner.errors import InvalidQuery
from planner.query import Sample
from planner.rank.ranker import Ranker, Slots, Statistics
from planner.rank.ranking import Ranking, SortKey, unscored
from planner.rank.run_context import RunContext
from planner.resolve import Asked, Unread
from storage.search import seeded_hashes, seeded_order


@dataclass(frozen=True, slots=True)
class AtRandom(Ranker):
    """The random order of a seed. All scores are 0."""

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

    def sort_keys(self, ranking: Ranking, run: RunContext) -> list[SortKey]:
        hashes = seeded_hashes(self.seed, ranking.slots, run.reader, run.budget)
        return list(zip(hashes.tolist(), run.reader.id_keys(ranking.slots), strict=True))

    def rank(
        self,
        slots: Slots,
        run: RunContext,
        lists: Sequence[Ranking] = (),
        limit: int | None = None,
        statistics: Statistics | None = None,
    ) -> tuple[Ranking, int]:
        return unscored(seeded_order(self.seed, slots, run.reader, run.budget)), 0


def bind_sample(sample: Sample, asked: Asked) -> Unread[AtRandom]:
    """Binds a random order. Without a seed, the sequence number of the commit is the seed. Raises InvalidQuery."""
    asked.refuse_using("an order by a field or at random")
    seed = sample.seed
    if seed is None:
        return lambda reading: AtRandom(reading.source.reader.seq)
    if not 0 <= seed < 2**64:
        raise InvalidQuery(f"{asked.path}query.sample.seed", f"{seed} is not between 0 and 2^64 - 1")
    bound = AtRandom(seed)
    return lambda _: bound
