"""A real server as a separate process, for tests that need what only a process has: signals, ports, other languages.

Owns starting, waiting for readiness and stopping; says nothing about what is asked of it.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.root import ROOT

READY = "headwater ready on "
HTTP = "headwater answers HTTP on "
START_SECONDS = 60.0
STOP_SECONDS = 30.0


def hear_interrupts() -> None:
    """For `preexec_fn`: what a shell runs in the background ignores SIGINT, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def running_server(data: Path, *, listen: str = "127.0.0.1:0", options: Sequence[str] = ()) -> Iterator[str]:
    """The address of a server over the folder `data`, stopped by SIGTERM at the end; it must then exit with 0."""
    with server_process(data, listen=listen, options=options) as (_, address):
        yield address


@contextmanager
def server_process(
    data: Path, *, listen: str = "127.0.0.1:0", options: Sequence[str] = (), descriptors: int | None = None
) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The same with its process, for those who measure it; it may have `descriptors` at most (`ulimit -n`)."""
    process, log = _start(data, listen, options, descriptors)
    with _stopped(process, log):
        yield process, wait_until_ready(process, log)


@contextmanager
def _stopped(process: "subprocess.Popen[str]", log: Path) -> Iterator[None]:
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_SECONDS)
        finally:
            _end(process)
    assert code == 0, f"the server exited with {code}:\n{log.read_text()}"


@contextmanager
def running_servers(data: Path, *, options: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """The addresses of gRPC and of HTTP of one server over the folder `data`, stopped like the others."""
    process, log = _start(data, "127.0.0.1:0", ["--http", "127.0.0.1:0", *options])
    with _stopped(process, log):
        http, grpc = _first_lines(process, log)
        yield grpc.removeprefix(READY), http.removeprefix(HTTP)


@contextmanager
def doomed_server(data: Path, *, options: Sequence[str] = ()) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A server that is to die by SIGKILL, at the latest at the end; nothing is asked of its exit code."""
    process, log = _start(data, "127.0.0.1:0", options)
    try:
        yield process, wait_until_ready(process, log)
    finally:
        _end(process)


def log_of(data: Path) -> Path:
    """Where a server over the folder `data` logs to."""
    return data.with_name(data.name + ".log")


def _start(
    data: Path, listen: str, options: Sequence[str], descriptors: int | None = None
) -> tuple["subprocess.Popen[str]", Path]:
    command = [sys.executable, "-m", "server", "--data", str(data), "--listen", listen, *options]
    if descriptors is not None:
        command = ["sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh", *command]
    log = log_of(data)
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=errors, text=True
        )
    return process, log


def _end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()
    assert process.stdout
    process.stdout.close()


def environment() -> dict[str, str]:
    """The environment of a process that runs from this checkout, with no server setting inherited from outside."""
    kept = ("HEADWATER_KERNELS", "HEADWATER_KERNELS_LIBRARY")  # all tests may run on other kernels
    inherited = {name: value for name, value in os.environ.items() if name in kept or not name.startswith("HEADWATER_")}
    return {**inherited, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "client")]), "PYTHONUNBUFFERED": "1"}


def wait_until_ready(process: subprocess.Popen[str], log: Path) -> str:
    """The address in the server's ready line. Raises AssertionError with its log when it exits or does not say so."""
    return _first_lines(process, log)[-1].removeprefix(READY)


def _first_lines(process: subprocess.Popen[str], log: Path) -> list[str]:
    """What the server prints until it is ready, that line included."""
    assert process.stdout
    lines = []
    timer = threading.Timer(START_SECONDS, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith(READY):
                return lines
    finally:
        timer.cancel()
    process.wait()
    raise AssertionError(f"the server did not become ready:\n{log.read_text()}")
