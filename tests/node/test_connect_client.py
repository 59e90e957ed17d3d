"""Connect's own client against the HTTP port: in JSON and in protobuf it understands every kind of answer."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from docs.write_openapi import read_protos
from tests.node.conftest import HERE, NODE, has_node
from tests.support.serving import serving

pytestmark = has_node


@pytest.fixture(scope="module")
def answers(modules: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What connect.js printed, by the form of messages."""
    folder = tmp_path_factory.mktemp("connect")
    (folder / "descriptors").write_bytes(read_protos().SerializeToString())
    with serving(folder / "data", http="127.0.0.1:0", api_key="sesame") as web:
        assert web.http is not None
        done = subprocess.run(
            [str(NODE), str(HERE / "connect.js"), web.http, str(folder / "descriptors")],
            env={**os.environ, "NODE_PATH": str(modules)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


@pytest.mark.parametrize("form", ["json", "binary"])
def test_every_kind_of_answer(answers: dict[str, Any], form: str) -> None:
    answer = answers[form]
    assert answer["hits"] == [{"number": str(2**64 - 1)}, {"key": "ключ 🔑"}]
    assert answer["downloaded"]
    assert answer["uploaded"] == "two"
    assert answer["notFound"]["code"] == "NotFound"
    assert answer["notFound"]["details"] == ["google.rpc.ErrorInfo"]
    assert answer["invalid"]["code"] == "InvalidArgument"
    assert "google.rpc.BadRequest" in answer["invalid"]["details"]
    assert answer["late"]["code"] == "DeadlineExceeded"
    assert answer["lost"]["code"] == "NotFound"
    assert answer["stranger"]["code"] == "Unauthenticated"
