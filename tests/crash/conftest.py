"""The process in which lives die, one for each test process, and the share of places that a run visits."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.root import ROOT
from tests.support.server_process import environment

FEWER = 16
"""Where slow tests run by a share of 1 in N, one in N times this many places is visited, others each day."""


class Deaths:
    """Asks the process of runner.py."""

    def __init__(self, process: "subprocess.Popen[str]", stride: int, rotation: int) -> None:
        self._process = process
        self.stride = stride
        self.first = rotation % stride
        self._counts: dict[str, int] = {}

    def ask(self, **job: object) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def places(self, life: str) -> range:
        """The places of a life that are visited today; all where all slow tests run."""
        if life not in self._counts:
            answer = self.ask(life=life, place=0, mode=1)
            assert (answer["broken"], answer["code"]) == ([], 0)
            self._counts[life] = answer["count"]
        return range(1 + self.first, self._counts[life] + 1, self.stride)


@pytest.fixture(scope="session")
def deaths(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Deaths]:
    folder = tmp_path_factory.mktemp("crash")
    preload = _compiled(folder)
    share: int = pytestconfig.getoption("--slow-share")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.runner", str(folder / "runs")],
        cwd=ROOT,
        env={**environment(), "LD_PRELOAD": str(preload)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Deaths(process, 1 if share == 1 else FEWER * (share or 8), _rotation())
    finally:
        process.kill()
        process.communicate()


def _rotation() -> int:
    return int(os.environ["HEADWATER_TEST_ROTATION"])


def _compiled(folder: Path) -> Path:
    """The library that counts calls. Skips where it cannot be made."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("stopping a process at its every write takes Linux and a C compiler")
    library = folder / "places.so"
    source = Path(__file__).with_name("places.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl", "-lpthread"], check=True)
    return library
