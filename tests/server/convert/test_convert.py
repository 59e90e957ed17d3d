"""Conversion of filters, queries and writes: every kind arrives, and what a message lacks is refused by field."""

import math

import numpy as np
import pytest

from headwater.v1 import common_pb2, filter_pb2, points_pb2, query_pb2
from headwater.v1.filter_pb2 import Condition, FieldCondition, Filter, HasVectorCondition, MinShould, PathCondition
from headwater.v1.payload_pb2 import ListValue, Value
from headwater.v1.points_pb2 import PointsQueryRequest, PointsSearchRequest
from headwater.v1.query_pb2 import LookupFrom, PrefetchQuery, VectorInput
from planner.errors import InvalidFilter, InvalidQuery
from planner.limits import MAX_CONDITIONS, MAX_STAGES
from planner.query import filter as engine
from planner.query.query import (
    Dbsf,
    FilterScope,
    FilterStrategy,
    Nearest,
    PayloadSelector,
    QueryVector,
    Rrf,
    ScoreMode,
    SearchParams,
    StoredVector,
    VectorsSelector,
)
from server.convert.filters import filter_of
from server.convert.queries import query_of, search_of
from server.convert.vector_kinds import vector_of
from server.convert.vectors import set_vectors
from storage.errors import InvalidPointId, InvalidRequest, LimitExceeded
from tests.server.messages import equal, ids, must, nearest, point_id, value, vector

FIELD = FieldCondition(path="a")


def listed(*values: object) -> ListValue:
    return ListValue(values=[value(each) for each in values])


def stage_vector(values: list[float]) -> QueryVector:
    return QueryVector(np.array(values, dtype=np.float32))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (equal("a.b", 5), engine.Equal("a.b", 5)),
        (equal("a", True), engine.Equal("a", True)),
        (equal("a", "x"), engine.Equal("a", "x")),
        (equal("a", 2**60 + 1), engine.Equal("a", 2**60 + 1)),
        (Condition(field=FieldCondition(path="a", any_of=listed(1, "x"))), engine.AnyOf("a", (1, "x"))),
        (Condition(field=FieldCondition(path="a", except_of=listed())), engine.ExceptOf("a", ())),
        (
            Condition(field=FieldCondition(path="a", range=filter_pb2.Range(gt=value(1), lte=value(2.5)))),
            engine.Range(path="a", gt=1, lte=2.5),
        ),
        (Condition(has_id=ids(7, "k")), engine.HasId((7, "k"))),
        (Condition(has_vector=HasVectorCondition(using="text")), engine.HasVector("text")),
        (Condition(is_null=PathCondition(path="a")), engine.IsNull("a")),
        (Condition(is_empty=PathCondition(path="a")), engine.IsEmpty("a")),
        (Condition(exists=PathCondition(path="a")), engine.Exists("a")),
        (
            Condition(nested={"path": "a", "filter": must(equal("b", 1))}),
            engine.Nested("a", engine.Filter(must=(engine.Equal("b", 1),))),
        ),
        (Condition(filter=Filter(expression="a == 1")), engine.Filter(must=(engine.Equal("a", 1),))),
        (
            Condition(field=FieldCondition(path="a", range=filter_pb2.Range(gt=value("x")))),
            engine.Range(path="a", gt="x"),
        ),
        (
            Condition(field=FieldCondition(path="a", values_count=filter_pb2.ValuesCount(gte=0, lt=3))),
            engine.ValuesCount(path="a", gte=0, lt=3),
        ),
        (
            Condition(field=FieldCondition(path="a", datetime_range=filter_pb2.DatetimeRange(gt="x"))),
            engine.DatetimeRange(path="a", gt="x"),
        ),
        *(
            (Condition(field={"path": "a", operator.value: "x"}), engine.TextTest("a", operator, "x"))
            for operator in engine.TextOperator
        ),
        (Condition(filter=must(equal("a", 1))), engine.Filter(must=(engine.Equal("a", 1),))),
    ],
)
def test_every_kind_of_condition_arrives(message: Condition, expected: engine.Condition) -> None:
    condition = filter_of(must(message), "filter").must[0]
    assert condition == expected
    assert repr(condition) == repr(expected)  # 1, 1.0 and True are equal but not the same


def test_every_clause_arrives() -> None:
    a, b, c, d = (equal(name, 1) for name in "abcd")
    message = Filter(must=[a], should=[b], must_not=[c], min_should=MinShould(conditions=[d], min_count=1))
    assert filter_of(message, "filter") == engine.Filter(
        must=(engine.Equal("a", 1),),
        should=(engine.Equal("b", 1),),
        must_not=(engine.Equal("c", 1),),
        min_should=engine.MinShould((engine.Equal("d", 1),), 1),
    )


def test_every_kind_of_condition_is_converted() -> None:
    """A kind that a later contract adds must not fall through to another."""
    assert {field.name for field in Condition.DESCRIPTOR.oneofs_by_name["kind"].fields} == {
        "field", "has_id", "has_vector", "is_null", "is_empty", "filter", "exists", "nested"
    }  # fmt: skip
    assert {field.name for field in query_pb2.Query.DESCRIPTOR.oneofs_by_name["kind"].fields} == {
        "nearest", "rrf", "dbsf", "sample", "context", "nearest_with_mmr", "order_by", "recommend", "discover",
            "formula", "rescore", "bm25"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        (Condition(), "filter.must[0]"),
        (Condition(field=FIELD), "filter.must[0].field"),
        (Condition(field=FieldCondition(path="a", equal=Value())), "filter.must[0].field.equal"),
        (equal("a", None), "filter.must[0].field.equal"),
        (equal("a", [1]), "filter.must[0].field.equal"),
        (equal("a", {"b": 1}), "filter.must[0].field.equal"),
        (Condition(field=FieldCondition(path="a", any_of=listed(1, None))), "filter.must[0].field.any_of[1]"),
        (
            Condition(field=FieldCondition(path="a", geo_radius=filter_pb2.GeoRadius(radius=1))),
            "filter.must[0].field.geo_radius.center",
        ),
        (
            Condition(field=FieldCondition(path="a", geo_polygon=filter_pb2.GeoPolygon())),
            "filter.must[0].field.geo_polygon.exterior",
        ),
        (
            Condition(field=FieldCondition(path="a", geo_bounding_box=filter_pb2.GeoBoundingBox(top_left={"lat": 1}))),
            "filter.must[0].field.geo_bounding_box.bottom_right",
        ),
        (Condition(nested={"path": "a", "filter": {"must": [{}]}}), "filter.must[0].nested.filter.must[0]"),
        (Condition(filter=Filter(expression="a =")), "filter.must[0].filter.expression"),
        (
            Condition(field=FieldCondition(path="a", range=filter_pb2.Range(lt=value(True)))),
            "filter.must[0].field.range.lt",
        ),
        (Condition(filter=Filter(must_not=[Condition()])), "filter.must[0].filter.must_not[0]"),
    ],
)
def test_a_filter_that_lacks_something_is_refused_by_field(condition: Condition, field: str) -> None:
    with pytest.raises(InvalidFilter) as raised:
        filter_of(must(condition), "filter")
    assert raised.value.field == field


def test_a_missing_id_in_a_filter_is_refused_by_field() -> None:
    message = must(Condition(has_id=common_pb2.PointIdList(ids=[point_id(1), common_pb2.PointId()])))
    with pytest.raises(InvalidPointId) as raised:
        filter_of(message, "filter")
    assert raised.value.field == "filter.must[0].has_id.ids[1]"


def test_too_many_conditions_are_refused_before_they_are_converted() -> None:
    message = must(Condition(filter=Filter(should=[Condition()] * MAX_CONDITIONS)))
    with pytest.raises(LimitExceeded, match="MAX_CONDITIONS"):
        filter_of(message, "filter")


def test_a_whole_query_arrives() -> None:
    params = query_pb2.SearchParams(hnsw_ef=9, exact=True, quantization={"rescore": False, "oversampling": 2.5})
    request = PointsQueryRequest(
        prefetch=[
            PrefetchQuery(query=nearest([1, 2]), using="text", limit=50, params=params),
            PrefetchQuery(
                query=query_pb2.Query(nearest=VectorInput(id=point_id(5))),
                lookup_from=LookupFrom(collection_name="other", using="image"),
                score_threshold=0.5,
            ),
        ],
        query=query_pb2.Query(rrf=query_pb2.ReciprocalRankFusion(k=3, weights=[1, 2])),
        filter=must(equal("a", 1)),
        filter_scope=query_pb2.FILTER_SCOPE_PUSH_DOWN,
        limit=7,
        offset=2,
        score_mode=query_pb2.SCORE_MODE_SIMILARITY,
        explain=True,
    )
    query = query_of(request, "queries[3]")
    root, (text, image) = query.root, query.root.prefetch
    assert (root.query, root.limit, root.offset) == (Rrf(3.0, (1.0, 2.0)), 7, 2)
    assert (root.filter_scope, root.score_mode) == (FilterScope.PUSH_DOWN, ScoreMode.SIMILARITY)
    assert root.filter == engine.Filter(must=(engine.Equal("a", 1),))
    assert (text.query, text.using, text.limit) == (Nearest(stage_vector([1, 2])), "text", 50)
    assert text.params == SearchParams(hnsw_ef=9, exact=True, rescore=False, oversampling=2.5)
    assert image.query == Nearest(StoredVector(5, "other", "image"))
    assert (image.score_threshold, image.limit, image.using) == (0.5, None, None)
    assert (query.path, query.explain, query.vector_field) == ("queries[3]", True, "query.nearest")


def test_what_is_unset_is_the_default() -> None:
    query = query_of(PointsQueryRequest())
    assert (query.root.query, query.root.limit, query.root.filter, query.root.using) == (None, None, None, None)
    assert (query.with_payload, query.with_vectors) == (PayloadSelector(), None)
    rrf = query_of(PointsQueryRequest(query={"rrf": {}}))
    assert rrf.root.query == Rrf(60.0, None)
    dbsf = query_of(PointsQueryRequest(query={"dbsf": {"weights": [0.5]}}))
    assert dbsf.root.query == Dbsf((0.5,))


def test_the_unnamed_space_is_not_no_space() -> None:
    assert query_of(PointsQueryRequest(using="")).root.using == ""


def test_a_search_is_a_query_of_one_leaf() -> None:
    request = PointsSearchRequest(
        vector=VectorInput(vector=vector([1, 2])),
        using="text",
        params=query_pb2.SearchParams(filter_strategy=query_pb2.FILTER_STRATEGY_PRE, indexed_only=True),
        offset=3,
        with_payload={"exclude": {"names": ["a"]}},
        with_vectors={"include": {"names": ["text"]}},
    )
    query = search_of(request)
    assert query.root.query == Nearest(stage_vector([1, 2]))
    assert query.root.params == SearchParams(filter_strategy=FilterStrategy.PRE, indexed_only=True)
    assert (query.root.using, query.root.offset, query.vector_field) == ("text", 3, "vector")
    assert query.with_payload == PayloadSelector(exclude=("a",))
    assert query.with_vectors == VectorsSelector(include=("text",))


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({"enable": True}, PayloadSelector()),
        ({"enable": False}, None),
        ({"include": {"names": ["a.b"]}}, PayloadSelector(include=("a.b",))),
        ({"include": {}}, PayloadSelector(include=())),
    ],
)
def test_payload_selectors(selector: dict[str, object], expected: PayloadSelector | None) -> None:
    assert query_of(PointsQueryRequest(with_payload=selector)).with_payload == expected


@pytest.mark.parametrize(
    ("request_", "error", "field"),
    [
        (PointsSearchRequest(), InvalidQuery, "searches[1].vector"),
        (PointsSearchRequest(vector={"id": {}}), InvalidPointId, "searches[1].vector.id"),
        (
            PointsSearchRequest(vector={"vector": vector([1])}, lookup_from={"using": "a"}),
            InvalidQuery,
            "searches[1].lookup_from",
        ),
        (
            PointsSearchRequest(vector={"vector": vector([1])}, score_mode=9),  # type: ignore[arg-type]
            InvalidRequest,
            "searches[1].score_mode",
        ),
        (
            PointsSearchRequest(vector={"vector": vector([1])}, params={"filter_strategy": 9}),
            InvalidRequest,
            "searches[1].params.filter_strategy",
        ),
        (
            PointsSearchRequest(vector={"vector": vector([1])}, with_payload={}),
            InvalidRequest,
            "searches[1].with_payload",
        ),
        (
            PointsSearchRequest(vector={"vector": vector([1])}, with_vectors={}),
            InvalidRequest,
            "searches[1].with_vectors",
        ),
    ],
)
def test_a_search_that_lacks_something_is_refused_by_field(
    request_: PointsSearchRequest, error: type[InvalidRequest], field: str
) -> None:
    with pytest.raises(error) as raised:
        search_of(request_, "searches[1]")
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (PointsQueryRequest(query={}), "query"),
        (PointsQueryRequest(query={"nearest": {}}), "query.nearest"),
        (PointsQueryRequest(prefetch=[{}, {"query": {}}]), "prefetch[1].query"),
        (
            PointsQueryRequest(prefetch=[{"prefetch": [{"filter": must(Condition())}]}]),
            "prefetch[0].prefetch[0].filter.must[0]",
        ),
        (PointsQueryRequest(prefetch=[{"filter_scope": 7}]), "prefetch[0].filter_scope"),
        (PointsQueryRequest(lookup_from={}), "lookup_from"),
    ],
)
def test_a_query_that_lacks_something_is_refused_by_field(request_: PointsQueryRequest, field: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        query_of(request_)
    assert raised.value.field == field


def test_too_many_stages_are_refused_before_they_are_converted() -> None:
    with pytest.raises(LimitExceeded, match="MAX_STAGES"):
        query_of(PointsQueryRequest(prefetch=[PrefetchQuery(query={})] * MAX_STAGES))


def test_vectors_arrive_as_they_are() -> None:
    values = np.array([1.5, -0.0, math.pi, 3.4e38, 1e-45], dtype=np.float32)
    point = common_pb2.RetrievedPoint()
    set_vectors(point.vectors, {"": values, "long": np.arange(1000, dtype=np.float32)})
    copy = common_pb2.RetrievedPoint.FromString(point.SerializeToString())
    assert vector_of(copy.vectors[""], "").tobytes() == values.tobytes()
    assert vector_of(copy.vectors["long"], "").tolist() == list(range(1000))


def test_every_write_of_a_batch_is_converted() -> None:
    from server.convert.writes import OPERATION_OF

    kinds = points_pb2.UpdateOperation.DESCRIPTOR.oneofs_by_name["kind"].fields
    assert OPERATION_OF.keys() == {field.name for field in kinds}
