"""The other half of the planner's face: groups, facets, aggregations, distance matrices and
recall, each of one snapshot."""

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
    Tally,
    check_aggregate,
    first_groups,
    reduce_values,
    tally,
)
from planner.analyze.facets import FacetQuery, Facets, check_facet, count_values
from planner.analyze.group_query import GroupLookup, GroupQuery, check_groups
from planner.analyze.groups import GroupsFound, find_groups
from planner.analyze.matrix import Matrix, MatrixQuery, check_matrix, distance_matrix
from planner.analyze.recall import (
    QUERIES_AT_ONCE,
    Recall,
    RecallTest,
    check_test,
    exactly,
    queries_of,
    recall_of,
    summary,
)
from planner.bind import BoundQuery, check_selectors, dense_space, space_of
from planner.execute import Fetched, Indexes, LocalSource, Source, Values, count_highlights, execute, fetch_repeated
from planner.explain import ExplainNode, Explanation, Ran, explain, render
from planner.optimize import optimize
from planner.payload_index import Column
from planner.plan import build
from planner.query import Filter, Query, Scalar
from planner.rank import Ranking
from planner.text import Highlight
from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.mvcc import Snapshot
from storage.schema import PointId
from storage.tables import MAX_ID_BYTES

Slots = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Group:
    """The best points with a value, best first, with their scores, and the point of that id elsewhere, if asked for."""

    value: Scalar
    points: list[Fetched]
    scores: list[float]
    highlights: list[tuple[Highlight, ...]]
    lookup: Fetched | None = None


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups in the order of their best points, the commit that was read, and how it ran when asked."""

    groups: list[Group]
    seq: int
    explanation: Explanation | None = None


class Analyses:
    """Answers what looks at the values of many points. Safe for many threads.

    `bind` says what queries mean (Queries), `lookup` finds a collection by name or alias, `bounded` says
    within which budget a query runs.
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
        """The groups of what a query ranks. Raises what Queries.query raises, and what `lookup` may raise."""
        check_groups(asked)
        budget = self._bounded(budget)
        with collection.snapshot() as reader, ExitStack() as others:
            elsewhere = None if asked.lookup is None else self._elsewhere(asked.lookup, collection, reader, others)
            [bound] = self._bind(collection, reader, [asked.ranking_query])
            plan = build(bound)
            started = time.perf_counter_ns()
            source = LocalSource(reader, self._indexes, budget)
            found = find_groups(plan, asked, source)
            budget.check()
            every = [slot for group in found.groups for slot in group.ranking.slots.tolist()]
            slots = np.array(list(dict.fromkeys(every)), np.uint32)
            # A point is in the reply once for each group that it is in.
            fetch = partial(source.fetch, payload=plan.payload, vectors=plan.vectors)
            fetched = fetch_repeated(np.array(every, np.uint32), fetch, budget)
            points = dict(zip(every, fetched, strict=True))
            parts = source.highlights(slots, plan.highlighted)
            highlights = dict(zip(slots.tolist(), parts, strict=True))
            for slot, times in Counter(every).items():
                for _ in range(times - 1 if highlights[slot] else 0):
                    count_highlights(highlights[slot], budget)
            groups = [
                Group(
                    group.value,
                    [points[slot] for slot in group.ranking.slots.tolist()],
                    group.ranking.scores.tolist(),
                    [highlights[slot] for slot in group.ranking.slots.tolist()],
                )
                for group in found.groups
            ]
            if elsewhere is not None and asked.lookup is not None:
                groups = _looked_up(groups, asked.lookup, LocalSource(elsewhere, self._indexes, budget))
            microseconds = (time.perf_counter_ns() - started) // 1_000
            return Groups(groups, reader.seq, _explanation(found, asked, slots, source, microseconds))

    def facet(self, collection: Collection, asked: FacetQuery, budget: Budget = UNLIMITED) -> Facets:
        """The most frequent values of a field. Raises InvalidRequest and its subclasses, and what a budget may."""
        with collection.snapshot() as reader:
            check_facet(asked, reader.schema)
            values = self._values(reader, budget)
            column = values.column(asked.path, _allowed(values, asked.filter, budget)).distinct()
            return Facets(count_values(column, asked.limit), len(column.values), reader.seq)

    def aggregate(self, collection: Collection, asked: AggregateQuery, budget: Budget = UNLIMITED) -> Aggregates:
        """Aggregations of fields. Raises InvalidRequest and its subclasses, and what a budget may."""
        with collection.snapshot() as reader:
            check_aggregate(asked, reader.schema)
            values = self._values(reader, budget)
            allowed = _allowed(values, asked.filter, budget)
            if asked.group_by is None:
                counts = [reader.point_count if allowed is None else len(allowed)]
                return Aggregates(_aggregated(values, asked, allowed, None, counts, budget), 1, reader.seq)
            budget.check()
            every = values.column(asked.group_by, allowed).distinct()
            groups = first_groups(every, asked.limit)
            counts = np.bincount(groups.codes, minlength=len(groups.values)).tolist()
            found = _aggregated(values, asked, allowed, groups, counts, budget)
            return Aggregates(found, len(every.values), reader.seq)

    def matrix(self, collection: Collection, asked: MatrixQuery, budget: Budget = UNLIMITED) -> Matrix:
        """The nearest others of each of a sample of points. Raises InvalidRequest and its subclasses, SpaceNotFound."""
        with collection.snapshot() as reader:
            space = check_matrix(asked, reader.schema)
            allowed = _allowed(self._values(reader, budget), asked.filter, budget)
            return distance_matrix(reader, asked, space, allowed, budget)

    def recall(self, collection: Collection, test: RecallTest, budget: Budget = UNLIMITED) -> Recall:
        """Recall against exact search on the same snapshot. Raises what Queries.query raises, and InvalidRequest."""
        check_test(test)
        with collection.snapshot() as reader:
            space = space_of(test.using, reader.schema, "using")
            distance = dense_space(reader.schema, space, "using").distance
            queries = queries_of(test, reader, space, budget)
            recalls: list[float] = []
            for start in range(0, len(queries), QUERIES_AT_ONCE):
                budget.check()
                part = queries[start : start + QUERIES_AT_ONCE]
                bound = self._bind(collection, reader, part)
                plans = [optimize(build(query)) for query in (*bound, *map(exactly, bound))]
                rankings = execute(plans, LocalSource(reader, self._indexes, budget))
                pairs = zip(rankings[: len(part)], rankings[len(part) :], strict=True)
                recalls += [recall_of(found, exact, distance) for found, exact in pairs]
            return summary(recalls, reader.seq)

    def _values(self, reader: Snapshot, budget: Budget) -> Values:
        return LocalSource(reader, self._indexes, budget).values

    def _elsewhere(self, lookup: GroupLookup, searched: Collection, reader: Snapshot, others: ExitStack) -> Snapshot:
        """The snapshot to look groups up in, which `others` closes. Raises CollectionNotFound, and for selectors."""
        collection = self._lookup(lookup.collection)
        if collection.name != searched.name:
            reader = others.enter_context(collection.snapshot())
        check_selectors(lookup.with_payload, lookup.with_vectors, reader.schema, lookup.path)
        return reader


def _allowed(values: Values, filter: Filter | None, budget: Budget) -> Slots | None:
    budget.check()
    return None if filter is None else values.matching(filter)


def _aggregated(
    values: Values,
    asked: AggregateQuery,
    allowed: Slots | None,
    groups: Column | None,
    counts: list[int],
    budget: Budget,
) -> list[AggregateGroup]:
    """One group for each of `counts`, its number of points."""
    tallies: dict[str, Tally] = {}
    results: list[list[Scalar | None]] = []
    for each in asked.aggregations:
        if each.path is None:
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


def _looked_up(groups: list[Group], lookup: GroupLookup, source: Source) -> list[Group]:
    """The groups with the points whose ids are their values, as numbers and strings may be."""
    ids = [_id_of(group.value) for group in groups]
    found = source.points.slots_of([point_id for point_id in ids if point_id is not None])
    slots = found[found >= 0].astype(np.uint32)
    found_points = source.fetch(slots, lookup.with_payload, lookup.with_vectors)
    by_id = {point.id: point for point in found_points}
    return [
        replace(group, lookup=None if point_id is None else by_id.get(point_id))
        for group, point_id in zip(groups, ids, strict=True)
    ]


def _id_of(value: Scalar) -> PointId | None:
    """The id that a group's value may be."""
    if isinstance(value, str):
        return value if 0 < len(value.encode()) <= MAX_ID_BYTES else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _explanation(
    found: GroupsFound, asked: GroupQuery, slots: Slots, source: Source, microseconds: int
) -> Explanation | None:
    """How the groups were found, below one node that says so."""
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
