"""The RPCs of Points that rank, over a real server: the wire, not the meaning, which the planner's tests hold."""

from functools import partial
from typing import Any

import grpc
import pytest

from headwater.v1 import collections_pb2, query_pb2
from headwater.v1 import points_pb2 as wire
from server.convert.payload import payload_of
from tests.server.messages import equal, must, nearest, point, point_id, vector
from tests.support.serving import Service, failure_of

POINTS = [
    point(1, {"": [1, 0], "text": [1, 0, 0], "flat": [0, 0]}, {"kind": "a"}),
    point(2, {"": [1, 1], "text": [0, 1, 0], "flat": [3, 4]}, {"kind": "b"}),
    point("k", {"": [0, 1], "text": [0, 2, 0]}, {"kind": "a"}),
]
RRF = query_pb2.Query(rrf=query_pb2.ReciprocalRankFusion())


@pytest.fixture
def filled(service: Service, collection: str) -> str:
    service.points.Upsert(wire.PointsUpsertRequest(collection_name=collection, points=POINTS))
    return collection


def search(name: str, values: list[float], **more: Any) -> wire.PointsSearchRequest:
    return wire.PointsSearchRequest(collection_name=name, vector={"vector": vector(values)}, **more)


def found(result: wire.QueryResult) -> list[int | str]:
    return [getattr(hit.id, str(hit.id.WhichOneof("kind"))) for hit in result.points]


def test_a_search_ranks_and_returns_payloads(service: Service, filled: str) -> None:
    response = service.points.Search(search(filled, [1, 0], limit=2))
    assert found(response.result) == [1, 2]
    assert [hit.score for hit in response.result.points] == pytest.approx([1.0, 2**-0.5])
    assert payload_of(response.result.points[0].payload) == {"kind": "a"}
    assert (response.result.points[0].version, response.result.seq) == (1, 1)
    assert not response.result.points[0].vectors
    assert not response.result.HasField("explanation")


def test_a_search_by_id_leaves_the_point_out(service: Service, filled: str) -> None:
    request = wire.PointsSearchRequest(collection_name=filled, vector={"id": point_id(1)}, using="text")
    assert found(service.points.Search(request).result) == [2, "k"]


def test_lower_is_better_where_it_is(service: Service, filled: str) -> None:
    response = service.points.Search(search(filled, [0, 0], using="flat"))
    assert [(hit.id.number, hit.score) for hit in response.result.points] == [(1, 0.0), (2, 5.0)]


def test_a_tree_of_stages(service: Service, filled: str) -> None:
    prefetch = [
        query_pb2.PrefetchQuery(query=nearest([0, 1])),
        query_pb2.PrefetchQuery(query=nearest([0, 1, 0]), using="text"),
    ]
    request = wire.PointsQueryRequest(collection_name=filled, prefetch=prefetch, query=RRF)
    assert found(service.points.Query(request).result) == ["k", 2, 1]
    request.filter.CopyFrom(must(equal("kind", "b")))
    assert found(service.points.Query(request).result) == [2]


def test_batches_answer_in_order(service: Service, filled: str) -> None:
    searches = [search("", [1, 0], limit=1), search(filled, [0, 1], limit=1)]
    response = service.points.SearchBatch(wire.PointsSearchBatchRequest(collection_name=filled, searches=searches))
    assert [found(result) for result in response.results] == [[1], ["k"]]
    queries = [wire.PointsQueryRequest(limit=1, offset=offset) for offset in (1, 0)]
    batch = service.points.QueryBatch(wire.PointsQueryBatchRequest(collection_name=filled, queries=queries))
    assert [found(result) for result in batch.results] == [[2], [1]]


def test_a_batch_may_use_any_name_of_its_collection_but_no_other(service: Service, filled: str) -> None:
    alias = collections_pb2.CreateAlias(collection_name=filled, alias_name=f"{filled}-alias")
    service.collections.UpdateAliases(
        collections_pb2.CollectionsUpdateAliasesRequest(operations=[{"create_alias": alias}])
    )
    searches = [search(name, [1, 0]) for name in ("", filled, alias.alias_name)]
    batch = wire.PointsSearchBatchRequest(collection_name=alias.alias_name, searches=searches)
    assert len(service.points.SearchBatch(batch).results) == 3
    batch.searches[1].collection_name = "another"
    failure = failure_of(lambda: service.points.SearchBatch(batch))
    assert (failure.code, failure.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["searches[1].collection_name"])


def test_an_explanation_comes_alone_or_with_the_answer(service: Service, filled: str) -> None:
    query = wire.PointsQueryRequest(collection_name=filled, query=nearest([1, 0]), limit=2, explain=True)
    result = service.points.Query(query).result
    assert result.explanation.analyzed
    assert [hit.id for hit in result.explanation.hits] == [hit.id for hit in result.points]
    assert result.explanation.hits[0].stages[0].rank == 1
    plan = service.points.Explain(wire.PointsExplainRequest(query=query)).explanation
    assert not plan.analyzed
    assert not plan.root.HasField("rows_out")
    assert plan.root.operator == "fetch"
    assert plan.text
    run = service.points.Explain(wire.PointsExplainRequest(query=query, analyze=True)).explanation
    assert run.root.rows_out == 2
    assert run.root.children


@pytest.mark.parametrize(
    ("request_", "reason", "field"),
    [
        (search("", []), "EMPTY_VECTOR", "vector"),
        (search("", [1]), "DIMENSION_MISMATCH", "vector"),
        (search("", [1, float("nan")]), "NOT_FINITE", "vector"),
        (search("", [0, 0]), "ZERO_VECTOR", "vector"),
        (search("", [1, 0], using="absent"), "SPACE_NOT_FOUND", "using"),
        (search("", [1, 0], limit=0), "INVALID_LIMIT", "limit"),
        (search("", [1, 0], limit=10_000, offset=1), "INVALID_LIMIT", "limit"),
        (search("", [1, 0], score_threshold=float("inf")), "NOT_FINITE", "score_threshold"),
        (search("", [1, 0], params={"hnsw_ef": 0}), "INVALID_QUERY", "params.hnsw_ef"),
        (search("", [1, 0], with_vectors={"include": {"names": ["x"]}}), "SPACE_NOT_FOUND", None),
        (search("", [1, 0], with_payload={"include": {"names": ["a."]}}), None, None),
        (search("", [1, 0], filter=must(equal("", 1))), "INVALID_FILTER", "filter.must[0].field.path"),
    ],
)
def test_a_bad_search_is_refused_by_field(
    service: Service, filled: str, request_: wire.PointsSearchRequest, reason: str | None, field: str | None
) -> None:
    batch = wire.PointsSearchBatchRequest(collection_name=filled, searches=[search("", [1, 0]), request_])
    in_batch = failure_of(lambda: service.points.SearchBatch(batch))
    request_.collection_name = filled
    alone = failure_of(lambda: service.points.Search(request_))
    assert in_batch.fields == [f"searches[1].{path}" for path in alone.fields]
    assert len(alone.fields) == 1
    assert reason in (None, alone.reason)
    assert field in (None, *alone.fields)


@pytest.mark.parametrize(
    ("query", "reason", "field"),
    [
        ({"prefetch": [{}]}, "INVALID_QUERY", "query"),
        ({"query": RRF}, "INVALID_QUERY", "query.rrf"),
        ({"query": RRF, "prefetch": [{}], "using": "text"}, "INVALID_QUERY", "using"),
        ({"query": {"dbsf": {"weights": [1, 2]}}, "prefetch": [{}]}, "INVALID_QUERY", "query.dbsf.weights"),
        ({"query": RRF, "prefetch": [{"limit": 0}]}, "INVALID_LIMIT", "prefetch[0].limit"),
        ({"query": nearest([1, 2, 3]), "prefetch": [{}]}, "DIMENSION_MISMATCH", "query.nearest"),
        ({"query": RRF, "prefetch": [{"query": nearest([])}]}, "EMPTY_VECTOR", "prefetch[0].query.nearest"),
    ],
)
def test_a_bad_query_is_refused_by_field(
    service: Service, filled: str, query: dict[str, Any], reason: str, field: str
) -> None:
    request = wire.PointsQueryRequest(collection_name=filled, **query)
    failure = failure_of(lambda: service.points.Query(request))
    assert (failure.reason, failure.fields) == (reason, [field])
    explain = failure_of(lambda: service.points.Explain(wire.PointsExplainRequest(query=request)))
    assert explain.fields == [f"query.{field}"]


def test_bounds_of_batches(service: Service, filled: str) -> None:
    for count, reason in ((0, "INVALID_ARGUMENT"), (257, "LIMIT_EXCEEDED")):
        batch = wire.PointsSearchBatchRequest(collection_name=filled, searches=[search("", [1, 0])] * count)
        failure = failure_of(partial(service.points.SearchBatch, batch))
        assert (failure.reason, failure.fields) == (reason, ["searches"])


def test_several_spaces_and_no_name(service: Service) -> None:
    spaces = {"a": collections_pb2.VectorParams(size=1), "b": collections_pb2.VectorParams(size=1)}
    create = collections_pb2.CollectionsCreateRequest(collection_name="two-spaces", vectors=spaces)
    service.collections.Create(create)
    failure = failure_of(lambda: service.points.Search(search("two-spaces", [1])))
    assert (failure.reason, failure.fields) == ("AMBIGUOUS_SPACE", ["using"])
    assert "'a'" in failure.metadata["spaces"]


def test_a_point_named_by_a_query_must_exist(service: Service, filled: str) -> None:
    request = wire.PointsSearchRequest(collection_name=filled, vector={"id": point_id(99)})
    assert failure_of(lambda: service.points.Search(request)).reason == "POINT_NOT_FOUND"
    request = wire.PointsSearchRequest(collection_name=filled, vector={"id": point_id("k")}, using="flat")
    failure = failure_of(lambda: service.points.Search(request))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "VECTOR_NOT_FOUND")
