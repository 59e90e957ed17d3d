"""Puts the vectors of stored points in the place of the references to them, from the snapshot that will be searched.

It reads single points; nothing is searched. References were checked as far as a schema allows in stages.py.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import assert_never

import numpy as np

from planner.bind.average import average
from planner.bind.metrics import check_metric_vector
from planner.bind.stages import space_of
from planner.bind.vectors import check_input
from planner.query import (
    ByExamples,
    ByMetrics,
    Context,
    ContextPair,
    Discover,
    Formula,
    Metric,
    Nearest,
    Query,
    QueryVector,
    Recommend,
    RecommendStrategy,
    Sample,
    Stage,
    StoredVector,
    VectorInput,
)
from storage.collection import Collection
from storage.errors import PointNotFound, VectorNotFound
from storage.mvcc import Snapshot
from storage.schema import DenseSpace, PointId
from storage.search import RecordVector, record_vectors
from storage.vectors import SparseMetric
from storage.write import check_query_vector


class VectorSource:
    """Where stored vectors are read: the searched snapshot, and one snapshot of each other collection that is named.

    `others` closes those snapshots; `lookup` finds collections by name or alias.
    """

    def __init__(self, searched: str, reader: Snapshot, lookup: Callable[[str], Collection], others: ExitStack) -> None:
        self.reader = reader
        self._lookup = lookup
        self._others = others
        self._readers = {searched: reader}

    def reader_of(self, collection: str | None) -> Snapshot:
        """Raises CollectionNotFound or CollectionClosed."""
        if collection is None:
            return self.reader
        found = self._lookup(collection)
        if found.name not in self._readers:
            self._readers[found.name] = self._others.enter_context(found.snapshot())
        return self._readers[found.name]


def resolve(query: Query, source: VectorSource) -> Query:
    """The same query (the same object if it names no stored vector) with vectors instead of references.

    Raises PointNotFound, VectorNotFound, CollectionNotFound, and what a vector of the request itself would raise:
    SpaceNotFound, AmbiguousSpace, DimensionMismatch, ZeroVector.
    """
    path = f"{query.path}." if query.path else ""
    root = _resolve_stage(query.root, source, path, query.vector_field)
    return query if root is query.root else replace(query, root=root)


def _resolve_stage(stage: Stage, source: VectorSource, path: str, vector_field: str = "query.nearest") -> Stage:
    prefetch = tuple(
        _resolve_stage(child, source, f"{path}prefetch[{index}].") for index, child in enumerate(stage.prefetch)
    )
    if any(new is not old for new, old in zip(prefetch, stage.prefetch, strict=True)):
        stage = replace(stage, prefetch=prefetch)
    reading = _Reading(source, stage.using, path)
    match stage.query:
        case Nearest(vector=StoredVector(), mmr=mmr):
            field = vector_field if mmr is None else "query.nearest_with_mmr.nearest"
            vector = reading.any_vector(stage.query.vector, field, stage.params.sparse_metric)
            return replace(stage, query=replace(stage.query, vector=vector, exclude=tuple(reading.given)))
        case Recommend() | Discover() | Context():
            return replace(stage, query=_resolve_examples(stage.query, reading))
        case Sample(seed=None):
            return replace(stage, query=Sample(source.reader.seq))
        case ByMetrics():
            return replace(stage, query=_resolve_metrics(stage.query, reading))
        case Formula():
            return replace(stage, query=replace(stage.query, path=f"{path}query.formula"))
        case _:
            return stage


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads the vectors of one stage, at `path`. `given`: the points of the searched snapshot that gave one."""

    source: VectorSource
    using: str | None
    path: str
    given: dict[PointId, None] = dataclass_field(default_factory=dict)

    @property
    def space(self) -> DenseSpace:
        schema = self.source.reader.schema
        return schema.dense[space_of(self.using, schema, f"{self.path}using")]

    def vector(self, vector: VectorInput, field: str, metric: Metric | None = None) -> QueryVector:
        """Of a dense space. `metric`: the one that will be used, unless it is the space's own."""
        found = self.any_vector(vector, field, metric)
        assert isinstance(found, QueryVector), "stages.py refuses examples in other spaces"
        return found

    def any_vector(
        self, vector: VectorInput, field: str, metric: Metric | SparseMetric | None = None
    ) -> QueryVector | RecordVector:
        if not isinstance(vector, StoredVector):
            return vector
        source, schema = self.source, self.source.reader.schema
        reader = source.reader_of(vector.collection)
        space = space_of(self.using, schema, f"{self.path}using")
        wanted = space if vector.using is None else vector.using
        held_in = space_of(wanted, reader.schema, f"{self.path}lookup_from.using")
        found = _read_vector(reader, vector.id, held_in)
        if isinstance(metric, Metric) and isinstance(found, QueryVector):
            check_metric_vector(schema.dense[space], found.values, metric, f"{self.path}{field}")
        else:
            check_input(found, schema, space, f"{self.path}{field}", None if isinstance(metric, Metric) else metric)
        if reader is source.reader:
            self.given[vector.id] = None
        return found

    def vectors(self, vectors: Sequence[VectorInput], field: str) -> tuple[QueryVector, ...]:
        return tuple(self.vector(vector, f"{field}[{index}]") for index, vector in enumerate(vectors))

    def pairs(self, pairs: Sequence[ContextPair], field: str) -> tuple[ContextPair, ...]:
        return tuple(
            ContextPair(
                self.vector(pair.positive, f"{field}[{index}].positive"),
                self.vector(pair.negative, f"{field}[{index}].negative"),
            )
            for index, pair in enumerate(pairs)
        )


def _resolve_examples(rank: ByExamples, reading: _Reading) -> Nearest | ByExamples:
    match rank:
        case Recommend():
            positive = reading.vectors(rank.positive, "query.recommend.positive")
            negative = reading.vectors(rank.negative, "query.recommend.negative")
            if rank.strategy is not RecommendStrategy.AVERAGE:
                return Recommend(positive, negative, rank.strategy, tuple(reading.given))
            middle = average(positive, negative, reading.space.distance)
            check_query_vector(reading.space, middle, f"{reading.path}query.recommend")
            return Nearest(QueryVector(middle), tuple(reading.given))
        case Discover():
            target = reading.vector(rank.target, "query.discover.target")
            return Discover(target, reading.pairs(rank.pairs, "query.discover.context"), tuple(reading.given))
        case Context():
            return Context(reading.pairs(rank.pairs, "query.context.pairs"), tuple(reading.given))
    assert_never(rank)


def _resolve_metrics(rank: ByMetrics, reading: _Reading) -> ByMetrics:
    field = "query.rescore"
    if rank.metric is not None:
        assert rank.vector is not None, "metrics.py refuses none"
        vector = reading.vector(rank.vector, f"{field}.vector", rank.metric)
        return ByMetrics(vector, rank.metric, exclude=tuple(reading.given))
    parts = []
    for index, part in enumerate(rank.composite):
        own = reading if part.using is None else replace(reading, using=part.using)
        where = f"{field}.vector" if part.vector is None else f"{field}.composite[{index}].vector"
        wanted = rank.vector if part.vector is None else part.vector
        assert wanted is not None, "metrics.py refuses none"
        parts.append(replace(part, vector=own.vector(wanted, where, part.metric)))
    return ByMetrics(composite=tuple(parts), exclude=tuple(reading.given))


def _read_vector(reader: Snapshot, point_id: PointId, space: str) -> QueryVector | RecordVector:
    slots = reader.slots_of([point_id])
    if slots[0] < 0:
        raise PointNotFound([point_id])
    if space in reader.schema.body_spaces:
        for _, vector in record_vectors(reader, space, slots.astype(np.uint32)):
            return vector
        raise VectorNotFound(point_id, space)
    present, rows = reader.vectors(space, slots.astype(np.uint32))
    if not present[0]:
        raise VectorNotFound(point_id, space)
    return QueryVector(np.array(rows[0], dtype=np.float32))
