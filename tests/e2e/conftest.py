"""One real server for all end-to-end tests of a process, and a client of it. What is stored is verified at the end."""

import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest

from headwater import Client, Distance, PointStruct, VectorParams
from tests.support.root import ROOT
from tests.support.server_process import environment, log_of, running_server
from tests.support.wire import Wire


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = tmp_path_factory.mktemp("e2e") / "data"
    with running_server(data) as address:
        yield address
    log = log_of(data).read_text()
    assert "Traceback" not in log, log
    command = [sys.executable, "-m", "storage.check", str(data)]
    checked = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.fixture(scope="session")
def client(address: str) -> Iterator[Client]:
    with Client(address, retries=0) as client:
        yield client


@pytest.fixture(scope="session")
def wire(address: str) -> Iterator[Wire]:
    with Wire(address) as wire:
        yield wire


@pytest.fixture
def name() -> str:
    """A name that no collection has had."""
    return f"c{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def bad_input(client: Client) -> str:
    """A collection that nobody changes, for requests that are to be refused. Point 3 has no `image`."""
    name = "bad input"
    client.collections.create(name, {"text": VectorParams(3), "image": VectorParams(2, Distance.Euclid)})
    client.points.upsert(
        name,
        [
            PointStruct(1, {"text": [1, 0, 0], "image": [1, 1]}, {"a": "x"}),
            PointStruct(2, {"text": [0, 0, 0], "image": [0, 0]}),
            PointStruct(3, {"text": [0, 1, 0]}),
        ],
    )
    return name
