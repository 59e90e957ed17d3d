"""Finds groups: runs a plan as far down its ranking as needed, and fills groups that have too few points.

If the root works on the candidates of its prefetches, or diversifies, one run gives all that there is. A search or scan
runs for some points first. If these make too few groups, it runs for more, and at last for all points, exactly. Then
groups with too few points are searched for by their value. So with exact search the answer is the same as ranking all
points and grouping them. With graphs it is as good as their recall.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from planner.analyze.group_query import BoundGroups
from planner.analyze.grouping import RankedGroup, group_ranking
from planner.execute import Source, Trace, convert_scores, execute
from planner.optimize import optimize
from planner.payload_index import Column
from planner.plan import (
    ConvertScores,
    Diversify,
    Leaf,
    Limit,
    Node,
    Plan,
    RankAll,
    Scan,
    Search,
    Threshold,
    higher_is_better,
)
from planner.query import Equal, Filter, Scalar, page_reach
from planner.rank import NOTHING, Ranking
from planner.resolve import CheckedFilter, derived_filter
from storage.vectors import rank

WIDENING_FACTOR = 16
"""If too few groups were found, the next search looks this many times further down its ranking."""

MAX_WIDENED_LIMIT = 10_000
"""To look further than so many points, all points are ranked exactly: a graph would not be faster."""

MAX_GROUPS_FILLED_SINGLY = 64
"""At most so many groups are filled one by one. If more have too few points, all points are ranked once."""


_Key = tuple[bool, Scalar]


@dataclass(frozen=True, slots=True)
class GroupsFound:
    """The groups in order, how they were found, and the plan and trace (if wanted) of the last run for all of them."""

    groups: list[RankedGroup]
    strategy: str
    plan: Plan
    trace: Trace | None


def find_groups(plan: Plan, asked: BoundGroups, source: Source) -> GroupsFound:
    """The groups after `offset`, at most `limit`. Requires: `plan` was built from `asked.query`.

    Raises DeadlineExceeded, Cancelled.
    """
    conversion = plan.root if isinstance(plan.root, ConvertScores) else None
    unlimited = replace(plan, root=_unlimited(plan.root))
    found = _GroupSearch(unlimited, asked, source, ran=unlimited).find()
    groups = found.groups[asked.offset : asked.wanted]
    if conversion is not None:
        mode, distance = conversion.mode, conversion.distance
        groups = [RankedGroup(group.value, convert_scores(mode, distance, group.ranking)) for group in groups]
    return replace(found, groups=groups)


def _unlimited(root: Node) -> Node:
    """The root without its limit: it ranks all points that it may rank. Scores are not converted."""
    node = root.child if isinstance(root, ConvertScores) else root
    node = node.child if isinstance(node, Limit) else node
    return replace(node, limit=node.candidates) if isinstance(node, Diversify) else node


def _leaf_of(node: Node) -> Leaf | None:
    """The only leaf that decides how far down a ranking goes; None if there is none."""
    node = node.child if isinstance(node, Threshold) else node
    return node if isinstance(node, Search | Scan | RankAll) else None


def _finds_all(leaf: Leaf) -> bool:
    """Whether finding all points takes about as long as finding a few."""
    return isinstance(leaf, RankAll) or (isinstance(leaf, Search) and leaf.ranker.finds_all_at_once)


def _with_leaf(node: Node, leaf: Leaf) -> Node:
    return replace(node, child=leaf) if isinstance(node, Threshold) else leaf


@dataclass(slots=True)
class _GroupSearch:
    """The search for the groups of one query.

    `plan` ranks all that its root may rank; `ran` is the plan of the last run.
    """

    plan: Plan
    asked: BoundGroups
    source: Source
    ran: Plan
    column: Column | None = None
    steps: list[str] = field(default_factory=list)
    trace: Trace | None = None

    def find(self) -> GroupsFound:
        leaf = _leaf_of(self.plan.root)
        groups: list[RankedGroup] | None
        if leaf is None:
            self.steps.append("all candidates")
            groups = self._grouped(self._run(self.plan.root))
        else:
            groups = next(groups for groups in self._widened(leaf) if groups is not None)
        return GroupsFound(groups, ", then ".join(self.steps), self.ran, self.trace)

    def _widened(self, leaf: Leaf) -> Iterator[list[RankedGroup] | None]:
        """The groups after each run, each further down the ranking. None stands for a run that was not far enough."""
        most = max(1, self.source.points.point_count)
        size = self.asked.size
        limit = max(self.asked.wanted * size, page_reach(self.asked.limit * size, self.asked.offset * size))
        while not _finds_all(leaf) and limit <= MAX_WIDENED_LIMIT and limit < most:
            self.steps.append(f"the first {limit:,} points")
            ranking = self._run(_with_leaf(self.plan.root, replace(leaf, limit=limit)))
            groups = self._grouped(ranking)
            limit *= WIDENING_FACTOR
            if len(ranking) * WIDENING_FACTOR < limit or self._full(groups):
                yield groups
            elif limit <= min(MAX_WIDENED_LIMIT, most) and not self._values_are_known():
                yield None  # a longer search costs less than filling, which would read all payloads
            else:
                yield self._filled(leaf, groups)
        self.steps.append("all points")
        complete = replace(leaf, limit=most)
        if isinstance(complete, Search):
            complete = replace(complete, ranker=complete.ranker.exactly())
        yield self._grouped(self._run(_with_leaf(self.plan.root, complete)))

    def _run(self, root: Node) -> Ranking:
        self.ran = optimize(replace(self.plan, root=root))
        self.trace = Trace() if self.asked.explain else None
        [ranking] = execute([self.ran], self.source, [self.trace])
        return ranking

    def _grouped(self, ranking: Ranking) -> list[RankedGroup]:
        """The groups of a ranking.

        Only as many of its first points are used as needed, since their values must be read.
        """
        wanted, size = self.asked.wanted, self.asked.size
        end = wanted * size
        while True:
            self.source.budget.check()
            head = ranking.take(slice(end))
            groups = group_ranking(head, self._values_of(head.slots), wanted, size)
            if self._full(groups) or end >= len(ranking):
                return groups
            end *= WIDENING_FACTOR

    def _full(self, groups: list[RankedGroup]) -> bool:
        wanted, size = self.asked.wanted, self.asked.size
        return len(groups) == wanted and all(len(group.ranking) == size for group in groups)

    def _values_are_known(self) -> bool:
        return self.column is not None or self.source.values.are_known(self.asked.path)

    def _values_of(self, slots: NDArray[np.uint32]) -> Column:
        if self.column is not None:
            return self.column.among(slots)
        return self.source.values.column(self.asked.path, slots).distinct()

    def _filled(self, leaf: Leaf, groups: list[RankedGroup]) -> list[RankedGroup] | None:
        """The groups, filled with the points that they lack. None if that needs a longer ranking."""
        asked = self.asked
        if len(groups) < asked.wanted:
            values = self._values(leaf).values
            if len(values) > asked.wanted:
                return None
            known = {_key(group.value) for group in groups}
            groups = groups + [RankedGroup(value, NOTHING) for value in values if _key(value) not in known]
        short = [group for group in groups if len(group.ranking) < asked.size]
        if len(short) > MAX_GROUPS_FILLED_SINGLY:
            return None
        filters = self._filters(leaf, short)
        short = [
            group
            for group in short
            if len(self.source.values.matching(filters[_key(group.value)])) > len(group.ranking)
        ]
        if not short:
            return groups
        self.steps.append(f"filled {len(short)} groups")
        filled = {_key(group.value): group for group in self._fill(leaf, short, filters)}
        groups = [filled.get(_key(group.value), group) for group in groups]
        return self._ordered([group for group in groups if len(group.ranking)])

    def _values(self, leaf: Leaf) -> Column:
        """The values of all points that the leaf may emit."""
        if self.column is None:
            allowed = None if leaf.filter is None else self.source.values.matching(leaf.filter)
            self.column = self.source.values.column(self.asked.path, allowed).distinct()
        return self.column

    def _filters(self, leaf: Leaf, groups: Sequence[RankedGroup]) -> dict[_Key, CheckedFilter]:
        """For each group, the filter of its points that the leaf may emit.

        If no index has the values, the matches of each filter are remembered here. So no filter reads all payloads.
        """
        filters: dict[_Key, CheckedFilter] = {}
        for group in groups:
            condition = Equal(self.asked.path, group.value)
            must = (condition,) if leaf.filter is None else (condition, leaf.filter)
            filters[_key(group.value)] = derived_filter(Filter(must=must))
        if filters and not self.source.values.are_indexed(self.asked.path):
            values = self._values(leaf)
            order = np.lexsort((values.slots, values.codes))
            codes, slots = values.codes[order], values.slots[order]
            for code, value in enumerate(values.values):
                if (filter := filters.get(_key(value))) is not None:
                    start, end = np.searchsorted(codes, [code, code + 1])
                    self.source.values.remember(filter, slots[start:end].copy())
        return filters

    def _fill(
        self, leaf: Leaf, groups: Sequence[RankedGroup], filters: Mapping[_Key, CheckedFilter]
    ) -> Iterator[RankedGroup]:
        leaves = [replace(leaf, filter=filters[_key(group.value)], limit=self.asked.size) for group in groups]
        plans = [replace(self.plan, root=_with_leaf(self.plan.root, leaf)) for leaf in leaves]
        rankings = execute(plans, self.source)
        return (RankedGroup(group.value, ranking) for group, ranking in zip(groups, rankings, strict=True))

    def _ordered(self, groups: list[RankedGroup]) -> list[RankedGroup]:
        """The groups by their best points. Filling may have found better points than a graph did."""
        values = Column(NOTHING.slots, np.empty(0, np.int64), [group.value for group in groups])
        by_value = [groups[place] for place in np.argsort(values.order())]
        order = rank(
            np.array([group.ranking.slots[0] for group in by_value], np.uint32),
            np.array([group.ranking.scores[0] for group in by_value], np.float32),
            higher_is_better=higher_is_better(self.plan.root),
            id_keys=self.source.points.id_keys,
        )
        return [by_value[place] for place in order]


def _key(value: Scalar) -> _Key:
    """A key that compares as filters do: a bool is not a number."""
    return isinstance(value, bool), value
