"""Shapes: what queries have in common that differ in their vectors alone. What is derived of a shape serves all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from planner.query.query import (
    ByMetrics,
    Context,
    ContextPair,
    Discover,
    Nearest,
    NumberedVector,
    Query,
    Rank,
    Recommend,
    Stage,
    VectorInput,
    WeightedMetric,
)

_Change = Callable[[VectorInput], VectorInput]


@dataclass(frozen=True, slots=True, eq=False)
class QueryShape:
    """A query without its path, each of whose vectors is a number. A shape is equal to itself alone."""

    query: Query


@dataclass(frozen=True, slots=True)
class ShapedQuery:
    """A query as its shape, its vectors by number, and its path. See Query."""

    shape: QueryShape
    vectors: tuple[VectorInput, ...]
    path: str = ""

    @property
    def explain(self) -> bool:
        return self.shape.query.explain

    def whole(self) -> Query:
        """The query."""

        def given(vector: VectorInput) -> VectorInput:
            return self.vectors[vector.number] if isinstance(vector, NumberedVector) else vector

        query = self.shape.query
        return replace(query, root=_with_vectors(query.root, given), path=self.path)


def shaped(query: Query) -> ShapedQuery:
    """The query as a new shape. Vectors are numbered stage by stage, a stage before its prefetches."""
    vectors: list[VectorInput] = []

    def numbered(vector: VectorInput) -> VectorInput:
        vectors.append(vector)
        return NumberedVector(len(vectors) - 1)

    root = _with_vectors(query.root, numbered)
    return ShapedQuery(QueryShape(replace(query, root=root, path="")), tuple(vectors), query.path)


def _with_vectors(stage: Stage, change: _Change) -> Stage:
    rank = None if stage.query is None else _changed(stage.query, change)
    return replace(stage, query=rank, prefetch=tuple(_with_vectors(child, change) for child in stage.prefetch))


def _changed(rank: Rank, change: _Change) -> Rank:
    match rank:
        case Nearest():
            return replace(rank, vector=change(rank.vector))
        case Recommend():
            positive = tuple(map(change, rank.positive))
            return replace(rank, positive=positive, negative=tuple(map(change, rank.negative)))
        case Discover():
            return replace(rank, target=change(rank.target), pairs=_changed_pairs(rank.pairs, change))
        case Context():
            return replace(rank, pairs=_changed_pairs(rank.pairs, change))
        case ByMetrics():
            vector = None if rank.vector is None else change(rank.vector)
            return replace(rank, vector=vector, composite=tuple(_changed_part(part, change) for part in rank.composite))
        case _:
            return rank


def _changed_pairs(pairs: Sequence[ContextPair], change: _Change) -> tuple[ContextPair, ...]:
    return tuple(ContextPair(change(pair.positive), change(pair.negative)) for pair in pairs)


def _changed_part(part: WeightedMetric, change: _Change) -> WeightedMetric:
    return part if part.vector is None else replace(part, vector=change(part.vector))
