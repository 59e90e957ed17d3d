"""The planner's face: queries, explanations and reads of points, each answered from one snapshot.

It owns the cache of evaluated filters and nothing else; meaning is in bind/stages.py, plan/nodes.py and
filtering/match.py.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from planner.analyze import (
    QUERIES_AT_ONCE,
    Analyses,
    Recall,
    RecallTest,
    check_test,
    exactly,
    queries_of,
    recall_of,
    summary,
)
from planner.bind import BoundQuery, VectorSource, bind, check_filter, check_selectors, dense_space, space_of
from planner.errors import InvalidQuery
from planner.execute import (
    POINT_BYTES,
    Fetched,
    Indexes,
    LocalSource,
    Source,
    StoredValue,
    Trace,
    execute,
    fetch_repeated,
    fetch_some,
    run,
)
from planner.explain import Explanation, PointExplanation, Ran, explain, explain_points
from planner.filtering import FilterCache, WriteFilters, first_matching
from planner.limits import check_batch, check_explained, check_ids, check_page
from planner.optimize import optimize
from planner.payload_index import FieldBuilds, FieldIndexes, FieldIndexStatus, IndexState, check_index_path
from planner.plan import Plan, build
from planner.predicate import StoredComparison, check_comparisons, compile_comparisons
from planner.query import Filter, PayloadSelector, Query, VectorsSelector
from planner.rank import Ranking
from planner.text import Highlight, TextIndexes
from planner.upkeep import Upkeep, ask_first
from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.mvcc import Snapshot
from storage.pacing import paced
from storage.schema import CollectionSchema, FieldIndexParams, PointId, SchemaChange
from storage.write import BySlots, StoredCondition, check_point_id

DEFAULT_CACHE_BYTES = 64 * 2**20
DEFAULT_FIELD_INDEX_BYTES = 256 * 2**20
DEFAULT_TEXT_INDEX_BYTES = 2**30

ALL_PAYLOAD = PayloadSelector()
"""Selects the whole payload, which is the default everywhere."""


class Hit(NamedTuple):  # one is made per hit: a frozen dataclass takes three times as long
    """A ranked point. `payload` is encoded by the collection's codec, None when it was not asked for.

    `vectors` are by space name, as they were written; spaces that the point lacks are left out. `highlights` are the
    parts of its texts that queries by BM25 ask for.
    """

    id: PointId
    score: float
    version: int
    payload: bytes | None
    vectors: dict[str, StoredValue]
    highlights: tuple[Highlight, ...] = ()


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """Hits best first, the commit that was read, and how it ran when `Query.explain` asked.

    `total`: how many points the query ranks, whatever its limit; None where that is not known.
    """

    hits: list[Hit]
    seq: int
    total: int | None = None
    explanation: Explanation | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Points in id order, the id at which the next page starts (None on the last), and the commit that was read."""

    points: list[Fetched]
    next_id: PointId | None
    seq: int


@dataclass(frozen=True, slots=True)
class Found:
    """Points in the order asked, the ids that do not exist, and the commit that was read."""

    points: list[Fetched]
    missing: list[PointId]
    seq: int


@dataclass(frozen=True, slots=True)
class ExplainedPoints:
    """One explanation per id asked, in order, and the commit that was read."""

    points: list[PointExplanation]
    seq: int


class Engine:
    """Answers queries and reads. Safe for many threads.

    `lookup` finds a collection by name or alias (Database.collection), for queries that take their vector elsewhere.
    """

    def __init__(
        self,
        lookup: Callable[[str], Collection],
        *,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
        field_index_bytes: int = DEFAULT_FIELD_INDEX_BYTES,
        search_timeout: float | None = None,
        max_scan: int | None = None,
        text_index_bytes: int = DEFAULT_TEXT_INDEX_BYTES,
    ) -> None:
        """`cache_bytes` bounds remembered filters, `field_index_bytes` the indexes that no one declared; 0: none.

        Text indexes that are not in use go when all together hold more than `text_index_bytes`. `search_timeout`
        (seconds) and `max_scan` bound each request of queries beside its own budget.
        """
        self._search_timeout = search_timeout
        self._max_scan = max_scan
        self.lookup = lookup
        self._fields = FieldIndexes(field_index_bytes)
        self._builds = FieldBuilds(self._fields)
        self._filters = FilterCache(cache_bytes, self._fields)
        self._write_filters = WriteFilters()
        self._texts = TextIndexes(text_index_bytes)
        self._upkeep = Upkeep(self._texts, self._fields)
        self._indexes = Indexes(self._filters, self._fields, self._texts)
        self.analyses = Analyses(self._indexes, self._bind, lookup, self._bounded)

    def query(
        self,
        collection: Collection,
        queries: Sequence[Query],
        budget: Budget = UNLIMITED,
        *,
        batch_field: str = "queries",
    ) -> list[QueryAnswer]:
        """Answers in the order of `queries`, all from one snapshot; leaves that are equal run once.

        Everything is validated before anything is searched. Errors name fields below each query's `path`;
        `batch_field` names the batch itself. Raises InvalidRequest and its subclasses, SpaceNotFound,
        PointNotFound, VectorNotFound, CollectionNotFound (lookup_from), ScanTooLarge, DeadlineExceeded, Cancelled.
        """
        with collection.snapshot() as reader:
            return self.query_on(reader, collection, queries, budget, batch_field=batch_field)

    def query_on(
        self,
        reader: Snapshot,
        collection: Collection,
        queries: Sequence[Query],
        budget: Budget = UNLIMITED,
        *,
        batch_field: str = "queries",
    ) -> list[QueryAnswer]:
        """`query` on a snapshot of `collection`."""
        check_batch(len(queries), batch_field)
        budget = self._bounded(budget)
        bound = self._bind(collection, reader, queries)
        points = sum(min(query.root.limit, reader.point_count) for query in bound)
        budget.hold(POINT_BYTES * points, "the points of the answers")
        plans = [optimize(build(query)) for query in bound]
        traces = [Trace() if query.explain else None for query in queries]
        source = LocalSource(reader, self._indexes, budget)
        started = time.perf_counter_ns()
        outcomes = run(plans, source, traces)
        answers: list[QueryAnswer] = []
        for plan, outcome, trace in zip(plans, outcomes, traces, strict=True):
            budget.check()
            answer = QueryAnswer(_hits(plan, outcome.ranking, source), reader.seq, outcome.total)
            if trace is not None:
                microseconds = (time.perf_counter_ns() - started) // 1_000
                ran = Ran(trace, outcome.ranking, microseconds)
                answer = replace(answer, explanation=explain(plan, source, ran))
            answers.append(answer)
        return answers

    def explain(
        self, collection: Collection, query: Query, *, analyze: bool = False, budget: Budget = UNLIMITED
    ) -> Explanation:
        """The plan of `query`; with `analyze` it is also run, and the actual numbers and hits' origins are set."""
        if analyze:
            explanation = self.query(collection, [replace(query, explain=True)], budget)[0].explanation
            assert explanation is not None
            return explanation
        with collection.snapshot() as reader:
            [bound] = self._bind(collection, reader, [query])
            return explain(optimize(build(bound)), LocalSource(reader, self._indexes, budget))

    def explain_points(
        self, collection: Collection, query: Query, ids: Sequence[PointId], budget: Budget = UNLIMITED
    ) -> ExplainedPoints:
        """Why each of `ids` is, or is not, in the answer to `query`, which is run. Raises what `query` raises."""
        check_explained(ids)
        if query.root.search_after is not None:
            path = f"{query.path}." if query.path else ""
            raise InvalidQuery(f"{path}search_after", "points are explained within the whole ranking; leave it out")
        budget = self._bounded(budget)
        with collection.snapshot() as reader:
            [bound] = self._bind(collection, reader, [query])
            explained = explain_points(build(bound), ids, LocalSource(reader, self._indexes, budget))
            return ExplainedPoints(explained, reader.seq)

    def scroll(
        self,
        collection: Collection,
        filter: Filter | None = None,
        *,
        offset: PointId | None = None,
        limit: int = 10,
        with_payload: PayloadSelector | None = ALL_PAYLOAD,
        with_vectors: VectorsSelector | None = None,
        budget: Budget = UNLIMITED,
    ) -> Page:
        """The first `limit` matching points in id order, from id `offset` on (inclusive)."""
        with collection.snapshot() as reader:
            return self.page(
                reader,
                filter,
                offset=offset,
                limit=limit,
                with_payload=with_payload,
                with_vectors=with_vectors,
                budget=budget,
            )

    def page(
        self,
        reader: Snapshot,
        filter: Filter | None = None,
        *,
        offset: PointId | None = None,
        limit: int = 10,
        with_payload: PayloadSelector | None = ALL_PAYLOAD,
        with_vectors: VectorsSelector | None = None,
        budget: Budget = UNLIMITED,
    ) -> Page:
        """`scroll` on a snapshot: equal arguments give equal pages. One that is too large for a reply is shorter.

        Raises ReplyTooLarge when a single point is, and what a filter and a budget may raise.
        """
        check_page(limit)
        if offset is not None:
            check_point_id(offset, "offset")
        _check_read(reader.schema, filter, with_payload, with_vectors)
        slots = first_matching(reader, filter, limit + 1, self._filters, budget, start=offset)
        points = fetch_some(reader, slots[:limit], with_payload, with_vectors, budget)
        following = slots[len(points) :][:1]
        next_id = reader.point_ids(following)[0] if len(following) else None
        return Page(points, next_id, reader.seq)

    def get(
        self,
        collection: Collection,
        ids: Sequence[PointId],
        *,
        with_payload: PayloadSelector | None = ALL_PAYLOAD,
        with_vectors: VectorsSelector | None = None,
        budget: Budget = UNLIMITED,
    ) -> Found:
        """The points of `ids` in the order asked, repeats included. Raises ReplyTooLarge, and what a selector may."""
        check_ids(ids)
        with collection.snapshot() as reader:
            _check_read(reader.schema, None, with_payload, with_vectors)
            slots = reader.slots_of(ids)
            missing = [point_id for point_id, slot in zip(ids, slots.tolist(), strict=True) if slot < 0]
            source = LocalSource(reader, self._indexes, budget)
            fetch = partial(source.fetch, payload=with_payload, vectors=with_vectors)
            points = fetch_repeated(slots[slots >= 0].astype(np.uint32), fetch, budget)
            return Found(points, missing, reader.seq)

    def count(
        self, collection: Collection, filter: Filter | None = None, budget: Budget = UNLIMITED
    ) -> tuple[int, int]:
        """(the exact number of matching points, the commit that was read)."""
        with collection.snapshot() as reader:
            if filter is None:
                return reader.point_count, reader.seq
            check_filter(filter, reader.schema, "filter")
            return len(self._filters.slots(reader, filter, budget)), reader.seq

    def create_field_index(
        self,
        collection: Collection,
        path: str,
        params: FieldIndexParams,
        *,
        wait: bool = True,
        budget: Budget = UNLIMITED,
    ) -> FieldIndexStatus:
        """Declares an index of a payload path, durably; with `wait` it is READY then, else made in the background.

        The same again changes nothing. Raises InvalidRequest for what is no path, FieldIndexAlreadyExists for a path
        with another index, LimitExceeded, DeadlineExceeded, Cancelled; after the last two it may be declared.
        """
        path = check_index_path(path)
        if collection.schema.field_indexes.get(path) != params:
            collection.change_schema(SchemaChange(create_fields={path: params}), budget)
        if wait:
            self._builds.make(collection, path, budget)
        else:
            self._builds.start(collection)
        return self.payload_schema(collection, budget).get(path, FieldIndexStatus(params, 0, IndexState.PENDING))

    def delete_field_index(self, collection: Collection, path: str, budget: Budget = UNLIMITED) -> bool:
        """Deletes a declared index, durably; False when there is none. Raises InvalidRequest for what is no path."""
        path = check_index_path(path)
        if path not in collection.schema.field_indexes:
            return False
        collection.change_schema(SchemaChange(delete_fields=(path,)), budget)
        self._fields.forget(collection.uid, path)
        return True

    def payload_schema(self, collection: Collection, budget: Budget = UNLIMITED) -> dict[str, FieldIndexStatus]:
        """The declared indexes by path."""
        if not collection.schema.field_indexes:
            return {}
        self._builds.start(collection)
        with collection.snapshot() as reader:
            return {path: self._builds.status(reader, path, budget) for path in reader.schema.field_indexes}

    def opened(self, collection: Collection) -> None:
        """Reads or makes the derived indexes of a collection that was opened, in the background."""
        self._builds.start(collection)
        self._upkeep.opened(collection)

    def is_preparing(self, collection: Collection) -> bool:
        """Whether that is not done yet."""
        return self._upkeep.is_opening(collection)

    def ask_first(self, collection: Collection, is_ended: Callable[[], bool]) -> None:
        """Asks one query of each kind that the collection is there for, unless it was closed.

        See upkeep/first_queries.py.
        Raises Cancelled once it `is_ended` or closed, CorruptStore.
        """
        hold = collection.hold_if_open()
        if hold is not None:
            budget = paced(lambda: is_ended() or collection.closed)
            with hold, collection.snapshot() as reader:
                ask_first(
                    reader,
                    lambda query: self.query_on(reader, collection, [query], budget),
                    lambda filter: self._filters.slots(reader, filter, budget),
                    budget,
                )

    def prepare(self, collection: Collection) -> None:
        """Does now what else happens in the background after a collection was opened: its derived indexes are there
        then, and their files. Raises Cancelled when it is closed meanwhile, CorruptStore."""
        self._upkeep.look_after(collection, opened=True)

    def committed(self, collection: Collection) -> None:
        """Has the derived indexes of a collection follow its commits, in the background. Does not wait."""
        self._upkeep.changed(collection)

    def closed(self, collection: Collection) -> None:
        """Lets go of what was derived from a collection that was closed."""
        self._upkeep.closed(collection)
        self._fields.forget(collection.uid)

    def close(self) -> None:
        """Ends the work in the background. Requires: no request is left."""
        self._upkeep.close()

    def evaluate_recall(self, collection: Collection, test: RecallTest, budget: Budget = UNLIMITED) -> Recall:
        """Recall against exact search on the same snapshot. Raises what `query` raises, and InvalidRequest."""
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

    def selector(
        self, schema: CollectionSchema, filter: Filter, budget: Budget = UNLIMITED, *, field: str = "filter"
    ) -> BySlots:
        """Selects the matching points of a write, evaluated when it is applied. `field` is the filter's path."""
        check_filter(filter, schema, field)
        return BySlots(partial(self._write_filters.matching_slots, filter=filter, budget=budget))

    def stored_condition(
        self,
        schema: CollectionSchema,
        filter: Filter | None,
        comparisons: Sequence[StoredComparison] = (),
        budget: Budget = UNLIMITED,
        *,
        path: str = "",
    ) -> StoredCondition | None:
        """What stored points must fulfil for a write to change them; None when nothing is asked.

        `path` is the write's in the request. Raises InvalidFilter and what else a filter may raise.
        """
        if filter is None and not comparisons:
            return None
        prefix = f"{path}." if path else ""
        check_comparisons(comparisons, f"{prefix}compare")
        if filter is not None:
            check_filter(filter, schema, f"{prefix}condition")
        return StoredCondition(
            holds=None if filter is None else partial(self._write_filters.matches, filter=filter, budget=budget),
            replaces=compile_comparisons(comparisons) if comparisons else None,
        )

    def _bounded(self, budget: Budget) -> Budget:
        """The budget of a request of queries: its own, within the server's bounds."""
        return budget.within(self._search_timeout, self._max_scan)

    def _bind(self, collection: Collection, reader: Snapshot, queries: Sequence[Query]) -> list[BoundQuery]:
        with ExitStack() as others:
            return bind(queries, VectorSource(collection.name, reader, self.lookup, others))


def _hits(plan: Plan, ranking: Ranking, source: Source) -> list[Hit]:
    fetched = source.fetch(ranking.slots, plan.payload, plan.vectors)
    highlights = source.highlights(ranking.slots, plan.highlighted)
    return [
        Hit(point.id, score, point.version, point.payload, point.vectors, parts)
        for point, score, parts in zip(fetched, ranking.scores.tolist(), highlights, strict=True)
    ]


def _check_read(
    schema: CollectionSchema,
    filter: Filter | None,
    with_payload: PayloadSelector | None,
    with_vectors: VectorsSelector | None,
) -> None:
    if filter is not None:
        check_filter(filter, schema, "filter")
    check_selectors(with_payload, with_vectors, schema, "")
