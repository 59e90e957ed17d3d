"""The process that builds an index, when the server that started it ended."""

import os
import subprocess
import sys

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
