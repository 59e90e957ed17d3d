"""Binds queries, stage by stage: first checks everything against the schema, then reads the vectors of stored points.

So a query that cannot be is refused before a point is read. The ways to rank are in rank/ways.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from planner.bind.bound import (
    BoundDbsf,
    BoundLeaf,
    BoundMerge,
    BoundQuery,
    BoundRrf,
    BoundStage,
    Diversity,
)
from planner.bind.fusion import bind_fusion, name_of_fusion
from planner.bind.settings import check_mmr, check_prefetch, check_root, check_settings
from planner.errors import InvalidQuery
from planner.limits import MAX_DEPTH, MAX_STAGES
from planner.query import (
    DEFAULT_DEPTH,
    Dbsf,
    Mmr,
    Nearest,
    Query,
    Rrf,
    Stage,
    VectorInput,
)
from planner.rank import WAYS, Ranker
from planner.resolve import Asked, CheckedFilter, Reading, Unread, VectorSource, check_filter, check_selectors
from planner.text import Highlighted
from storage.errors import LimitExceeded
from storage.schema import CollectionSchema

DEFAULT_LIMIT = 10
"""Points that a query returns by default."""

DEFAULT_CANDIDATES = 100
"""Candidates among which diverse points are picked, by default. A query that asks for more points has more."""


def bind(queries: Sequence[Query], source: VectorSource) -> list[BoundQuery]:
    """The bound queries, for the collection that is searched.

    Raises what check_query raises, before a point is read. Then PointNotFound, VectorNotFound, CollectionNotFound, and
    for the vector of a stored point what the same vector in the request would raise.
    """
    checked = [check_query(query, source.reader.schema) for query in queries]
    return [query.read(source) for query in checked]


def check_query(query: Query, schema: CollectionSchema) -> "CheckedQuery":
    """Raises InvalidRequest and its subclasses, SpaceNotFound or NoTextIndex.

    They name the field below `query.path`.
    """
    path = f"{query.path}." if query.path else ""
    stages = _count_stages(query.root, path, depth=1)
    if stages > MAX_STAGES:
        raise LimitExceeded(f"{path}prefetch", limit="MAX_STAGES", maximum=MAX_STAGES, actual=stages)
    check_root(query.root, path)
    root = _check_stage(Asked(query.root, schema, path, query.vector_field), DEFAULT_LIMIT)
    check_selectors(query.with_payload, query.with_vectors, schema, query.path)
    return CheckedQuery(query, root)


@dataclass(frozen=True, slots=True)
class CheckedQuery:
    """A query that was checked. Only the vectors of stored points were not read yet."""

    query: Query
    root: "_CheckedStage"

    def read(self, source: VectorSource, vectors: Sequence[VectorInput] = (), path: str | None = None) -> BoundQuery:
        """See `bind`. Requires: the schema of `source` is the one that the query was checked by.

        A shape is read with the `vectors` and the `path` of a query of it; then errors may name other fields.
        """
        return BoundQuery(
            root=self.root.read(source, vectors),
            payload=self.query.with_payload,
            vectors=self.query.with_vectors,
            path=self.query.path if path is None else path,
        )


@dataclass(frozen=True, slots=True)
class _CheckedLeaf:
    rank: Unread[Ranker] | None

    def read(self, reading: Reading) -> BoundLeaf:
        return BoundLeaf(None if self.rank is None else self.rank(reading))


@dataclass(frozen=True, slots=True)
class _CheckedMerge:
    rank: Unread[Ranker | BoundRrf | BoundDbsf]
    prefetch: "tuple[_CheckedStage, ...]"

    def read(self, reading: Reading) -> BoundMerge:
        prefetch = tuple(stage.read(reading.source, reading.vectors) for stage in self.prefetch)
        return BoundMerge(self.rank(reading), prefetch)


@dataclass(frozen=True, slots=True)
class _CheckedStage:
    asked: Asked
    limit: int
    filter: CheckedFilter | None
    diversity: Diversity | None
    ranked: _CheckedLeaf | _CheckedMerge

    def read(self, source: VectorSource, vectors: Sequence[VectorInput]) -> BoundStage:
        stage, reading = self.asked.stage, Reading(source, self.asked.path, vectors)
        ranked = self.ranked.read(reading)
        return BoundStage(
            ranked=ranked,
            exclude=tuple(reading.given),
            filter=self.filter,
            filter_scope=stage.filter_scope,
            score_threshold=stage.score_threshold,
            diversity=self.diversity,
            limit=self.limit,
            offset=stage.offset,
            search_after=stage.search_after,
            score_mode=stage.score_mode,
            highlighted=_highlighted(stage, ranked),
        )


def _count_stages(stage: Stage, path: str, *, depth: int) -> int:
    """The number of stages. `path` is the path of the stage, and ends with a dot unless it is empty."""
    if depth > MAX_DEPTH:
        raise LimitExceeded(path.removesuffix("."), limit="MAX_DEPTH", maximum=MAX_DEPTH, actual=depth)
    return 1 + sum(
        _count_stages(child, f"{path}prefetch[{index}].", depth=depth + 1) for index, child in enumerate(stage.prefetch)
    )


def _check_stage(asked: Asked, default_limit: int) -> _CheckedStage:
    stage, path = asked.stage, asked.path
    limit = default_limit if stage.limit is None else stage.limit
    check_settings(stage, limit, path)
    filter = None if stage.filter is None else check_filter(stage.filter, asked.schema, f"{path}filter")
    if not stage.prefetch:
        rank = _check_leaf(asked)
        return _CheckedStage(asked, limit, filter, _bind_diversity(asked, limit), _CheckedLeaf(rank))
    merge = _check_merge(asked)
    diversity = _bind_diversity(asked, limit)
    children = [Asked(child, asked.schema, f"{path}prefetch[{index}].") for index, child in enumerate(stage.prefetch)]
    return _CheckedStage(asked, limit, filter, diversity, _CheckedMerge(merge, tuple(map(_check_child, children))))


def _check_child(asked: Asked) -> _CheckedStage:
    check_prefetch(asked.stage, asked.path)
    return _check_stage(asked, DEFAULT_DEPTH)


def _check_leaf(asked: Asked) -> Unread[Ranker] | None:
    match asked.stage.query:
        case None:
            if asked.stage.using is not None:
                raise InvalidQuery(f"{asked.path}using", "leave it out: without a query no vector space is used")
            return None
        case Rrf() | Dbsf() as fusion:
            raise InvalidQuery(f"{asked.path}query.{name_of_fusion(fusion)}", "fusion needs prefetches")
        case rank:
            return WAYS[type(rank)](rank, asked)


def _check_merge(asked: Asked) -> Unread[Ranker | BoundRrf | BoundDbsf]:
    match asked.stage.query:
        case None:
            raise InvalidQuery(f"{asked.path}query", "a stage cannot have prefetches without a query")
        case Rrf() | Dbsf() as fusion:
            bound = bind_fusion(fusion, asked)
            return lambda _: bound
        case rank:
            return WAYS[type(rank)](rank, asked)


def _bind_diversity(asked: Asked, limit: int) -> Diversity | None:
    """Requires: the query of the stage was checked. Raises InvalidQuery, NotFinite, LimitExceeded."""
    query = asked.stage.query
    if not isinstance(query, Nearest) or query.mmr is None:
        return None
    check_mmr(query.mmr, limit, f"{asked.path}query.nearest_with_mmr")
    name, space = asked.dense_space()
    return Diversity(name, space.distance, query.mmr.diversity, _candidates(query.mmr, limit))


def _candidates(mmr: Mmr, limit: int) -> int:
    """How many candidates a diverse stage has.

    This does not depend on the offset, so that pages continue each other.
    """
    return max(DEFAULT_CANDIDATES, limit) if mmr.candidates is None else mmr.candidates


def _highlighted(stage: Stage, ranked: BoundLeaf | BoundMerge) -> Highlighted | None:
    if stage.query is None or not isinstance(ranked.rank, Ranker):
        return None
    return ranked.rank.highlighted(stage.query)
