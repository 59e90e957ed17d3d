"""A server of the example's own: a process over a temporary directory, both gone at the end. Asks nothing of it."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
READY = "headwater ready on "
OPTIONS = ("--listen", "127.0.0.1:0", "--log-level", "warning")  # any free port; say only what went wrong
START_SECONDS = 60.0
STOP_SECONDS = 30.0


@contextmanager
def own_server() -> Iterator[str]:
    """The address of a fresh, empty server. Stopped by SIGTERM at the end, also after an error.

    Its warnings and errors go to stderr. Raises RuntimeError when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="headwater-example-") as folder:
        command = [sys.executable, "-m", "server", "--data", folder, *OPTIONS]
        with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
            try:
                yield address_of(process)
            finally:
                stop(process)


def environment() -> dict[str, str]:
    """That of a process which runs from this checkout, without server settings meant for another server."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HEADWATER_")}
    return {**inherited, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "client")])}


def address_of(process: subprocess.Popen[str]) -> str:
    """HOST:PORT from the line that the server prints once it is ready."""
    assert process.stdout
    timer = threading.Timer(START_SECONDS, process.kill)  # ends the loop below when no line ever comes
    timer.start()
    try:
        for line in process.stdout:
            if line.startswith(READY):
                return line.removeprefix(READY).strip()
    finally:
        timer.cancel()
    raise RuntimeError("the server did not start")


def stop(process: subprocess.Popen[str]) -> None:
    """Asks the process to stop; ends it when it does not."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
