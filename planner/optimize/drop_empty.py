"""Rule: nodes that emit nothing leave the plan, and so do filters that every point matches. It simplifies no filter."""

from dataclasses import replace
from typing import assert_never

from planner.plan import (
    After,
    ConvertScores,
    Diversify,
    Empty,
    FuseRanks,
    FuseScores,
    Gate,
    Limit,
    Node,
    RankAll,
    Rerank,
    Restrict,
    Scan,
    Search,
    Threshold,
    map_children,
)
from planner.predicate import matches_nothing
from planner.query import Filter


def drop_empty(node: Node) -> Node:
    """Limit(Gate({must: [has_id []]}, x)) -> Empty; Gate({}, x) -> x

    A fusion keeps an empty child beside others, because score fusion divides by the sum of all weights.
    """
    node = map_children(node, drop_empty)
    match node:
        case Search() | Scan() | RankAll():
            if node.filter is None:
                return node
            if matches_nothing(node.filter):
                return Empty(stage=node.stage)
            return replace(node, filter=None) if node.filter == Filter() else node
        case Gate() | Restrict():
            if isinstance(node.child, Empty) or matches_nothing(node.filter):
                return Empty(stage=node.stage)
            return node.child if node.filter == Filter() else node
        case Threshold() | Diversify() | After() | Limit() | ConvertScores():
            return Empty(stage=node.stage) if isinstance(node.child, Empty) else node
        case FuseRanks() | FuseScores() | Rerank():
            return Empty(stage=node.stage) if all(isinstance(child, Empty) for child in node.children) else node
        case Empty():
            return node
    assert_never(node)
