"""The command `python -m server`: its ready line, its signals, its exit codes, its one-line errors."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import grpc
import pytest

from headwater.v1 import collections_pb2, collections_pb2_grpc
from tests.support.root import ROOT
from tests.support.server_process import environment, running_server, wait_until_ready

COMMAND = (sys.executable, "-m", "server")
SECONDS = 60.0


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=SECONDS
    )


def start(arguments: Sequence[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, *arguments], cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_it_serves_and_a_second_one_says_why_it_cannot(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as address:
        with grpc.insecure_channel(address) as channel:
            stub = collections_pb2_grpc.CollectionsStub(channel)
            stub.List(collections_pb2.CollectionsListRequest())
        same_port = run("--data", str(tmp_path / "other"), "--listen", address)
        same_data = run("--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0")
    for refused, names in ((same_port, address), (same_data, str(tmp_path / "data"))):
        assert refused.returncode == 1
        [line] = [each for each in refused.stderr.splitlines() if each.startswith("headwater: ")]
        assert names in line
        assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    process = start(["--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0"])
    try:
        wait_until_ready(process, tmp_path / "no-log")
        process.send_signal(number)
        _, log = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    assert process.returncode == 0
    assert f"stopping on {number.name}" in log
    assert "Traceback" not in log


def test_a_start_loads_nothing_that_only_some_requests_need() -> None:
    late = ["usearch", "lark", "http.client", "tqdm", "headwater._client", "server.embedders.openai"]
    program = f"import sys, server.app; print([name for name in {late} if name in sys.modules])"
    output = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment(), check=True, capture_output=True, text=True
    ).stdout
    assert output.strip() == "[]"


def test_a_setting_that_cannot_be() -> None:
    result = run("--data", "data", "--listen", "nowhere")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "headwater: listen: 'nowhere' is not HOST:PORT\n"


def test_help_comes_without_numerics() -> None:
    """The settings are read before numpy, which reads the number of its threads when it is loaded."""
    code = "import server.__main__, sys; print([name for name in ('numpy', 'usearch', 'grpc') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert result.stdout == "[]\n", result.stderr
