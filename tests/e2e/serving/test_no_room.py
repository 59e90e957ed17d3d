"""A store without room refuses ordinary writes, does what frees room, and then goes on writing, again and again."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from headwater import Client, Distance, Field, PointStruct, VectorParams
from headwater.errors import StorageFullError
from tests.support.root import ROOT
from tests.support.server_process import doomed_server, environment, log_of, running_server
from tests.support.small_disk import small_disk

DISK_BYTES = 24 * 2**20
MAP_BYTES = 2**20
SIZE = 256
SECONDS = 120.0
"""How long vacuums may take to make room, on a machine that is busy."""

Model = dict[int, tuple[dict[str, object], bool]]
"""Of each point its payload, and whether it has a vector in `v`."""


@dataclass
class Store:
    """A server's data directory, the options it needs to be small, and what must be in it."""

    data: Path
    options: tuple[str, ...]
    model: Model = field(default_factory=dict)
    next_id: int = 0


@pytest.fixture(params=["map", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "map":
        yield Store(tmp_path / "data", ("--map-size", str(MAP_BYTES)))
        return
    with small_disk(tmp_path / "disk", DISK_BYTES) as folder:
        yield Store(folder, ())


@contextmanager
def _served(store: Store, *, killed: bool) -> Iterator[Client]:
    """A client of a server over `store`, which is then stopped, or killed, and verified."""
    if killed:
        with doomed_server(store.data, options=store.options) as (_, address), Client(address, retries=0) as client:
            yield client
    else:
        with running_server(store.data, options=store.options) as address, Client(address, retries=0) as client:
            yield client
    log = log_of(store.data).read_text()
    assert "Traceback" not in log, log
    command = [sys.executable, "-m", "storage.check", str(store.data)]
    checked = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _vector(number: int) -> list[float]:
    return [float(number % 97), *([1.0] * (SIZE - 1))]


def _fill(client: Client, store: Store) -> int:
    """Writes points until not even one fits; returns how many were written."""
    before = store.next_id
    for count in (64, 8, 1):
        while True:
            ids = range(store.next_id, store.next_id + count)
            payloads: list[dict[str, object]] = [{"n": number % 10, "text": "x" * 2600} for number in ids]
            points = [PointStruct(n, {"v": _vector(n)}, p) for n, p in zip(ids, payloads, strict=True)]
            try:
                client.points.upsert("c", points)
            except StorageFullError:
                break
            store.model |= {number: (payload, True) for number, payload in zip(ids, payloads, strict=True)}
            store.next_id += count
    return store.next_id - before


def _assert_holds(client: Client, model: Model) -> None:
    found = {point.id: point for point in client.points.scroll_all("c", with_vectors=True)}
    assert found.keys() == model.keys()
    for number, (payload, has_vector) in model.items():
        vectors = found[number].vectors or {}
        assert found[number].payload == payload
        assert ("v" in vectors) == has_vector, number
        assert not has_vector or np.array_equal(vectors["v"], _vector(number)), number


def _some(store: Store) -> list[int]:
    return [number for number in store.model if number % 3]


def _by_ids(client: Client, store: Store) -> None:
    gone = _some(store)
    client.points.delete("c", ids=gone)
    for number in gone:
        del store.model[number]


def _by_filter(client: Client, store: Store) -> None:
    client.points.delete("c", filter=Field("n").lt(7))
    store.model = {n: value for n, value in store.model.items() if value[0].get("n", 9) >= 7}  # type: ignore[operator]


def _everything(client: Client, store: Store) -> None:
    client.points.delete("c", ids=list(store.model))
    store.model = {}


def _payload_keys(client: Client, store: Store) -> None:
    client.points.delete_payload("c", ["text"], ids=_some(store))
    for number in _some(store):
        payload, has_vector = store.model[number]
        store.model[number] = ({key: value for key, value in payload.items() if key != "text"}, has_vector)


def _payloads(client: Client, store: Store) -> None:
    client.points.clear_payload("c", ids=_some(store))
    for number in _some(store):
        store.model[number] = ({}, store.model[number][1])


def _by_ids_too(client: Client, store: Store) -> None:
    """Vectors take next to nothing of the map."""
    if store.options:
        _by_ids(client, store)


def _vectors(client: Client, store: Store) -> None:
    client.points.delete_vectors("c", ["v"], ids=_some(store))
    for number in _some(store):
        store.model[number] = (store.model[number][0], False)
    _by_ids_too(client, store)


def _space(client: Client, store: Store) -> None:
    client.collections.update("c", drop_vectors=["v"])
    store.model = {number: (payload, False) for number, (payload, _) in store.model.items()}
    _by_ids_too(client, store)


def _collection(client: Client, store: Store) -> None:
    client.collections.delete("other")
    folders = list((store.data / "collections").iterdir())
    assert len(folders) == 1
    _by_ids(client, store)


def _snapshot(client: Client, store: Store) -> None:
    client.vde.delete_snapshot("c", "s")
    assert list((store.data / "snapshots").iterdir()) == []
    client.collections.delete_alias("also c")
    _by_ids(client, store)


FREEING: tuple[Callable[[Client, Store], None], ...] = (
    _by_ids,
    _by_filter,
    _collection,
    _snapshot,
    _payload_keys,
    _everything,
    _vectors,
    _by_ids,
    _payloads,
    _space,
)


def _prepare(client: Client) -> None:
    space = VectorParams(SIZE, Distance.Dot)
    client.collections.create("c", {"v": space}, optimizers_config={"indexing_threshold": 500})
    client.collections.create("other", {"v": space})
    client.collections.create_alias("also c", "c")
    for name in ("c", "other"):
        client.points.upsert(name, [PointStruct(10**6 + n, {"v": _vector(n)}) for n in range(100)])
    client.vde.create_snapshot("c", "s")
    client.points.delete("c", ids=[10**6 + n for n in range(100)])


def _go_on(client: Client, store: Store, need: int) -> None:
    """Writes until `need` more points are there; vacuums may have to make room first."""
    deadline = time.monotonic() + SECONDS
    if "v" not in client.collections.get_info("c").vectors:
        client.collections.update("c", add_vectors={"v": VectorParams(SIZE, Distance.Dot)})
    while True:
        need -= _fill(client, store)
        if need <= 0:
            return
        assert time.monotonic() < deadline, f"{need} points still find no room: {client.vde.get_stats('c')}"
        time.sleep(0.5)


def _rounds(store: Store, count: int) -> None:
    """In each round the server is stopped or killed after room was freed, before it is written to again, or later."""
    for number in range(count):
        with _served(store, killed=number % 3 == 1) as client:
            if number == 0:
                _prepare(client)
            _assert_holds(client, store.model)
            _go_on(client, store, need=20)
            FREEING[number](client, store)
            _assert_holds(client, store.model)
            if number % 2:
                _go_on(client, store, need=20)
                _by_ids(client, store)
                _assert_holds(client, store.model)


@pytest.mark.slow
def test_a_full_store_can_be_emptied_and_filled(store: Store) -> None:
    _rounds(store, 2)


@pytest.mark.slow
def test_a_store_is_filled_and_emptied_ten_times(store: Store) -> None:
    _rounds(store, len(FREEING))
