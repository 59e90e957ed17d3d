"""Retries, deadlines, credentials and both transports, against a real gRPC server that answers by script."""

import asyncio
import itertools
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2

import headwater
from headwater import AsyncClient, Client, PointStruct
from headwater._rpc.retries import RetryPolicy
from headwater.v1 import collections_pb2, points_pb2
from tests.client.scripted_server import Answer, Received, Refusal, ScriptedServer, error_info, start

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


def after(failures: int, answer: Message, refusal: Refusal | None = None) -> Answer:
    """Fails so many times, then answers."""
    numbers = itertools.count()

    def respond(_: Received) -> Message:
        if next(numbers) < failures:
            raise refusal or Refusal(UNAVAILABLE, "not yet")
        return answer

    return respond


def test_idempotent_calls_are_repeated_while_unavailable(server: ScriptedServer, client: Client) -> None:
    server.answer = after(2, points_pb2.PointsCountResponse(count=7))
    assert client.points.count("c") == 7
    assert len(server.received) == 3


def test_other_calls_are_not_repeated(server: ScriptedServer, client: Client) -> None:
    server.answer = after(1, points_pb2.PointsUpdateBatchResponse())
    with pytest.raises(headwater.UnavailableError):
        client.points.update_batch("c", [])
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED),
        Refusal(grpc.StatusCode.NOT_FOUND),
        Refusal(UNAVAILABLE, "", error_info("STORAGE_FAILED")),
    ],
    ids=lambda refusal: refusal.code.name,
)
def test_what_does_not_pass_by_itself_is_not_repeated(server: ScriptedServer, client: Client, refusal: Refusal) -> None:
    server.answer = after(1, points_pb2.PointsCountResponse(), refusal)
    with pytest.raises(headwater.HeadwaterError):
        client.points.count("c")
    assert len(server.received) == 1


def full(milliseconds: int) -> Refusal:
    """What a server says whose queue is full."""
    info = error_details_pb2.RetryInfo()
    info.retry_delay.FromMilliseconds(milliseconds)
    return Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "full", error_info("TOO_MANY_REQUESTS"), info)


def test_a_full_server_is_asked_again_when_it_says_and_as_often_as_needed(
    server: ScriptedServer, client: Client
) -> None:
    """Also for calls that are not idempotent, since nothing was done; it counts as no attempt."""
    server.answer = after(8, points_pb2.PointsUpdateBatchResponse(), full(20))
    started = time.monotonic()
    assert client.points.update_batch("c", []) == []
    assert len(server.received) == 9
    assert time.monotonic() - started >= 8 * 0.02


def test_a_full_server_is_asked_again_by_the_async_client(server: ScriptedServer) -> None:
    server.answer = after(3, points_pb2.PointsCountResponse(count=7), full(20))

    async def count() -> int:
        async with AsyncClient(server.address) as client:
            return await client.points.count("c")

    assert asyncio.run(count()) == 7


@pytest.mark.parametrize(("retries", "timeout"), [(0, 60.0), (None, 0.5)])
def test_a_full_server_is_an_error_at_the_deadline_or_without_retries(
    server: ScriptedServer, retries: int | None, timeout: float
) -> None:
    server.answer = after(10**6, points_pb2.PointsCountResponse(), full(1_000))
    with Client(server.address, retries=retries) as client, pytest.raises(headwater.TooManyRequestsError) as caught:
        client.points.count("c", timeout=timeout)
    assert caught.value.metadata["retry_seconds"] == "1.0"
    assert len(server.received) == 1


def test_retries_end(server: ScriptedServer) -> None:
    server.answer = after(10**6, points_pb2.PointsCountResponse())
    with Client(server.address, retries=2) as client, pytest.raises(headwater.UnavailableError, match="not yet"):
        client.points.count("c")
    assert len(server.received) == 3


def test_the_deadline_holds_for_all_attempts_together(server: ScriptedServer, client: Client) -> None:
    server.answer = after(10**6, points_pb2.PointsCountResponse())
    began = time.monotonic()
    with pytest.raises(headwater.UnavailableError):
        client.points.count("c", timeout=0.3)
    assert time.monotonic() - began < 0.35
    deadlines = [request.seconds_left for request in server.received]
    assert deadlines == sorted(deadlines, reverse=True)  # type: ignore[type-var]


def test_a_slow_answer_is_deadline_exceeded(server: ScriptedServer, client: Client) -> None:
    done = threading.Event()
    server.answer = lambda _: (done.wait(5), points_pb2.PointsCountResponse())[1]
    try:
        with pytest.raises(headwater.DeadlineExceededError) as caught:
            client.points.count("c", timeout=0.1)
    finally:
        done.set()
    assert caught.value.reason == ""  # no server said so


@pytest.mark.parametrize(("of_client", "of_call", "expected"), [(60, None, 60), (60, 5, 5), (None, None, None)])
def test_timeouts_of_client_and_call(
    server: ScriptedServer, of_client: float | None, of_call: float | None, expected: float | None
) -> None:
    server.answer = after(0, points_pb2.PointsCountResponse())
    with Client(server.address, timeout=of_client) as client:
        client.points.count("c", timeout=of_call)
    (request,) = server.received
    assert request.seconds_left == (None if expected is None else pytest.approx(expected, abs=1))


def test_waits_grow_and_stay_bounded() -> None:
    policy = RetryPolicy()
    for retry, longest in enumerate([0.05, 0.1, 0.2, 0.2, 0.2]):
        assert all(longest / 2 <= policy.wait(retry) <= longest for _ in range(50))


def test_no_server_is_unavailable() -> None:
    with Client("localhost:1", retries=0) as client, pytest.raises(headwater.UnavailableError):
        client.collections.list()


def test_a_server_that_comes_later_is_found() -> None:
    late = ScriptedServer(answer=after(0, collections_pb2.CollectionsListResponse(collection_names=["a"])))
    start(late).stop(None).wait()  # finds a free port
    running: list[grpc.Server] = []
    timer = threading.Timer(0.4, lambda: running.append(start(late, address=late.address)))
    with Client(late.address) as client:
        timer.start()
        assert client.collections.list() == ["a"]
    timer.join()
    running[0].stop(None).wait()


def test_api_key_and_options_are_sent(server: ScriptedServer) -> None:
    server.answer = after(0, points_pb2.PointsCountResponse())
    options = [("grpc.primary_user_agent", "shop/1")]
    with Client(server.address, api_key="secret", options=options) as client:
        client.points.count("c")
    (request,) = server.received
    assert request.metadata["api-key"] == "secret"
    assert request.metadata["user-agent"].startswith("shop/1")


def test_large_answers_are_not_refused(server: ScriptedServer, client: Client) -> None:
    names = ["n" * 1000] * 10_000  # 10 MB; gRPC's own limit is 4 MiB
    server.answer = after(0, collections_pb2.CollectionsListResponse(collection_names=names))
    assert client.collections.list() == names


def test_a_request_too_deep_for_protobuf_is_refused_before_it_is_sent(server: ScriptedServer, client: Client) -> None:
    stage = headwater.PrefetchQuery([1.0])
    for _ in range(150):
        stage = headwater.PrefetchQuery(headwater.Fusion.RRF, prefetch=stage)
    with pytest.raises(headwater.LimitExceededError):
        client.points.query("c", headwater.Fusion.RRF, prefetch=stage)
    assert server.received == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
@pytest.mark.parametrize("surface", ["sync", "async"])
def test_tls(tmp_path: Path, surface: str) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    handler = ScriptedServer(answer=after(0, points_pb2.PointsCountResponse(count=1)))
    running = start(handler, grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())]))
    credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
    try:
        if surface == "sync":
            with Client(handler.address, tls=credentials, api_key="secret") as client:
                assert client.points.count("c") == 1
            with Client(f"grpcs://{handler.address}", timeout=None) as client:  # no authority known here
                for call in (client.points.count, client.collections.create):
                    with pytest.raises(headwater.UnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
                        call("c")
        else:
            assert asyncio.run(async_count(handler.address, tls=credentials)) == 1
    finally:
        running.stop(None).wait()
    assert handler.received[0].path == "/headwater.v1.Points/Count"


def test_a_server_without_tls_is_not_waited_for_to_have_it(server: ScriptedServer) -> None:
    with (
        Client(f"https://{server.address}", timeout=None) as client,
        pytest.raises(headwater.UnavailableError, match=r"WRONG_VERSION_NUMBER.*with TLS"),
    ):
        client.points.count("c")


async def async_count(address: str, tls: grpc.ChannelCredentials) -> int:
    async with AsyncClient(address, tls=tls) as client:
        return await client.points.count("c")


def test_the_async_client_repeats_and_raises_alike(server: ScriptedServer) -> None:
    server.answer = after(2, points_pb2.PointsCountResponse(count=7))

    async def run() -> int:
        async with AsyncClient(server.address) as client:
            count = await client.points.count("c")
            server.answer = after(1, points_pb2.PointsCountResponse(), Refusal(grpc.StatusCode.NOT_FOUND, "gone"))
            with pytest.raises(headwater.NotFoundError, match="gone"):
                await client.points.count("c")
            return count

    assert asyncio.run(run()) == 7
    assert len(server.received) == 4


def test_async_calls_run_side_by_side(server: ScriptedServer) -> None:
    both = threading.Barrier(2)
    server.answer = lambda _: (both.wait(5), points_pb2.PointsCountResponse(count=1))[1]

    async def run() -> tuple[int, int]:
        async with AsyncClient(server.address) as client:
            return await asyncio.gather(client.points.count("a"), client.points.count("b"))

    assert sum(asyncio.run(run())) == 2


def test_an_async_client_made_outside_a_loop_and_never_used_closes() -> None:
    client = AsyncClient()
    asyncio.run(client.close())


def test_get_or_create_creates_what_is_not_there(server: ScriptedServer, client: Client) -> None:
    info = collections_pb2.CollectionInfo(collection_name="c", points_count=3)
    missing = Refusal(grpc.StatusCode.NOT_FOUND, "", error_info("COLLECTION_NOT_FOUND"))
    taken = Refusal(grpc.StatusCode.ALREADY_EXISTS, "", error_info("COLLECTION_ALREADY_EXISTS"))
    steps: list[Callable[[], Message]] = []

    def raises(refusal: Refusal) -> Callable[[], Message]:
        def step() -> Message:
            raise refusal

        return step

    server.answer = lambda _: steps.pop(0)()
    found = collections_pb2.CollectionsGetResponse(collection=info)
    made = collections_pb2.CollectionsCreateResponse(collection=info)
    for script, paths in (
        ([lambda: found], ["Get"]),
        ([raises(missing), lambda: made], ["Get", "Create"]),
        ([raises(missing), raises(taken), lambda: found], ["Get", "Create", "Get"]),
    ):
        steps[:] = script
        server.received.clear()
        assert client.collections.get_or_create("c").points_count == 3
        assert [request.path.split("/")[-1] for request in server.received] == paths


def test_delete_of_an_absent_collection(server: ScriptedServer, client: Client) -> None:
    server.answer = after(0, collections_pb2.CollectionsDeleteResponse(deleted=False))
    assert client.collections.delete("c", strict=False) is False
    with pytest.raises(headwater.CollectionNotFoundError) as caught:
        client.collections.delete("c")
    assert caught.value.metadata == {"collection": "c"}


def test_upload_sends_batches_and_reports(server: ScriptedServer, client: Client) -> None:
    server.answer = after(0, points_pb2.PointsUpsertResponse())
    points = [PointStruct(number, np.ones(4, np.float32)) for number in range(10)]
    seen: list[tuple[int, int | None]] = []
    assert client.upload_points("c", points, batch_size=4, progress=lambda *now: seen.append(now)) == 10
    assert seen == [(4, 10), (8, 10), (10, 10)]
    sent = [points_pb2.PointsUpsertRequest.FromString(request.request) for request in server.received]
    assert [len(request.points) for request in sent] == [4, 4, 2]
    assert client.points.upload_points("c", iter(points), progress=lambda *now: seen.append(now)) == 10
    assert seen[-1] == (10, None)


def test_upload_is_awaited_too(server: ScriptedServer) -> None:
    server.answer = after(0, points_pb2.PointsUpsertResponse())

    async def run() -> int:
        async with AsyncClient(server.address) as client:
            return await client.upload_points("c", (PointStruct(number) for number in range(5)), batch_size=2)

    assert asyncio.run(run()) == 5
    assert len(server.received) == 3
