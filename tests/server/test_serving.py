"""What surrounds the services: health, reflection, keys, bounds, bytes, deadlines, logs, and stopping."""

import logging
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from headwater.v1 import collections_pb2, points_pb2
from server.app import SERVICES, CannotStart, serve
from server.config import Config
from server.keys import Keyring, ManagedKeys, Permissions
from server.rpc.interceptors import Interceptor, budget_of
from server.rpc.rpcs import UnaryRpc
from storage.budget import Budget
from storage.errors import Cancelled, DeadlineExceeded, EngineError, StorageFailed
from tests.server.messages import point, space
from tests.support.serving import Service, failure_of, serving

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
LIST = collections_pb2.CollectionsListRequest()


def raw_call(service: Service, method: str, data: bytes) -> bytes:
    """Sends bytes as they are and returns the reply's."""
    reply: bytes = service.channel.unary_unary(f"/headwater.v1.{method}", None, None)(data)
    return reply


@pytest.mark.parametrize("name", ["", *SERVICES])
def test_health_of_each_service(service: Service, name: str) -> None:
    stub = health_pb2_grpc.HealthStub(service.channel)
    assert stub.Check(health_pb2.HealthCheckRequest(service=name)).status == SERVING
    watch = stub.Watch(health_pb2.HealthCheckRequest(service=name))
    assert next(watch).status == SERVING
    watch.cancel()


def test_health_of_what_is_no_service(service: Service) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        health_pb2_grpc.HealthStub(service.channel).Check(health_pb2.HealthCheckRequest(service="absent"))
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND


def test_health_of_all_services_at_once(service: Service) -> None:
    listed = health_pb2_grpc.HealthStub(service.channel).List(health_pb2.HealthListRequest())
    assert {name: each.status for name, each in listed.statuses.items()} == dict.fromkeys(["", *SERVICES], SERVING)


def test_watches_that_end_while_others_begin_stop_nobody(service: Service) -> None:
    """What tells gRPC of a sent message also tells of ended calls: neither may wait for the other."""

    def watch(number: int) -> None:
        for place in range(100):
            call = health_pb2_grpc.HealthStub(service.channel).Watch(health_pb2.HealthCheckRequest(), timeout=60)
            if (number + place) % 2:
                next(call)
            call.cancel()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(watch, range(8)))
    stub = health_pb2_grpc.HealthStub(service.channel)
    assert stub.Check(health_pb2.HealthCheckRequest(), timeout=60).status == SERVING


def test_a_stop_tells_watchers_and_does_not_wait_for_them(tmp_path: Path) -> None:
    seen: queue.SimpleQueue[int | None] = queue.SimpleQueue()

    def watch(responses: Iterator[health_pb2.HealthCheckResponse]) -> None:
        for response in responses:
            seen.put(response.status)
        seen.put(None)

    with serve(Config(data=tmp_path / "data", listen="127.0.0.1:0", grace_seconds=60)) as addresses:
        channel = grpc.insecure_channel(addresses.grpc)
        watcher = threading.Thread(
            target=watch, args=[health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())]
        )
        watcher.start()
        assert seen.get(timeout=10) == SERVING
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 20
    assert seen.get(timeout=10) == NOT_SERVING
    assert seen.get(timeout=10) is None
    watcher.join()
    channel.close()


def test_reflection_lists_all_services_and_describes_them(service: Service) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(service.channel)
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="headwater.v1.Points"),
    ]
    listed, described = stub.ServerReflectionInfo(iter(requests))
    names = {each.name for each in listed.list_services_response.service}
    assert {*SERVICES, "grpc.health.v1.Health"} <= names
    assert described.file_descriptor_response.file_descriptor_proto


def test_bytes_that_are_no_request(service: Service) -> None:
    failure = failure_of(lambda: raw_call(service, "Points/Upsert", b"\xff\xff\xff\xff"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
    assert "headwater.v1.PointsUpsertRequest" in failure.message


def test_text_that_is_not_utf8(service: Service) -> None:
    failure = failure_of(lambda: raw_call(service, "Collections/Get", b"\x0a\x02\xc3\x28"))
    assert failure.code == grpc.StatusCode.INVALID_ARGUMENT


def test_an_rpc_that_is_not_in_the_contract(service: Service) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        raw_call(service, "Points/Truncate", b"")
    assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_nesting_beyond_the_parser(service: Service) -> None:
    request = points_pb2.PointsQueryRequest(collection_name="x")
    stage = request.prefetch.add()
    for _ in range(90):
        stage = stage.prefetch.add()
    assert failure_of(lambda: service.points.Query(request)).code in (
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
    )


def test_the_same_request_gives_the_same_bytes(service: Service, collection: str) -> None:
    payload: dict[str, object] = {key: dict.fromkeys("zyxwv", 1) for key in "qwertyuiop"}
    service.points.Upsert(
        points_pb2.PointsUpsertRequest(
            collection_name=collection,
            points=[point(number, {"": [1, 1], "text": [1, 2, 3], "flat": [0, 1]}, payload) for number in range(20)],
        )
    )
    everything: dict[str, object] = {"with_vectors": {"enable": True}, "limit": 20}
    request = points_pb2.PointsScrollRequest(collection_name=collection, **everything)  # type: ignore[arg-type]
    replies = {raw_call(service, "Points/Scroll", request.SerializeToString()) for _ in range(5)}
    assert len(replies) == 1
    reply: Message = points_pb2.PointsScrollResponse.FromString(replies.pop())
    assert reply.SerializeToString(deterministic=True) == raw_call(
        service, "Points/Scroll", request.SerializeToString()
    )


@contextmanager
def endless_calls(seen: "queue.SimpleQueue[type[BaseException]]") -> Iterator[grpc.Channel]:
    """A channel to a server whose only RPC, `/test/Wait`, works until its budget ends; `seen` gets the error."""

    def wait(request: Message, budget: Budget) -> Message:
        try:
            while True:
                budget.check()
                time.sleep(0.001)
        except EngineError as error:
            seen.put(type(error))
            raise

    permissions = Permissions(Keyring(ManagedKeys(Path("no such file"))), str)
    interceptor = Interceptor(permissions=permissions)
    handler = UnaryRpc(interceptor, "test/Wait", collections_pb2.CollectionsListRequest, wait)
    with ThreadPoolExecutor(1) as workers:
        server = grpc.server(workers)
        method = grpc.unary_unary_rpc_method_handler(handler)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test", {"Wait": method}),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
        server.stop(None).wait()


def test_work_ends_with_the_callers_deadline_or_the_caller() -> None:
    seen: queue.SimpleQueue[type[BaseException]] = queue.SimpleQueue()
    with endless_calls(seen) as channel:
        call: Any = channel.unary_unary("/test/Wait", None, None)
        with pytest.raises(grpc.RpcError):
            call(b"", timeout=0.3)
        assert seen.get(timeout=10) in (DeadlineExceeded, Cancelled)  # gRPC may tell of the end before the clock does
        running = call.future(b"")
        time.sleep(0.1)
        running.cancel()
        assert seen.get(timeout=10) is Cancelled


def test_the_budget_is_the_callers() -> None:
    class Call:
        """Stands for gRPC, which is not ours."""

        def __init__(self, seconds: float | None, active: bool) -> None:
            self.time_remaining = lambda: seconds
            self.is_active = lambda: active
            self.peer = lambda: "ipv4:127.0.0.1:1"

    limited = budget_of(Call(5.0, True))  # type: ignore[arg-type]
    remaining = limited.remaining()
    assert remaining is not None
    assert 4 < remaining <= 5
    assert not limited.is_cancelled()
    assert limited.caller == "ipv4:127.0.0.1:1"
    unlimited = budget_of(Call(9.2e9, False))  # type: ignore[arg-type]
    assert unlimited.remaining() is None
    assert unlimited.is_cancelled()


def test_api_key(tmp_path: Path) -> None:
    with serving(tmp_path / "data", api_key="right") as service:
        for metadata in ((), (("api-key", "wrong"),), (("api-key", ""),)):
            failure = failure_of(partial(service.collections.List, LIST, metadata=metadata))
            assert (failure.code, failure.reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
        service.collections.List(LIST, metadata=(("api-key", "right"),))
        stub = health_pb2_grpc.HealthStub(service.channel)
        assert stub.Check(health_pb2.HealthCheckRequest()).status == SERVING


def test_a_request_that_is_too_large(tmp_path: Path) -> None:
    with serving(tmp_path / "data", max_message_bytes=2**16) as service:
        with pytest.raises(grpc.RpcError) as raised:
            service.collections.List(collections_pb2.CollectionsListRequest(prefix="x" * 2**16))
        assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        service.collections.List(LIST)


def test_more_than_four_megabytes_pass(service: Service, collection: str) -> None:
    payload: dict[str, object] = {"text": "x" * 2**19}
    request = points_pb2.PointsUpsertRequest(
        collection_name=collection, points=[point(number, payload=payload) for number in range(10)]
    )
    assert request.ByteSize() > 5 * 2**20
    assert service.points.Upsert(request).result.affected == 10


def test_a_port_in_use_and_a_locked_directory(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as service:
        with (
            pytest.raises(CannotStart, match=service.address),
            serving(tmp_path / "other", listen=service.address),
        ):
            pass
        with pytest.raises(StorageFailed), serving(tmp_path / "data"):
            pass


def test_the_database_outlives_its_server(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as service:
        create = collections_pb2.CollectionsCreateRequest(collection_name="kept", vectors={"": space(1)})
        service.collections.Create(create)
        upsert = points_pb2.PointsUpsertRequest(collection_name="kept", points=[point(1, {"": [1]})], wait=False)
        service.points.Upsert(upsert)
    with serving(tmp_path / "data") as service:
        assert service.points.Count(points_pb2.PointsCountRequest(collection_name="kept")).count == 1


def test_slow_requests_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), serving(tmp_path / "data", slow_ms=1e-6) as service:
        failure_of(lambda: service.points.Count(points_pb2.PointsCountRequest(collection_name="absent")))
    [record] = [record for record in caplog.records if record.getMessage() == "slow request"]
    fields = record.__dict__["fields"]
    assert (fields["method"], fields["collection"], fields["status"]) == (
        "headwater.v1.Points/Count",
        "absent",
        "NOT_FOUND",
    )


def test_requests_are_logged_when_asked(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        service.collections.List(LIST)
    assert "request" in [record.getMessage() for record in caplog.records]
    caplog.clear()
    with caplog.at_level(logging.INFO):
        service.collections.List(LIST)
    assert not [record for record in caplog.records if record.name == "server.requests"]


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("no certificate")
    with (
        pytest.raises(CannotStart, match="certificate"),
        serving(tmp_path / "data", tls_cert=garbage, tls_key=garbage),
    ):
        pass


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_tls(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=localhost", "-days", "2"]
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names], check=True, capture_output=True)
    config = Config(data=tmp_path / "data", listen="localhost:0", tls_cert=certificate, tls_key=key)
    with serve(config) as addresses:
        address = addresses.grpc
        credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
        with grpc.secure_channel(address, credentials) as channel:
            assert Service(address, channel).collections.List(LIST).collection_names == []
        with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError):
            Service(address, channel).collections.List(LIST, timeout=5)


def test_a_certificate_that_cannot_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    with (
        pytest.raises(CannotStart, match=str(missing)),
        serving(tmp_path / "data", tls_cert=missing, tls_key=missing),
    ):
        pass
