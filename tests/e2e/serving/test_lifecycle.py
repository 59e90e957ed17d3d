"""A server's life under load: stops while requests run, deadlines that are kept, many clients, large requests."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

import headwater
from headwater import (
    AsyncClient,
    Client,
    Distance,
    PointStruct,
    PrefetchQuery,
    QueryRequest,
    Rrf,
    SearchParams,
    SearchRequest,
    VectorParams,
)
from tests.support.server_process import log_of, running_server, server_process

SIZE = 384
EXACT = SearchParams(exact=True)


def rows(count: int, seed: int = 1) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(seed).standard_normal((count, SIZE)).astype(np.float32)


@pytest.fixture(scope="module")
def large(client: Client) -> Iterator[str]:
    """5,000 points of 384 dimensions with payloads, written by one call."""
    name = "large"
    client.collections.create(name, VectorParams(SIZE, Distance.Euclid))
    payload = {"text": "x" * 100, "tags": ["a", "b"]}
    points = [PointStruct(n, row, {"n": n, **payload}) for n, row in enumerate(rows(5_000))]
    assert client.points.upsert(name, points).affected == 5_000
    yield name
    client.collections.delete(name)


def test_large_answers_come_back(client: Client, large: str) -> None:
    hits = client.points.search(large, rows(1)[0], limit=5_000, with_vectors=True, params=EXACT)
    assert [hits[0].id, hits[0].score, len(hits)] == [0, 0, 5_000]
    np.testing.assert_array_equal(
        np.stack([hit.vectors[""] for hit in sorted(hits, key=lambda hit: hit.id)]), rows(5_000)
    )
    page, offset = client.points.scroll(large, limit=4_999, with_vectors=True)
    assert (len(page), offset) == (4_999, 4_999)


def heavy() -> list[QueryRequest]:
    """Fusions of long lists, all different: seconds of work for an answer of a few points."""
    vectors = rows(60 * 3, seed=2)
    leaves = [PrefetchQuery(vector, limit=5_000, params=EXACT) for vector in vectors]
    return [QueryRequest(Rrf(), leaves[start : start + 60], limit=1) for start in range(0, len(leaves), 60)]


def test_a_deadline_is_kept_and_the_work_is_given_up(client: Client, large: str) -> None:
    queries = heavy()
    started = time.monotonic()
    client.points.query_batch(large, queries)
    whole = time.monotonic() - started
    for _ in range(8):
        started = time.monotonic()
        with pytest.raises(headwater.DeadlineExceededError):
            client.points.query_batch(large, queries, timeout=whole / 20)
        assert time.monotonic() - started < whole / 2
    # If the server went on with what nobody waits for, all its workers would be busy for many times `whole`.
    started = time.monotonic()
    client.points.query_batch(large, queries)
    assert time.monotonic() - started < 3 * whole


def test_a_deadline_of_a_millisecond(client: Client, large: str) -> None:
    searches = [SearchRequest(row, limit=100, params=EXACT) for row in rows(256, seed=3)]
    with pytest.raises(headwater.DeadlineExceededError):
        client.points.search_batch(large, searches, timeout=0.001)


def test_many_clients_at_once(address: str, client: Client, name: str) -> None:
    """Writers and readers, each with its own connection: no write is lost, no answer is wrong."""
    client.collections.create(name, VectorParams(8, Distance.Dot))
    errors: list[BaseException] = []

    def guarded(work: Callable[[Client], None]) -> None:
        try:
            with Client(address) as own:
                work(own)
        except BaseException as error:
            errors.append(error)

    def writer(number: int) -> Callable[[Client], None]:
        def write(own: Client) -> None:
            for turn in range(30):
                key = f"{number}/{turn}"
                result = own.points.upsert(name, [PointStruct(key, np.full(8, turn + 1), {"turn": turn})])
                [stored] = own.points.get(name, [key])
                assert stored.version == result.seq
                assert own.points.search(name, np.ones(8), limit=200).seq >= result.seq

        return write

    threads = [threading.Thread(target=guarded, args=(writer(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    asyncio.run(_read_meanwhile(address, name))
    for thread in threads:
        thread.join()
    assert errors == []
    assert client.points.count(name) == 120
    client.collections.delete(name)


async def _read_meanwhile(address: str, name: str) -> None:
    async with AsyncClient(address) as other:
        counts = [await other.points.count(name) for _ in range(30)]
        assert counts == sorted(counts)
        lists = await asyncio.gather(*(other.points.search(name, np.ones(8), limit=200) for _ in range(20)))
        assert all([hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True) for hits in lists)


def test_sigterm_while_requests_run(tmp_path: Path) -> None:
    """Running requests get an answer or a typed error, watchers are told, and it exits with 0 before its grace ends."""
    data = tmp_path / "data"
    seen: list[int] = []
    outcomes: list[object] = []
    grace = ("--grace-seconds", "20")
    with server_process(data, options=grace) as (process, address), Client(address, retries=0) as client:
        client.collections.create("c", VectorParams(SIZE))
        client.points.upsert("c", [PointStruct(n, row) for n, row in enumerate(rows(2_000))])
        threads = [threading.Thread(target=_ask, args=(address, outcomes)) for _ in range(4)]
        threads.append(threading.Thread(target=_write, args=(address, outcomes)))
        watcher = threading.Thread(target=_watch, args=(address, seen))
        for thread in (*threads, watcher):
            thread.start()
        time.sleep(0.7)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert time.monotonic() - started < 10
        for thread in (*threads, watcher):
            thread.join()
    assert {type(each) for each in outcomes} <= {int, headwater.UnavailableError, headwater.ShuttingDownError}, outcomes
    assert outcomes.count(-1) == 0
    assert seen == [health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING]
    assert "Traceback" not in log_of(data).read_text()
    acknowledged = max(each for each in outcomes if isinstance(each, int))
    with running_server(data) as address, Client(address) as client:
        assert client.points.count("c") >= acknowledged


def _ask(address: str, outcomes: list[object]) -> None:
    searches = [SearchRequest(row, limit=50, params=EXACT) for row in rows(64, seed=4)]
    with Client(address, retries=0) as client:
        while True:
            try:
                outcomes.append(len(client.points.search_batch("c", searches)))
            except Exception as error:
                outcomes.append(error)
                return


def _write(address: str, outcomes: list[object]) -> None:
    with Client(address, retries=0) as client:
        for number in range(2_000, 100_000):
            try:
                client.points.upsert("c", [PointStruct(number, np.ones(SIZE))])
                outcomes.append(number + 1)
            except Exception as error:
                outcomes.append(error)
                return


def _watch(address: str, seen: list[int]) -> None:
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            for response in stub.Watch(health_pb2.HealthCheckRequest()):
                seen.append(response.status)
        except grpc.RpcError:
            pass


def test_a_client_waits_for_a_server_that_comes_back(tmp_path: Path) -> None:
    """Idempotent calls are sent again while the server is away; what was stored is there when it is back."""
    data = tmp_path / "data"
    with running_server(data) as address:
        client = Client(address, timeout=60, retries=40)
        client.collections.create("c", VectorParams(2, Distance.Dot))
        client.points.upsert("c", [PointStruct(1, [1, 2])])
    found: list[int] = []
    asking = threading.Thread(target=lambda: found.append(client.points.count("c")))
    asking.start()
    time.sleep(0.3)
    assert not found
    with running_server(data, listen=address):
        asking.join(timeout=30)
        assert found == [1]
        with pytest.raises(headwater.CollectionAlreadyExistsError):
            client.collections.create("c")
    client.close()


def test_a_key_is_asked_for(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", options=("--api-key", "sesame")) as address:
        with Client(address) as stranger, pytest.raises(headwater.UnauthenticatedError):
            stranger.collections.list()
        with Client(address, api_key="wrong") as stranger, pytest.raises(headwater.UnauthenticatedError):
            stranger.collections.create("c")
        with Client(address, api_key="sesame") as friend:
            assert friend.collections.list() == []


def test_a_request_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with (
        running_server(tmp_path / "data", options=("--max-message-bytes", "100000")) as address,
        Client(address) as client,
    ):
        client.collections.create("c", VectorParams(SIZE))
        with pytest.raises(headwater.ResourceExhaustedError):
            client.points.upsert("c", [PointStruct(n, row) for n, row in enumerate(rows(200))])
        assert client.points.count("c") == 0
        assert client.upload_points("c", (PointStruct(n, row) for n, row in enumerate(rows(200))), batch_size=50) == 200


def test_writes_that_are_too_many_are_refused(tmp_path: Path) -> None:
    """None of those that were acknowledged is lost, and those refused say so."""
    options = ("--max-pending-writes", "1")
    with running_server(tmp_path / "data", options=options) as address, Client(address) as client:
        client.collections.create("c", VectorParams(SIZE))
        vectors = rows(500)
        accepted: list[int] = []
        refused: list[headwater.TooManyWritesError] = []

        def write(number: int) -> None:
            points = [PointStruct(f"{number}/{n}", vector) for n, vector in enumerate(vectors)]
            try:
                client.points.upsert("c", points, wait=False)
                accepted.append(number)
            except headwater.TooManyWritesError as error:
                refused.append(error)

        deadline = time.monotonic() + 60
        while not refused:
            assert time.monotonic() < deadline, "no write was ever refused"
            start = len(accepted)
            threads = [threading.Thread(target=write, args=(start + number,)) for number in range(10)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        client.vde.flush("c")
        assert client.points.count("c") == 500 * len(accepted)
        assert refused[0].code is grpc.StatusCode.RESOURCE_EXHAUSTED
