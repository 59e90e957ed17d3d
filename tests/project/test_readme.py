"""The README is true: its Python prints what it says, on a real server; what it calls unbuilt answers UNIMPLEMENTED."""

import os
import re
import subprocess
import sys
from pathlib import Path

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from headwater.v1 import vde_pb2, vde_pb2_grpc
from tests.project.documents import ROOT, fences
from tests.support.server_process import running_server

DEFAULT_ADDRESS = "localhost:50051"


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


def test_the_rpcs_called_unbuilt_are_those_that_answer_unimplemented(tmp_path: Path) -> None:
    [row] = re.findall(r"^\| \*\*Maintenance\*\* .*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    with running_server(tmp_path / "data") as address, grpc.insecure_channel(address) as channel:
        answers = {method.name: ask(channel, method) for method in vde_pb2.DESCRIPTOR.services_by_name["VDE"].methods}
    assert set(re.findall(r"`(\w+)`", row)) == {
        name for name, code in answers.items() if code is grpc.StatusCode.UNIMPLEMENTED
    }


def ask(channel: grpc.Channel, method: MethodDescriptor) -> grpc.StatusCode:
    """How the server answers an empty request."""
    call = getattr(vde_pb2_grpc.VDEStub(channel), method.name)
    code: grpc.StatusCode = call.future(GetMessageClass(method.input_type)()).code()
    return code
