"""A data directory that goes away under a running server, and who may read what is in one."""

import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from headwater import Client, Distance, PointStruct, VectorParams
from headwater.errors import CorruptStoreError, HeadwaterError, StorageFailedError
from tests.support.root import ROOT
from tests.support.server_process import environment, log_of, server_process

SECONDS = 60


def _remove(data: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)


def _rename(data: Path) -> None:
    data.rename(data.with_name("elsewhere"))


def _replace(data: Path) -> None:
    """By a copy: writes would go on to files that no start finds."""
    data.rename(data.with_name("elsewhere"))
    shutil.copytree(data.with_name("elsewhere"), data)


@pytest.mark.parametrize("lose", [_remove, _rename, _replace], ids=["removed", "renamed", "replaced"])
def test_a_lost_data_directory_acknowledges_nothing(lose: Callable[[Path], None], tmp_path: Path) -> None:
    data = tmp_path / "data"
    with server_process(data) as (_, address), Client(address, retries=0) as client:
        client.collections.create("c", {"v": VectorParams(2, Distance.Euclid)})
        client.points.upsert("c", [PointStruct(1, {"v": [1.0, 0.0]})])
        lose(data)
        for write in (
            lambda: client.points.upsert("c", [PointStruct(2, {"v": [1.0, 0.0]})]),
            lambda: client.points.upsert("c", [PointStruct(3, {"v": [1.0, 0.0]})]),
            lambda: client.collections.create("d", {"v": VectorParams(2, Distance.Euclid)}),
            lambda: client.collections.create_alias("a", "c"),
            lambda: client.vde.create_snapshot("c", "s"),
        ):
            with pytest.raises(HeadwaterError) as caught:
                write()
            assert isinstance(caught.value, StorageFailedError), caught.value
            assert str(tmp_path) not in str(caught.value)
        _wait_for(address, health_pb2.HealthCheckResponse.NOT_SERVING)
    assert "Traceback" not in log_of(data).read_text()


def test_health_follows_a_directory_that_comes_back(tmp_path: Path) -> None:
    data, away = tmp_path / "data", tmp_path / "away"
    with server_process(data) as (_, address):
        _wait_for(address, health_pb2.HealthCheckResponse.SERVING)
        data.rename(away)
        _wait_for(address, health_pb2.HealthCheckResponse.NOT_SERVING)
        away.rename(data)
        _wait_for(address, health_pb2.HealthCheckResponse.SERVING)


def _wait_for(address: str, status: int) -> None:
    deadline = time.monotonic() + SECONDS
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        while stub.Check(health_pb2.HealthCheckRequest(), timeout=SECONDS).status != status:
            assert time.monotonic() < deadline, f"health did not become {status}"
            threading.Event().wait(0.05)


def _modes(folder: Path) -> dict[str, int]:
    found = {str(path.relative_to(folder)): path for path in (folder, *folder.rglob("*"))}
    return {name: stat.S_IMODE(path.stat().st_mode) for name, path in found.items()}


def _assert_private(folder: Path) -> None:
    wrong = {
        name: oct(mode)
        for name, mode in _modes(folder).items()
        if mode != (0o700 if (folder / name).is_dir() else 0o600)
    }
    assert not wrong


def test_only_the_owner_can_read_what_is_stored(tmp_path: Path) -> None:
    """Whatever the umask, and also what an older program made."""
    data = tmp_path / "data"
    before = os.umask(0)
    try:
        _fill(data)
    finally:
        os.umask(before)
    _assert_private(data)
    for path in (data, *data.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    with server_process(data) as (_, address), Client(address, retries=0) as client:
        assert client.points.count("c") == 600
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        for folder in ("catalog", "snapshots"):
            _assert_private(data / folder)
    _check(data)
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def _fill(data: Path) -> None:
    """With a collection of all kinds of files, a clone of it, and a snapshot."""
    with server_process(data) as (_, address), Client(address, retries=0) as client:
        spaces = {"v": VectorParams(2, Distance.Euclid)}
        client.collections.create("c", spaces, optimizers_config={"indexing_threshold": 500})
        client.points.upsert("c", [PointStruct(n, {"v": [1.0, float(n)]}, {"n": n}) for n in range(600)])
        client.vde.optimize("c")
        client.vde.create_snapshot("c", "s")
        client.vde.clone_collection("c", "d")


def test_clients_are_not_told_where_the_data_directory_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    _fill(data)
    uids = [path.name for path in (data / "collections").iterdir()]
    for path in data.glob("collections/*/spaces/*/*.vectors"):
        os.truncate(path, 1)
    with (data / "snapshots" / os.listdir(data / "snapshots")[0]).open("r+b") as file:
        file.write(b"x")
    with server_process(data) as (_, address), Client(address, retries=0) as client:
        for read in (
            lambda: client.points.count("c"),
            lambda: client.points.upsert("d", [PointStruct(1, {"v": [1.0, 0.0]})]),
            lambda: client.vde.restore_snapshot("c", "s", "e"),
        ):
            with pytest.raises(CorruptStoreError) as caught:
                read()
            _assert_relative(str(caught.value), tmp_path)
            _assert_relative(caught.value.metadata["file"], tmp_path)
        assert caught.value.metadata["file"].startswith("snapshots/")
        reason = client.vde.get_state("c").reason
        _assert_relative(reason, tmp_path)
        assert any(f"collections/{uid}/spaces/1/" in reason for uid in uids)
    assert str(data) in log_of(data).read_text()


def _assert_relative(text: str, tmp_path: Path) -> None:
    assert str(tmp_path) not in text
    assert tmp_path.name not in text


def _check(data: Path) -> None:
    command = [sys.executable, "-m", "storage.check", str(data)]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
