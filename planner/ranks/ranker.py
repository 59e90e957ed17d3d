"""What a plan says of a way to rank of this package. It ranks nothing; rank_slots.py does."""

from dataclasses import dataclass
from typing import assert_never

from planner.query import ByExamples, Context, Discover, OrderBy, Recommend, Sample
from storage.schema import Distance


@dataclass(frozen=True, slots=True)
class InSpace:
    """A rank by examples, and the space whose vectors are compared with them. Requires: it is resolved."""

    rank: ByExamples
    space: str
    distance: Distance


Ranker = OrderBy | Sample | InSpace


def name_of(ranker: Ranker) -> str:
    """As users see it, which is how the contract calls it."""
    match ranker:
        case OrderBy():
            return "order_by"
        case Sample():
            return "sample"
        case InSpace(rank=rank):
            return _name_by_examples(rank)
    assert_never(ranker)


def _name_by_examples(rank: ByExamples) -> str:
    match rank:
        case Recommend():
            return "recommend"
        case Discover():
            return "discover"
        case Context():
            return "context"
    assert_never(rank)
