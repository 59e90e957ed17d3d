"""Turns a bound query into the plan that means the same, stage by stage. It decides nothing; optimize/ does."""

from collections.abc import Iterator
from typing import assert_never

from planner.bind import BoundDbsf, BoundLeaf, BoundMerge, BoundQuery, BoundRrf, BoundStage
from planner.plan.nodes import (
    After,
    ConvertScores,
    Diversify,
    FuseRanks,
    FuseScores,
    Gate,
    Limit,
    Node,
    Plan,
    RankAll,
    Rerank,
    Restrict,
    Scan,
    Search,
    Threshold,
    higher_is_better,
)
from planner.query import FilterScope, Metric, ScoreMode, SearchAfter, page_reach
from planner.rank import Ranker, Searcher
from planner.text import Highlighted
from storage.schema import Distance

UNLIMITED = 2**32
"""A limit that no ranking reaches, since there are fewer slots."""


def build(query: BoundQuery) -> Plan:
    """The plan before any rule has changed it."""
    root = _build_stage(query.root, "root", path=f"{query.path}." if query.path else "")
    highlighted = tuple(_highlighted(query.root))
    return Plan(root=root, payload=query.payload, vectors=query.vectors, highlighted=highlighted)


def _build_stage(stage: BoundStage, name: str, *, path: str = "") -> Node:
    """The node of one stage. `path` is where the request holds the query, with a dot at the end unless it is empty."""
    match stage.ranked:
        case BoundLeaf():
            node = _build_leaf(stage, stage.ranked, name)
        case BoundMerge():
            node = _build_filter(stage, name, _build_merge(stage, stage.ranked, name))
    if stage.score_threshold is not None:
        node = Threshold(
            stage=name, threshold=stage.score_threshold, higher_is_better=higher_is_better(node), child=node
        )
    node = _build_diversity(stage, name, node)
    if stage.search_after is not None:
        node = _build_after(stage, stage.search_after, name, node, path)
    if isinstance(stage.ranked, BoundMerge) or stage.offset or stage.search_after is not None:
        node = Limit(stage=name, limit=stage.limit, offset=stage.offset, child=node)
    return _build_score_mode(stage, name, node)


def _leaf_limit(stage: BoundStage, rank: Ranker | None) -> int:
    """How many points a leaf must give to its stage."""
    if stage.diversity is not None:
        return stage.diversity.candidates
    if stage.search_after is not None:
        return stage.limit if _goes_on(stage, rank) else UNLIMITED
    reach = stage.limit + stage.offset
    return reach if rank is None or rank.is_exact else max(reach, page_reach(stage.limit, stage.offset))


def _goes_on(stage: BoundStage, rank: Ranker | None) -> bool:
    """Whether the leaf itself can start after a hit.

    Other leaves rank everything for each page, and the plan cuts the list.
    """
    return stage.search_after is not None and stage.diversity is None and isinstance(rank, Searcher) and rank.goes_on


def _build_after(stage: BoundStage, position: SearchAfter, name: str, node: Node, path: str) -> Node:
    if isinstance(node, Search) and node.after is not None:
        return node
    if isinstance(node, Threshold) and isinstance(node.child, Search) and node.child.after is not None:
        return node
    rank = stage.ranked.rank
    return After(
        stage=name,
        path=f"{path}search_after",
        position=position,
        higher_is_better=higher_is_better(node),
        scored=stage.diversity is None and not (isinstance(rank, Ranker) and not rank.is_scored),
        child=node,
    )


def _build_leaf(stage: BoundStage, leaf: BoundLeaf, name: str) -> Node:
    rank = leaf.rank
    exclude, limit = stage.exclude, _leaf_limit(stage, rank)
    if rank is None:
        return Scan(stage=name, filter=stage.filter, exclude=exclude, limit=limit)
    if not isinstance(rank, Searcher):
        return RankAll(stage=name, ranker=rank, filter=stage.filter, exclude=exclude, limit=limit)
    after = stage.search_after if _goes_on(stage, rank) else None
    return Search(stage=name, ranker=rank, filter=stage.filter, exclude=exclude, limit=limit, after=after)


def _build_merge(stage: BoundStage, merge: BoundMerge, name: str) -> Node:
    children = tuple(_build_stage(child, f"{name}.prefetch[{index}]") for index, child in enumerate(merge.prefetch))
    match merge.rank:
        case BoundRrf(k=k, weights=weights):
            return FuseRanks(stage=name, k=k, weights=weights, children=children)
        case BoundDbsf(weights=weights):
            return FuseScores(stage=name, weights=weights, children=children)
        case ranker:
            return Rerank(stage=name, ranker=ranker, exclude=stage.exclude, children=children)
    assert_never(merge.rank)


def _build_diversity(stage: BoundStage, name: str, node: Node) -> Node:
    diversity = stage.diversity
    if diversity is None:
        return node
    return Diversify(
        stage=name,
        space=diversity.space,
        distance=diversity.distance,
        diversity=diversity.diversity,
        candidates=diversity.candidates,
        limit=stage.limit + stage.offset if stage.search_after is None else UNLIMITED,
        child=node,
    )


def _build_filter(stage: BoundStage, name: str, node: Node) -> Node:
    if stage.filter is None:
        return node
    if stage.filter_scope is FilterScope.PUSH_DOWN:
        return Restrict(stage=name, filter=stage.filter, child=node)
    return Gate(stage=name, filter=stage.filter, child=node)


def _build_score_mode(stage: BoundStage, name: str, node: Node) -> Node:
    if stage.score_mode is ScoreMode.RAW:
        return node
    metric = _metric_of(stage.ranked.rank)
    if metric is None:
        return node
    return ConvertScores(stage=name, mode=stage.score_mode, distance=metric, child=node)


def _metric_of(rank: Ranker | BoundRrf | BoundDbsf | None) -> Distance | Metric | None:
    """The metric that gives a rank's scores; None where scores are made of several, or of something else."""
    return rank.metric if isinstance(rank, Ranker) else None


def _highlighted(stage: BoundStage) -> Iterator[Highlighted]:
    if stage.highlighted is not None:
        yield stage.highlighted
    if isinstance(stage.ranked, BoundMerge):
        for child in stage.ranked.prefetch:
            yield from _highlighted(child)
