"""The process that builds an index, when the server that started it ended."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from storage.maintenance.build_job import BuildJob, Source, SourceRows, rows_to_bytes
from storage.schema import DenseSpace
from tests.support.root import ROOT

SAYS = """
from storage.maintenance.build_job import Progress
from storage.maintenance.build_process import _say
from storage.phases import Phase
_say(Progress(Phase.BUILDING, 1, 2))
"""


def test_a_build_that_nobody_waits_for_ends_without_a_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", SAYS], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr.strip()) == (1, "the server ended")


@pytest.mark.parametrize("writes", [True, False])
def test_a_build_whose_space_is_dropped_ends_without_a_traceback(writes: bool, tmp_path: Path) -> None:
    folder = tmp_path / "space"
    job = BuildJob(
        space=DenseSpace(size=4),
        sources=(Source(path=folder / "1.vectors", count=3),),
        block=folder / "2.vectors" if writes else None,
        index=None if writes else folder / "1.7.index",
        partition=None,
        max_memory=None,
        parent=os.getpid(),
    )
    folder.mkdir()
    np.ones((3, 4), "<f4").tofile(folder / "1.vectors")
    shutil.rmtree(folder)
    rows = rows_to_bytes([SourceRows(positions=np.arange(3), numbers=np.arange(3), checksums=np.arange(3))])
    done = subprocess.run(
        [sys.executable, "-m", "storage.maintenance.build_process", job.to_json()],
        cwd=ROOT,
        input=rows,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"its space was dropped" in done.stderr
    assert b"Traceback" not in done.stderr
