"""What a run over one snapshot reads. It is made once per request, and passed to everything that runs."""

from dataclasses import dataclass

from planner.filtering import FilterSets
from planner.text import TextIndexes
from storage.budget import Budget
from storage.mvcc import Snapshot


@dataclass(frozen=True, slots=True)
class RunContext:
    """The snapshot, the filters that were evaluated on it, its text indexes, and the request's budget."""

    reader: Snapshot
    sets: FilterSets
    texts: TextIndexes
    budget: Budget
