"""The README is true: its Python prints what it says, on a real server; every RPC answers."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from server.app import COLLECTIONS, POINTS, VDE
from tests.support.documents import fences
from tests.support.root import ROOT
from tests.support.server_process import running_server

DEFAULT_ADDRESS = "localhost:50051"
SERVICES = (COLLECTIONS, POINTS, VDE)


CLIENT_README = ROOT / "client/README.md"


def test_the_ten_lines_of_client_code_print_the_same_each_time(tmp_path: Path) -> None:
    code = python_of(ROOT / "README.md")
    [printed] = [text for language, text in fences(ROOT / "README.md") if language == "text"]
    for _ in range(2):
        assert run(code, DEFAULT_ADDRESS, tmp_path) == (0, printed, "")


def test_they_print_the_same_on_a_server_for_many(tmp_path: Path) -> None:
    code = python_of(ROOT / "README.md").replace('Client.local("./data")', f'Client("{DEFAULT_ADDRESS}")')
    [printed] = [text for language, text in fences(ROOT / "README.md") if language == "text"]
    with running_server(tmp_path / "data") as address:
        assert DEFAULT_ADDRESS in code
        assert run(code, address, tmp_path) == (0, printed, "")


def test_the_lines_of_the_clients_readme_run_each_time(tmp_path: Path) -> None:
    code = python_of(CLIENT_README)
    with running_server(tmp_path / "data") as address:
        for _ in range(2):
            assert run(code, address, tmp_path) == (0, "1 0.032786883413791656 {'price': 20}\n", "")


def python_of(document: Path) -> str:
    """The first Python of a document, which is for the default address or for a server of its own."""
    return next(text for language, text in fences(document) if language == "python")


def run(code: str, address: str, folder: Path) -> tuple[int, str, str]:
    """Exit status, output and errors of a program that speaks to the server at the address."""
    done = subprocess.run(
        [sys.executable, "-c", code.replace(DEFAULT_ADDRESS, address)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "client")},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("checker", ["mypy", "mypy --strict", "pyright"])
def test_the_lines_of_both_readmes_type_check(checker: str, tmp_path: Path) -> None:
    """With the settings that a stranger has, who has none."""
    command, *options = checker.split()
    program = Path(sys.executable).with_name(command)
    if not program.exists():
        pytest.skip(f"{command} is not installed")
    for number, document in enumerate((ROOT / "README.md", CLIENT_README)):
        (tmp_path / f"lines_{number}.py").write_text(python_of(document))
    config = ["--config-file=", f"--cache-dir={tmp_path}/cache"] if command == "mypy" else []
    done = subprocess.run(
        [str(program), *config, *options, "lines_0.py", "lines_1.py"],
        env={**os.environ, "MYPYPATH": str(ROOT / "client"), "PYTHONPATH": str(ROOT / "client")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rpc_of_the_contract_is_built(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as address, grpc.insecure_channel(address) as channel:
        codes = {method.full_name: ask(channel, method) for service in SERVICES for method in service.methods}
    assert [name for name, code in codes.items() if code is grpc.StatusCode.UNIMPLEMENTED] == []


def ask(channel: grpc.Channel, method: MethodDescriptor) -> grpc.StatusCode:
    """How the server answers an empty request, or a stream of none."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    empty: Any = GetMessageClass(method.input_type)().SerializeToString()
    if method.client_streaming:
        call: Any = channel.stream_unary(path, None, None).future(iter(()))
    elif method.server_streaming:
        call = channel.unary_stream(path, None, None)(empty)
    else:
        call = channel.unary_unary(path, None, None).future(empty)
    code: grpc.StatusCode = call.code()
    return code
