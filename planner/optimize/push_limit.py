"""Rule: a node that looks only at the first rows of its input tells the input so. Less is computed.

It drops no limit.
"""

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
)

MAX_DISTINCT_RANK = 1 << 20
"""Up to this rank, 1 / (k + rank) differs in float32 between neighbours, so that fusing one list keeps its order."""


def push_limit(node: Node) -> Node:
    """Limit(3, FuseRanks(Limit(9, Rerank(...)))) -> Limit(3, FuseRanks(Limit(3, Rerank(...))))

    Limits of leaves change only if the leaves are exact: a graph that is asked for fewer rows also looks less far.
    """
    return _push(node, None)


def _push(node: Node, needed: int | None) -> Node:
    """The node, if nobody looks past its first `needed` rows. None: all rows are looked at."""
    match node:
        case Search() | RankAll() if not node.is_exact:
            return node
        case Search() | Scan() | RankAll():
            return node if needed is None or node.limit <= needed else replace(node, limit=needed)
        case Limit():
            limit = node.limit if needed is None else min(node.limit, needed)
            return _replaced(node, limit, _push(node.child, node.offset + limit))
        case Diversify():
            limit = node.limit if needed is None else min(node.limit, needed)
            return _replaced(node, limit, _push(node.child, node.candidates))
        # the list is sorted by the threshold's scores, so a threshold keeps its head
        case Threshold() | ConvertScores():
            child = _push(node.child, needed)
            return node if child is node.child else replace(node, child=child)
        case Gate() | Restrict() | After():
            child = _push(node.child, None)
            return node if child is node.child else replace(node, child=child)
        case FuseRanks() | FuseScores() | Rerank():
            inner = needed if _keeps_order(node, needed) else None
            children = tuple(_push(child, inner) for child in node.children)
            same = all(new is old for new, old in zip(children, node.children, strict=True))
            return node if same else replace(node, children=children)
        case Empty():
            return node
    assert_never(node)


def _replaced(node: Limit | Diversify, limit: int, child: Node) -> Node:
    return node if (limit, child) == (node.limit, node.child) else replace(node, limit=limit, child=child)


def _keeps_order(node: FuseRanks | FuseScores | Rerank, needed: int | None) -> bool:
    """Whether the first `needed` rows are those of the only child, in the same order."""
    if not isinstance(node, FuseRanks) or len(node.children) != 1 or needed is None:
        return False
    return node.weights[0] > 0 and node.k + needed < MAX_DISTINCT_RANK
