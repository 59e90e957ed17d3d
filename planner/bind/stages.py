"""Which queries are refused, and why: everything of a tree of stages that can be checked before reading a point.

It also says what a stage that names no space means. Vectors of stored points are checked in stored_vectors.py.
"""

import math

from planner.bind.filters import check_filter
from planner.bind.formulas import check_formula
from planner.bind.metrics import SpaceAt, check_by_metrics
from planner.bind.ranks import check_by_examples, check_mmr, check_order_by, check_sample
from planner.bind.texts import check_text
from planner.bind.vectors import check_nearest, dense_space
from planner.errors import AmbiguousSpace, InvalidQuery
from planner.limits import MAX_DEPTH, MAX_STAGES, MAX_WEIGHT, check_page
from planner.query import (
    DEFAULT_DEPTH,
    Bm25,
    ByMetrics,
    Context,
    Dbsf,
    Discover,
    Formula,
    Mmr,
    Nearest,
    OrderBy,
    Query,
    Recommend,
    Rrf,
    Sample,
    ScoreMode,
    SearchAfter,
    SearchParams,
    Stage,
    is_by_metric,
)
from storage.errors import LimitExceeded, NotFinite, SpaceNotFound
from storage.schema import MAX_EF, MAX_OVERSAMPLING, CollectionSchema, DenseSpace, check_levels
from storage.write import check_point_id

DEFAULT_LIMIT = 10
"""Points a query returns unless it says otherwise."""

DEFAULT_CANDIDATES = 100
"""Points among which diverse ones are picked unless a query says otherwise, or asks for more."""


def check_query(query: Query, schema: CollectionSchema) -> None:
    """Raises InvalidRequest and its subclasses or SpaceNotFound, naming the field below `query.path`."""
    path = f"{query.path}." if query.path else ""
    stages = _count_stages(query.root, path, depth=1)
    if stages > MAX_STAGES:
        raise LimitExceeded(f"{path}prefetch", limit="MAX_STAGES", maximum=MAX_STAGES, actual=stages)
    _check_score_mode(query.root, path)
    if query.root.search_after is not None:
        check_search_after(query.root, query.root.search_after, path)
    _check_stage(query.root, schema, path, DEFAULT_LIMIT, query.vector_field)


def limit_of(stage: Stage, default: int) -> int:
    """How many points the stage passes on; `default` is DEFAULT_LIMIT for the root, DEFAULT_DEPTH for a prefetch."""
    return default if stage.limit is None else stage.limit


def candidates_of(mmr: Mmr, limit: int) -> int:
    """Points among which a diverse stage picks. They do not depend on the offset, so that pages continue each other."""
    return max(DEFAULT_CANDIDATES, limit) if mmr.candidates is None else mmr.candidates


def space_of(using: str | None, schema: CollectionSchema, field: str) -> str:
    """The space meant by `using`: itself, else the unnamed one, else the only one.

    Raises SpaceNotFound when there is none of that name, AmbiguousSpace when none can be chosen.
    """
    names = schema.names
    if using is not None:
        if using not in names:
            raise SpaceNotFound(using, names, field=field)
        return using
    if "" in names:
        return ""
    if len(names) != 1:
        raise AmbiguousSpace(field, names)
    return names[0]


def _count_stages(stage: Stage, path: str, *, depth: int) -> int:
    """`path` is the stage's own, with a dot at the end unless it is empty."""
    if depth > MAX_DEPTH:
        raise LimitExceeded(path.removesuffix("."), limit="MAX_DEPTH", maximum=MAX_DEPTH, actual=depth)
    return 1 + sum(
        _count_stages(child, f"{path}prefetch[{index}].", depth=depth + 1) for index, child in enumerate(stage.prefetch)
    )


def _check_score_mode(root: Stage, path: str) -> None:
    if root.score_mode is ScoreMode.DISTANCE and not is_by_metric(root.query):
        raise InvalidQuery(f"{path}score_mode", "only a stage that ranks by a vector has distances")


def _check_stage(
    stage: Stage, schema: CollectionSchema, path: str, default_limit: int, vector_field: str = "query.nearest"
) -> None:
    """`path` is the stage's own, with a dot at the end unless it is empty."""
    limit = limit_of(stage, default_limit)
    check_page(limit, stage.offset, path)
    _check_params(stage.params, f"{path}params")
    _check_threshold(stage, f"{path}score_threshold")
    if stage.filter is not None:
        check_filter(stage.filter, schema, f"{path}filter")
    _check_rank(stage, schema, path, vector_field)
    if isinstance(stage.query, Nearest) and stage.query.mmr is not None:
        check_mmr(stage.query.mmr, limit, f"{path}query.nearest_with_mmr")
    for index, child in enumerate(stage.prefetch):
        child_path = f"{path}prefetch[{index}]."
        _check_root_only(child, child_path)
        _check_stage(child, schema, child_path, DEFAULT_DEPTH)


def check_search_after(root: Stage, position: SearchAfter, path: str) -> None:
    """Raises NotFinite, InvalidPointId, or InvalidQuery for what it does not go together with."""
    if not math.isfinite(position.score):
        raise NotFinite(f"{path}search_after.score", f"{position.score} is not finite")
    check_point_id(position.id, f"{path}search_after.id")
    if root.offset:
        raise InvalidQuery(f"{path}offset", "search_after goes on after a hit; it takes no offset")
    if root.score_mode is not ScoreMode.RAW:
        raise InvalidQuery(f"{path}score_mode", "search_after goes on after a raw score")


def _check_root_only(stage: Stage, path: str) -> None:
    if stage.offset:
        raise InvalidQuery(f"{path}offset", "only the root has an offset")
    if stage.search_after is not None:
        raise InvalidQuery(f"{path}search_after", "only the root goes on after a hit")
    if stage.score_mode is not ScoreMode.RAW:
        raise InvalidQuery(f"{path}score_mode", "only the root has a score mode")


def _check_params(params: SearchParams, path: str) -> None:
    if params.hnsw_ef is not None and not 1 <= params.hnsw_ef <= MAX_EF:
        raise InvalidQuery(f"{path}.hnsw_ef", f"{params.hnsw_ef:,} is not between 1 and {MAX_EF:,}")
    check_levels(params.ivf_nprobe or (), f"{path}.ivf_nprobe")
    _check_oversampling(params, f"{path}.quantization.oversampling")


def _check_oversampling(params: SearchParams, path: str) -> None:
    if params.oversampling is None:
        return
    if not math.isfinite(params.oversampling):
        raise NotFinite(path, f"{params.oversampling} is not finite")
    if not 1 <= params.oversampling <= MAX_OVERSAMPLING:
        raise InvalidQuery(path, f"{params.oversampling:g} is not between 1 and {MAX_OVERSAMPLING:,}")


def _check_threshold(stage: Stage, path: str) -> None:
    if stage.score_threshold is None:
        return
    if stage.query is None:
        raise InvalidQuery(path, "without a query there is no score to compare")
    if isinstance(stage.query, OrderBy | Sample):
        raise InvalidQuery(path, "an order by a field or at random has no score to compare")
    if not math.isfinite(stage.score_threshold):
        raise NotFinite(path, f"{stage.score_threshold} is not finite")


def _check_rank(stage: Stage, schema: CollectionSchema, path: str, vector_field: str) -> None:
    match stage.query:
        case None if stage.prefetch:
            raise InvalidQuery(f"{path}query", "a stage cannot have prefetches without a query")
        case None:
            if stage.using is not None:
                raise InvalidQuery(f"{path}using", "without a query no vector space is used")
        case Nearest():
            space = space_of(stage.using, schema, f"{path}using")
            field = vector_field if stage.query.mmr is None else "query.nearest_with_mmr.nearest"
            check_nearest(stage, schema, space, path, f"{path}{field}")
        case Recommend() | Discover() | Context():
            space = space_of(stage.using, schema, f"{path}using")
            check_by_examples(stage.query, dense_space(schema, space, f"{path}using"), f"{path}query")
        case OrderBy() | Sample():
            if stage.using is not None:
                raise InvalidQuery(f"{path}using", "an order by a field or at random takes no vector space")
            if isinstance(stage.query, OrderBy):
                check_order_by(stage.query, schema, f"{path}query.order_by")
            else:
                check_sample(stage.query, f"{path}query.sample")
        case Formula():
            if stage.using is not None:
                raise InvalidQuery(f"{path}using", "a formula takes no vector space")
            check_formula(stage.query, schema, len(stage.prefetch), f"{path}query.formula")
        case ByMetrics():
            check_by_metrics(stage.query, _space_finder(stage.using, schema, path), f"{path}query")
        case Bm25():
            if stage.using is not None:
                raise InvalidQuery(f"{path}using", "a query by BM25 takes no vector space")
            check_text(stage.query, schema, f"{path}query.bm25")
        case Rrf() | Dbsf():
            _check_fusion(stage.query, stage, path)


def _space_finder(using: str | None, schema: CollectionSchema, path: str) -> SpaceAt:
    """Finds the spaces of a stage that is at `path`, in which `using` is meant unless a part names its own."""
    if using is not None:
        space_of(using, schema, f"{path}using")

    def space_at(own: str | None, field: str) -> DenseSpace:
        if own is None:
            return dense_space(schema, space_of(using, schema, f"{path}using"), f"{path}using")
        return dense_space(schema, space_of(own, schema, field), field)

    return space_at


def _check_fusion(rank: Rrf | Dbsf, stage: Stage, path: str) -> None:
    name = "rrf" if isinstance(rank, Rrf) else "dbsf"
    if not stage.prefetch:
        raise InvalidQuery(f"{path}query.{name}", "fusion needs prefetches")
    if stage.using is not None:
        raise InvalidQuery(f"{path}using", "fusion takes no vector space")
    if isinstance(rank, Rrf):
        _check_not_negative(rank.k, f"{path}query.rrf.k")
    if rank.weights is not None:
        _check_weights(rank.weights, len(stage.prefetch), f"{path}query.{name}.weights")


def _check_weights(weights: tuple[float, ...], lists: int, path: str) -> None:
    if len(weights) != lists:
        raise InvalidQuery(path, f"one weight per prefetch is needed: {lists}, not {len(weights)}")
    for index, weight in enumerate(weights):
        _check_not_negative(weight, f"{path}[{index}]")
        if weight > MAX_WEIGHT:
            raise InvalidQuery(f"{path}[{index}]", f"{weight:g} is more than MAX_WEIGHT allows ({MAX_WEIGHT:g})")
    if not any(weights):
        raise InvalidQuery(path, "all weights are 0")


def _check_not_negative(value: float, path: str) -> None:
    if not math.isfinite(value):
        raise NotFinite(path, f"{value} is not finite")
    if value < 0:
        raise InvalidQuery(path, f"{value:g} is less than 0")
