"""Rule: a restriction becomes part of the filter of every leaf below it. It rewrites no other filter."""

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
from planner.query import Filter
from planner.resolve import CheckedFilter, derived_filter


def push_down_filter(node: Node) -> Node:
    """Restrict(f, ... Search(g) ...) -> ... Search(f and g) ...

    Gates are not pushed down. A gate drops points after they are ranked, but a leaf would find other points instead.
    """
    if isinstance(node, Restrict):
        return _restrict(push_down_filter(node.child), node.filter)
    return map_children(node, push_down_filter)


def _restrict(node: Node, filter: CheckedFilter) -> Node:
    match node:
        case Search() | Scan() | RankAll():
            return replace(node, filter=both(filter, node.filter))
        case Empty() | FuseRanks() | FuseScores() | Rerank() | Restrict() | Gate():
            return map_children(node, lambda child: _restrict(child, filter))
        case Threshold() | Diversify() | After() | Limit() | ConvertScores():
            return map_children(node, lambda child: _restrict(child, filter))
    assert_never(node)


def both(outer: CheckedFilter, inner: CheckedFilter | None) -> CheckedFilter:
    """Both filters, each whole.

    Their clauses are not joined, since two `should` that are joined are one weaker `should`.
    """
    return outer if inner is None else derived_filter(Filter(must=(outer, inner)))
