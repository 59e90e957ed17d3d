"""The half of the planner's door that is not about ranking: groups, facets, aggregations, distance matrices and recall.

Each answer reads one snapshot."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from planner.analyze.aggregation import (
    AggregateGroup,
    AggregateQuery,
    Aggregates,
    BoundAggregate,
    PointCount,
    Tally,
    bind_aggregate,
    first_groups,
    reduce_values,
    tally,
)
from planner.analyze.facets import FacetQuery, Facets, bind_facet, count_values
from planner.analyze.group_query import BoundGroups, BoundLookup, GroupQuery, bind_groups
from planner.analyze.groups import GroupsFound, find_groups
from planner.analyze.matrix import Matrix, MatrixQuery, bind_matrix, distance_matrix
from planner.analyze.recall import (
    QUERIES_PER_CHECK,
    Recall,
    RecallTest,
    bind_recall,
    exactly,
    recall_of,
    summary,
)
from planner.bind import BoundQuery
from planner.execute import Fetched, Indexes, LocalSource, Source, Values, count_highlights, execute, fetch_repeated
from planner.explain import ExplainNode, Explanation, Ran, explain, render, watching
from planner.optimize import optimize
from planner.payload_index import Column
from planner.plan import Plan, build
from planner.query import Query, Scalar
from planner.rank import Ranking
from planner.resolve import CheckedFilter
from planner.text import Highlight
from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.mvcc import Snapshot
from storage.schema import PointId
from storage.tables import MAX_ID_BYTES

Slots = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Group:
    """The best points with a value, best first, with their scores and highlights.

    `lookup` is the point with the value as its id in another collection, if the query asked for it.
    """

    value: Scalar
    points: list[Fetched]
    scores: list[float]
    highlights: list[tuple[Highlight, ...]]
    lookup: Fetched | None = None


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups in the order of their best points, the commit that was read, and how it ran if the query asked."""

    groups: list[Group]
    seq: int
    explanation: Explanation | None = None


class Analyses:
    """Answers questions about the values of many points. Safe for many threads.

    `bind` says what queries mean (Queries). `lookup` finds a collection by name or alias. `bounded` gives the budget
    within which a query runs.
    """

    def __init__(
        self,
        indexes: Indexes,
        bind: Callable[[Collection, Snapshot, Sequence[Query]], list[BoundQuery]],
        lookup: Callable[[str], Collection],
        bounded: Callable[[Budget], Budget],
    ) -> None:
        self._indexes = indexes
        self._bind = bind
        self._lookup = lookup
        self._bounded = bounded

    def groups(self, collection: Collection, asked: GroupQuery, budget: Budget = UNLIMITED) -> Groups:
        """The groups of the points that a query ranks.

        Raises what Queries.query raises, and what `lookup` may raise.
        """
        budget = self._bounded(budget)
        with collection.snapshot() as reader, ExitStack() as others:
            bound = self._bound_groups(collection, reader, asked, others)
            plan = build(bound.query)
            with watching(plan, LocalSource(reader, self._indexes, UNLIMITED), budget.watcher):
                return self._groups(plan, bound, reader, budget)

    def _groups(self, plan: Plan, bound: BoundGroups, reader: Snapshot, budget: Budget) -> Groups:
        started = time.perf_counter_ns()
        source = LocalSource(reader, self._indexes, budget)
        found = find_groups(plan, bound, source)
        budget.check()
        every = [slot for group in found.groups for slot in group.ranking.slots.tolist()]
        groups = _with_points(found, every, source, budget)
        if bound.lookup is not None:
            groups = _looked_up(groups, bound.lookup, LocalSource(bound.lookup.reader, self._indexes, budget))
        microseconds = (time.perf_counter_ns() - started) // 1_000
        return Groups(groups, reader.seq, _explanation(found, bound, _distinct(every), source, microseconds))

    def _bound_groups(
        self, collection: Collection, reader: Snapshot, asked: GroupQuery, others: ExitStack
    ) -> BoundGroups:
        """The group query, bound to the snapshot. `others` closes the snapshot of the collection that groups are looked
        up in.

        Raises what bind_groups raises.
        """

        def bind_query(query: Query) -> BoundQuery:
            [bound] = self._bind(collection, reader, [query])
            return bound

        def reader_of(name: str) -> Snapshot:
            found = self._lookup(name)
            return reader if found.name == collection.name else others.enter_context(found.snapshot())

        return bind_groups(asked, bind_query, reader_of)

    def facet(self, collection: Collection, asked: FacetQuery, budget: Budget = UNLIMITED) -> Facets:
        """The most frequent values of a field. Raises InvalidRequest and its subclasses, and what the budget raises."""
        with collection.snapshot() as reader:
            bound = bind_facet(asked, reader.schema)
            values = self._values(reader, budget)
            column = values.column(bound.path, _allowed(values, bound.filter, budget)).distinct()
            return Facets(count_values(column, bound.limit), len(column.values), reader.seq)

    def aggregate(self, collection: Collection, asked: AggregateQuery, budget: Budget = UNLIMITED) -> Aggregates:
        """Aggregations of fields. Raises InvalidRequest and its subclasses, and what the budget raises."""
        with collection.snapshot() as reader:
            bound = bind_aggregate(asked, reader.schema)
            values = self._values(reader, budget)
            allowed = _allowed(values, bound.filter, budget)
            if bound.group_by is None:
                counts = [reader.point_count if allowed is None else len(allowed)]
                return Aggregates(_aggregated(values, bound, allowed, None, counts, budget), 1, reader.seq)
            budget.check()
            every = values.column(bound.group_by, allowed).distinct()
            groups = first_groups(every, bound.limit)
            counts = np.bincount(groups.codes, minlength=len(groups.values)).tolist()
            found = _aggregated(values, bound, allowed, groups, counts, budget)
            return Aggregates(found, len(every.values), reader.seq)

    def matrix(self, collection: Collection, asked: MatrixQuery, budget: Budget = UNLIMITED) -> Matrix:
        """The nearest neighbours within a sample of points. Raises InvalidRequest and its subclasses, SpaceNotFound."""
        with collection.snapshot() as reader:
            bound = bind_matrix(asked, reader)
            budget.check()
            return distance_matrix(LocalSource(reader, self._indexes, budget), bound)

    def recall(self, collection: Collection, test: RecallTest, budget: Budget = UNLIMITED) -> Recall:
        """Recall compared with exact search on the same snapshot.

        Raises what Queries.query raises, and InvalidRequest.
        """
        with collection.snapshot() as reader:
            source = LocalSource(reader, self._indexes, budget)
            asked = bind_recall(test, source, lambda queries: self._bind(collection, reader, queries))
            recalls: list[float] = []
            for start in range(0, len(asked.queries), QUERIES_PER_CHECK):
                budget.check()
                part = asked.queries[start : start + QUERIES_PER_CHECK]
                plans = [optimize(build(query)) for query in (*part, *map(exactly, part))]
                rankings = execute(plans, source)
                pairs = zip(rankings[: len(part)], rankings[len(part) :], strict=True)
                recalls += [recall_of(found, exact, asked.distance) for found, exact in pairs]
            return summary(recalls, reader.seq)

    def _values(self, reader: Snapshot, budget: Budget) -> Values:
        return LocalSource(reader, self._indexes, budget).values


def _allowed(values: Values, filter: CheckedFilter | None, budget: Budget) -> Slots | None:
    budget.check()
    return None if filter is None else values.matching(filter)


def _aggregated(
    values: Values,
    asked: BoundAggregate,
    allowed: Slots | None,
    groups: Column | None,
    counts: list[int],
    budget: Budget,
) -> list[AggregateGroup]:
    """One group for each of `counts`, which are numbers of points."""
    tallies: dict[str, Tally] = {}
    results: list[list[Scalar | None]] = []
    for each in asked.aggregations:
        if isinstance(each, PointCount):
            results.append(list(counts))
            continue
        if each.path not in tallies:
            budget.check()
            tallies[each.path] = tally(groups, values.column(each.path, allowed), budget)
        parts = tallies[each.path].of_groups(len(counts), budget)
        results.append([reduce_values(each.kind, part) for part in parts])
    names = [None] if groups is None else groups.values
    return [
        AggregateGroup(name, count, tuple(result[number] for result in results))
        for number, (name, count) in enumerate(zip(names, counts, strict=True))
    ]


def _distinct(slots: list[int]) -> Slots:
    """Each of the slots once, in the order in which they first occur."""
    return np.array(list(dict.fromkeys(slots)), np.uint32)


def _with_points(found: GroupsFound, every: list[int], source: Source, budget: Budget) -> list[Group]:
    """The groups with their points. `every` has the slots of the points of all groups, in order."""
    plan = found.plan
    # A point is in the reply once for each group that has it.
    fetch = partial(source.fetch, payload=plan.payload, vectors=plan.vectors)
    fetched = fetch_repeated(np.array(every, np.uint32), fetch, budget)
    points = dict(zip(every, fetched, strict=True))
    slots = _distinct(every)
    parts = source.highlights(slots, plan.highlighted)
    highlights = dict(zip(slots.tolist(), parts, strict=True))
    for slot, times in Counter(every).items():
        for _ in range(times - 1 if highlights[slot] else 0):
            count_highlights(highlights[slot], budget)
    return [
        Group(
            group.value,
            [points[slot] for slot in group.ranking.slots.tolist()],
            group.ranking.scores.tolist(),
            [highlights[slot] for slot in group.ranking.slots.tolist()],
        )
        for group in found.groups
    ]


def _looked_up(groups: list[Group], lookup: BoundLookup, source: Source) -> list[Group]:
    """The groups, each with the point whose id is the group's value. A value that is no id has no such point."""
    ids = [_id_of(group.value) for group in groups]
    found = source.points.slots_of([point_id for point_id in ids if point_id is not None])
    slots = found[found >= 0].astype(np.uint32)
    found_points = source.fetch(slots, lookup.payload, lookup.vectors)
    by_id = {point.id: point for point in found_points}
    return [
        replace(group, lookup=None if point_id is None else by_id.get(point_id))
        for group, point_id in zip(groups, ids, strict=True)
    ]


def _id_of(value: Scalar) -> PointId | None:
    """The id that a group's value is; None if it is no id."""
    if isinstance(value, str):
        return value if 0 < len(value.encode()) <= MAX_ID_BYTES else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _explanation(
    found: GroupsFound, asked: BoundGroups, slots: Slots, source: Source, microseconds: int
) -> Explanation | None:
    """How the groups were found: the plan, below one node for the grouping."""
    if found.trace is None:
        return None
    ranking = Ranking(slots, np.zeros(len(slots), np.float32))
    ran = explain(found.plan, source, Ran(found.trace, ranking, microseconds), knows_filters=False)
    root = ExplainNode(
        operator="group",
        stage="root",
        attributes={"by": asked.path, "limit": str(asked.limit), "size": str(asked.size)},
        strategy=found.strategy,
        rows_in=ran.root.rows_out,
        rows_out=len(slots),
        children=(ran.root,),
    )
    return replace(ran, root=root, text=render(root))
