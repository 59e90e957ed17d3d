"""Copies of collections over the wire: made on one server, brought to another, and refused when they are damaged."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

import headwater
from headwater import AsyncClient, Client, Distance, PointStruct, SearchParams, VectorParams
from headwater.v1 import vde_pb2, vde_pb2_grpc
from storage.check import check
from tests.support.server_process import log_of, running_server

RANDOM = np.random.default_rng(5)
TEXT = RANDOM.normal(size=(900, 16)).astype(np.float32)
IDS: list[int | str] = [2**64 - 1, "ä" * 200, "", *range(897)]
IDS[2] = "x" * 512
PAYLOADS: list[dict[str, Any]] = [{}, {"big": 2**63 - 1, "nested": {".": [None, True, 1, 1.0, "ü"]}}]


@dataclass(frozen=True)
class Pair:
    """Two servers, and a client of each."""

    here: Client
    there: Client
    addresses: tuple[str, str]
    folders: tuple[Path, Path]


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Pair]:
    folders = (tmp_path / "here", tmp_path / "there")
    with ExitStack() as stack:
        addresses = tuple(stack.enter_context(running_server(folder)) for folder in folders)
        here, there = (stack.enter_context(Client(address, retries=0)) for address in addresses)
        yield Pair(here, there, (addresses[0], addresses[1]), folders)
    for folder in folders:
        assert "Traceback" not in log_of(folder).read_text()
        assert [str(problem) for problem in check(folder).problems] == []


def fill(client: Client) -> None:
    spaces = {"text": VectorParams(16), "image": VectorParams(3, Distance.Euclid), "none": VectorParams(2)}
    client.collections.create("source", spaces, optimizers_config={"indexing_threshold": 300})
    points = [
        PointStruct(
            each, {"text": TEXT[n], **({"image": [n, 0.1, -0.0]} if n % 3 else {})}, {"n": n, **PAYLOADS[n % 2]}
        )
        for n, each in enumerate(IDS)
    ]
    client.upload_points("source", points)
    client.points.delete("source", IDS[100:150])
    client.vde.optimize("source")


def everything(client: Client, name: str) -> list[tuple[Any, ...]]:
    records = client.points.scroll_all(name, with_vectors=True)
    return [
        (each.id, each.version, each.payload, {space: vector.tobytes() for space, vector in each.vectors.items()})
        for each in records
    ]


def searches(client: Client, name: str) -> list[list[tuple[Any, float]]]:
    params = SearchParams(exact=True)
    return [
        [(hit.id, hit.score) for hit in client.points.search(name, query, using="text", params=params)]
        for query in TEXT[:10]
    ]


def test_a_collection_moves_to_another_server(servers: Pair, tmp_path: Path) -> None:
    here, there = servers.here, servers.there
    fill(here)
    before = everything(here, "source")
    assert len(before) == 850
    taken = here.vde.create_snapshot("source", "monday")
    info = here.collections.get_info("source")
    assert (taken.name, taken.collection, taken.seq) == ("monday", "source", info.seq)
    assert abs(datetime.now(UTC) - taken.created) < timedelta(minutes=5)
    here.points.delete("source", IDS)  # the snapshot does not notice

    reports: list[tuple[int, int | None]] = []
    (tmp_path / "files").mkdir()
    file = here.vde.download_snapshot(
        "source", "monday", tmp_path / "files", progress=lambda done, total: reports.append((done, total))
    )
    assert file == tmp_path / "files" / "monday.snapshot"
    assert [path.name for path in file.parent.iterdir()] == ["monday.snapshot"]
    assert file.stat().st_size == taken.size_bytes == reports[-1][0]
    assert {total for _, total in reports} == {taken.size_bytes}

    reports.clear()
    uploaded = there.vde.upload_snapshot(file, progress=lambda done, total: reports.append((done, total)))
    assert uploaded == taken
    assert reports[-1] == (taken.size_bytes, taken.size_bytes)
    assert there.vde.list_snapshots() == there.vde.list_snapshots("source") == [taken]
    assert there.collections.list() == []
    there.vde.restore_snapshot("source", "monday", "source")
    assert everything(there, "source") == before
    moved = there.collections.get_info("source")
    assert moved.seq == taken.seq
    assert {name: space.params for name, space in moved.vectors.items()} == {
        name: space.params for name, space in info.vectors.items()
    }
    assert moved.optimizers_config == info.optimizers_config
    assert moved.vectors["text"].indexed_vectors_count == info.vectors["text"].indexed_vectors_count > 0

    here.vde.restore_snapshot("source", "monday", "again")
    assert searches(here, "again") == searches(there, "source")
    there.points.upsert("source", [PointStruct("new", {"text": TEXT[0]})])
    assert there.points.count("source") == 851


def test_a_clone_is_a_collection_of_its_own(servers: Pair) -> None:
    here = servers.here
    fill(here)
    here.collections.create_alias("alias", "source")
    here.vde.clone_collection("alias", "copy")
    assert everything(here, "copy") == everything(here, "source")
    here.points.delete("copy", IDS[200:])
    assert here.points.count("source") == 850
    assert here.collections.get_info("copy").aliases == ()
    here.collections.delete("source")
    assert here.points.count("copy") == 150
    with pytest.raises(headwater.CollectionAlreadyExistsError):
        here.vde.clone_collection("copy", "copy")
    with pytest.raises(headwater.CollectionNotFoundError):
        here.vde.clone_collection("source", "other")


def test_snapshots_are_of_one_commit_while_others_write(servers: Pair) -> None:
    here = servers.here
    here.collections.create("source", {"text": VectorParams(2, Distance.Dot)})
    stop = threading.Event()

    def keep_writing() -> None:
        number = 0
        with Client(servers.addresses[0]) as client:
            while not stop.is_set():
                number += 1
                vector = [number, -number]
                client.points.upsert("source", [PointStruct(n, {"text": vector}, {"n": number}) for n in range(50)])

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        for round_ in range(5):
            here.vde.create_snapshot("source", f"s{round_}")
            here.vde.clone_collection("source", f"clone {round_}")
    finally:
        stop.set()
        writer.join()
    for round_ in range(5):
        here.vde.restore_snapshot("source", f"s{round_}", f"restored {round_}")
        for name in (f"restored {round_}", f"clone {round_}"):
            records = list(here.points.scroll_all(name, with_vectors=True))
            assert len(records) in (0, 50)
            states = {(each.payload or {})["n"] for each in records}
            states |= {abs(float(value)) for each in records for value in each.vectors["text"]}
            assert len(states) <= 1


def test_errors_tell_what_is_wrong(servers: Pair, tmp_path: Path) -> None:
    here, there = servers.here, servers.there
    fill(here)
    here.vde.create_snapshot("source", "s")
    refused: list[tuple[type[Exception], Any]] = [
        (headwater.SnapshotAlreadyExistsError, lambda: here.vde.create_snapshot("source", "s")),
        (headwater.InvalidNameError, lambda: here.vde.create_snapshot("source", "a/b")),
        (headwater.InvalidNameError, lambda: here.vde.create_snapshot("source", "")),
        (headwater.CollectionNotFoundError, lambda: here.vde.create_snapshot("gone")),
        (headwater.CollectionNotFoundError, lambda: here.vde.list_snapshots("gone")),
        (headwater.SnapshotNotFoundError, lambda: here.vde.delete_snapshot("source", "t")),
        (headwater.SnapshotNotFoundError, lambda: here.vde.restore_snapshot("source", "t", "x")),
        (headwater.SnapshotNotFoundError, lambda: here.vde.download_snapshot("source", "t", tmp_path / "t")),
        (headwater.CollectionAlreadyExistsError, lambda: here.vde.restore_snapshot("source", "s", "source")),
        (headwater.InvalidNameError, lambda: here.vde.restore_snapshot("source", "s", "")),
        (IsADirectoryError, lambda: there.vde.upload_snapshot(tmp_path, "c")),
        (FileNotFoundError, lambda: there.vde.upload_snapshot(tmp_path / "missing")),
        (ValueError, lambda: there.vde.upload_snapshot(Path(__file__))),
    ]
    for error, call in refused:
        with pytest.raises(error):
            call()
    with pytest.raises(headwater.SnapshotNotFoundError) as not_found:
        here.vde.delete_snapshot("source", "t")
    assert not_found.value.metadata == {"collection": "source", "snapshot": "t"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "here.log", "there", "there.log"]

    good = here.vde.download_snapshot("source", "s", tmp_path / "s.snapshot").read_bytes()
    for damage, error in [
        (good[:-1], headwater.CorruptStoreError),
        (good[:40_000] + b"!" + good[40_001:], headwater.CorruptStoreError),
        (good.replace(b'"format": 1', b'"format": 9'), headwater.UnknownFormatError),
    ]:
        (tmp_path / "bad").write_bytes(damage)
        with pytest.raises(error) as told:
            there.vde.upload_snapshot(tmp_path / "bad", "source", "s")
        assert {"offset", "found"} & told.value.metadata.keys()
    assert there.vde.list_snapshots() == []
    assert list((servers.folders[1] / "snapshots").iterdir()) == []
    here.vde.delete_snapshot("source", "s")
    assert here.vde.list_snapshots("source") == []


def test_uploads_that_break_the_rules_of_the_stream(servers: Pair) -> None:
    request = vde_pb2.VDEUploadSnapshotRequest
    header = request(header=vde_pb2.UploadHeader(collection_name="c", snapshot_name="s", size_bytes=4))
    with grpc.insecure_channel(servers.addresses[0]) as channel:
        stub = vde_pb2_grpc.VDEStub(channel)
        for stream in ([], [request(chunk=b"data")], [request()], [header, header], [header], [header, request()]):
            with pytest.raises(grpc.RpcError) as refused:
                stub.UploadSnapshot(iter(stream))
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert servers.here.vde.list_snapshots() == []


def test_an_upload_that_is_given_up_leaves_nothing(servers: Pair) -> None:
    header = vde_pb2.UploadHeader(collection_name="c", snapshot_name="s", size_bytes=2**30)
    sent, go_on = threading.Event(), threading.Event()

    def requests() -> Iterator[vde_pb2.VDEUploadSnapshotRequest]:
        yield vde_pb2.VDEUploadSnapshotRequest(header=header)
        yield vde_pb2.VDEUploadSnapshotRequest(chunk=bytes(1000))
        sent.set()
        go_on.wait(30)

    folder = servers.folders[0] / "snapshots"
    with grpc.insecure_channel(servers.addresses[0]) as channel:
        call = vde_pb2_grpc.VDEStub(channel).UploadSnapshot.future(requests())
        assert sent.wait(30)
        _wait_for(lambda: len(list(folder.iterdir())) == 1)
        call.cancel()
        _wait_for(lambda: len(list(folder.iterdir())) == 0)
        go_on.set()


def test_an_async_client_does_the_same(servers: Pair, tmp_path: Path) -> None:
    fill(servers.here)

    async def move() -> None:
        here, there = (AsyncClient(address, retries=0) for address in servers.addresses)
        async with here, there:
            taken = await here.vde.create_snapshot("source")
            file = await here.vde.download_snapshot("source", taken.name, tmp_path / "file")
            assert await there.vde.upload_snapshot(file, name=taken.name) == taken
            await there.vde.restore_snapshot("source", taken.name, "target")
            with pytest.raises(headwater.SnapshotNotFoundError):
                await here.vde.download_snapshot("source", "gone", tmp_path / "gone")
            with pytest.raises(headwater.SnapshotAlreadyExistsError):
                await there.vde.upload_snapshot(file, name=taken.name)

    asyncio.run(move())
    assert everything(servers.there, "target") == everything(servers.here, "source")


def _wait_for(condition: Any) -> None:
    for _ in range(3000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not come to it")
