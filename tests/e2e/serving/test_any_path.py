"""A data directory whose path the locale cannot encode: the server starts, serves, builds and copies there."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from headwater import Client, Distance, PointStruct, VectorParams
from tests.support.root import ROOT
from tests.support.server_process import READY, STOP_SECONDS, environment

PLAIN = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
NAMES = [os.fsencode("données"), b"undecodable \xff\xfe", os.fsencode("数据 目录")]


@contextmanager
def _server(folder: bytes, log: Path) -> Iterator[str]:
    command = [os.fsencode(sys.executable), b"-m", b"server", b"--data", folder, b"--listen", b"127.0.0.1:0"]
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**environment(), **PLAIN}, stdout=subprocess.PIPE, stderr=errors
        )
    assert process.stdout
    try:
        line = process.stdout.readline().decode()
        assert line.startswith(READY), log.read_text(errors="replace")
        yield line.removeprefix(READY).strip()
        process.terminate()
        assert process.wait(STOP_SECONDS) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name", NAMES, ids=["accents", "undecodable", "other script"])
def test_a_path_that_the_locale_cannot_encode(name: bytes, tmp_path: Path) -> None:
    folder, log = os.path.join(os.fsencode(tmp_path), name, b"data"), tmp_path / "log"
    vectors = np.random.default_rng(1).standard_normal((300, 8), np.float32)
    with _server(folder, log) as address, Client(address) as client:
        client.collections.create("c", VectorParams(8, Distance.Euclid), optimizers_config={"indexing_threshold": 200})
        client.points.upsert("c", [PointStruct(number, vector.tolist()) for number, vector in enumerate(vectors)])
        client.vde.optimize("c")
        client.vde.create_snapshot("c", "first")
        client.vde.restore_snapshot("c", "first", "restored")
        client.vde.clone_collection("c", "copy")
    with _server(folder, log) as address, Client(address) as client:
        for collection in ("c", "restored", "copy"):
            assert [hit.id for hit in client.points.query(collection, vectors[7].tolist(), limit=1)] == [7]
    assert "Traceback" not in log.read_text(errors="replace")
    check = [os.fsencode(sys.executable), b"-m", b"storage.check", folder]
    done = subprocess.run(check, cwd=ROOT, env={**environment(), **PLAIN}, capture_output=True, check=False)
    assert (done.returncode, b"sound: 3 collections" in done.stdout) == (0, True), done
