"""The RPCs of Points that write and read, over a real server: outcomes, fields of what is refused, all or nothing."""

import math
from typing import Any

import grpc
import pytest

from headwater.v1 import common_pb2
from headwater.v1 import points_pb2 as wire
from server.convert.payload import MAX_PAYLOAD_BYTES, payload_message, payload_of
from tests.server.messages import equal, ids, must, point, point_id, vectors
from tests.support.serving import Service, failure_of

COMPLETED = wire.UPDATE_STATUS_COMPLETED
EVERYTHING = {"with_payload": {"enable": True}, "with_vectors": {"enable": True}}


@pytest.fixture
def filled(service: Service, collection: str) -> str:
    upsert(
        service,
        collection,
        point(1, {"": [1, 0], "text": [1, 2, 3]}, {"kind": "a", "n": 1, "deep": {"x": 1, "list": [{"y": 1}]}}),
        point(2, {"": [0, 1]}, {"kind": "b", "n": 2}),
        point("key", {}, {"kind": "a"}),
    )
    return collection


def upsert(service: Service, name: str, *points: common_pb2.PointStruct, **more: Any) -> wire.UpdateResult:
    result: wire.UpdateResult = service.points.Upsert(
        wire.PointsUpsertRequest(collection_name=name, points=points, **more)
    ).result
    return result


def get(service: Service, name: str, *values: int | str) -> wire.PointsGetResponse:
    request = wire.PointsGetRequest(collection_name=name, ids=ids(*values).ids, **EVERYTHING)
    response: wire.PointsGetResponse = service.points.Get(request)
    return response


def payload(service: Service, name: str, value: int | str) -> dict[str, object]:
    return payload_of(get(service, name, value).points[0].payload)


def by_ids(*values: int | str) -> wire.PointsSelector:
    return wire.PointsSelector(ids=ids(*values))


def by_kind(kind: str) -> wire.PointsSelector:
    return wire.PointsSelector(filter=must(equal("kind", kind)))


def test_a_point_comes_back_as_it_was_written(service: Service, collection: str) -> None:
    written = point(7, {"": [0.1, -0.0], "text": [3e38, 1e-45, 1]}, {"a": [None, True, 2**53 + 1, 1.0, "é", {"b": []}]})
    assert upsert(service, collection, written) == wire.UpdateResult(status=COMPLETED, seq=1, affected=1)
    read = get(service, collection, 7, 8)
    assert read.points[0] == common_pb2.RetrievedPoint(
        id=written.id, vectors=written.vectors, payload=written.payload, version=1
    )
    assert list(read.missing_ids) == [point_id(8)]


def test_what_was_not_asked_for_is_absent(service: Service, filled: str) -> None:
    request = wire.PointsGetRequest(collection_name=filled, ids=[point_id(1)], with_payload={"enable": False})
    read = service.points.Get(request).points[0]
    assert not read.HasField("payload")
    assert not read.vectors
    default = service.points.Get(wire.PointsGetRequest(collection_name=filled, ids=[point_id("key")])).points[0]
    assert payload_of(default.payload) == {"kind": "a"}


def test_an_empty_payload_that_was_asked_for_is_present(service: Service, collection: str) -> None:
    upsert(service, collection, point(1))
    assert get(service, collection, 1).points[0].HasField("payload")


def test_parts_of_payloads_and_vectors(service: Service, filled: str) -> None:
    request = wire.PointsGetRequest(
        collection_name=filled,
        ids=[point_id(1)],
        with_payload={"include": {"names": ["deep.list[].y", "absent"]}},
        with_vectors={"include": {"names": ["text"]}},
    )
    read = service.points.Get(request).points[0]
    assert payload_of(read.payload) == {"deep": {"list": [{"y": 1}]}}
    assert set(read.vectors) == {"text"}


def test_a_write_that_is_not_waited_for_is_applied(service: Service, collection: str) -> None:
    assert upsert(service, collection, point(1), wait=False) == wire.UpdateResult(
        status=wire.UPDATE_STATUS_ACKNOWLEDGED
    )
    assert upsert(service, collection, point(2)).affected == 1
    assert len(get(service, collection, 1, 2).points) == 2


def test_deleting_by_filter_without_waiting_outlives_its_request(service: Service, filled: str) -> None:
    service.points.Delete(wire.PointsDeleteRequest(collection_name=filled, selector=by_kind("a"), wait=False))
    upsert(service, filled, point(9))
    assert [each.id for each in get(service, filled, 1, 2, "key", 9).points] == [point_id(2), point_id(9)]


def test_deleting(service: Service, filled: str) -> None:
    def delete(selector: wire.PointsSelector) -> int:
        request = wire.PointsDeleteRequest(collection_name=filled, selector=selector)
        affected: int = service.points.Delete(request).result.affected
        return affected

    assert delete(by_ids()) == 0
    assert delete(by_ids(1, 99)) == 1
    assert delete(by_kind("a")) == 1
    assert [each.id for each in get(service, filled, 1, 2, "key").points] == [point_id(2)]


def test_updating_and_deleting_vectors(service: Service, filled: str) -> None:
    new = wire.PointVectors(id=point_id(1), vectors=vectors({"text": [7, 8, 9]}))
    service.points.UpdateVectors(wire.PointsUpdateVectorsRequest(collection_name=filled, points=[new]))
    read = get(service, filled, 1).points[0]
    assert list(read.vectors["text"].dense.values) == [7, 8, 9]
    assert list(read.vectors[""].dense.values) == [1, 0]
    service.points.DeleteVectors(
        wire.PointsDeleteVectorsRequest(collection_name=filled, selector=by_kind("a"), using=[""])
    )
    assert set(get(service, filled, 1).points[0].vectors) == {"text"}


def test_setting_payload(service: Service, filled: str) -> None:
    def set_payload(values: dict[str, object], **more: Any) -> None:
        request = wire.PointsSetPayloadRequest(
            collection_name=filled, selector=by_ids(1), payload=payload_message(values), **more
        )
        assert service.points.SetPayload(request).result.affected == 1

    set_payload({"n": 5, "new": True})
    set_payload({"z": 2}, key="deep")
    set_payload({"q": 1}, key='made."by.me"')
    assert payload(service, filled, 1) == {
        "kind": "a",
        "n": 5,
        "new": True,
        "deep": {"x": 1, "list": [{"y": 1}], "z": 2},
        "made": {"by.me": {"q": 1}},
    }


def test_overwriting_deleting_and_clearing_payload(service: Service, filled: str) -> None:
    delete = wire.PointsDeletePayloadRequest(
        collection_name=filled, selector=by_ids(1), keys=["deep.list[].y", "n", "absent.path"]
    )
    service.points.DeletePayload(delete)
    assert payload(service, filled, 1) == {"kind": "a", "deep": {"x": 1, "list": [{}]}}
    overwrite = wire.PointsOverwritePayloadRequest(
        collection_name=filled, selector=by_kind("a"), payload=payload_message({"kind": "c"})
    )
    assert service.points.OverwritePayload(overwrite).result.affected == 2
    assert payload(service, filled, "key") == payload(service, filled, 1) == {"kind": "c"}
    service.points.ClearPayload(wire.PointsClearPayloadRequest(collection_name=filled, selector=by_ids(1)))
    assert payload(service, filled, 1) == {}


def test_a_batch_is_one_write(service: Service, filled: str) -> None:
    operations = [
        wire.UpdateOperation(upsert=wire.PointsUpsertRequest(points=[point(5, payload={"kind": "z"}), point(6)])),
        wire.UpdateOperation(delete_points=wire.PointsDeleteRequest(selector=by_kind("z"))),
        wire.UpdateOperation(clear_payload=wire.PointsClearPayloadRequest(selector=by_ids(1))),
    ]
    request = wire.PointsUpdateBatchRequest(collection_name=filled, operations=operations)
    results = service.points.UpdateBatch(request).results
    assert [(each.status, each.seq, each.affected) for each in results] == [
        (COMPLETED, 2, 2),
        (COMPLETED, 2, 1),
        (COMPLETED, 2, 1),
    ]
    assert [each.id for each in get(service, filled, 5, 6).points] == [point_id(6)]


def test_a_batch_that_fails_in_the_middle_writes_nothing(service: Service, filled: str) -> None:
    operations = [
        wire.UpdateOperation(delete_points=wire.PointsDeleteRequest(selector=by_ids(1))),
        wire.UpdateOperation(clear_payload=wire.PointsClearPayloadRequest(selector=by_ids(77))),
    ]
    request = wire.PointsUpdateBatchRequest(collection_name=filled, operations=operations)
    failure = failure_of(lambda: service.points.UpdateBatch(request))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "POINT_NOT_FOUND")
    assert failure.metadata == {"ids": "77", "count": "1"}
    assert get(service, filled, 1).points


GOOD = point(1, {"": [1, 2]})
NO_KIND = payload_message({"a": 1})
NO_KIND.fields["b"].SetInParent()


@pytest.mark.parametrize(
    ("bad", "reason", "field"),
    [
        (common_pb2.PointStruct(), "INVALID_POINT_ID", "points[1].id"),
        (point(""), "INVALID_POINT_ID", "points[1].id"),
        (point("é" * 257), "INVALID_POINT_ID", "points[1].id"),
        (point(2, {"": []}), "EMPTY_VECTOR", 'points[1].vectors[""]'),
        (
            common_pb2.PointStruct(id=point_id(2), vectors={"": common_pb2.Vector()}),
            "EMPTY_VECTOR",
            'points[1].vectors[""]',
        ),
        (point(2, {"text": [1, 2]}), "DIMENSION_MISMATCH", 'points[1].vectors["text"]'),
        (point(2, {"": [1, math.nan]}), "NOT_FINITE", 'points[1].vectors[""]'),
        (point(2, {"text": [1, 2, math.inf]}), "NOT_FINITE", 'points[1].vectors["text"]'),
        (point(2, {"absent": [1]}), "SPACE_NOT_FOUND", 'points[1].vectors["absent"]'),
        (point(2, payload={"a": [math.nan]}), "NOT_FINITE", 'points[1].payload["a"][0]'),
        (point(2, payload={"": 1}), "INVALID_PAYLOAD", "points[1].payload"),
        (common_pb2.PointStruct(id=point_id(2), payload=NO_KIND), "INVALID_PAYLOAD", 'points[1].payload["b"]'),
        (point(2, payload={"a": "x" * MAX_PAYLOAD_BYTES}), "LIMIT_EXCEEDED", "points[1].payload"),
    ],
)
def test_a_bad_point_is_refused_by_field_and_nothing_is_written(
    service: Service, collection: str, bad: common_pb2.PointStruct, reason: str, field: str
) -> None:
    failure = failure_of(lambda: upsert(service, collection, GOOD, bad))
    assert (failure.reason, failure.fields) == (reason, [field])
    nested = wire.UpdateOperation(upsert=wire.PointsUpsertRequest(points=[GOOD, bad]))
    batch = wire.PointsUpdateBatchRequest(collection_name=collection, operations=[nested])
    assert failure_of(lambda: service.points.UpdateBatch(batch)).fields == [f"operations[0].upsert.{field}"]
    assert service.points.Count(wire.PointsCountRequest(collection_name=collection)).seq == 0


@pytest.mark.parametrize(
    ("rpc", "request_", "field"),
    [
        ("Upsert", wire.PointsUpsertRequest(), "points"),
        ("Delete", wire.PointsDeleteRequest(), "selector"),
        ("Delete", wire.PointsDeleteRequest(selector={"ids": {"ids": [{}]}}), "selector.ids.ids[0]"),
        ("Delete", wire.PointsDeleteRequest(selector={"filter": {"must": [{}]}}), "selector.filter.must[0]"),
        (
            "Delete",
            wire.PointsDeleteRequest(selector={"filter": must(equal("a..b", 1))}),
            "selector.filter.must[0].field.path",
        ),
        ("UpdateVectors", wire.PointsUpdateVectorsRequest(), "points"),
        ("UpdateVectors", wire.PointsUpdateVectorsRequest(points=[{"id": {"number": 1}}]), "points[0].vectors"),
        ("DeleteVectors", wire.PointsDeleteVectorsRequest(selector=by_ids(1)), "using"),
        ("DeleteVectors", wire.PointsDeleteVectorsRequest(selector=by_ids(1), using=["absent"]), "using[0]"),
        ("SetPayload", wire.PointsSetPayloadRequest(selector=by_ids(1)), "payload"),
        ("SetPayload", wire.PointsSetPayloadRequest(selector=by_ids(1), payload={}, key="a[]"), "key"),
        ("SetPayload", wire.PointsSetPayloadRequest(selector=by_ids(1), payload={}, key=""), "key"),
        ("OverwritePayload", wire.PointsOverwritePayloadRequest(selector=by_ids(1)), "payload"),
        ("DeletePayload", wire.PointsDeletePayloadRequest(selector=by_ids(1)), "keys"),
        ("DeletePayload", wire.PointsDeletePayloadRequest(selector=by_ids(1), keys=["a", "b."]), "keys[1]"),
        ("ClearPayload", wire.PointsClearPayloadRequest(), "selector"),
        ("UpdateBatch", wire.PointsUpdateBatchRequest(), "operations"),
        ("UpdateBatch", wire.PointsUpdateBatchRequest(operations=[{}]), "operations[0]"),
        ("UpdateBatch", wire.PointsUpdateBatchRequest(operations=[{}] * 257), "operations"),
        (
            "UpdateBatch",
            wire.PointsUpdateBatchRequest(operations=[{"delete_points": {"collection_name": "other"}}]),
            "operations[0].delete_points.collection_name",
        ),
        (
            "UpdateBatch",
            wire.PointsUpdateBatchRequest(operations=[{"delete_points": {"wait": True}}]),
            "operations[0].delete_points.wait",
        ),
        ("Get", wire.PointsGetRequest(), "ids"),
        ("Get", wire.PointsGetRequest(ids=[{"number": 1}, {}]), "ids[1]"),
        ("Get", wire.PointsGetRequest(ids=[{"number": 1}], with_vectors={}), "with_vectors"),
        ("Scroll", wire.PointsScrollRequest(limit=0), "limit"),
        ("Scroll", wire.PointsScrollRequest(limit=10_001), "limit"),
        ("Scroll", wire.PointsScrollRequest(offset={}), "offset"),
        ("Count", wire.PointsCountRequest(filter={"must": [{}]}), "filter.must[0]"),
    ],
)
def test_what_a_request_lacks_is_refused_by_field(
    service: Service, collection: str, rpc: str, request_: Any, field: str
) -> None:
    request_.collection_name = collection
    failure = failure_of(lambda: getattr(service.points, rpc)(request_))
    assert failure.fields == [field], failure
    assert service.points.Count(wire.PointsCountRequest(collection_name=collection)).seq == 0


def test_selecting_points_that_are_not_there(service: Service, filled: str) -> None:
    request = wire.PointsClearPayloadRequest(collection_name=filled, selector=by_ids(1, 88, "x"))
    failure = failure_of(lambda: service.points.ClearPayload(request))
    assert (failure.reason, failure.metadata["count"]) == ("POINT_NOT_FOUND", "2")
    assert payload(service, filled, 1) != {}


def test_a_payload_that_grows_too_large_by_merging_is_refused(service: Service, collection: str) -> None:
    half = "x" * (MAX_PAYLOAD_BYTES // 2)
    upsert(service, collection, point(1, payload={"a": half}))
    request = wire.PointsSetPayloadRequest(
        collection_name=collection, selector=by_ids(1), payload=payload_message({"b": half})
    )
    assert failure_of(lambda: service.points.SetPayload(request)).reason == "LIMIT_EXCEEDED"
    assert set(payload(service, collection, 1)) == {"a"}
    assert upsert(service, collection, point(2)).affected == 1  # the collection still writes


def test_scrolling_by_pages(service: Service, filled: str) -> None:
    request = wire.PointsScrollRequest(collection_name=filled, limit=2)
    first = service.points.Scroll(request)
    assert [each.id for each in first.points] == [point_id(1), point_id(2)]
    request.offset.CopyFrom(first.next_offset)
    second = service.points.Scroll(request)
    assert [each.id for each in second.points] == [point_id("key")]
    assert not second.HasField("next_offset")


def test_counting(service: Service, filled: str) -> None:
    assert service.points.Count(wire.PointsCountRequest(collection_name=filled)).count == 3
    filtered = wire.PointsCountRequest(collection_name=filled, filter=must(equal("kind", "a")))
    assert service.points.Count(filtered) == wire.PointsCountResponse(count=2, seq=1)


def test_conditions_decide_which_stored_points_change(service: Service, filled: str) -> None:
    newer = wire.StoredComparison(path="n", comparison=wire.COMPARISON_LESS)
    points = [point(1, {}, {"n": 2, "kind": "a"}), point(2, {}, {"n": 2}), point(3, {}, {"n": 1})]
    result = upsert(service, filled, *points, compare=[newer])
    assert (result.affected, result.skipped) == (2, 1)
    assert payload(service, filled, 1) == {"n": 2, "kind": "a"}
    assert payload(service, filled, 2) == {"n": 2, "kind": "b"}
    result = upsert(service, filled, *points, condition=must(equal("kind", "b")), mode=wire.UPSERT_MODE_UPDATE_ONLY)
    assert (result.affected, result.skipped) == (1, 2)
    delete = wire.PointsDeleteRequest(
        collection_name=filled, selector=by_ids(1, 2, 99), condition=must(equal("kind", "a"))
    )
    result = service.points.Delete(delete).result
    assert (result.affected, result.skipped) == (1, 1)
    change = wire.PointsSetPayloadRequest(
        collection_name=filled, selector=by_ids(2, 3), payload=payload_message({"n": 2}), compare=[newer]
    )
    result = service.points.SetPayload(change).result
    assert (result.affected, result.skipped) == (1, 1)


def test_conditions_that_cannot_be_are_refused_at_their_field(service: Service, filled: str) -> None:
    def field(operation: wire.UpdateOperation) -> list[str]:
        request = wire.PointsUpdateBatchRequest(collection_name=filled, operations=[operation])
        return failure_of(lambda: service.points.UpdateBatch(request)).fields

    def upsert_of(**more: Any) -> wire.UpdateOperation:
        return wire.UpdateOperation(upsert=wire.PointsUpsertRequest(points=[point(1)], **more))

    here = "operations[0].upsert."
    less = wire.COMPARISON_LESS
    assert field(upsert_of(compare=[wire.StoredComparison(path="n")])) == [here + "compare[0].comparison"]
    assert field(upsert_of(compare=[wire.StoredComparison(comparison=less)])) == [here + "compare[0].path"]
    bad_new = wire.StoredComparison(path="n", comparison=less, new_path="a..b")
    assert field(upsert_of(compare=[bad_new])) == [here + "compare[0].new_path"]
    insert = {"mode": wire.UPSERT_MODE_INSERT_ONLY, "condition": must(equal("n", 1))}
    assert field(upsert_of(**insert)) == [here + "mode"]
    assert field(upsert_of(mode=9)) == [here + "mode"]
    assert field(upsert_of(condition=must(equal("", 1)))) == [here + "condition.must[0].field.path"]
