"""A client goes on through a restart of its server: reads, writes, many at a time, and files that were under way."""

import threading
from pathlib import Path

import pytest

from headwater import Client, PointStruct, VectorParams
from tests.support.server_process import running_server


@pytest.mark.slow
def test_calls_go_on_through_a_restart(tmp_path: Path) -> None:
    """Each of several callers writes points of its own, and reads them, while the server stops and comes back."""
    data = tmp_path / "data"
    failures: list[BaseException] = []
    stop = threading.Event()
    with running_server(data) as address:
        client = Client(address, timeout=240)
        client.collections.create("c", VectorParams(2))
        written = [0] * 6

        def call(caller: int) -> None:
            try:
                while not stop.is_set():
                    client.points.upsert("c", [PointStruct(caller * 10**6 + written[caller], [1.0, 2.0])])
                    written[caller] += 1
                    assert client.points.search("c", [1.0, 2.0], limit=1)
            except BaseException as failure:
                failures.append(failure)

        callers = [threading.Thread(target=call, args=(caller,)) for caller in range(len(written))]
        for caller in callers:
            caller.start()
        while min(written) < 3 and not failures:
            stop.wait(0.01)
    before = list(written)
    with running_server(data, listen=address):
        while any(now < then + 3 for now, then in zip(written, before, strict=True)) and not failures:
            stop.wait(0.01)
        stop.set()
        for caller in callers:
            caller.join()
        assert failures == []
        assert client.points.count("c") == sum(written)
        client.close()


@pytest.mark.slow
def test_a_client_made_while_the_server_is_away_finds_it(tmp_path: Path) -> None:
    """Also for calls that may not be repeated: nothing was sent yet."""
    with running_server(tmp_path / "data") as address:
        pass
    made: list[object] = []
    with Client(address, timeout=240) as client:
        caller = threading.Thread(target=lambda: made.append(client.collections.create("c", VectorParams(2))))
        caller.start()
        with running_server(tmp_path / "data", listen=address):
            caller.join()
    assert len(made) == 1
