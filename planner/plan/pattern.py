"""Patterns: plans that wait for what reads vectors. Queries of one shape have one, as no rule looks at a vector."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from planner.bind import BoundMerge, BoundQuery, BoundStage
from planner.plan.nodes import (
    After,
    ConvertScores,
    Diversify,
    Empty,
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
    Step,
    Threshold,
)
from planner.rank import Ranker, Searcher

_Fill = Callable[[Sequence[BoundStage]], Node]
"""Makes a node of the stages of a query, parents before children."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A plan that has no vectors, nor what was made of them."""

    plan: Plan
    root: _Fill

    def filled(self, query: BoundQuery) -> Plan:
        """The plan of a query that differs from the pattern's own in its vectors and its path alone."""
        plan, path = self.plan, f"{query.path}.search_after" if query.path else "search_after"
        root = self.root(list(_stages(query.root)))
        if query.root.search_after is not None:
            root = _at(root, path)
        return Plan(root=root, payload=plan.payload, vectors=plan.vectors, highlighted=plan.highlighted)


def pattern_of(plan: Plan, query: BoundQuery) -> Pattern:
    """The pattern of the plan of `query`."""
    numbers = {name: number for number, name in enumerate(_names(query.root, "root"))}
    return Pattern(replace(plan, root=Empty(stage="root")), _fill_of(plan.root, numbers))


def _stages(stage: BoundStage) -> Iterator[BoundStage]:
    yield stage
    if isinstance(stage.ranked, BoundMerge):
        for child in stage.ranked.prefetch:
            yield from _stages(child)


def _names(stage: BoundStage, name: str) -> Iterator[str]:
    yield name
    if isinstance(stage.ranked, BoundMerge):
        for index, child in enumerate(stage.ranked.prefetch):
            yield from _names(child, f"{name}.prefetch[{index}]")


def _fill_of(node: Node, numbers: Mapping[str, int]) -> _Fill:
    match node:
        case Search():
            return _search(node, numbers[node.stage])
        case RankAll():
            return _rank_all(node, numbers[node.stage])
        case Scan() | Empty():
            return lambda _: node
        case Rerank():
            return _rerank(node, numbers)
        case FuseRanks() | FuseScores():
            fills = tuple(_fill_of(child, numbers) for child in node.children)
            bare = replace(node, children=())
            return lambda stages: replace(bare, children=tuple(fill(stages) for fill in fills))
        case Restrict() | Gate() | Threshold() | Diversify() | After() | Limit() | ConvertScores():
            return _step(node, _fill_of(node.child, numbers))
    assert_never(node)


def _search(node: Search, number: int) -> _Fill:
    stage, filter, limit, after = node.stage, node.filter, node.limit, node.after

    def fill(stages: Sequence[BoundStage]) -> Search:
        bound = stages[number]
        ranker = bound.ranked.rank
        assert isinstance(ranker, Searcher)
        return Search(stage=stage, ranker=ranker, filter=filter, exclude=bound.exclude, limit=limit, after=after)

    return fill


def _rank_all(node: RankAll, number: int) -> _Fill:
    stage, filter, limit = node.stage, node.filter, node.limit

    def fill(stages: Sequence[BoundStage]) -> RankAll:
        bound = stages[number]
        return RankAll(stage=stage, ranker=_ranker_of(bound), filter=filter, exclude=bound.exclude, limit=limit)

    return fill


def _rerank(node: Rerank, numbers: Mapping[str, int]) -> _Fill:
    stage, number = node.stage, numbers[node.stage]
    fills = tuple(_fill_of(child, numbers) for child in node.children)

    def fill(stages: Sequence[BoundStage]) -> Rerank:
        bound, children = stages[number], tuple(fill(stages) for fill in fills)
        return Rerank(stage=stage, ranker=_ranker_of(bound), exclude=bound.exclude, children=children)

    return fill


def _step(node: Step, child: _Fill) -> _Fill:
    bare = replace(node, child=Empty(stage=node.stage))
    return lambda stages: replace(bare, child=child(stages))


def _ranker_of(stage: BoundStage) -> Ranker:
    ranker = stage.ranked.rank
    assert isinstance(ranker, Ranker)
    return ranker


def _at(node: Node, path: str) -> Node:
    """The node when the request holds the hit that it goes on after at `path`. Only a root goes on."""
    match node:
        case After():
            return replace(node, path=path)
        case Restrict() | Gate() | Threshold() | Diversify() | Limit() | ConvertScores():
            return replace(node, child=_at(node.child, path))
        case _:
            return node
