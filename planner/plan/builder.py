"""Turns a valid, resolved query into the plan that says the same, stage by stage. It decides nothing; rules/ do."""

from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from planner.bind import DEFAULT_LIMIT, candidates_of, limit_of, searched_fields, space_of
from planner.plan.nodes import (
    After,
    ConvertScores,
    Diversify,
    FuseRanks,
    FuseScores,
    Gate,
    Limit,
    Node,
    Plan,
    RankAll,
    Rerank,
    Rescore,
    Restrict,
    Scan,
    Search,
    Threshold,
    higher_is_better,
)
from planner.plan.ranker import InMetrics, InRecords, InSpace, MetricScore, Ranker
from planner.query import (
    DEFAULT_DEPTH,
    Bm25,
    ByExamples,
    ByMetrics,
    ByText,
    Context,
    Dbsf,
    Discover,
    FilterScope,
    Formula,
    Highlighted,
    Nearest,
    OrderBy,
    Query,
    QueryVector,
    Recommend,
    Rrf,
    Sample,
    ScoreMode,
    SearchAfter,
    Stage,
    StoredVector,
    VectorRank,
    WeightedMetric,
    page_reach,
)
from storage.schema import CollectionSchema, Distance, PointId
from storage.search import MultiQuery, SparseQuery
from storage.vectors import MultiVector, SparseMetric, SparseVector

EVERYTHING = 2**32
"""A limit that no ranking reaches: there are fewer slots."""


def build(query: Query, schema: CollectionSchema) -> Plan:
    """Requires: check_query and resolve have passed, under this schema."""
    root = _build_stage(query.root, schema, "root", DEFAULT_LIMIT, path=f"{query.path}." if query.path else "")
    highlighted = tuple(_highlighted(query.root, schema))
    return Plan(root=root, payload=query.with_payload, vectors=query.with_vectors, highlighted=highlighted)


def _build_stage(stage: Stage, schema: CollectionSchema, name: str, default_limit: int, *, path: str = "") -> Node:
    """`path`: where the request holds the query whose root the stage is, with a dot at the end unless it is empty."""
    limit = limit_of(stage, default_limit)
    node: Node
    if not stage.prefetch:
        node = _build_leaf(stage, schema, name, limit)
    else:
        children = tuple(
            _build_stage(child, schema, f"{name}.prefetch[{index}]", DEFAULT_DEPTH)
            for index, child in enumerate(stage.prefetch)
        )
        node = _build_filter(stage, name, _build_merge(stage, schema, name, children))
    if stage.score_threshold is not None:
        node = Threshold(
            stage=name, threshold=stage.score_threshold, higher_is_better=higher_is_better(node), child=node
        )
    node = _build_diversity(stage, schema, name, node, limit)
    if stage.search_after is not None:
        node = _build_after(stage, stage.search_after, name, node, path)
    if stage.prefetch or stage.offset or stage.search_after is not None:
        node = Limit(stage=name, limit=limit, offset=stage.offset, child=node)
    return _build_score_mode(stage, schema, name, node)


def _excluded(stage: Stage) -> tuple[PointId, ...]:
    """The points that gave vectors to the stage, which it leaves out. Nothing changes below it."""
    return stage.query.exclude if isinstance(stage.query, VectorRank) else ()


def _leaf_limit(stage: Stage, schema: CollectionSchema, limit: int) -> int:
    """How many points a leaf has to give its stage."""
    if isinstance(stage.query, Nearest) and stage.query.mmr is not None:
        return candidates_of(stage.query.mmr, limit)
    if stage.search_after is not None:
        return limit if _goes_on(stage, schema) else EVERYTHING
    if isinstance(stage.query, Nearest):
        exact = space_of(stage.using, schema, "using") not in schema.row_spaces or stage.params.exact
        return limit + stage.offset if exact else max(limit + stage.offset, page_reach(limit, stage.offset))
    return limit + stage.offset


def _goes_on(stage: Stage, schema: CollectionSchema) -> bool:
    """Whether the leaf itself goes on after a hit. Others rank all there is at every page, and are cut."""
    if stage.search_after is None or not isinstance(stage.query, Nearest) or stage.query.mmr is not None:
        return False
    return space_of(stage.using, schema, "using") not in schema.body_spaces


def _build_after(stage: Stage, position: SearchAfter, name: str, node: Node, path: str) -> Node:
    if isinstance(node, Search) and node.after is not None:
        return node
    if isinstance(node, Threshold) and isinstance(node.child, Search) and node.child.after is not None:
        return node
    diverse = isinstance(stage.query, Nearest) and stage.query.mmr is not None
    return After(
        stage=name,
        path=f"{path}search_after",
        position=position,
        higher_is_better=higher_is_better(node),
        scored=not diverse and not isinstance(stage.query, OrderBy | Sample),
        child=node,
    )


def _build_leaf(stage: Stage, schema: CollectionSchema, name: str, limit: int) -> Search | Scan | RankAll:
    exclude, limit = _excluded(stage), _leaf_limit(stage, schema, limit)
    if isinstance(stage.query, OrderBy | Sample | ByExamples | ByMetrics | Formula | Bm25):
        ranker = _ranker(stage.query, stage, schema)
        return RankAll(stage=name, ranker=ranker, filter=stage.filter, exclude=exclude, limit=limit)
    if not isinstance(stage.query, Nearest):
        return Scan(stage=name, filter=stage.filter, exclude=exclude, limit=limit)
    if space_of(stage.using, schema, "using") in schema.body_spaces:
        ranker = _nearest_ranker(stage.query, stage, schema)
        return RankAll(stage=name, ranker=ranker, filter=stage.filter, exclude=exclude, limit=limit)
    space = space_of(stage.using, schema, "using")
    return Search(
        stage=name,
        space=space,
        distance=schema.dense[space].distance,
        vector=_vector(stage.query),
        filter=stage.filter,
        exclude=exclude,
        limit=limit,
        params=stage.params,
        after=stage.search_after if _goes_on(stage, schema) else None,
    )


def _build_merge(stage: Stage, schema: CollectionSchema, name: str, children: tuple[Node, ...]) -> Node:
    match stage.query:
        case Rrf(k=k, weights=weights):
            return FuseRanks(stage=name, k=k, weights=weights or (1.0,) * len(children), children=children)
        case Dbsf(weights=weights):
            return FuseScores(stage=name, weights=weights or (1.0,) * len(children), children=children)
        case Nearest() if space_of(stage.using, schema, "using") in schema.body_spaces:
            ranker = _nearest_ranker(stage.query, stage, schema)
            return Rerank(stage=name, ranker=ranker, exclude=_excluded(stage), children=children)
        case Nearest():
            space = space_of(stage.using, schema, "using")
            return Rescore(
                stage=name,
                space=space,
                distance=schema.dense[space].distance,
                vector=_vector(stage.query),
                exclude=_excluded(stage),
                children=children,
            )
        case OrderBy() | Sample() | Recommend() | Discover() | Context() | ByMetrics() | Formula() | Bm25():
            ranker = _ranker(stage.query, stage, schema)
            return Rerank(stage=name, ranker=ranker, exclude=_excluded(stage), children=children)
        case None:
            raise AssertionError("bind/stages.py refuses prefetches without a query")


def _nearest_ranker(rank: Nearest, stage: Stage, schema: CollectionSchema) -> Ranker:
    """The rank by a vector of a space of records."""
    space = space_of(stage.using, schema, "using")
    match rank.vector:
        case SparseVector():
            return InRecords(SparseQuery(rank.vector, stage.params.sparse_metric or SparseMetric.DOT), space)
        case MultiVector() | QueryVector():
            matrix = MultiVector(rank.vector.values[None, :]) if isinstance(rank.vector, QueryVector) else rank.vector
            params = stage.params
            exact = params.exact or stage.search_after is not None  # graphs nominate only so many
            return InRecords(MultiQuery(matrix, exact, params.hnsw_ef, params.ivf_nprobe), space)
        case StoredVector():
            raise AssertionError("bind/stored_vectors.py replaces references")
    assert_never(rank.vector)


def _ranker(
    rank: OrderBy | Sample | ByExamples | ByMetrics | Formula | Bm25, stage: Stage, schema: CollectionSchema
) -> Ranker:
    if isinstance(rank, OrderBy | Sample | Formula):
        return rank
    if isinstance(rank, ByMetrics):
        return InMetrics(tuple(_metric_scores(rank, stage, schema)), rank.metric is None)
    if isinstance(rank, Bm25):
        return _by_text(rank, schema)
    space = space_of(stage.using, schema, "using")
    return InSpace(rank, space, schema.dense[space].distance)


def _metric_scores(rank: ByMetrics, stage: Stage, schema: CollectionSchema) -> Iterator[MetricScore]:
    for part in rank.composite if rank.metric is None else (WeightedMetric(rank.metric),):
        vector = rank.vector if part.vector is None else part.vector
        assert isinstance(vector, QueryVector), "bind/stored_vectors.py replaces references"
        space = space_of(stage.using if part.using is None else part.using, schema, "using")
        yield MetricScore(space, part.metric, vector, part.weight)


def _by_text(rank: Bm25, schema: CollectionSchema) -> ByText:
    # What is highlighted changes no rank, so leaves that differ in it alone run once.
    return ByText(replace(rank, highlight=None, fields=()), searched_fields(rank, schema, "query.bm25"))


def _highlighted(stage: Stage, schema: CollectionSchema) -> Iterator[Highlighted]:
    if isinstance(stage.query, Bm25) and stage.query.highlight is not None:
        yield Highlighted(_by_text(stage.query, schema), stage.query.highlight)
    for child in stage.prefetch:
        yield from _highlighted(child, schema)


def _build_diversity(stage: Stage, schema: CollectionSchema, name: str, node: Node, limit: int) -> Node:
    if not isinstance(stage.query, Nearest) or stage.query.mmr is None:
        return node
    space = space_of(stage.using, schema, "using")
    return Diversify(
        stage=name,
        space=space,
        distance=schema.dense[space].distance,
        diversity=stage.query.mmr.diversity,
        candidates=candidates_of(stage.query.mmr, limit),
        limit=limit + stage.offset if stage.search_after is None else EVERYTHING,
        child=node,
    )


def _build_filter(stage: Stage, name: str, node: Node) -> Node:
    if stage.filter is None:
        return node
    if stage.filter_scope is FilterScope.PUSH_DOWN:
        return Restrict(stage=name, filter=stage.filter, child=node)
    return Gate(stage=name, filter=stage.filter, child=node)


def _build_score_mode(stage: Stage, schema: CollectionSchema, name: str, node: Node) -> Node:
    if stage.score_mode is ScoreMode.RAW:
        return node
    if isinstance(stage.query, ByMetrics) and stage.query.metric is not None:
        return ConvertScores(stage=name, mode=stage.score_mode, distance=stage.query.metric, child=node)
    if not isinstance(stage.query, Nearest):
        return node
    distance = _distance_of(stage, schema)
    return ConvertScores(stage=name, mode=stage.score_mode, distance=distance, child=node)


def _distance_of(stage: Stage, schema: CollectionSchema) -> Distance:
    """Whose conversion of scores is that of a stage's: Cosine's is 1 - s, which serves every ratio, Dot's is -s."""
    space = space_of(stage.using, schema, "using")
    if space in schema.dense:
        return schema.dense[space].distance
    return Distance.DOT if stage.params.sparse_metric in (None, SparseMetric.DOT) else Distance.COSINE


def _vector(rank: Nearest) -> QueryVector:
    assert isinstance(rank.vector, QueryVector), "bind/stored_vectors.py replaces references"
    return rank.vector
