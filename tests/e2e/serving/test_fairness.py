"""One caller is not alone: what rude and greedy callers do, others hardly notice. Bounds are wide."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

import headwater
from headwater import AsyncClient, Client, Distance, PointStruct, SearchRequest, VectorParams
from headwater.v1 import vde_pb2 as vde
from tests.support.server_process import running_server

CALLERS = 24
WAIT = 60.0
APART = [("grpc.use_local_subchannel_pool", 1)]
"""Options of a channel with a connection of its own."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose streams may stand still for 5 seconds, with 1,000 points in `c` and its snapshot `s`."""
    data = tmp_path_factory.mktemp("fair") / "data"
    options = ("--stream-idle-seconds", "5", "--workers", "2", "--dear-workers", "1")
    with running_server(data, options=options) as address:
        with Client(address) as client:
            client.collections.create("c", VectorParams(64, Distance.Dot))
            rows = np.random.default_rng(1).standard_normal((1_000, 64)).astype(np.float32)
            payload = {"text": "x" * 2_000}
            client.points.upsert("c", [PointStruct(n, row, payload) for n, row in enumerate(rows)])
            client.vde.create_snapshot("c", "s")
        yield address


def silent(first: Sequence[bytes], ended: threading.Event) -> Iterator[bytes]:
    """Some messages, and then nothing."""
    yield from first
    ended.wait(WAIT)


Open = Callable[[grpc.Channel, threading.Event], object]


def reflection(channel: grpc.Channel, ended: threading.Event) -> object:
    path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    return channel.stream_stream(path, None, None)(silent([], ended))


def upload(channel: grpc.Channel, ended: threading.Event) -> object:
    header = vde.UploadHeader(collection_name="c", snapshot_name="u", size_bytes=2**20)
    first = vde.VDEUploadSnapshotRequest(header=header).SerializeToString()
    return channel.stream_unary("/headwater.v1.VDE/UploadSnapshot", None, None).future(silent([first], ended))


def partition(channel: grpc.Channel, ended: threading.Event) -> object:
    return channel.stream_unary("/headwater.v1.VDE/ImportPartition", None, None).future(silent([], ended))


def download(channel: grpc.Channel, ended: threading.Event) -> object:
    request = vde.VDEDownloadSnapshotRequest(collection_name="c", snapshot_name="s").SerializeToString()
    return channel.unary_stream("/headwater.v1.VDE/DownloadSnapshot", None, None)(request)


def headers_of(path: str) -> Open:
    """Calls that send their headers and no message."""

    def headers(channel: grpc.Channel, ended: threading.Event) -> object:
        return channel.stream_unary(path, None, None).future(silent([], ended))

    return headers


RUDE: dict[str, Open] = {
    "reflection": reflection,
    "uploads": upload,
    "partitions": partition,
    "downloads": download,
    "headers of searches": headers_of("/headwater.v1.Points/Search"),
    "headers of health": headers_of("/grpc.health.v1.Health/Check"),
    "headers of watches": headers_of("/grpc.health.v1.Health/Watch"),
}


@contextmanager
def opened(address: str, open_one: Open) -> Iterator[list[object]]:
    """CALLERS calls on 4 connections, none of which goes on."""
    ended = threading.Event()
    with ExitStack() as stack:
        channels = [stack.enter_context(grpc.insecure_channel(address, APART)) for _ in range(4)]
        stack.callback(ended.set)
        yield [open_one(channels[number % 4], ended) for number in range(CALLERS)]


def check_answers(address: str) -> None:
    """Health and a cheap search answer a caller who does nothing wrong."""
    with grpc.insecure_channel(address, APART) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        for _ in range(3):
            assert check(health_pb2.HealthCheckRequest(), timeout=5).status == health_pb2.HealthCheckResponse.SERVING
    with Client(address, options=APART, timeout=10, retries=0) as client:
        for _ in range(3):
            assert len(client.points.search("c", np.ones(64), limit=3)) == 3


@pytest.mark.parametrize("kind", RUDE)
def test_callers_who_do_not_go_on_stop_nobody(address: str, kind: str) -> None:
    with opened(address, RUDE[kind]):
        check_answers(address)


def test_a_stream_that_stands_still_is_ended_and_others_get_its_place(address: str) -> None:
    """Its caller is told so; more uploads than places are open, and in the end a good one passes."""
    with opened(address, upload) as calls:
        first = calls[0]
        assert isinstance(first, grpc.Future)
        with pytest.raises(grpc.RpcError) as caught:
            first.result(timeout=WAIT)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert "stood still" in str(caught.value.details())
    with Client(address, timeout=WAIT) as client:
        assert [each.name for each in client.vde.list_snapshots("c")] == ["s"]


def test_dear_requests_of_many_let_a_cheap_one_pass(address: str) -> None:
    """And all of them are answered."""
    searches = [SearchRequest(row, limit=400) for row in np.random.default_rng(2).standard_normal((16, 64))]
    lengths: list[int] = []

    def press() -> None:
        with Client(address, options=APART, timeout=300) as client:
            lengths.extend(len(hits) for hits in client.points.search_batch("c", searches, timeout=300))

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    check_answers(address)
    for thread in threads:
        thread.join()
    assert lengths == [400] * 16 * 4


@pytest.mark.parametrize("count", [1_000, pytest.param(5_000, marks=pytest.mark.slow)])
def test_a_gather_of_many_searches_is_answered(address: str, count: int) -> None:
    """One client asks all at once; another's single search passes meanwhile."""

    async def ask() -> list[int]:
        async with AsyncClient(address, timeout=300) as client:
            answers = await asyncio.gather(*(client.points.search("c", np.ones(64), limit=1) for _ in range(count)))
            return [len(hits) for hits in answers]

    found: list[list[int]] = []
    asking = threading.Thread(target=lambda: found.append(asyncio.run(ask())))
    asking.start()
    check_answers(address)
    asking.join()
    assert found == [[1] * count]


def test_a_full_queue_is_refused_by_name_and_the_client_comes_back(tmp_path: Path) -> None:
    """With room for one that waits, a client without retries is refused, and one with them is served."""
    options = ("--workers", "1", "--max-concurrent-rpcs", "1")
    with running_server(tmp_path / "data", options=options) as address, Client(address, retries=0) as client:
        client.collections.create("c", VectorParams(4))

        async def ask(retries: int) -> list[object]:
            async with AsyncClient(address, retries=retries, timeout=300) as asker:
                calls = (asker.points.count("c") for _ in range(300))
                return list(await asyncio.gather(*calls, return_exceptions=True))

        refused = [each for each in asyncio.run(ask(0)) if each != 0]
        assert refused
        for error in refused:
            assert isinstance(error, headwater.TooManyRequestsError)
            assert float(error.metadata["retry_seconds"]) > 0
        assert asyncio.run(ask(5)) == [0] * 300


@pytest.mark.slow
def test_a_watch_with_pings_lives(tmp_path: Path) -> None:
    """A client that pings every second, past the number that would be too many by gRPC's defaults."""
    options = [("grpc.keepalive_time_ms", 1_000), ("grpc.keepalive_permit_without_calls", 1)]
    options += [("grpc.http2.max_pings_without_data", 0), ("grpc.http2.min_time_between_pings_ms", 1_000)]
    with (
        running_server(tmp_path / "data", options=("--min-ping-seconds", "0.5")) as address,
        grpc.insecure_channel(address, [*APART, *options]) as channel,
    ):
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        time.sleep(8)
        assert watch.is_active()
        watch.cancel()
