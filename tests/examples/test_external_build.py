"""`python -m examples.external_build` as a person runs it: a partition made elsewhere is as good as the own."""

import re
import subprocess
import sys

from examples.external_build import LISTS, NPROBE
from tests.support.root import ROOT
from tests.support.server_process import environment

RECALL = re.compile(r"(\d+) of \d+ lists\s+recall@10 (\d\.\d+)")


def test_both_partitions_find_about_the_same() -> None:
    command = [sys.executable, "-m", "examples.external_build", "--backend", "numpy"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = [(int(nprobe), float(recall)) for nprobe, recall in RECALL.findall(done.stdout)]
    own, elsewhere = printed[: len(NPROBE)], printed[len(NPROBE) :]
    assert [nprobe for nprobe, _ in own] == [nprobe for nprobe, _ in elsewhere] == list(NPROBE)
    assert own[-1] == elsewhere[-1] == (LISTS, 1.0)
    for (_, one), (_, other) in zip(own, elsewhere, strict=True):
        assert abs(one - other) < 0.1
