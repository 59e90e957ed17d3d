"""`--durations-file` records every test that ran, in one process or in several, slowest first."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.root import ROOT

TESTS = "tests/project/test_slow_share.py"


@pytest.mark.parametrize("processes", [["-p", "no:xdist"], ["-n", "1"]], ids=["one", "several"])
def test_every_test_is_recorded(processes: list[str], tmp_path: Path) -> None:
    file = tmp_path / "folder" / "durations.txt"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *processes, f"--durations-file={file}"]
    done = subprocess.run([*command, TESTS], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    entries = [line.split(maxsplit=1) for line in file.read_text().splitlines()]
    assert sorted(name for _, name in entries) == [
        *(f"{TESTS}::test_every_slow_test_has_its_day[{share}]" for share in (1, 2, 4, 7)),
        f"{TESTS}::test_no_share_is_none",
    ]
    seconds = [float(text) for text, _ in entries]
    assert seconds == sorted(seconds, reverse=True)
