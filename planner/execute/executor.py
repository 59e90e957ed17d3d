"""Runs plans over a source: first the leaves of all plans together, then each tree from its leaves up.

The source answers leaves, operators are in operators.py, and what is reported of a run is in trace.py.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from planner.execute.demand import Demand, LeafAnswer, below, demands_of
from planner.execute.diversity import pick_diverse
from planner.execute.operators import (
    apply_after,
    apply_limit,
    apply_threshold,
    candidates,
    convert_scores,
    fuse_ranks,
    fuse_scores,
)
from planner.execute.source import Source
from planner.execute.trace import Actual, Trace
from planner.plan import (
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
    Plan,
    RankAll,
    Rerank,
    Restrict,
    Scan,
    Search,
    Threshold,
    children_of,
)
from planner.rank import NOTHING, Ranker, Ranking
from planner.resolve import CheckedFilter

_Place = tuple[int, str]
"""Where a leaf is: number of its plan, and its stage."""


def execute(plans: Sequence[Plan], source: Source, traces: Sequence[Trace | None] | None = None) -> list[Ranking]:
    """What the root of each plan emits, in order. See `run`."""
    return [outcome.ranking for outcome in run(plans, source, traces)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a plan's root emits.

    `total` is how many points it would emit without limit, offset and `search_after`; None if that is not known."""

    ranking: Ranking
    total: int | None


def run(plans: Sequence[Plan], source: Source, traces: Sequence[Trace | None] | None = None) -> list[Outcome]:
    """The outcome of each plan, in order. Traces, if given, are filled. Raises DeadlineExceeded, Cancelled."""
    started = time.perf_counter_ns()
    places: dict[Demand, _Place] = {}
    for number, plan in enumerate(plans):
        for demand in demands_of(plan.root):
            places.setdefault(demand, (number, demand.leaf.stage))
    statistics = source.statistics([ranker for demand in places if (ranker := _ranker_of(demand.leaf)) is not None])
    answers = source.answer(places, statistics)
    share = (time.perf_counter_ns() - started) // 1_000 // max(1, len(places))
    leaves = _Leaves(answers, places, share)
    return [
        _Run(number, source, leaves, traces[number] if traces else None).outcome(plan.root)
        for number, plan in enumerate(plans)
    ]


@dataclass(frozen=True, slots=True)
class _Leaves:
    """The leaves of all plans: their answers, where each first occurs, and the microseconds that are its share."""

    answers: Mapping[Demand, LeafAnswer]
    places: Mapping[Demand, _Place]
    share: int


@dataclass(frozen=True, slots=True)
class _Run:
    """The run of one plan, from the answers of its leaves to its root."""

    number: int
    source: Source
    leaves: _Leaves
    trace: Trace | None
    rows: dict[int, int] = field(default_factory=dict)
    """How many rows each node emitted, by the node's identity."""

    def outcome(self, root: Node) -> Outcome:
        """What the plan's `root` emits."""
        ranking = self.emit(root)
        return Outcome(ranking, self._total(root))

    def _total(self, node: Node) -> int | None:
        """How many rows `node` of the root's stage would emit if neither it nor the nodes below it had a limit."""
        match node:
            case Limit() | After() | ConvertScores():
                return self._total(node.child)
            case Diversify():
                total = self._total(node.child)
                return None if total is None else min(total, node.candidates)
            case Threshold(child=Search() | Scan() | RankAll() as leaf):
                total = self._total(leaf)
                return self.rows[id(node)] if total is not None and total <= self.rows[id(leaf)] else None
            case Search() | Scan() | RankAll():
                return self.leaves.answers[Demand(node)].total
            case FuseRanks() if len(node.children) == 1:  # push_limit may have cut its only list
                return None
            case Threshold() | Gate():
                return None if self._total(node.child) is None else self.rows[id(node)]
            case Restrict():
                return self._total(node.child)
            case FuseRanks() | FuseScores() | Rerank() | Empty():
                return self.rows[id(node)]
        assert_never(node)

    def emit(self, node: Node, restrictions: tuple[CheckedFilter, ...] = (), sure: int | None = None) -> Ranking:
        """What `node` emits below `restrictions`. Nobody looks at rows after the first `sure`; None: at all."""
        ranking = self._emit(node, restrictions, sure)
        self.rows[id(node)] = len(ranking)
        return ranking

    def _emit(self, node: Node, restrictions: tuple[CheckedFilter, ...], sure: int | None) -> Ranking:
        if isinstance(node, Search | Scan | RankAll):
            return self._emit_leaf(Demand(node, restrictions), node)
        first = node.offset + node.limit if isinstance(node, Limit) and self.trace is None else None
        inputs = [self.emit(child, below(node, restrictions), first) for child in children_of(node)]
        started = time.perf_counter_ns()
        ranking = self._apply(node, inputs, sure)
        if self.trace is not None:
            rows_in = sum(map(len, inputs))
            actual = Actual(
                rows_in=rows_in,
                rows_out=len(ranking),
                distance_computations=_distances(node, rows_in, len(ranking)),
                microseconds=(time.perf_counter_ns() - started) // 1_000,
            )
            filters = (node.filter,) if isinstance(node, Gate) else ()
            self.trace.record(node, self._in_full(actual, node, filters), ranking)
        return ranking

    def _emit_leaf(self, demand: Demand, leaf: Leaf) -> Ranking:
        answer = self.leaves.answers[demand]
        if self.trace is not None:
            # `leaf` belongs to this plan. The demand may hold an equal leaf, which names another stage.
            actual = self._actual(answer, self.leaves.places[demand], leaf.stage)
            self.trace.record(leaf, self._in_full(actual, leaf, demand.filters), answer.ranking)
        return answer.ranking

    def _actual(self, answer: LeafAnswer, first: _Place, stage: str) -> Actual:
        if first != (self.number, stage):
            where = first[1] if first[0] == self.number else f"{first[1]} of query {first[0]}"
            return Actual(
                rows_in=answer.rows_in, rows_out=len(answer.ranking), strategy="shared", reason=f"equal to {where}"
            )
        return Actual(
            rows_in=answer.rows_in,
            rows_out=len(answer.ranking),
            distance_computations=answer.distance_computations,
            microseconds=self.leaves.share,
            strategy=answer.strategy,
            reason=answer.reason,
        )

    def _in_full(self, actual: Actual, node: Node, filters: Sequence[CheckedFilter]) -> Actual:
        """What a node did, with what tested its `filters`, and its statistics, if the trace wants them."""
        if self.trace is None or not self.trace.in_full:
            return actual
        conditions = self.source.conditions(filters) if filters else ""
        return replace(actual, conditions=conditions, attributes=self._statistics(node))

    def _statistics(self, node: Node) -> Mapping[str, str]:
        """The numbers of the collection that the scores of a node depend on, as text."""
        ranker = _ranker_of(node)
        if ranker is None or not ranker.needs_statistics:
            return {}
        statistics = self.source.statistics((ranker,), in_full=True)
        return ranker.describe_statistics(statistics[ranker])

    def _apply(self, node: Node, inputs: Sequence[Ranking], sure: int | None) -> Ranking:
        """What an inner node makes of its inputs. For `sure` see `emit`."""
        match node:
            case FuseRanks():
                return fuse_ranks(node, inputs, self.source.points, sure)
            case FuseScores():
                return fuse_scores(node, inputs, self.source.points, sure)
            case Rerank():
                statistics = self.source.statistics((node.ranker,))
                return self.source.rank(node.ranker, self._candidates(node, inputs), inputs, statistics)
            case Diversify():
                return self._diversify(node, inputs[0].take(slice(node.candidates)))
            case Gate():
                return inputs[0].take(self.source.gate(node.filter, inputs[0].slots))
            case Threshold():
                return apply_threshold(node, inputs[0])
            case After():
                return apply_after(node, inputs[0], self.source.points)
            case Limit():
                return apply_limit(node, inputs[0])
            case ConvertScores():
                return convert_scores(node.mode, node.distance, inputs[0])
            case Restrict():
                return inputs[0]
            case Empty():
                return NOTHING
            case Search() | Scan() | RankAll():
                raise AssertionError("leaves were answered before")
        assert_never(node)

    def _candidates(self, node: Rerank, inputs: Sequence[Ranking]) -> NDArray[np.uint32]:
        slots = candidates(inputs)
        return slots[~np.isin(slots, self.source.points.slots_of(node.exclude))] if node.exclude else slots

    def _diversify(self, node: Diversify, nearest: Ranking) -> Ranking:
        size = self.source.points.schema.dense[node.space].size
        self.source.budget.hold(6 * size * len(nearest), "the vectors of the diverse candidates")
        _, rows = self.source.points.vectors(node.space, nearest.slots)
        picked = pick_diverse(nearest.scores, rows, node.distance, node.diversity, node.limit, self.source.budget)
        return Ranking(nearest.slots[picked], nearest.scores[picked])


def _ranker_of(node: Node) -> Ranker | None:
    return node.ranker if isinstance(node, Search | RankAll | Rerank) else None


def _distances(node: Node, rows_in: int, rows_out: int) -> int:
    """How many distances an inner node computed to make `rows_out` rows from `rows_in`."""
    match node:
        case Rerank():
            return node.ranker.distances(rows_out)
        case Diversify():
            return rows_out * min(node.candidates, rows_in)
        case _:
            return 0
