"""A client in another language, made from the proto files alone, against a real server."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import HERE, NODE, has_node
from tests.support.root import ROOT
from tests.support.server_process import running_server

INVALID_ARGUMENT = 3

pytestmark = has_node


@pytest.fixture(scope="module")
def answers(modules: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What client.js printed."""
    with running_server(tmp_path_factory.mktemp("node") / "data") as address:
        done = subprocess.run(
            [str(NODE), str(HERE / "client.js"), address, str(ROOT / "protos")],
            env={**os.environ, "NODE_PATH": str(modules)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def test_create_and_upsert(answers: dict[str, Any]) -> None:
    assert answers["distance"] == "DISTANCE_EUCLID"
    assert answers["status"] == "UPDATE_STATUS_COMPLETED"
    assert answers["affected"] == "4"


def test_search(answers: dict[str, Any]) -> None:
    assert [hit["id"] for hit in answers["found"]] == ["1", "2"]
    assert [hit["score"] for hit in answers["found"]] == pytest.approx([1.0, 0.8])
    assert {hit["price"] for hit in answers["found"]} == {"9007199254740993"}, "a 64-bit integer stays exact"


def test_nested_query(answers: dict[str, Any]) -> None:
    # text lists 1, 2; image lists 1, 18446744073709551615; fused, these three are ranked by distance to (0, 2, 0).
    assert [hit["name"] for hit in answers["nested"]] == ["shoe", "clock", "boot"]
    assert [hit["score"] for hit in answers["nested"]] == pytest.approx([0.0, 5**0.5, 8**0.5])
    assert answers["nested"][1]["id"] == "18446744073709551615"


def test_a_refused_request_says_why(answers: dict[str, Any]) -> None:
    assert answers["refused"] == {"code": INVALID_ARGUMENT, "has_details": True}
