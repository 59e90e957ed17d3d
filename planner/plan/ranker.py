"""The name and the direction of a bound way to rank. It ranks nothing; rank/ranking.py does."""

from typing import assert_never

from planner.bind import (
    AtRandom,
    BoundContext,
    BoundDiscover,
    BoundExamples,
    BoundRecommend,
    ByField,
    ByFormula,
    ByText,
    InMetrics,
    InRecords,
    InSpace,
    Ranker,
)
from storage.search import SparseQuery


def higher_is_better(ranker: Ranker) -> bool:
    """The direction of scores. Where all are 0, either would do."""
    return ranker.higher_is_better if isinstance(ranker, InMetrics) else True


def name_of(ranker: Ranker) -> str:
    """As users see it, which is how the contract calls it."""
    match ranker:
        case ByField():
            return "order_by"
        case AtRandom():
            return "sample"
        case InSpace(rank=rank):
            return _name_by_examples(rank)
        case InMetrics():
            return "rescore"
        case ByFormula():
            return "formula"
        case InRecords(query=query):
            return "sparse" if isinstance(query, SparseQuery) else "max_sim"
        case ByText():
            return "bm25"
    assert_never(ranker)


def _name_by_examples(rank: BoundExamples) -> str:
    match rank:
        case BoundRecommend():
            return "recommend"
        case BoundDiscover():
            return "discover"
        case BoundContext():
            return "context"
    assert_never(rank)
