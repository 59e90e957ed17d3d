"""Why points are in the answer to a query, or are not: runs the query, and follows each point through the plan.

Lists come from the optimized plan, which runs. Steps come from the plan as it was built, because there every filter is
where the request has it. If a rule dropped a node, its list comes from the plan as built.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from planner.execute import Demand, Source, Trace, execute, operator_of
from planner.explain.absence import Absence, AbsenceReason, FailedCondition, PointExplanation, StageOutcome
from planner.explain.failed_conditions import failed_conditions
from planner.optimize import optimize_whole_lists
from planner.plan import (
    Diversify,
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
    walk,
)
from planner.rank import NOTHING, Place, Ranking
from planner.resolve import CheckedFilter
from storage.schema import PointId


def explain_points(built: Plan, ids: Sequence[PointId], source: Source) -> list[PointExplanation]:
    """One explanation per id, in order. `built` is the plan before any rule. Raises DeadlineExceeded, Cancelled.

    It runs the query. In addition, each leaf that lacks a point it could have takes one exact pass.
    """
    plain, optimized = Trace(), Trace()
    plans = [optimize_whole_lists(built), built]
    execute(plans, source, [optimized, plain])
    search = _PointSearch(built.root, plain, optimized, source)
    slots = [int(slot) for slot in source.points.slots_of(ids)]
    return search.explanations(ids, slots)


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A leaf as built, and the restrictions above it, outermost first."""

    leaf: Leaf
    restrictions: tuple[Restrict, ...]

    @property
    def demand(self) -> Demand:
        return Demand(self.leaf, tuple(node.filter for node in self.restrictions))

    @property
    def filters(self) -> Iterator[tuple[str, CheckedFilter]]:
        """Every filter that applies to the leaf, with its path in the request."""
        for node in self.restrictions:
            yield filter_path(node.stage), node.filter
        if self.leaf.filter is not None:
            yield filter_path(self.leaf.stage), self.leaf.filter


def filter_path(stage: str) -> str:
    """Where the request holds the filter of a stage: `root.prefetch[0]` -> `prefetch[0].filter`."""
    return f"{stage}.filter".removeprefix("root.")


def _leaves(node: Node, restrictions: tuple[Restrict, ...] = ()) -> Iterator[_Leaf]:
    if isinstance(node, Search | Scan | RankAll):
        yield _Leaf(node, restrictions)
    inner = (*restrictions, node) if isinstance(node, Restrict) else restrictions
    for child in children_of(node):
        yield from _leaves(child, inner)


@dataclass(frozen=True, slots=True)
class _PointSearch:
    """Follows points through one run."""

    root: Node
    plain: Trace
    optimized: Trace
    source: Source

    def explanations(self, ids: Sequence[PointId], slots: Sequence[int]) -> list[PointExplanation]:
        stored = sorted({slot for slot in slots if slot >= 0})
        absences = {leaf.leaf.stage: self._leaf_absences(leaf, stored) for leaf in _leaves(self.root)}
        outcomes = {slot: self._outcomes(slot, absences) for slot in stored}
        return [
            PointExplanation(point_id, slot >= 0, outcomes.get(slot, ()))
            for point_id, slot in zip(ids, slots, strict=True)
        ]

    def _outcomes(self, slot: int, absences: dict[str, dict[int, Absence]]) -> tuple[StageOutcome, ...]:
        """The outcome of each stage, root first."""
        stages: dict[str, list[Node]] = {}
        for node in walk(self.root):
            stages.setdefault(node.stage, []).append(node)
        return tuple(self._outcome(slot, nodes, absences.get(stage, {})) for stage, nodes in stages.items())

    def _outcome(self, slot: int, nodes: list[Node], absences: dict[int, Absence]) -> StageOutcome:
        """The outcome of one stage. `nodes` are its nodes, from the last that works to the first, a leaf or a merge."""
        operator = operator_of(nodes[-1])
        absence = self._absence(slot, nodes, absences)
        place = _place(self.emitted(nodes[0]), slot) if absence is None else absence.place
        return StageOutcome(stage=nodes[0].stage, operator=operator, place=place, absence=absence)

    def _absence(self, slot: int, nodes: list[Node], absences: dict[int, Absence]) -> Absence | None:
        """The absence that the first node reports that loses the point; None if none does."""
        for node in reversed(nodes):
            if _place(self.emitted(node), slot) is None:
                return absences[slot] if not children_of(node) else self._lost_in(node, slot)
        return None

    def emitted(self, node: Node) -> Ranking:
        """The ranking that a node of the plan as built emits.

        If a rule dropped the node, what it would have emitted.
        """
        key = (node.stage, operator_of(node))
        if key in self.optimized.emitted:
            return self.optimized.emitted[key]
        inputs = children_of(node)
        ran = {operator for stage, operator in self.optimized.emitted if stage == node.stage}
        if len(inputs) == 1 and ran - {"empty"}:  # the rest of the stage ran, so this node changed nothing
            return self.emitted(inputs[0])
        return self.plain.emitted.get(key, NOTHING)

    def _lost_in(self, node: Node, slot: int) -> Absence:
        """Why an inner node does not emit the point."""
        places = [_place(self.emitted(child), slot) for child in children_of(node)]
        place = next((each for each in places if each is not None), None)
        if place is None:
            return Absence(AbsenceReason.NOT_IN_PREFETCHES, "no prefetch passes it on")
        match node:  # nodes that look at the place have one child
            case Gate():
                failed = failed_conditions(self.source, node.filter, slot, filter_path(node.stage))
                return _filtered(failed, place)
            case Threshold():
                side = "less" if node.higher_is_better else "more"
                text = f"score {place.score:.6g} is {side} than the score_threshold of {node.threshold:.6g}"
                return Absence(AbsenceReason.THRESHOLD, text, place)
            case Diversify():
                return _not_diverse(node, place)
            case Limit():
                return _cut_off(place, node.limit, node.offset)
            case Rerank():
                return self._lacking(node, slot) or self._excluded(node, slot) or _unranked(node)
            case _:
                return _unranked(node)

    def _leaf_absences(self, leaf: _Leaf, stored: Sequence[int]) -> dict[int, Absence]:
        """For each stored point that the leaf does not emit, why."""
        emitted = set(self.emitted(leaf.leaf).slots.tolist())
        missing = [slot for slot in stored if slot not in emitted]
        barred = {slot: absence for slot in missing if (absence := self._barred(leaf, slot)) is not None}
        competing = [slot for slot in missing if slot not in barred]
        if not competing:
            return barred
        places = self.source.inspection.places(leaf.demand, competing)
        return barred | {slot: self._out_competed(leaf.leaf, slot, places.get(slot)) for slot in competing}

    def _barred(self, leaf: _Leaf, slot: int) -> Absence | None:
        """Why the point cannot be in the leaf's list at all; None if it can."""
        lacking = self._lacking(leaf.leaf, slot)
        if lacking is not None:
            return lacking
        excluded = self._excluded(leaf.leaf, slot)
        if excluded is not None:
            return excluded
        failed = [each for path, filter in leaf.filters for each in failed_conditions(self.source, filter, slot, path)]
        return _filtered(failed, None) if failed else None

    def _excluded(self, node: Leaf | Rerank, slot: int) -> Absence | None:
        """The absence of a point whose vector was given to the node's query; None for other points."""
        if slot not in self.source.points.slots_of(node.exclude):
            return None
        return Absence(AbsenceReason.EXAMPLE, "its vector is an example of the query, and such points are left out")

    def _lacking(self, node: Node, slot: int) -> Absence | None:
        """The absence for the first space of `node` in which the point has no vector; None if it has all."""
        for space in _spaces_of(node):
            if not self.source.inspection.has_vector(space, slot):
                return Absence(AbsenceReason.NO_VECTOR, f"it has no vector in {space!r}")
        return None

    def _out_competed(self, leaf: Leaf, slot: int, place: Place | None) -> Absence:
        if place is None:
            return _unranked(leaf)
        if place.rank > leaf.limit or not isinstance(leaf, Search | RankAll):
            steps = [node for node in walk(self.root) if node.stage == leaf.stage]
            # the limit of the request belongs to those nodes
            if any(isinstance(node, Limit | Diversify) for node in steps):
                text = f"{place} is beyond the first {leaf.limit:,}, which are kept"
                return Absence(AbsenceReason.BEYOND_LIMIT, text, place)
            return _cut_off(place, leaf.limit)
        if (
            isinstance(leaf, Search)
            and leaf.ranker.indexed_only
            and not self.source.inspection.is_indexed(leaf.ranker.spaces[0], slot)
        ):
            text = f"{place}, but no index covers its vector yet, and indexed_only skips such"
            return Absence(AbsenceReason.NOT_INDEXED, text, place)
        text = f"{place} is within the limit of {leaf.limit:,}, but the approximate index did not find it"
        return Absence(AbsenceReason.NOT_FOUND_BY_INDEX, f"{text}; exact or a greater hnsw_ef would", place)


def _spaces_of(node: Node) -> tuple[str, ...]:
    """The spaces in which a leaf or merge needs a vector of every point that it ranks."""
    match node:
        case Search(ranker=ranker) | RankAll(ranker=ranker) | Rerank(ranker=ranker):
            return ranker.spaces
        case _:
            return ()


def _place(ranking: Ranking, slot: int) -> Place | None:
    found = np.flatnonzero(ranking.slots == slot)
    return Place(int(found[0]) + 1, float(ranking.scores[found[0]]), len(ranking)) if len(found) else None


def _unranked(node: Node) -> Absence:
    text = (
        node.ranker.no_rank()
        if isinstance(node, Search | RankAll | Rerank)
        else f"{operator_of(node)} gives it no rank"
    )
    return Absence(AbsenceReason.NOT_RANKED, text)


def _filtered(failed: Iterable[FailedCondition], place: Place | None) -> Absence:
    failed = tuple(failed)
    what = ", ".join(f"{each.path} ({each.condition})" for each in failed)
    return Absence(AbsenceReason.FILTERED, f"it fails {what}", place, failed)


def _not_diverse(node: Diversify, place: Place) -> Absence:
    if place.rank > node.candidates:
        text = f"{place} is beyond the {node.candidates:,} candidates among which diverse points are picked"
        return Absence(AbsenceReason.BEYOND_LIMIT, text, place)
    text = f"{place} is a candidate, but {node.limit:,} that are more diverse were picked"
    return Absence(AbsenceReason.NOT_DIVERSE, text, place)


def _cut_off(place: Place, limit: int, offset: int = 0) -> Absence:
    if place.rank <= offset:
        return Absence(AbsenceReason.BEFORE_OFFSET, f"{place} is skipped by the offset of {offset:,}", place)
    after = f" after the offset of {offset:,}" if offset else ""
    return Absence(AbsenceReason.BEYOND_LIMIT, f"{place} is beyond the limit of {limit:,}{after}", place)
