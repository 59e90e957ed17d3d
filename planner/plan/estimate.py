"""How many rows the nodes of a plan can emit at most, as far as this is known before the plan runs."""

from typing import Protocol, assert_never

from planner.plan.nodes import (
    After,
    ConvertScores,
    Diversify,
    Empty,
    FuseRanks,
    FuseScores,
    Gate,
    Leaf,
    Limit,
    Node,
    RankAll,
    Rerank,
    Restrict,
    Scan,
    Search,
    Threshold,
)
from planner.resolve import CheckedFilter


class Counts(Protocol):
    """The counts that an estimate needs."""

    @property
    def point_count(self) -> int: ...

    def vector_count(self, space: str) -> int:
        """How many points have a vector in a space."""

    def known_count(self, filter: CheckedFilter) -> int | None:
        """How many points match, if this is known without reading payloads; else None."""


def most_rows(node: Node, counts: Counts) -> int:
    """The most rows that a node can emit, given the counts of points, vectors and matches."""
    match node:
        case Scan():
            return _most_found(node, counts)
        case Search() | RankAll():
            return min([_most_found(node, counts), *map(counts.vector_count, node.ranker.spaces)])
        case Empty():
            return 0
        case FuseRanks() | FuseScores() | Rerank():
            return min(counts.point_count, sum(most_rows(child, counts) for child in node.children))
        case Restrict() | Gate() | Threshold() | After() | ConvertScores():
            return most_rows(node.child, counts)
        case Diversify():
            return min(node.limit, node.candidates, most_rows(node.child, counts))
        case Limit():
            return min(node.limit, max(0, most_rows(node.child, counts) - node.offset))
    assert_never(node)


def _most_found(leaf: Leaf, counts: Counts) -> int:
    found = None if leaf.filter is None else counts.known_count(leaf.filter)
    return min(leaf.limit, counts.point_count if found is None else found)
