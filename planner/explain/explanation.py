"""A plan, and what happened when it ran, as data. plan_text.py makes text of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

from planner.execute import Actual, Inspection, Points, Source, Trace, operator_of
from planner.explain.explain_node import ExplainNode
from planner.explain.hiding import without_values
from planner.explain.plan_text import render
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
    Plan,
    RankAll,
    Rerank,
    Restrict,
    Scan,
    Search,
    Threshold,
    children_of,
    most_rows,
    walk,
)
from planner.query import describe_filter, describe_filter_shape, describe_payload, describe_vectors
from planner.rank import Ranking
from planner.resolve import CheckedFilter
from storage.schema import PointId


@dataclass(frozen=True, slots=True)
class StageRank:
    """A point's place in the list of one stage: its rank from 1, and its score."""

    stage: str
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class HitExplanation:
    """Where a returned point came from: its place in the list of every stage that has it, root first."""

    id: PointId
    stages: tuple[StageRank, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The plan as a tree and as text. `hits` and `microseconds` (from plan to hits) are set only if it was analysed.

    `generation` is that of the indexes that were used; see State.
    """

    root: ExplainNode
    text: str
    seq: int
    generation: int = 0
    analyzed: bool = False
    hits: tuple[HitExplanation, ...] = ()
    microseconds: int | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """A run of a plan: its trace, what it emitted, and how long it took."""

    trace: Trace
    ranking: Ranking
    microseconds: int


def explain(plan: Plan, source: Source, ran: Ran | None = None, *, knows_filters: bool = True) -> Explanation:
    """The plan; with `ran`, also what happened in that run.

    `knows_filters` adds what is known of its filters, such as what would test their conditions.
    """
    points = source.points
    trace = None if ran is None else ran.trace
    root = _Teller(source, trace, source.inspection if knows_filters else None, describe_filter).plan(plan)
    if ran is None:
        return Explanation(root=root, text=render(root), seq=points.seq, generation=points.generation)
    return Explanation(
        root=root,
        text=render(root),
        seq=points.seq,
        generation=points.generation,
        analyzed=True,
        hits=_explain_hits(plan, ran, points),
        microseconds=ran.microseconds,
    )


def outline(plan: Plan, source: Source, trace: Trace | None = None) -> ExplainNode:
    """The plan as a tree without values of users; with `trace`, also what happened. Reads little."""
    return without_values(_Teller(source, trace, None, describe_filter_shape).plan(plan))


@dataclass(frozen=True, slots=True)
class _Teller:
    """Describes one plan. `filters` knows something about filters, if given. `describe` makes text of filters."""

    source: Source
    trace: Trace | None
    filters: Inspection | None
    describe: Callable[[CheckedFilter], str]

    def plan(self, plan: Plan) -> ExplainNode:
        """The tree, below a node that fetches what the query asks for."""
        child = self.node(plan.root)
        return ExplainNode(
            operator="fetch",
            stage="root",
            attributes={"payload": describe_payload(plan.payload), "vectors": describe_vectors(plan.vectors)},
            estimated_rows=child.estimated_rows,
            rows_in=child.rows_out,
            rows_out=child.rows_out,
            children=(child,),
        )

    def node(self, node: Node) -> ExplainNode:
        explained = ExplainNode(
            operator=operator_of(node),
            stage=node.stage,
            attributes=_attributes(node, self.describe),
            estimated_rows=most_rows(node, self),
            children=tuple(self.node(child) for child in children_of(node)),
        )
        if self.trace is not None:
            return _with_actual(explained, self.trace.actual_of(node))
        if self.filters is not None and isinstance(node, Search | Scan | RankAll | Gate) and node.filter is not None:
            return _with_conditions(explained, self.filters.foresee(node.filter))
        return explained

    @property
    def point_count(self) -> int:
        return self.source.points.point_count

    def vector_count(self, space: str) -> int:
        return self.source.inspection.vector_count(space)

    def known_count(self, filter: CheckedFilter) -> int | None:
        return None if self.filters is None else self.filters.known_count(filter)


def _with_conditions(node: ExplainNode, conditions: str) -> ExplainNode:
    return replace(node, attributes=node.attributes | {"conditions": conditions}) if conditions else node


def _with_actual(node: ExplainNode, actual: Actual) -> ExplainNode:
    return replace(
        _with_conditions(replace(node, attributes={**node.attributes, **actual.attributes}), actual.conditions),
        strategy=actual.strategy,
        reason=actual.reason,
        rows_in=actual.rows_in,
        rows_out=actual.rows_out,
        distance_computations=actual.distance_computations,
        microseconds=actual.microseconds,
    )


_Describe = Callable[[CheckedFilter], str]
"""Makes text of a filter."""


def _attributes(node: Node, describe: _Describe) -> dict[str, str]:
    match node:
        case Search():
            return (
                node.ranker.describe()
                | {"limit": str(node.limit)}
                | _leaf_attributes(node, describe)
                | node.ranker.settings()
            )
        case Scan():
            return {"limit": str(node.limit)} | _leaf_attributes(node, describe)
        case RankAll():
            return node.ranker.describe() | {"limit": str(node.limit)} | _leaf_attributes(node, describe)
        case Rerank():
            return node.ranker.describe() | _exclude_attribute(node.exclude)
        case Diversify():
            return {"diversity": f"{node.diversity:g}", "candidates": str(node.candidates), "limit": str(node.limit)}
        case FuseRanks():
            return {"k": f"{node.k:g}", "weights": _weights(node.weights)}
        case FuseScores():
            return {"weights": _weights(node.weights)}
        case Gate() | Restrict():
            return {"filter": describe(node.filter)}
        case Threshold():
            return {"score": f"{'>=' if node.higher_is_better else '<='} {node.threshold:g}"}
        case After():
            return {"id": repr(node.position.id)} | ({"score": f"{node.position.score:g}"} if node.scored else {})
        case Limit():
            return {"limit": str(node.limit)} | ({"offset": str(node.offset)} if node.offset else {})
        case ConvertScores():
            return {"score_mode": node.mode.value}
        case Empty():
            return {}
    assert_never(node)


def _leaf_attributes(leaf: Search | Scan | RankAll, describe: _Describe) -> dict[str, str]:
    attributes = {} if leaf.filter is None else {"filter": describe(leaf.filter)}
    if isinstance(leaf, Search) and leaf.after is not None:
        attributes["after"] = f"{leaf.after.score:g}, {leaf.after.id!r}"
    return attributes | _exclude_attribute(leaf.exclude)


def _exclude_attribute(exclude: tuple[PointId, ...]) -> dict[str, str]:
    return {"exclude": ", ".join(map(repr, exclude))} if exclude else {}


def _weights(weights: tuple[float, ...]) -> str:
    return ", ".join(f"{weight:g}" for weight in weights)


def _explain_hits(plan: Plan, ran: Ran, points: Points) -> tuple[HitExplanation, ...]:
    places = {stage: _places(ran.trace.lists[stage]) for stage in dict.fromkeys(node.stage for node in walk(plan.root))}
    ids = points.point_ids(ran.ranking.slots)
    return tuple(
        HitExplanation(
            point_id, tuple(StageRank(stage, *places[stage][slot]) for stage in places if slot in places[stage])
        )
        for point_id, slot in zip(ids, ran.ranking.slots.tolist(), strict=True)
    )


def _places(ranking: Ranking) -> dict[int, tuple[int, float]]:
    pairs = zip(ranking.slots.tolist(), ranking.scores.tolist(), strict=True)
    return {slot: (rank, score) for rank, (slot, score) in enumerate(pairs, 1)}
