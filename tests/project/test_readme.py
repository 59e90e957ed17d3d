"""The README is true: its Python prints what it says, on a real server; every RPC answers."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from server.app import COLLECTIONS, POINTS, VDE
from tests.project.documents import ROOT, fences
from tests.support.server_process import running_server

DEFAULT_ADDRESS = "localhost:50051"
SERVICES = (COLLECTIONS, POINTS, VDE)


def test_the_ten_lines_of_client_code(tmp_path: Path) -> None:
    blocks = fences(ROOT / "README.md")
    [code] = [text for language, text in blocks if language == "python"]
    [printed] = [text for language, text in blocks if language == "text"]
    assert DEFAULT_ADDRESS in code
    with running_server(tmp_path / "data") as address:
        done = subprocess.run(
            [sys.executable, "-c", code.replace(DEFAULT_ADDRESS, address)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "client")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == printed


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
