"""Answers queries and explains them, each from one snapshot. What a query means is in bind/stages.py."""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from planner.bind import BoundQuery
from planner.engine.answer import QueryAnswer
from planner.engine.plain import answer_plainly
from planner.engine.plans import Plans
from planner.errors import InvalidQuery
from planner.execute import (
    POINT_BYTES,
    Hit,
    Indexes,
    LocalSource,
    Outcome,
    Source,
    Trace,
    check_least_reply,
    fetch_columns,
    run,
)
from planner.explain import Explanation, PointExplanation, Ran, Watched, explain, explain_points
from planner.limits import check_batch, check_explained
from planner.optimize import optimize
from planner.plan import Plan, build
from planner.query import Query, ShapedQuery
from planner.rank import Ranking
from storage.budget import UNLIMITED, Budget, Watcher
from storage.collection import Collection
from storage.errors import EngineError
from storage.mvcc import Snapshot
from storage.schema import PointId


@dataclass(frozen=True, slots=True)
class ExplainedPoints:
    """One explanation per id, in the order of the request, and the commit that was read."""

    points: list[PointExplanation]
    seq: int


class Queries:
    """Answers queries. Safe for many threads.

    `lookup` finds a collection by name or alias (Database.collection), for queries that take a vector from elsewhere.
    `bounded` gives the budget within which a query runs.
    """

    def __init__(
        self, indexes: Indexes, lookup: Callable[[str], Collection], bounded: Callable[[Budget], Budget]
    ) -> None:
        self._indexes = indexes
        self.plans = Plans(lookup)
        self._bounded = bounded

    def query(
        self,
        collection: Collection,
        queries: Sequence[Query | ShapedQuery],
        budget: Budget = UNLIMITED,
        *,
        batch_field: str = "queries",
    ) -> list[QueryAnswer]:
        """Answers in the order of `queries`, all from one snapshot. Equal leaves run once.

        Everything is validated before anything is searched. Errors name fields below each query's `path`, and
        `batch_field` is the name of the batch itself. Raises InvalidRequest and its subclasses, SpaceNotFound,
        PointNotFound, VectorNotFound, CollectionNotFound (lookup_from), ScanTooLarge, DeadlineExceeded, Cancelled.
        """
        with collection.snapshot() as reader:
            return self.query_on(reader, collection, queries, budget, batch_field=batch_field)

    def query_on(
        self,
        reader: Snapshot,
        collection: Collection,
        queries: Sequence[Query | ShapedQuery],
        budget: Budget = UNLIMITED,
        *,
        batch_field: str = "queries",
    ) -> list[QueryAnswer]:
        """As `query`, on a snapshot of `collection`."""
        check_batch(len(queries), batch_field)
        budget = self._bounded(budget)
        if budget.watcher is None:
            return self._answers(collection, reader, queries, budget)
        if budget.watcher.traces:
            return self._traced(collection, reader, queries, budget, budget.watcher)
        try:
            return self._answers(collection, reader, queries, budget)
        finally:
            if budget.watcher.is_slow():
                self._tell_plans(collection, reader, queries, budget.watcher)

    def _answers(
        self, collection: Collection, reader: Snapshot, queries: Sequence[Query | ShapedQuery], budget: Budget
    ) -> list[QueryAnswer]:
        plain = self.plans.plain(reader, queries)
        if plain is not None:
            return answer_plainly(*plain, reader, self._indexes.filters, budget)
        planned = self.plans.of(collection, reader, queries)
        source = self._source([each.bound for each in planned], reader, budget)
        return _run([each.plan for each in planned], source, [Trace() if query.explain else None for query in queries])

    def _traced(
        self,
        collection: Collection,
        reader: Snapshot,
        queries: Sequence[Query | ShapedQuery],
        budget: Budget,
        watcher: Watcher,
    ) -> list[QueryAnswer]:
        """The same answers. The watcher is told what happened."""
        watched = Watched.begun()
        planned = self.plans.of(collection, reader, queries)
        watched.note_planned()
        plans, traces = [each.plan for each in planned], [Trace(in_full=query.explain) for query in queries]
        done = False
        try:
            source = self._source([each.bound for each in planned], reader, budget)
            answers = _run(plans, source, traces, [query.explain for query in queries])
            done = True
            return answers
        finally:
            told = LocalSource(reader, self._indexes, UNLIMITED)
            watcher.ran(watched.run(plans, told, traces if done else None))

    def _tell_plans(
        self, collection: Collection, reader: Snapshot, queries: Sequence[Query | ShapedQuery], watcher: Watcher
    ) -> None:
        """Tells the watcher of the plans of queries that took long, or failed after a long time."""
        watched = Watched.begun()
        with contextlib.suppress(EngineError):  # queries that cannot be planned have failed for that reason
            plans = [each.plan for each in self.plans.of(collection, reader, queries)]
            watcher.ran(watched.run(plans, LocalSource(reader, self._indexes, UNLIMITED), None))

    def explain(
        self, collection: Collection, query: Query, *, analyze: bool = False, budget: Budget = UNLIMITED
    ) -> Explanation:
        """The plan of `query`.

        With `analyze` the query also runs, and actual numbers and the hits' origins are added.
        """
        with collection.snapshot() as reader:
            [bound] = self.bind(collection, reader, [query])
            plan = optimize(build(bound))
            if not analyze:
                return explain(plan, LocalSource(reader, self._indexes, budget))
            source = self._source([bound], reader, self._bounded(budget))
            trace, started = Trace(), time.perf_counter_ns()
            [outcome] = run([plan], source, [trace])
            _hits(plan, outcome.ranking, source)  # the time of a query includes reading its hits
            return explain(plan, source, _ran(trace, outcome.ranking, started))

    def explain_points(
        self, collection: Collection, query: Query, ids: Sequence[PointId], budget: Budget = UNLIMITED
    ) -> ExplainedPoints:
        """Why each of `ids` is in the answer to `query`, or is not. The query runs. Raises what `query` raises."""
        check_explained(ids)
        if query.root.search_after is not None:
            path = f"{query.path}." if query.path else ""
            raise InvalidQuery(f"{path}search_after", "leave it out: points are explained within the whole ranking")
        budget = self._bounded(budget)
        with collection.snapshot() as reader:
            [bound] = self.bind(collection, reader, [query])
            explained = explain_points(build(bound), ids, LocalSource(reader, self._indexes, budget))
            return ExplainedPoints(explained, reader.seq)

    def _source(self, queries: Sequence[BoundQuery], reader: Snapshot, budget: Budget) -> LocalSource:
        """The source that the queries run on, with memory counted for their hits.

        Raises RequestTooLarge, ReplyTooLarge.
        """
        check_least_reply(queries, reader, budget)
        points = sum(min(query.root.limit, reader.point_count) for query in queries)
        budget.hold(POINT_BYTES * points, "the points of the answers")
        return LocalSource(reader, self._indexes, budget)

    def bind(self, collection: Collection, reader: Snapshot, queries: Sequence[Query]) -> list[BoundQuery]:
        """What the queries mean on a snapshot of `collection`. Raises what `query` raises for what cannot be."""
        return self.plans.bind(collection, reader, queries)


def _run(
    plans: Sequence[Plan],
    source: LocalSource,
    traces: Sequence[Trace | None],
    explained: Sequence[bool] | None = None,
) -> list[QueryAnswer]:
    """Runs plans. `explained`: which answers are explained; None: those that have a trace."""
    started = time.perf_counter_ns()
    outcomes = run(plans, source, traces)
    answers: list[QueryAnswer] = []
    columns = _columns(plans, outcomes, source)
    for number, (plan, outcome, trace) in enumerate(zip(plans, outcomes, traces, strict=True)):
        source.budget.check()
        hits = _hits(plan, outcome.ranking, source) if columns is None else columns[number]
        explanation = None
        if trace is not None and (explained is None or explained[number]):
            explanation = explain(plan, source, _ran(trace, outcome.ranking, started))
        answers.append(QueryAnswer(hits, source.points.seq, outcome.total, explanation))
    return answers


def _ran(trace: Trace, ranking: Ranking, started: int) -> Ran:
    """What happened since `started`, in nanoseconds of time.perf_counter_ns()."""
    return Ran(trace, ranking, (time.perf_counter_ns() - started) // 1_000)


def _columns(plans: Sequence[Plan], outcomes: Sequence[Outcome], source: LocalSource) -> Sequence[Sequence[Hit]] | None:
    """The hits of all plans, read together; None when some hold more than ids, scores and whole payloads."""
    payload = plans[0].payload
    for plan in plans:
        if plan.vectors is not None or plan.highlighted or plan.payload != payload:
            return None
    if payload is not None and (payload.include is not None or payload.exclude):
        return None
    rankings = [outcome.ranking for outcome in outcomes]
    slots, scores = (
        np.concatenate(parts) for parts in zip(*((ranking.slots, ranking.scores) for ranking in rankings), strict=True)
    )
    ends = [*accumulate(map(len, rankings))]
    return fetch_columns(source.points, slots, scores, ends, payloads=payload is not None, budget=source.budget)


def _hits(plan: Plan, ranking: Ranking, source: Source) -> list[Hit]:
    fetched = source.fetch(ranking.slots, plan.payload, plan.vectors)
    highlights = source.highlights(ranking.slots, plan.highlighted)
    return [
        Hit(point.id, score, point.version, point.payload, point.vectors, parts)
        for point, score, parts in zip(fetched, ranking.scores.tolist(), highlights, strict=True)
    ]
