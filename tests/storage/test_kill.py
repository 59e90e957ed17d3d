"""Processes killed at random moments: what was acknowledged is there, whole, and nothing is there by half."""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import numpy as np
import pytest

from storage.check import check
from storage.mvcc.snapshot import Snapshot
from storage.schema import PointId
from tests.storage.killed_writer import OWN, SHARED
from tests.support.directories import CODEC, Directories
from tests.support.root import ROOT
from tests.support.server_process import environment

WAIT_SECONDS = 60


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_a_killed_writer_keeps_what_it_acknowledged(seed: int, directories: Directories) -> None:
    """The same directory through several lives, so that every one begins by recovering from the last."""
    random = Random(seed)
    last = 0
    for _ in range(4 if seed == 1 else 12):
        acknowledged = _live_and_die(directories.root / "data", last + 1, random.uniform(0, 0.6))
        found = _verify(directories)
        assert found >= max([last, *acknowledged])
        last = found


def _live_and_die(folder: Path, first: int, seconds: float) -> list[int]:
    """The batches that a process acknowledged before it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.storage.killed_writer", str(folder), str(first)],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    time.sleep(seconds)
    process.kill()
    out, _ = process.communicate(timeout=WAIT_SECONDS)
    # The last line may be cut short.
    return [int(line) for line in out.splitlines(keepends=True) if line.endswith("\n")]


def _verify(directories: Directories) -> int:
    """The last batch that is there; asserts that all before it are, and that it is whole.

    A copy is checked, so that nothing is repaired by looking. A graph may be damaged by a kill, never an original.
    """
    copy = directories.root / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(directories.root / "data", copy)
    assert [str(problem) for problem in check(copy).problems if not problem.derived] == []
    collection = directories.open("copy").collection("c")
    with collection.snapshot() as snapshot:
        last = _verify_batches(snapshot)
    directories.close()
    return last


def _verify_batches(snapshot: Snapshot) -> int:
    records = list(snapshot.scan())
    batches = {record.id: CODEC.decode(record.payload)["batch"] for record in records}
    last = max((number for number in batches.values() if isinstance(number, int)), default=0)
    own_ids = (key for key in range(OWN, (last + 1) * OWN) if key % OWN or key // OWN == last)
    own: dict[PointId, object] = {key: key // OWN for key in own_ids}
    shared: dict[PointId, object] = {f"shared {position}": last for position in range(SHARED if last else 0)}
    assert batches == {**own, **shared}
    slots = np.array([record.slot for record in records], np.uint32)
    expected = np.array(list(batches.values()), np.float32)
    for space in ("a", "b"):
        present, rows = snapshot.vectors(space, slots)
        assert present.all()
        assert (rows[:, 0] == expected).all()
    return last
