"""Fixtures of the client's tests: a scripted server and a client of it."""

from collections.abc import Iterator

import pytest

from headwater import Client
from tests.client.scripted_server import ScriptedServer, start


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    handler = ScriptedServer()
    running = start(handler)
    yield handler
    running.stop(None).wait()


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[Client]:
    with Client(server.address, timeout=10) as connected:
        yield connected
