"""At the system's limit of open files every operation fails with an error of ours, leaves nothing, and works later."""

import subprocess
import sys
from pathlib import Path

import pytest

from storage.check import check
from tests.support.root import ROOT
from tests.support.server_process import environment


@pytest.mark.slow
def test_operations_without_descriptors_fail_cleanly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.storage.descriptor_limit", str(tmp_path / "data")]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert check(tmp_path / "data").problems == []
