"""Every way in which a query or a filter is refused: the error, the field it names; bounds at the limit and past it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from planner.bind.stages import check_query
from planner.engine import Engine
from planner.errors import AmbiguousSpace, InvalidFilter, InvalidLimit, InvalidQuery
from planner.limits import MAX_CONDITIONS, MAX_DEPTH, MAX_FILTER_DEPTH, MAX_LIMIT, MAX_STAGES, MAX_WEIGHT
from planner.query.filter import (
    AnyOf,
    Condition,
    DatetimeRange,
    Equal,
    ExceptOf,
    Exists,
    Filter,
    GeoBox,
    GeoPoint,
    GeoPolygon,
    GeoRadius,
    HasId,
    HasVector,
    IsEmpty,
    IsNull,
    MinShould,
    Nested,
    Range,
    TextOperator,
    TextTest,
    ValuesCount,
)
from planner.query.query import (
    Dbsf,
    Nearest,
    PayloadSelector,
    Query,
    QueryVector,
    Rank,
    Rrf,
    ScoreMode,
    SearchParams,
    Stage,
    StoredVector,
    VectorsSelector,
)
from planner.resolve.filters import check_filter
from storage.collection import Collection
from storage.errors import (
    DimensionMismatch,
    EmptyVector,
    EngineError,
    InvalidPointId,
    InvalidRequest,
    LimitExceeded,
    NotFinite,
    SpaceNotFound,
    ZeroVector,
)
from storage.schema import CollectionSchema, DenseSpace, Distance
from tests.planner.refused_fields import field_of

SCHEMA = CollectionSchema(
    spaces={
        "text": DenseSpace(size=2, distance=Distance.COSINE, uid=0),
        "image": DenseSpace(size=3, distance=Distance.EUCLID, uid=1),
    }
)
NAN, INFINITY = float("nan"), float("inf")


def near(*values: float) -> Nearest:
    return Nearest(QueryVector(np.array(values, np.float32)))


LEAF = Stage(query=near(1, 0), using="text")
PAIR = (LEAF, LEAF)


def fused(rank: Rank, *, count: int = 2) -> Stage:
    return Stage(query=rank, prefetch=(LEAF,) * count)


def with_filter(*conditions: Condition) -> Stage:
    return replace(LEAF, filter=Filter(must=conditions))


def nested(depth: int) -> Stage:
    """A tree of `depth` levels, one stage each."""
    stage = LEAF
    for _ in range(depth - 1):
        stage = Stage(query=Rrf(), prefetch=(stage,))
    return stage


def nested_filter(depth: int) -> Filter:
    filter = Filter(must=(Equal("a", 1),))
    for _ in range(depth - 1):
        filter = Filter(must_not=(filter,))
    return filter


REFUSED: list[tuple[Stage, type[EngineError], str]] = [
    (replace(LEAF, limit=0), InvalidLimit, "limit"),
    (replace(LEAF, limit=MAX_LIMIT + 1), InvalidLimit, "limit"),
    (replace(LEAF, limit=MAX_LIMIT, offset=1), InvalidLimit, "limit"),
    (replace(LEAF, offset=MAX_LIMIT), InvalidLimit, "limit"),
    (replace(LEAF, offset=-1), InvalidLimit, "offset"),
    (Stage(query=Rrf(), prefetch=(LEAF, replace(LEAF, limit=0))), InvalidLimit, "prefetch[1].limit"),
    (replace(LEAF, using="txt"), SpaceNotFound, "using"),
    (replace(LEAF, using=None), AmbiguousSpace, "using"),
    (Stage(query=Rrf(), prefetch=(replace(LEAF, using="txt"),)), SpaceNotFound, "prefetch[0].using"),
    (replace(LEAF, query=near()), EmptyVector, "query.nearest"),
    (replace(LEAF, query=near(1, 2, 3)), DimensionMismatch, "query.nearest"),
    (replace(LEAF, query=near(1, NAN)), NotFinite, "query.nearest"),
    (replace(LEAF, query=near(INFINITY, 0)), NotFinite, "query.nearest"),
    (replace(LEAF, query=near(0, 0)), ZeroVector, "query.nearest"),
    (replace(LEAF, query=Nearest(StoredVector(-1))), InvalidPointId, "query.nearest.id"),
    (replace(LEAF, query=Nearest(StoredVector(""))), InvalidPointId, "query.nearest.id"),
    (Stage(query=Rrf()), InvalidQuery, "query.rrf"),
    (Stage(query=Dbsf()), InvalidQuery, "query.dbsf"),
    (replace(fused(Rrf()), using="text"), InvalidQuery, "using"),
    (Stage(prefetch=PAIR), InvalidQuery, "query"),
    (Stage(query=Rrf(), prefetch=(Stage(prefetch=PAIR),)), InvalidQuery, "prefetch[0].query"),
    (Stage(using="text"), InvalidQuery, "using"),
    (fused(Rrf(k=-1)), InvalidQuery, "query.rrf.k"),
    (fused(Rrf(k=NAN)), NotFinite, "query.rrf.k"),
    (fused(Rrf(weights=(1,))), InvalidQuery, "query.rrf.weights"),
    (fused(Rrf(weights=(1, 1, 1))), InvalidQuery, "query.rrf.weights"),
    (fused(Rrf(weights=(0, 0))), InvalidQuery, "query.rrf.weights"),
    (fused(Rrf(weights=(1, -1))), InvalidQuery, "query.rrf.weights[1]"),
    (fused(Dbsf(weights=(1, INFINITY))), NotFinite, "query.dbsf.weights[1]"),
    (fused(Dbsf(weights=(MAX_WEIGHT * 2, 1))), InvalidQuery, "query.dbsf.weights[0]"),
    (
        Stage(query=Rrf(), prefetch=(LEAF, fused(Rrf(weights=(1, NAN))))),
        NotFinite,
        "prefetch[1].query.rrf.weights[1]",
    ),
    (replace(LEAF, score_threshold=NAN), NotFinite, "score_threshold"),
    (Stage(score_threshold=1.0), InvalidQuery, "score_threshold"),
    (replace(LEAF, params=SearchParams(hnsw_ef=0)), InvalidQuery, "params.hnsw_ef"),
    (replace(LEAF, params=SearchParams(hnsw_ef=10_001)), InvalidQuery, "params.hnsw_ef"),
    (replace(LEAF, params=SearchParams(oversampling=0.9)), InvalidQuery, "params.quantization.oversampling"),
    (replace(LEAF, params=SearchParams(oversampling=1_001)), InvalidQuery, "params.quantization.oversampling"),
    (replace(LEAF, params=SearchParams(oversampling=math.nan)), NotFinite, "params.quantization.oversampling"),
    (replace(fused(Rrf()), score_mode=ScoreMode.DISTANCE), InvalidQuery, "score_mode"),
    (Stage(score_mode=ScoreMode.DISTANCE), InvalidQuery, "score_mode"),
    (Stage(query=Rrf(), prefetch=(replace(LEAF, offset=1),)), InvalidQuery, "prefetch[0].offset"),
    (
        Stage(query=Rrf(), prefetch=(replace(LEAF, score_mode=ScoreMode.SIMILARITY),)),
        InvalidQuery,
        "prefetch[0].score_mode",
    ),
    (nested(MAX_DEPTH + 1), LimitExceeded, ".".join(["prefetch[0]"] * MAX_DEPTH)),
    (fused(Rrf(), count=MAX_STAGES), LimitExceeded, "prefetch"),
    (with_filter(Equal("", 1)), InvalidFilter, "filter.must[0].field.path"),
    (with_filter(IsNull("a.")), InvalidFilter, "filter.must[0].is_null.path"),
    (with_filter(IsEmpty("a[")), InvalidFilter, "filter.must[0].is_empty.path"),
    (with_filter(Equal("a", NAN)), NotFinite, "filter.must[0].field.equal"),
    (with_filter(AnyOf("a", (1, INFINITY))), NotFinite, "filter.must[0].field.any_of[1]"),
    (with_filter(ExceptOf("a", (NAN,))), NotFinite, "filter.must[0].field.except_of[0]"),
    (with_filter(Range(path="a")), InvalidFilter, "filter.must[0].field.range"),
    (with_filter(Range(path="a", gte=NAN)), NotFinite, "filter.must[0].field.range.gte"),
    (with_filter(Range(path="a", lt=True)), InvalidFilter, "filter.must[0].field.range.lt"),
    (with_filter(Range(path="a", gt=1, lt="x")), InvalidFilter, "filter.must[0].field.range.lt"),
    (with_filter(DatetimeRange(path="a")), InvalidFilter, "filter.must[0].field.datetime_range"),
    (with_filter(DatetimeRange(path="a", lt="2026")), InvalidFilter, "filter.must[0].field.datetime_range.lt"),
    (with_filter(ValuesCount(path="a")), InvalidFilter, "filter.must[0].field.values_count"),
    (with_filter(ValuesCount(path="a", gt=-1)), InvalidFilter, "filter.must[0].field.values_count.gt"),
    (with_filter(TextTest("a", TextOperator.TEXT, "")), InvalidFilter, "filter.must[0].field.text"),
    (with_filter(TextTest("a", TextOperator.PHRASE, "-")), InvalidFilter, "filter.must[0].field.phrase"),
    (with_filter(TextTest("a", TextOperator.GLOB, "[")), InvalidFilter, "filter.must[0].field.glob"),
    (with_filter(TextTest("a", TextOperator.IGLOB, "{")), InvalidFilter, "filter.must[0].field.iglob"),
    (with_filter(TextTest("a", TextOperator.REGEX, r"(a)\1")), InvalidFilter, "filter.must[0].field.regex"),
    (with_filter(TextTest("a", TextOperator.CONTAINS, "x" * 4_097)), LimitExceeded, "filter.must[0].field.contains"),
    (
        with_filter(GeoRadius("a", GeoPoint(91, 0), 1)),
        InvalidFilter,
        "filter.must[0].field.geo_radius.center.lat",
    ),
    (with_filter(GeoRadius("a", GeoPoint(1, 0), -1)), InvalidFilter, "filter.must[0].field.geo_radius.radius"),
    (with_filter(GeoRadius("a", GeoPoint(1, 0), NAN)), NotFinite, "filter.must[0].field.geo_radius.radius"),
    (
        with_filter(GeoBox("a", GeoPoint(0, 0), GeoPoint(1, 181))),
        InvalidFilter,
        "filter.must[0].field.geo_bounding_box.bottom_right.lon",
    ),
    (
        with_filter(GeoBox("a", GeoPoint(0, 0), GeoPoint(1, 1))),
        InvalidFilter,
        "filter.must[0].field.geo_bounding_box.top_left.lat",
    ),
    (
        with_filter(GeoPolygon("a", (GeoPoint(0, 0), GeoPoint(1, 1), GeoPoint(0, 0)))),
        InvalidFilter,
        "filter.must[0].field.geo_polygon.exterior.points",
    ),
    (
        with_filter(GeoPolygon("a", (GeoPoint(80, 0), GeoPoint(80, 120), GeoPoint(80, -120)))),
        InvalidFilter,
        "filter.must[0].field.geo_polygon.exterior.points",
    ),
    (with_filter(Exists("")), InvalidFilter, "filter.must[0].exists.path"),
    (with_filter(Nested("", Filter())), InvalidFilter, "filter.must[0].nested.path"),
    (
        with_filter(Nested("a", Filter(must=(HasId((1,)),)))),
        InvalidFilter,
        "filter.must[0].nested.filter.must[0].has_id",
    ),
    (with_filter(HasId((1, -1))), InvalidPointId, "filter.must[0].has_id.ids[1]"),
    (with_filter(HasVector("txt")), SpaceNotFound, "filter.must[0].has_vector.using"),
    (with_filter(Filter(should=(IsNull(""),))), InvalidFilter, "filter.must[0].filter.should[0].is_null.path"),
    (
        replace(LEAF, filter=Filter(must_not=(IsNull("a"), IsNull("")))),
        InvalidFilter,
        "filter.must_not[1].is_null.path",
    ),
    (replace(LEAF, filter=Filter(min_should=MinShould((), 1))), InvalidFilter, "filter.min_should.conditions"),
    (
        replace(LEAF, filter=Filter(min_should=MinShould((IsNull("a"),), 0))),
        InvalidFilter,
        "filter.min_should.min_count",
    ),
    (
        replace(LEAF, filter=Filter(min_should=MinShould((IsNull("a"),), 2))),
        InvalidFilter,
        "filter.min_should.min_count",
    ),
    (
        replace(LEAF, filter=Filter(min_should=MinShould((IsNull(""),), 1))),
        InvalidFilter,
        "filter.min_should.conditions[0].is_null.path",
    ),
    (with_filter(*[IsNull("a")] * (MAX_CONDITIONS + 1)), LimitExceeded, "filter"),
    (
        replace(LEAF, filter=nested_filter(MAX_FILTER_DEPTH + 1)),
        LimitExceeded,
        "filter" + ".must_not[0].filter" * MAX_FILTER_DEPTH,
    ),
]


@pytest.mark.parametrize(("root", "error", "field"), REFUSED, ids=lambda value: getattr(value, "__name__", None))
def test_refused(root: Stage, error: type[EngineError], field: str) -> None:
    with pytest.raises(error) as caught:
        check_query(Query(root=root), SCHEMA)
    assert type(caught.value) is error
    assert field_of(caught.value) == field
    assert field in str(caught.value)


def test_fields_are_named_from_where_the_request_holds_the_query() -> None:
    query = Query(root=replace(LEAF, query=near(1)), path="searches[3]", vector_field="vector")
    with pytest.raises(DimensionMismatch) as caught:
        check_query(query, SCHEMA)
    assert caught.value.field == "searches[3].vector"


@pytest.mark.parametrize(
    "root",
    [
        nested(MAX_DEPTH),
        fused(Rrf(), count=MAX_STAGES - 1),
        replace(LEAF, limit=MAX_LIMIT - 1, offset=1),
        with_filter(*[IsNull("a")] * MAX_CONDITIONS),
        replace(LEAF, filter=nested_filter(MAX_FILTER_DEPTH)),
        fused(Rrf(k=0, weights=(0, MAX_WEIGHT))),
        Stage(),
        Stage(score_mode=ScoreMode.SIMILARITY),
    ],
)
def test_accepted_at_the_limit(root: Stage) -> None:
    check_query(Query(root=root), SCHEMA)


def test_bounds_are_named_in_the_text() -> None:
    for root, name in (
        (nested(MAX_DEPTH + 1), "MAX_DEPTH"),
        (fused(Rrf(), count=MAX_STAGES), "MAX_STAGES"),
        (replace(LEAF, limit=MAX_LIMIT + 1), "MAX_LIMIT"),
    ):
        with pytest.raises(InvalidRequest, match=name) as caught:
            check_query(Query(root=root), SCHEMA)
        assert caught.value.metadata["limit"] == name


def test_using_defaults_to_the_unnamed_space_then_to_the_only_one() -> None:
    only = CollectionSchema(spaces={"text": SCHEMA.spaces["text"]})
    unnamed = CollectionSchema(spaces={"": SCHEMA.spaces["text"], "image": SCHEMA.spaces["image"]})
    for schema in (only, unnamed):
        check_query(Query(root=Stage(query=near(1, 0))), schema)
    with pytest.raises(AmbiguousSpace):
        check_query(Query(root=Stage(query=near(1, 0))), CollectionSchema(spaces={}))


def test_filter_errors_are_below_the_path_given() -> None:
    with pytest.raises(InvalidFilter) as caught:
        check_filter(Filter(must=(IsNull(""),)), SCHEMA, "operations[2].delete_points.selector.filter")
    assert caught.value.field == "operations[2].delete_points.selector.filter.must[0].is_null.path"


def test_selectors_and_batches(engine: Engine, shop: Collection) -> None:
    bad_path = Query(root=LEAF, with_payload=PayloadSelector(include=("a", "b..")))
    with pytest.raises(InvalidQuery) as caught:
        engine.queries.query(shop, [bad_path])
    assert caught.value.field == "with_payload.include[1]"
    with pytest.raises(SpaceNotFound) as missing:
        engine.queries.query(
            shop, [Query(root=LEAF, with_vectors=VectorsSelector(include=("txt",)), path="queries[0]")]
        )
    assert missing.value.metadata["field"] == "queries[0].with_vectors.include[0]"
    with pytest.raises(LimitExceeded, match="MAX_BATCH"):
        engine.queries.query(shop, [Query(root=LEAF)] * 257)
    with pytest.raises(InvalidRequest):
        engine.queries.query(shop, [])
    with pytest.raises(InvalidLimit):
        engine.reads.scroll(shop, limit=0)
    with pytest.raises(LimitExceeded):
        engine.reads.get(shop, [1] * (MAX_LIMIT + 1))
    with pytest.raises(InvalidRequest):
        engine.reads.get(shop, [])
    with pytest.raises(InvalidPointId, match=r"ids\[1\]"):
        engine.reads.get(shop, [1, "x" * 513])
    with pytest.raises(InvalidPointId, match="offset"):
        engine.reads.scroll(shop, offset="")
