"""Connections that break, end and come back: restarts, proxies, event loops, forks, closing. Real gRPC, no engine."""

import asyncio
import logging
import multiprocessing
import pickle
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

import headwater
from headwater import AsyncClient, Client
from headwater._rpc.retries import RetryPolicy
from headwater.v1 import points_pb2, vde_pb2
from tests.client.scripted_server import Answer, Received, ScriptedServer, start
from tests.support.server_process import running_server

COUNT = points_pb2.PointsCountResponse(count=7)
PAGE = points_pb2.PointsScrollResponse(cursor="c1")
PAGE.points.add().id.number = 1
PAGE.next_offset.number = 3


def counts(_: Received) -> points_pb2.PointsCountResponse:
    return COUNT


def answer_at(arrived: threading.Event, release: threading.Event) -> Answer:
    """Says when a request has arrived, and answers when told to."""

    def respond(_: Received) -> points_pb2.PointsCountResponse:
        arrived.set()
        release.wait(30)
        return COUNT

    return respond


@contextmanager
def absent_server() -> Iterator[ScriptedServer]:
    """A server that was there and is away; start it at its address."""
    handler = ScriptedServer(answer=counts)
    start(handler).stop(None).wait()
    yield handler


@contextmanager
def coming_back(handler: ScriptedServer, after: float) -> Iterator[list[float]]:
    """Starts the server in some seconds; the list then has the time."""
    times: list[float] = []
    running: list[grpc.Server] = []

    def come() -> None:
        running.append(start(handler, address=handler.address))
        times.append(time.monotonic())

    timer = threading.Timer(after, come)
    timer.start()
    try:
        yield times
    finally:
        timer.join()
        running[0].stop(None).wait()


def test_a_restart_longer_than_any_number_of_retries_is_waited_for() -> None:
    """Five seconds: a channel whose back-off were not bounded would by then wait for seconds more."""
    with absent_server() as handler, Client(handler.address) as client, coming_back(handler, 5.0) as back:
        assert client.points.count("c") == 7
        assert time.monotonic() - back[0] < 5.0  # half a second on a quiet machine


def test_a_call_that_may_not_be_repeated_waits_for_its_connection_too() -> None:
    with absent_server() as handler, Client(handler.address) as client, coming_back(handler, 0.5):
        handler.answer = lambda _: points_pb2.PointsUpdateBatchResponse()
        assert client.points.update_batch("c", []) == []
    assert len(handler.received) == 1


def test_a_file_is_asked_for_once_the_server_is_there(tmp_path: Path) -> None:
    with absent_server() as handler:
        with (
            Client(handler.address, retries=0) as client,
            pytest.raises(headwater.UnavailableError, match="make serve"),
        ):
            client.vde.download_snapshot("c", "s", tmp_path / "file")
        handler.answer = lambda _: vde_pb2.VDEDownloadSnapshotResponse()
        with Client(handler.address) as client, coming_back(handler, 0.5):
            assert client.vde.download_snapshot("c", "s", tmp_path / "file").read_bytes() == b""
    assert [received.path.split("/")[-1] for received in handler.received] == ["Check", "DownloadSnapshot"]


def test_the_async_client_waits_as_well() -> None:
    async def run(address: str) -> int:
        async with AsyncClient(address) as client:
            return await client.points.count("c")

    with absent_server() as handler, coming_back(handler, 0.5):
        assert asyncio.run(run(handler.address)) == 7


@pytest.mark.parametrize("policy", [{"retries": 0}, {"timeout": 0.4}, {"retries": 1}])
@pytest.mark.parametrize("call", ["count", "update_batch"])
def test_an_absent_server_is_named_as_it_was_typed(policy: dict[str, float], call: str) -> None:
    with absent_server() as handler:
        typed = f"http://{handler.address}/"
        with (
            Client(typed, **policy) as client,  # type: ignore[arg-type]
            pytest.raises(headwater.UnavailableError) as caught,
        ):
            client.points.count("c") if call == "count" else client.points.update_batch("c", [])
    assert f"no Headwater server answers at {typed}: " in str(caught.value)
    assert "make serve" in str(caught.value)
    assert "refused" in str(caught.value)
    assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.UNAVAILABLE, "")


def test_a_name_that_nobody_has_is_an_error_that_says_it() -> None:
    with Client("nobody.invalid:7", timeout=0.5) as client, pytest.raises(headwater.HeadwaterError) as caught:
        client.points.count("c")
    assert "nobody.invalid:7" in str(caught.value)


def test_waiting_for_a_server_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with absent_server() as handler, Client(handler.address) as client, caplog.at_level(logging.WARNING, "headwater"):
        for _ in range(2):
            with pytest.raises(headwater.UnavailableError):
                client.points.count("c", timeout=3.0)
    [record] = caplog.records
    assert handler.address in record.getMessage()


def test_without_a_deadline_an_outage_is_waited_for_but_not_for_ever() -> None:
    with absent_server() as handler, Client(handler.address, timeout=None) as client:
        client._calls._retry = RetryPolicy(longest_outage=0.3)
        with pytest.raises(headwater.UnavailableError):
            client.points.count("c")


@pytest.mark.parametrize("variable", ["http_proxy", "https_proxy", "grpc_proxy"])
@pytest.mark.parametrize("surface", ["sync", "async"])
def test_proxies_of_the_environment_do_not_capture_calls_to_this_machine(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, variable: str, surface: str
) -> None:
    server.answer = counts
    for name in ("no_proxy", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv(variable, f"http://127.0.0.1:{nobody.getsockname()[1]}")
        for address in (server.address, server.address.replace("localhost", "127.0.0.1")):
            if surface == "sync":
                with Client(address, retries=0) as client:
                    assert client.points.count("c") == 7
            else:
                assert asyncio.run(count_of(AsyncClient(address, retries=0))) == 7


async def count_of(client: AsyncClient) -> int:
    async with client:
        return await client.points.count("c")


def test_a_socket_is_an_address(tmp_path: Path) -> None:
    handler = ScriptedServer(answer=counts)
    running = start(handler, address=f"unix:{tmp_path}/s")
    try:
        for typed in (f"unix:{tmp_path}/s", f"unix://{tmp_path}/s"):
            with Client(typed, retries=0) as client:
                assert client.points.count("c") == 7
    finally:
        running.stop(None).wait()


def test_an_async_client_serves_one_event_loop_after_another(server: ScriptedServer) -> None:
    server.answer = counts
    client = AsyncClient(server.address)
    for _ in range(3):
        assert asyncio.run(client.points.count("c")) == 7
    assert len(client._calls._transport._channels) == 1  # type: ignore[attr-defined]  # those of ended loops are gone
    asyncio.run(client.close())


def test_an_async_client_serves_event_loops_in_several_threads(server: ScriptedServer) -> None:
    server.answer = counts
    client = AsyncClient(server.address)
    together = threading.Barrier(3)
    seen: list[int] = []

    async def work() -> None:
        for _ in range(5):
            seen.append(await client.points.count("c"))
            await asyncio.to_thread(together.wait, 30)

    threads = [threading.Thread(target=lambda: asyncio.run(work())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [7] * 15
    asyncio.run(client.close())


def test_a_closed_client_says_so(server: ScriptedServer) -> None:
    server.answer = counts
    client = Client(server.address)
    assert client.points.count("c") == 7
    client.close()
    client.close()
    calls = [
        lambda: client.points.count("c"),
        lambda: client.collections.create("c"),
        lambda: next(client.points.scroll_all("c")),
        lambda: next(client.points.query_all("c")),
        lambda: client.vde.download_snapshot("c", "s", "/nowhere/file"),
        client.__enter__,
    ]
    for call in calls:
        with pytest.raises(headwater.ClientClosedError, match=f"{server.address} is closed"):
            call()
    assert "closed" in repr(client)
    assert len(server.received) == 1


def test_a_closed_async_client_says_so(server: ScriptedServer) -> None:
    server.answer = counts

    async def run() -> None:
        client = AsyncClient(server.address)
        assert await client.points.count("c") == 7
        await client.close()
        await client.close()
        with pytest.raises(headwater.ClientClosedError):
            await client.points.count("c")
        with pytest.raises(headwater.ClientClosedError):
            await anext(client.points.scroll_all("c"))
        with pytest.raises(headwater.ClientClosedError):
            await client.__aenter__()

    asyncio.run(run())


def test_what_is_under_way_when_a_client_is_closed_ends_typed(server: ScriptedServer) -> None:
    arrived, release = threading.Event(), threading.Event()
    server.answer = answer_at(arrived, release)
    client = Client(server.address)
    failures: list[BaseException] = []

    def count() -> None:
        try:
            client.points.count("c")
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=count)
    thread.start()
    assert arrived.wait(30)
    client.close()
    thread.join(30)
    release.set()
    assert [type(failure) for failure in failures] == [headwater.ClientClosedError]


def test_what_is_awaited_when_a_client_is_closed_ends_typed_and_cancelling_still_cancels(
    server: ScriptedServer,
) -> None:
    arrived, release = threading.Event(), threading.Event()
    server.answer = answer_at(arrived, release)

    async def run() -> None:
        client = AsyncClient(server.address)
        cancelled = asyncio.create_task(client.points.count("c"))
        closed = asyncio.create_task(client.points.count("c"))
        assert await asyncio.to_thread(arrived.wait, 30)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        await client.close()
        with pytest.raises(headwater.ClientClosedError):
            await closed

    try:
        asyncio.run(run())
    finally:
        release.set()


def test_leaving_a_generator_early_lets_go_of_its_cursor_once(server: ScriptedServer) -> None:
    server.answer = lambda received: PAGE if "Scroll" in received.path else points_pb2.PointsCloseCursorResponse()
    with Client(server.address) as client:
        for _ in client.points.scroll_all("c"):
            break
        assert [received.path.split("/")[-1] for received in server.received] == ["Scroll", "CloseCursor"]


def test_leaving_a_generator_while_the_server_is_away_does_not_wait_for_it() -> None:
    with absent_server() as handler, Client(handler.address) as client:
        handler.answer = lambda _: PAGE
        running = start(handler, address=handler.address)
        records = client.points.scroll_all("c")
        next(records)
        running.stop(None).wait()
        began = time.monotonic()
        records.close()
        assert time.monotonic() - began < 30  # the deadline of calls is a minute


def test_leaving_an_async_generator_and_closing_leaves_no_traceback(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    server.answer = lambda received: PAGE if "Scroll" in received.path else points_pb2.PointsCloseCursorResponse()

    async def run(*, in_context: bool) -> None:
        client = AsyncClient(server.address)
        if in_context:
            async with client:
                async for _ in client.points.scroll_all("c"):
                    break
        else:
            async for _ in client.points.scroll_all("c"):
                break
            await client.close()
            await asyncio.sleep(0)

    for in_context in (True, False):
        for _ in range(5):
            asyncio.run(run(in_context=in_context))
    assert [record.getMessage() for record in caplog.records] == []
    assert capfd.readouterr().err == ""


def counted(client: Client, answers: "multiprocessing.SimpleQueue[object]") -> None:
    try:
        answers.put(client.points.count("c"))
    except Exception as failure:
        answers.put(repr(failure))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks in processes that have threads
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_a_client_serves_other_processes_too(method: str, tmp_path: Path) -> None:
    """By pickling where they are spawned, as it is where they are forked. The server is yet another process."""
    with running_server(tmp_path / "data") as address, Client(address, timeout=30) as client:
        client.collections.create("c", {"": headwater.VectorParams(2)})
        context: Any = multiprocessing.get_context(method)
        answers = context.SimpleQueue()
        process = context.Process(target=counted, args=(client, answers))
        process.start()
        process.join(60)
        assert process.exitcode == 0
        assert answers.get() == 0
        assert client.points.count("c") == 0


def test_pickled_clients_keep_their_settings_and_refuse_what_cannot_be_sent() -> None:
    for kind in (Client, AsyncClient):
        copy = pickle.loads(pickle.dumps(kind("http://host:7", api_key="k", timeout=5, options=[("a", 1)])))
        assert (type(copy), copy._endpoint.api_key, copy._limits) == (kind, "k", (5, None))
        assert copy._endpoint == kind("http://host:7", api_key="k", options=[("a", 1)])._endpoint
    with pytest.raises(TypeError, match="credentials"):
        pickle.dumps(Client("host", tls=grpc.ssl_channel_credentials()))
