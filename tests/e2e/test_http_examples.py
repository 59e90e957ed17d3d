"""The examples of docs/http.md run, by curl and by Node, against a real server."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.root import ROOT
from tests.support.serving import serving

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 60


def _blocks(language: str, address: str) -> list[str]:
    text = (ROOT / "docs/http.md").read_text().replace("localhost:50052", address)
    return [block for name, block in BLOCK.findall(text) if name == language]


def _output(command: list[str], script: str) -> str:
    done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_examples_of_http(tmp_path: Path) -> None:
    with serving(tmp_path / "data", http="127.0.0.1:0") as web:
        assert web.http is not None
        [script] = _blocks("sh", web.http)
        replies = _output(["sh", "-e"], script)
        assert json.loads(replies[replies.rindex('{"result"') :])["result"]["points"][0]["id"] == {"number": "1"}
        if shutil.which("node") is None:
            pytest.skip("there is no Node here")
        [program] = _blocks("js", web.http)
        assert _output(["node", "--input-type=module"], program) == "[ 'shoes' ]\n"
