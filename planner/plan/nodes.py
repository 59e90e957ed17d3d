"""What will run: a closed union of immutable nodes.

builder.py makes plans, planner/optimize rewrites them, execute/executor.py runs them. Every node emits a ranking: pairs
of slot and float32 score, best first, ties by point id ascending, no slot twice. Each node names the stage of the
request from which it comes (`root`, `root.prefetch[0]`, ...). The stage is not compared: nodes are equal when they emit
the same ranking, and the executor runs equal leaves once. The order in a stage, from the leaves up: Search | Scan |
RankAll | Fuse | Rerank, then Restrict | Gate, Threshold, Diversify, After, Limit, ConvertScores.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import assert_never

from planner.query import (
    Metric,
    PayloadSelector,
    ScoreMode,
    SearchAfter,
    VectorsSelector,
)
from planner.rank import Ranker, Searcher
from planner.resolve import CheckedFilter
from planner.text import Highlighted
from storage.schema import Distance, PointId


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Emits the best `limit` points that `ranker` finds among those that match `filter` and are not in `exclude`.

    With `after`, only points strictly after that hit. Buffers limit + len(exclude) rows.
    """

    stage: str = field(compare=False)
    ranker: Searcher
    filter: CheckedFilter | None = None
    exclude: tuple[PointId, ...] = ()
    limit: int
    after: SearchAfter | None = None

    @property
    def is_exact(self) -> bool:
        """Whether the first rows stay the same when more rows are asked for."""
        return self.ranker.is_exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Emits the first `limit` points in id order that match `filter` and are not in `exclude`. All scores are 0."""

    stage: str = field(compare=False)
    filter: CheckedFilter | None = None
    exclude: tuple[PointId, ...] = ()
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RankAll:
    """Emits the first `limit` points by `ranker` that match `filter` and are not in `exclude`.

    Buffers every matching point.
    """

    stage: str = field(compare=False)
    ranker: Ranker
    filter: CheckedFilter | None = None
    exclude: tuple[PointId, ...] = ()
    limit: int

    @property
    def is_exact(self) -> bool:
        """Whether the first rows stay the same when more rows are asked for."""
        return self.ranker.is_exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty:
    """Emits nothing."""

    stage: str = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FuseRanks:
    """Emits the union of its children by reciprocal rank fusion. Buffers the union. Requires: a weight per child."""

    stage: str = field(compare=False)
    k: float
    weights: tuple[float, ...]
    children: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class FuseScores:
    """Emits the union of its children by distribution-based score fusion. Buffers the union.

    Requires: a weight per child.
    """

    stage: str = field(compare=False)
    weights: tuple[float, ...]
    children: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerank:
    """Emits those points of its children's union that `ranker` can rank and that are not in `exclude`. Buffers the
    union.

    A formula refers to the children's scores by number. So rules keep the children's order, and keep empty children.
    """

    stage: str = field(compare=False)
    ranker: Ranker
    exclude: tuple[PointId, ...] = ()
    children: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restrict:
    """Emits its child's rows. Only points that match `filter` take part in the leaves below. Buffers nothing."""

    stage: str = field(compare=False)
    filter: CheckedFilter
    child: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Emits the rows of its child that match `filter`, with the same scores. Buffers nothing."""

    stage: str = field(compare=False)
    filter: CheckedFilter
    child: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """Emits the rows of its child that score at least `threshold` (at most `threshold` if lower is better)."""

    stage: str = field(compare=False)
    threshold: float
    higher_is_better: bool
    child: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversify:
    """Picks `limit` of its child's first `candidates` rows, in the order of execute/diversity.py. Scores stay.

    Requires: the child's scores are those of `distance` in `space`.
    """

    stage: str = field(compare=False)
    space: str
    distance: Distance
    diversity: float
    candidates: int
    limit: int
    child: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """Emits the rows of its child that come strictly after a hit.

    With `scored`, "after" is by score and id. Without it, "after" is by position, so the hit must be among the rows. If
    it is not, raises InvalidQuery, which names the field `path`.
    """

    stage: str = field(compare=False)
    path: str = field(compare=False)
    position: SearchAfter
    higher_is_better: bool
    scored: bool
    child: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Discards the first `offset` of its child's rows and emits the next `limit`."""

    stage: str = field(compare=False)
    limit: int
    offset: int = 0
    child: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertScores:
    """Emits its child's rows in the same order. Scores of `distance` become similarities or distances."""

    stage: str = field(compare=False)
    mode: ScoreMode
    distance: Distance | Metric
    child: "Node"


Leaf = Search | Scan | RankAll
Merge = FuseRanks | FuseScores | Rerank
Step = Restrict | Gate | Threshold | Diversify | After | Limit | ConvertScores
Node = Leaf | Empty | Merge | Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A tree of nodes, and what to fetch of the points that its root emits."""

    root: Node
    payload: PayloadSelector | None
    vectors: VectorsSelector | None
    highlighted: tuple[Highlighted, ...] = ()


def children_of(node: Node) -> tuple[Node, ...]:
    """The inputs of a node, in order."""
    match node:
        case Search() | Scan() | RankAll() | Empty():
            return ()
        case FuseRanks() | FuseScores() | Rerank():
            return node.children
        case Restrict() | Gate() | Threshold() | Diversify() | After() | Limit() | ConvertScores():
            return (node.child,)
    assert_never(node)


def map_children(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with every input changed by `change`. If no input changes, the same object."""
    match node:
        case Search() | Scan() | RankAll() | Empty():
            return node
        case FuseRanks() | FuseScores() | Rerank():
            children = tuple(change(child) for child in node.children)
            same = all(new is old for new, old in zip(children, node.children, strict=True))
            return node if same else replace(node, children=children)
        case Restrict() | Gate() | Threshold() | Diversify() | After() | Limit() | ConvertScores():
            child = change(node.child)
            return node if child is node.child else replace(node, child=child)
    assert_never(node)


def walk(node: Node) -> Iterator[Node]:
    """The node and all nodes below it: parents before children, children in order."""
    yield node
    for child in children_of(node):
        yield from walk(child)


def higher_is_better(node: Node) -> bool:
    """Whether higher scores of a node are better. Where all scores are 0, the answer does not matter."""
    match node:
        case Search() | RankAll() | Rerank():
            return node.ranker.higher_is_better
        case Scan() | Empty() | FuseRanks() | FuseScores():
            return True
        case ConvertScores():
            return node.mode is ScoreMode.SIMILARITY
        case Restrict() | Gate() | Threshold() | Diversify() | After() | Limit():
            return higher_is_better(node.child)
    assert_never(node)
