"""A server that is stopped, killed and started again while clients use it, and what it takes of the machine."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.server_process import _end, _start, log_of, wait_until_ready

OPTIONS = ("--disk-reserve", str(2**20), "--grace-seconds", "20")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Anonymous memory and disk in bytes, and numbers of descriptors and threads."""

    memory: int
    descriptors: int
    threads: int
    disk: int


class LivingServer:
    """One at a time over the folder `data`. `address` changes with each start."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.address = ""
        self.up = threading.Event()
        self.starts = 0
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process, log = _start(self.data, "127.0.0.1:0", OPTIONS)
        self.address = wait_until_ready(self._process, log)
        self.starts += 1
        self.up.set()

    def kill(self) -> None:
        """Ends it by SIGKILL."""
        self._leave(lambda process: process.kill())

    def stop(self) -> None:
        """Ends it by SIGTERM. AssertionError when it does not exit with 0."""
        code = self._leave(lambda process: process.send_signal(signal.SIGTERM))
        assert code == 0, f"the server exited with {code}:\n{self.log()[-5000:]}"

    def end(self) -> None:
        """Ends it if it runs."""
        if self._process is not None:
            _end(self._process)
            self._process = None

    def log(self) -> str:
        return log_of(self.data).read_text()

    def measure(self) -> Measure:
        assert self._process is not None
        proc = Path(f"/proc/{self._process.pid}")
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        return Measure(
            memory=int(status["RssAnon"].split()[0]) * 1024,
            descriptors=len(list((proc / "fd").iterdir())),
            threads=int(status["Threads"]),
            disk=sum(_bytes_of(path) for path in self.data.rglob("*")),
        )

    def _leave(self, by: Callable[["subprocess.Popen[str]"], None]) -> int:
        assert self._process is not None
        self.up.clear()
        by(self._process)
        code = self._process.wait(120)
        self.end()
        return code


def _bytes_of(path: Path) -> int:
    try:
        return os.lstat(path).st_blocks * 512
    except FileNotFoundError:
        return 0
