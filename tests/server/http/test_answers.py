"""RPCs over HTTP answer as over gRPC: the same bytes in protobuf, and what these say in JSON."""

import gzip
import zlib

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from grpc import RpcError
from grpc_status import rpc_status
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater import Client, VectorParams
from headwater._wire.queries import query_request
from headwater.v1 import collections_pb2, points_pb2, vde_pb2
from tests.server.messages import ids, nearest, point, space
from tests.support.client_queries import DISTANCES, points_of, query_of, text_indexes_of
from tests.support.connect import Answer, ask, ask_json, framed
from tests.support.oracle.query import World
from tests.support.serving import Service
from tests.support.strategies import SIZES, queries, random_world

WORLD = random_world(3)


@pytest.fixture(scope="module")
def world(web: Service) -> World:
    """A world in the collection `world`."""
    with Client(web.address) as client:
        spaces = {name: VectorParams(SIZES[name], DISTANCES[metric]) for name, metric in WORLD.distances.items()}
        client.collections.create("world", spaces, text_indexes=text_indexes_of(WORLD))
        client.points.upsert("world", points_of(WORLD))
    return WORLD


def _without_times(reply: Message) -> Message:
    reply.ClearField("microseconds") if "microseconds" in reply.DESCRIPTOR.fields_by_name else None
    return reply


def _asked_by_grpc(web: Service, request: points_pb2.PointsQueryRequest) -> Message | Status:
    try:
        return web.points.Query(request)
    except RpcError as error:
        status: Status | None = rpc_status.from_call(error)  # type: ignore[arg-type]
        assert status is not None
        return status


@settings(max_examples=30)
@given(data=st.data())
def test_queries_are_answered_as_over_grpc(web: Service, http: str, world: World, data: st.DataObject) -> None:
    query = data.draw(queries(WORLD).filter(lambda query: not query.explain))
    request = query_request(query_of(query), "world")
    expected = _asked_by_grpc(web, request)
    path = "/headwater.v1.Points/Query"
    binary = ask(http, path, request.SerializeToString(), kind="application/proto")
    as_json = ask(http, path, json_format.MessageToJson(request).encode())
    if isinstance(expected, Status):
        assert binary.json == as_json.json
        assert binary.json["message"] == expected.message
        assert binary.status == as_json.status == 400
        return
    assert binary.headers["content-type"] == "application/proto"
    assert as_json.headers["content-type"] == "application/json"
    reply_type = points_pb2.PointsQueryResponse
    told = reply_type.FromString(binary.body)
    assert _without_times(told) == _without_times(expected)
    assert _without_times(json_format.Parse(as_json.body, reply_type())) == told


def test_a_collection_from_create_to_delete(http: str) -> None:
    request = collections_pb2.CollectionsCreateRequest(collection_name="é ☃", vectors={"": space(2)})
    ask_json(http, "Collections/Create", request, collections_pb2.CollectionsCreateResponse)
    large = 2**64 - 1
    points = [point(large, {"": [1, 0]}, {"text": "naïve 🎈", "n": 2**53 + 1}), point("key", {"": [0, 1]})]
    upsert = points_pb2.PointsUpsertRequest(collection_name="é ☃", points=points)
    ask_json(http, "Points/Upsert", upsert, points_pb2.PointsUpsertResponse)
    query = points_pb2.PointsQueryRequest(collection_name="é ☃", query=nearest([1, 0]))
    answer = ask(http, "/headwater.v1.Points/Query", json_format.MessageToJson(query).encode())
    assert [hit["id"] for hit in answer.json["result"]["points"]] == [{"number": str(large)}, {"key": "key"}]
    delete = points_pb2.PointsGetRequest(collection_name="é ☃", ids=ids(large).ids)
    assert ask(http, "/headwater.v1.Points/Get", json_format.MessageToJson(delete).encode()).status == 200
    drop = collections_pb2.CollectionsDeleteRequest(collection_name="é ☃")
    ask_json(http, "Collections/Delete", drop, collections_pb2.CollectionsDeleteResponse)


def test_what_is_not_there_is_a_typed_error(http: str) -> None:
    answer = ask(http, "/headwater.v1.Collections/Get", b'{"collectionName": "nobody"}')
    assert answer.status == 404
    assert answer.json["code"] == "not_found"
    [detail] = answer.json["details"]
    assert detail["type"] == "google.rpc.ErrorInfo"
    assert detail["debug"]["reason"] == "COLLECTION_NOT_FOUND"
    assert detail["debug"]["metadata"] == {"collection": "nobody"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"[]", "JSON"),
        (b"null", "JSON"),
        (b'{"collectionName": 3}', "collectionName"),
        (b'{"collection": "c"}', 'no field named "collection"'),
        (b'{"collectionName": "a", "collectionName": "b"}', "duplicate"),
        (b'{"collectionName": "\\ud800"}', "JSON"),
        (b'{"collectionName": "\xff"}', "JSON"),
        (b'{"limit": 1e400}', "JSON"),
        (b'{"limit": -1}', "limit"),
        (b"[" * 100_000, "JSON"),
        (b'{"prefetch":[' * 200 + b"]}" * 200, "JSON"),
        (b'{"limit": ' + b"9" * 5_000 + b"}", "JSON"),
    ],
)
def test_json_that_is_no_request_is_refused(http: str, body: bytes, said: str) -> None:
    answer = ask(http, "/headwater.v1.Points/Query", body)
    assert answer.status == 400
    assert answer.json["code"] == "invalid_argument"
    assert said in answer.json["message"]


def test_bytes_that_are_no_request_are_refused(http: str) -> None:
    answer = ask(http, "/headwater.v1.Points/Query", b"\xff\xff", kind="application/proto")
    assert (answer.status, answer.json["code"]) == (400, "invalid_argument")


@pytest.mark.parametrize(
    ("path", "method", "kind", "status"),
    [
        ("/headwater.v1.Points/Nothing", "POST", "application/json", 404),
        ("/headwater.v1.Nothing/Query", "POST", "application/json", 404),
        ("/headwater.v1.Points/Query/more", "POST", "application/json", 404),
        ("/", "GET", "application/json", 404),
        ("/headwater.v1.Points/Query", "GET", "application/json", 405),
        ("/headwater.v1.Points/Query", "PUT", "application/json", 405),
        ("/headwater.v1.Points/Query", "POST", "text/plain", 415),
        ("/headwater.v1.Points/Query", "POST", "", 415),
        ("/headwater.v1.Points/Query", "POST", "application/connect+json", 415),
        ("/headwater.v1.VDE/DownloadSnapshot", "POST", "application/json", 415),
    ],
)
def test_requests_to_no_rpc(http: str, path: str, method: str, kind: str, status: int) -> None:
    assert ask(http, path, method=method, kind=kind).status == status


def test_unknown_versions_and_compressions_are_refused(http: str) -> None:
    path = "/headwater.v1.Collections/List"
    assert ask(http, path, headers={"connect-protocol-version": "1"}).status == 200
    assert ask(http, path, headers={"connect-protocol-version": "2"}).status == 400
    assert ask(http, path, headers={"content-encoding": "br"}).status == 501


def test_requests_may_be_compressed(http: str) -> None:
    path, headers = "/headwater.v1.Collections/List", {"content-encoding": "gzip"}
    assert ask(http, path, gzip.compress(b"{}"), headers=headers).status == 200
    for body in (b"{}", gzip.compress(b"{}")[:-4], zlib.compress(b"{}")):
        answer = ask(http, path, body, headers=headers)
        assert (answer.status, answer.json["code"]) == (400, "invalid_argument")


def test_what_unfolds_to_more_than_a_message_may_have_is_refused(http: str) -> None:
    bomb = gzip.compress(b" " * (65 * 2**20))
    answer = ask(http, "/headwater.v1.Collections/List", bomb, headers={"content-encoding": "gzip"})
    assert answer.status == 400
    assert "max_message_bytes" in answer.json["message"]


def test_json_that_would_take_much_memory_is_refused_before_it_is_parsed(http: str) -> None:
    body = b'{"points": [' + b"{}," * (4 * 2**20) + b"{}]}"
    answer = ask(http, "/headwater.v1.Points/Upsert", body)
    assert answer.status == 429
    assert "max_request_memory" in answer.json["message"]
    answer = ask(http, "/headwater.v1.Points/Upsert", b" " * (16 * 2**20 + 1))
    assert answer.status == 400
    assert "MAX_JSON_BYTES" in answer.json["message"]


def test_a_deadline_that_passed(http: str) -> None:
    path = "/headwater.v1.Collections/List"
    answer = ask(http, path, headers={"connect-timeout-ms": "0"})
    assert (answer.status, answer.json["code"]) == (504, "deadline_exceeded")
    assert ask(http, path, headers={"connect-timeout-ms": "60000"}).status == 200
    for wrong in ("-1", "1.5", "12345678901", "²"):
        answer = ask(http, path, headers={"connect-timeout-ms": wrong.encode().decode("latin-1")})
        assert (answer.status, answer.json["code"]) == (400, "invalid_argument")


def _made(http: str, name: str) -> None:
    request = collections_pb2.CollectionsCreateRequest(collection_name=name, vectors={"": space(2)})
    ask_json(http, "Collections/Create", request, collections_pb2.CollectionsCreateResponse)
    points = [point(number, {"": [1, number]}) for number in range(200)]
    upsert = points_pb2.PointsUpsertRequest(collection_name=name, points=points)
    ask_json(http, "Points/Upsert", upsert, points_pb2.PointsUpsertResponse)


def _stream(http: str, rpc: str, body: bytes, form: str = "proto") -> Answer:
    answer = ask(http, f"/headwater.v1.VDE/{rpc}", body, kind=f"application/connect+{form}")
    assert answer.status == 200
    assert answer.headers["content-type"] == f"application/connect+{form}"
    return answer


@pytest.mark.parametrize("form", ["proto", "json"])
def test_a_snapshot_goes_down_and_up_again(http: str, form: str) -> None:
    name = f"streams {form}"
    _made(http, name)
    snapshot = vde_pb2.VDECreateSnapshotRequest(collection_name=name, snapshot_name="s")
    ask_json(http, "VDE/CreateSnapshot", snapshot, vde_pb2.VDECreateSnapshotResponse)

    def written(message: Message) -> bytes:
        return message.SerializeToString() if form == "proto" else json_format.MessageToJson(message).encode()

    def read(kind: type[Message], data: bytes) -> Message:
        return kind.FromString(data) if form == "proto" else json_format.Parse(data, kind())

    asked = framed(written(vde_pb2.VDEDownloadSnapshotRequest(collection_name=name, snapshot_name="s")))
    answer = _stream(http, "DownloadSnapshot", asked, form)
    assert answer.end == {}
    parts = [read(vde_pb2.VDEDownloadSnapshotResponse, data) for _, data in answer.messages[:-1]]
    archive = b"".join(part.chunk for part in parts)  # type: ignore[attr-defined]
    assert parts[0].size_bytes == len(archive)  # type: ignore[attr-defined]
    header = vde_pb2.UploadHeader(collection_name=name, snapshot_name="back", size_bytes=len(archive))
    chunks = [vde_pb2.VDEUploadSnapshotRequest(header=header)]
    chunks += [
        vde_pb2.VDEUploadSnapshotRequest(chunk=archive[start : start + 100_000])
        for start in range(0, len(archive), 100_000)
    ]
    answer = _stream(http, "UploadSnapshot", framed(*map(written, chunks)), form)
    assert answer.end == {}
    restore = vde_pb2.VDERestoreSnapshotRequest(
        collection_name=name, snapshot_name="back", target_collection_name=f"{name} again"
    )
    ask_json(http, "VDE/RestoreSnapshot", restore, vde_pb2.VDERestoreSnapshotResponse)


def test_a_stream_that_is_cut_off_leaves_nothing(http: str) -> None:
    _made(http, "cut")
    header = vde_pb2.UploadHeader(collection_name="cut", snapshot_name="half", size_bytes=100)
    first = framed(vde_pb2.VDEUploadSnapshotRequest(header=header).SerializeToString())
    for rest, said in (
        (b"", "100"),
        (b"\0\0\0", "prefix"),
        (b"\0\0\0\0\x09abc", "within a message"),
        (framed(b"\xff"), "not a"),
        (framed(b"", flags=1), "compressed"),
        (b"\0\xff\xff\xff\xff", "max_message_bytes"),
    ):
        error = _stream(http, "UploadSnapshot", first + rest).end["error"]
        assert said in error["message"]
        assert error["code"] == "invalid_argument"
    listed = vde_pb2.VDEListSnapshotsRequest(collection_name="cut")
    found = ask_json(http, "VDE/ListSnapshots", listed, vde_pb2.VDEListSnapshotsResponse)
    assert not found.snapshots  # type: ignore[attr-defined]


def test_the_error_of_a_download_is_its_last_message(http: str) -> None:
    request = vde_pb2.VDESampleVectorsRequest(collection_name="nobody", count=3)
    answer = _stream(http, "SampleVectors", framed(request.SerializeToString()))
    assert answer.end["error"]["code"] == "not_found"
    assert _stream(http, "SampleVectors", b"").end["error"]["code"] == "invalid_argument"
    assert _stream(http, "SampleVectors", framed(b"", b"")).end["error"]["code"] == "unimplemented"
