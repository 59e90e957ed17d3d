"""Plans of queries. Queries of one shape share what does not depend on vectors; plans of shapes are remembered."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from planner.bind import BoundQuery, CheckedQuery, bind, check_query
from planner.engine.plain import Plain, PlainPlan, plain_plan, vectors_of
from planner.optimize import optimize
from planner.plan import Pattern, Plan, build, pattern_of
from planner.query import Query, QueryShape, ShapedQuery
from planner.resolve import VectorSource
from storage.bounded_cache import BoundedCache
from storage.collection import Collection
from storage.errors import EngineError
from storage.mvcc import Snapshot
from storage.schema import CollectionSchema

SHAPES = 1_024
"""Shapes of queries whose plans are remembered, of all collections together. Each takes some kilobytes."""


class Planned(NamedTuple):
    """What a query means, and how it is run."""

    bound: BoundQuery
    plan: Plan


class _Known(NamedTuple):
    """What is known of a shape under a schema."""

    schema: CollectionSchema
    checked: CheckedQuery
    pattern: Pattern
    plain: PlainPlan | None


class Plans:
    """Makes plans. Safe for many threads.

    `lookup` finds a collection by name or alias, for queries that take their vector elsewhere.
    """

    def __init__(self, lookup: Callable[[str], Collection]) -> None:
        self._lookup = lookup
        self._known = BoundedCache[tuple[str, QueryShape], _Known](SHAPES)
        self.hits = 0
        """Queries whose plan was remembered, and those whose was not. CPython changes no thread within such a count."""
        self.misses = 0

    def of(self, collection: Collection, reader: Snapshot, queries: Sequence[Query | ShapedQuery]) -> list[Planned]:
        """The plans of all `queries`, in order, on a snapshot of `collection`.

        Raises what `bind` raises. Whatever is wrong is found again without shapes: which error comes first, and what
        it says, does not depend on what is remembered.
        """
        if any(isinstance(query, ShapedQuery) for query in queries):
            try:
                return self._by_shape(collection, reader, queries)
            except EngineError:
                pass
        self.misses += len(queries)
        whole = [query.whole() if isinstance(query, ShapedQuery) else query for query in queries]
        return [Planned(bound, optimize(build(bound))) for bound in self.bind(collection, reader, whole)]

    def plain(self, reader: Snapshot, queries: Sequence[Query | ShapedQuery]) -> Plain | None:
        """The queries, if all are of one shape whose plan is known and plain, and their vectors are sound.

        None: they may be all that; `of` plans them.
        """
        shaped = [query for query in queries if isinstance(query, ShapedQuery)]
        shape = shaped[0].shape if len(shaped) == len(queries) else None
        if shape is None or shape.query.explain or any(query.shape is not shape for query in shaped):
            return None
        known = self._known.get((reader.collection_uid, shape))
        if known is None or known.schema is not reader.schema or known.plain is None:
            return None
        vectors = vectors_of(shaped, known.schema.dense[known.plain.search.space].size)
        if vectors is None:
            return None
        self.hits += len(shaped)
        return Plain(known.plain, vectors)

    def bind(self, collection: Collection, reader: Snapshot, queries: Sequence[Query]) -> list[BoundQuery]:
        """What the queries mean on a snapshot of `collection`. Raises what `bind` of planner.bind raises."""
        with ExitStack() as others:
            return bind(queries, VectorSource(collection.name, reader, self._lookup, others))

    def _by_shape(
        self, collection: Collection, reader: Snapshot, queries: Sequence[Query | ShapedQuery]
    ) -> list[Planned]:
        planned, known = list[Planned](), dict[QueryShape, _Known]()
        with ExitStack() as others:
            source = VectorSource(collection.name, reader, self._lookup, others)
            for query in queries:
                if isinstance(query, Query):
                    self.misses += 1
                    bound = check_query(query, reader.schema).read(source)
                    planned.append(Planned(bound, optimize(build(bound))))
                    continue
                entry = known.get(query.shape)
                if entry is None:
                    entry = known[query.shape] = self._entry(query, source)
                bound = entry.checked.read(source, query.vectors, query.path)
                planned.append(Planned(bound, entry.pattern.filled(bound)))
        return planned

    def _entry(self, query: ShapedQuery, source: VectorSource) -> _Known:
        """What is known of the query's shape; made of it when nothing is, or under another schema."""
        schema, key = source.reader.schema, (source.reader.collection_uid, query.shape)
        known = self._known.get(key)
        if known is not None and known.schema is schema:
            self.hits += 1
            return known
        self.misses += 1
        checked = check_query(query.shape.query, schema)
        bound = checked.read(source, query.vectors, query.path)
        plan = optimize(build(bound))
        known = _Known(schema, checked, pattern_of(plan, bound), plain_plan(plan, schema))
        self._known.put(key, known)
        return known
