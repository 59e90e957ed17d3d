"""The build processes of this process: finding, holding and killing them. Owns no test data."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def builds() -> list[int]:
    """Process ids of the builds that this process runs."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    found = []
    for process_id in {number for path in children for number in path.read_text().split()}:
        try:
            if b"storage.maintenance.build_process" in Path(f"/proc/{process_id}/cmdline").read_bytes():
                found.append(int(process_id))
        except OSError:
            continue
    return found


@contextmanager
def held_build() -> Iterator[int]:
    """Stops the build that runs, or the next one, while the block runs; gives its process id."""
    wait_until(lambda: bool(builds()))
    (process_id,) = builds()
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield process_id
    finally:
        if process_id in builds():
            os.kill(process_id, signal.SIGCONT)


def kill_build() -> int:
    """Kills the build that runs, or the next one; returns its process id."""
    wait_until(lambda: bool(builds()))
    (process_id,) = builds()
    os.kill(process_id, signal.SIGKILL)
    wait_until(lambda: process_id not in builds())
    return process_id


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
