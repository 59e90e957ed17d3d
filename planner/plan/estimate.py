"""How many rows the nodes of a plan can emit at most, as far as is known before it runs."""

from collections.abc import Callable
from typing import assert_never

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
    Rescore,
    Restrict,
    Scan,
    Search,
    Threshold,
)
from planner.query import Filter
from storage.mvcc import Snapshot

Matching = Callable[[Filter], int | None]
"""How many points match a filter, when that is known without reading payloads; else None."""


def most_rows(node: Node, reader: Snapshot, matching: Matching) -> int:
    """The most rows that a node can emit, given how many points and vectors there are and what filters match."""
    match node:
        case Search():
            return min(reader.spaces[node.space].vector_count, _most_found(node, reader, matching))
        case Scan() | RankAll():
            return _most_found(node, reader, matching)
        case Empty():
            return 0
        case FuseRanks() | FuseScores() | Rescore() | Rerank():
            return min(reader.point_count, sum(most_rows(child, reader, matching) for child in node.children))
        case Restrict() | Gate() | Threshold() | After() | ConvertScores():
            return most_rows(node.child, reader, matching)
        case Diversify():
            return min(node.limit, node.candidates, most_rows(node.child, reader, matching))
        case Limit():
            return min(node.limit, max(0, most_rows(node.child, reader, matching) - node.offset))
    assert_never(node)


def _most_found(leaf: Leaf, reader: Snapshot, matching: Matching) -> int:
    found = None if leaf.filter is None else matching(leaf.filter)
    return min(leaf.limit, reader.point_count if found is None else found)
