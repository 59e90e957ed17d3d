"""What a plan says of a way to rank of this package. It ranks nothing; rank/ranking.py does."""

from dataclasses import dataclass
from typing import assert_never

from planner.query import (
    ByExamples,
    ByText,
    Context,
    Discover,
    Formula,
    Metric,
    OrderBy,
    QueryVector,
    Recommend,
    Sample,
)
from storage.schema import Distance
from storage.search import RecordQuery, SparseQuery


@dataclass(frozen=True, slots=True)
class InSpace:
    """A rank by examples, and the space whose vectors are compared with them. Requires: it is resolved."""

    rank: ByExamples
    space: str
    distance: Distance


@dataclass(frozen=True, slots=True)
class MetricScore:
    """Scores of `metric` in `space` for a vector of as many components."""

    space: str
    metric: Metric
    vector: QueryVector
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class InMetrics:
    """The scores of one metric; or if `composite`, those of all terms in one weighted sum. Requires: a term."""

    terms: tuple[MetricScore, ...]
    composite: bool

    @property
    def higher_is_better(self) -> bool:
        return self.composite or self.terms[0].metric.higher_is_better


@dataclass(frozen=True, slots=True)
class InRecords:
    """Nearness in a space of sparse or multi-vectors. Points that share no index with a sparse one are left out."""

    query: RecordQuery
    space: str


Ranker = OrderBy | Sample | InSpace | InMetrics | InRecords | Formula | ByText


def higher_is_better(ranker: Ranker) -> bool:
    """The direction of scores. Where all are 0, either would do."""
    return ranker.higher_is_better if isinstance(ranker, InMetrics) else True


def name_of(ranker: Ranker) -> str:
    """As users see it, which is how the contract calls it."""
    match ranker:
        case OrderBy():
            return "order_by"
        case Sample():
            return "sample"
        case InSpace(rank=rank):
            return _name_by_examples(rank)
        case InMetrics():
            return "rescore"
        case Formula():
            return "formula"
        case InRecords(query=query):
            return "sparse" if isinstance(query, SparseQuery) else "max_sim"
        case ByText():
            return "bm25"
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
