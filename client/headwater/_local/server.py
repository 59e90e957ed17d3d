"""A server of one's own: a child process over a local folder, which ends with the process that started it.

It owns starting and stopping that process. It says nothing of what is asked of the server.
"""

import atexit
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import deque
from pathlib import Path

from headwater.errors import LocalServerError, ServerNotInstalledError

MEMORY = ":memory:"
"""The path of a temporary store. It lies in the folder of temporary files, and is removed at the end."""

PACKAGE = "headwater_server"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
_READY = "headwater ready on "
_LINES_KEPT = 20


class LocalServer:
    """The process. It runs when the object has been made. Safe for many threads; forks may use it, too."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """`path`: the data directory, made when absent, or ":memory:".

        Raises ServerNotInstalledError, LocalServerError when the server does not start, and TypeError.
        """
        typed = os.fspath(path)
        if not isinstance(typed, str):
            raise TypeError(f"path is a string or a path, not {type(path).__name__}")
        if not typed:
            raise ValueError('path is empty; write "." for the current folder, or ":memory:"')
        if importlib.util.find_spec(PACKAGE) is None:
            raise ServerNotInstalledError(
                f"this Python ({sys.executable}) has no package {PACKAGE}, and a local server needs it: "
                "install it from a checkout of Headwater by `pip install ./client .`, or from its wheels"
            )
        self._owner = os.getpid()
        self._folder = Path(tempfile.mkdtemp(prefix="headwater-"))
        self.target = f"unix:{self._folder / 'server.sock'}"
        """The address, for other clients of this machine and user."""
        self._said: deque[str] = deque(maxlen=_LINES_KEPT)
        data = self._folder / "data" if typed == MEMORY else Path(typed).absolute()
        self._process = self._start(data)
        self._listener = threading.Thread(target=self._listen, name="headwater-server-log", daemon=True)
        self._listener.start()
        try:
            self._await_ready(typed)
        except BaseException:
            self.stop()
            raise
        atexit.register(self.stop)

    def stop(self) -> None:
        """Stops the process, once, and waits until it has ended. A fork stops nothing: the server is not its own."""
        if os.getpid() != self._owner:
            return
        atexit.unregister(self.stop)
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(1.0)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, data: Path) -> "subprocess.Popen[str]":
        settings = ["--data", str(data), "--listen", self.target, "--log-level", "warning"]
        owned = ["--owner", str(os.getpid()), "--temporary-folder", str(self._folder)]
        # Settings in the environment are meant for another server, and systemd's socket is that of the owner.
        strange = ("HEADWATER_", "NOTIFY_SOCKET")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
        if "HEADWATER_KERNELS" in os.environ:
            environment["HEADWATER_KERNELS"] = os.environ["HEADWATER_KERNELS"]
        return subprocess.Popen(
            [sys.executable, "-m", PACKAGE, *settings, *owned],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=environment,
            start_new_session=True,  # so Ctrl-C in a terminal stops this process alone, which may want to write still
        )

    def _await_ready(self, typed: str) -> None:
        assert self._process.stdout is not None, "the process was started with pipes"
        timer = threading.Timer(START_SECONDS, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            with self._process.stdout as lines:
                if any(line.startswith(_READY) for line in lines):
                    return
        finally:
            timer.cancel()
        self._process.wait()
        self._listener.join(1.0)
        reasons = [line.removeprefix("headwater: ") for line in self._said if line.startswith("headwater: ")]
        why = "; ".join(reasons) or "\n".join([f"it ended with status {self._process.returncode}", *self._said])
        raise LocalServerError(f"the local server of {typed!r} did not start: {why}")

    def _listen(self) -> None:
        """Passes on what the server says on standard error: warnings and errors."""
        assert self._process.stderr is not None, "the process was started with pipes"
        with self._process.stderr as lines:
            for line in lines:
                self._said.append(line.rstrip("\n"))
                if not line.startswith("headwater: "):  # why it cannot start, which becomes an exception
                    sys.stderr.write(line)
