"""A dense vector means the same in each of its three forms, wherever one is taken; two at once are refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.v1 import collections_pb2, common_pb2, indexes_pb2, points_pb2, vde_pb2
from headwater.v1.indexes_pb2_grpc import IndexesStub
from tests.support.messages import in_collection, nearest, point_id, query
from tests.support.serving import Service, failure_of, serving
from tests.support.shaped_requests import Fixture, alike, outcome
from tests.support.vector_forms import FORMS, dense, in_form
from tests.support.worlds import open_database


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fixture]:
    with open_database(tmp_path_factory.mktemp("forms") / "data") as database:
        yield Fixture(database)


@given(st.data())
def test_queries(fixture: Fixture, data: st.DataObject) -> None:
    for request in alike(fixture.world, data):
        first, *others = [outcome(fixture.afresh(), in_form(request, form)) for form in FORMS]
        assert all(other == first for other in others)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("forms") / "data") as service:
        spaces = {"": collections_pb2.VectorParams(size=2)}
        spaces["many"] = collections_pb2.VectorParams(size=2, multivector_config={})
        service.collections.Create(
            collections_pb2.CollectionsCreateRequest(
                collection_name="c", vectors=spaces, sparse_vectors={"words": collections_pb2.SparseVectorParams()}
            )
        )
        yield service


@pytest.mark.parametrize("form", FORMS)
def test_writes(service: Service, form: str) -> None:
    first = {"": dense([1, 2], form), "many": dense([3, 4], form)}
    points = [common_pb2.PointStruct(id=point_id(1), vectors=first)]
    service.points.Upsert(points_pb2.PointsUpsertRequest(collection_name="c", points=points))
    update = points_pb2.PointVectors(id=point_id(1), vectors={"": dense([5, 6], form)})
    service.points.UpdateVectors(points_pb2.PointsUpdateVectorsRequest(collection_name="c", points=[update]))
    wanted = points_pb2.PointsGetRequest(collection_name="c", ids=[point_id(1)], with_vectors={"enable": True})
    [stored] = service.points.Get(wanted).points
    assert stored.vectors[""] == dense([5, 6])
    assert [list(row.values) for row in stored.vectors["many"].multi.vectors] == [[3, 4]]


@pytest.mark.parametrize("form", FORMS)
def test_recall_tests(service: Service, form: str) -> None:
    recall = vde_pb2.VDEEvaluateRecallRequest(collection_name="c", using="", queries=[dense([1, 2], form)])
    assert service.vde.EvaluateRecall(recall).queries == 1


@pytest.mark.parametrize("form", FORMS)
def test_indexes(service: Service, form: str) -> None:
    indexes: Any = IndexesStub(service.channel)
    wanted = indexes_pb2.IndexesCreateRequest(label="c", property_name=form, source="INDEX_SOURCE_EXTERNAL")
    wanted.dimensions = 2
    index = indexes.Create(wanted).index
    item = indexes_pb2.IndexItem(record_id=point_id(7), vector=dense([1, 2], form))
    service.points.Upsert(
        points_pb2.PointsUpsertRequest(collection_name="c", points=[common_pb2.PointStruct(id=point_id(7))])
    )
    indexes.UpsertVectors(indexes_pb2.IndexesUpsertVectorsRequest(index_id=index.id, items=[item]))
    asked = indexes_pb2.IndexesSearchRequest(labels=["c"], property_name=form, query_vector=dense([1, 2], form))
    assert [hit.point.id.number for hit in indexes.Search(asked).hits] == [7]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"raw": bytes(7)}, "INVALID_ARGUMENT"),
    ({"raw": bytes(12)}, "DIMENSION_MISMATCH"),
    ({"raw": b""}, "EMPTY_VECTOR"),
    ({"raw": b"\xff" * 8}, "NOT_FINITE"),
    ({"values": [1.0]}, "DIMENSION_MISMATCH"),
    ({"values": [1.0, 2.0], "raw": bytes(8)}, "INVALID_ARGUMENT"),
    ({"values": [1.0, 2.0], "dense": {"values": [1.0, 2.0]}}, "INVALID_ARGUMENT"),
    ({"values": [1.0, 2.0], "text": {"text": "two"}}, "INVALID_ARGUMENT"),
    ({"values": [1.0, 2.0], "sparse": {"indices": [1], "values": [1.0]}}, "INVALID_ARGUMENT"),
]


@pytest.mark.parametrize(("vector", "reason"), BAD)
def test_bad_vectors(service: Service, vector: dict[str, Any], reason: str) -> None:
    wrong = common_pb2.Vector(**vector)
    point = common_pb2.PointStruct(id=point_id(99), vectors={"": wrong})
    upsert = points_pb2.PointsUpsertRequest(collection_name="c", points=[point])
    failure = failure_of(lambda: service.points.Upsert(upsert))
    assert (failure.reason, failure.fields) == (reason, ['points[0].vectors[""]'])
    asked = query(query=nearest([0.0]), using="")
    asked.query.nearest.vector.CopyFrom(wrong)
    failure = failure_of(lambda: service.points.Query(in_collection(asked, "c")))
    field = "query.nearest.vector" if reason == "INVALID_ARGUMENT" else "query.nearest"
    assert (failure.reason, failure.fields) == (reason, [field])


@pytest.mark.parametrize("form", FORMS)
def test_a_sparse_space_takes_none(service: Service, form: str) -> None:
    point = common_pb2.PointStruct(id=point_id(99), vectors={"words": dense([1, 2], form)})
    upsert = points_pb2.PointsUpsertRequest(collection_name="c", points=[point])
    failure = failure_of(lambda: service.points.Upsert(upsert))
    assert (failure.reason, failure.fields) == ("INVALID_ARGUMENT", ['points[0].vectors["words"]'])
