"""A server whose collections are far more than it may have open: every request works as if all of them were."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater import Client, PointStruct, VectorParams
from headwater.errors import TooManyOpenCollectionsError
from tests.support.server_process import log_of, running_server, server_process

MOST = 3
NAMES = [f"c{number}" for number in range(12)]


def _fill(client: Client, names: list[str]) -> None:
    for number, name in enumerate(names):
        client.collections.create(name, VectorParams(2))
        client.points.upsert(name, [PointStruct(number, [1, number], {"name": name})])


def _assert_there(client: Client, names: list[str]) -> None:
    """Every point is where it was written, whatever the order in which it is asked for."""
    numbers = list(range(len(names)))
    random.Random(len(names)).shuffle(numbers)
    for number in numbers:
        [point] = client.points.get(names[number], [number], with_payload=True)
        assert point.payload == {"name": names[number]}
        [hit] = client.points.search(names[number], [1.0, float(number)], limit=1)
        assert hit.id == number


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Of a server with MOST places, which refuses what people closed."""
    options = ("--max-open-collections", str(MOST), "--reopen-on-use", "false")
    with running_server(tmp_path / "data", options=options) as address, Client(address, retries=0) as client:
        yield client
    assert "Traceback" not in log_of(tmp_path / "data").read_text()


def test_requests_of_all_kinds_over_more_collections_than_places(client: Client) -> None:
    _fill(client, NAMES)
    _assert_there(client, NAMES)
    for round_ in range(2):
        for name in NAMES:
            client.points.upsert(name, [PointStruct(100 + round_, [2, 1], {"name": "new"})])
            assert client.points.count(name) == 2 + round_
            assert client.collections.get_info(name).points_count == 2 + round_
            assert client.points.scroll(name, limit=1)
    assert client.collections.list() == sorted(NAMES)


@pytest.mark.slow
def test_cursors_keep_their_collections_open(client: Client) -> None:
    _fill(client, NAMES)
    for name in NAMES[:MOST]:
        client.points.upsert(name, [PointStruct(number, [1, 1]) for number in range(200, 230)])
    scrolls = [client.points.scroll_all(name, batch_size=10) for name in NAMES[:MOST]]
    for scroll in scrolls:
        next(scroll)
    with pytest.raises(TooManyOpenCollectionsError):
        client.points.get(NAMES[-1], [1])
    for name, scroll in zip(NAMES[:MOST], scrolls, strict=True):
        client.points.upsert(name, [PointStruct(999, [1, 1])])
        assert len(list(scroll)) == 30
    _assert_there(client, NAMES)


@pytest.mark.slow
def test_fifteen_hundred_collections_with_256_descriptors(tmp_path: Path) -> None:
    """By default, and after a restart."""
    data, names = tmp_path / "data", [f"tenant-{number}" for number in range(1500)]
    with server_process(data, descriptors=256) as (_, address), Client(address, timeout=120, retries=0) as client:
        _fill(client, names)
        _assert_there(client, names)
    with server_process(data, descriptors=256) as (_, address), Client(address, timeout=120, retries=0) as client:
        _assert_there(client, names)
        for name in names[::2]:
            client.collections.delete(name)
        assert client.collections.list() == sorted(names[1::2])
    assert "Traceback" not in log_of(data).read_text()
