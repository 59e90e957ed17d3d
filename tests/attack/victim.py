"""The server under attack: a real process, its memory and its log. Sends it nothing but signals."""

import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.attack.cases import API_KEY
from tests.support.server_process import STOP_SECONDS, doomed_server, log_of

TRACEBACK = "Traceback (most recent call last)"
LOOK_SECONDS = 0.1


class Victim:
    """A running server over the folder `data`. `peak` is the most anonymous memory it was seen to hold, in bytes."""

    def __init__(self, process: "subprocess.Popen[str]", address: str, data: Path) -> None:
        self.address = address
        self.peak = 0
        self._process, self._data = process, data
        self._log_read = 0
        self._is_killed = False
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch_memory, daemon=True)
        self._watcher.start()

    @property
    def is_alive(self) -> bool:
        return not self._is_killed and self._process.poll() is None

    def memory(self) -> int:
        """Anonymous memory in bytes; 0 once it is dead."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return 0
        lines = [line for line in status.splitlines() if line.startswith("RssAnon:")]
        return int(lines[0].split()[1]) * 1024 if lines else 0

    def new_log(self) -> str:
        """What was logged since the last call."""
        with log_of(self._data).open("rb") as log:
            log.seek(self._log_read)
            new = log.read()
        self._log_read += len(new)
        return new.decode(errors="replace")

    def kill(self) -> None:
        """SIGKILL: what was acknowledged must be there after it."""
        self._is_killed = True  # before, for calls that break off by it
        self._process.kill()
        self._process.wait()

    def stop(self) -> int | None:
        """Its exit code after SIGTERM; None when it did not end, and was killed."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def forget(self) -> None:
        """Ends the watch of its memory."""
        self._ended.set()
        self._watcher.join()

    def _watch_memory(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self.peak = max(self.peak, self.memory())


@contextmanager
def victim(data: Path, options: Sequence[str] = ()) -> Iterator[Victim]:
    """A server over `data`, killed at the end if it still runs."""
    with doomed_server(data, options=("--api-key", API_KEY, *options)) as (process, address):
        running = Victim(process, address, data)
        try:
            yield running
        finally:
            running.forget()
