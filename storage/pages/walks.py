"""Has LMDB files checked by other processes, so that a damaged file can crash those and never this one.

A process is kept for some seconds and takes many requests, since starting one takes longer than checking a small file.
"""

import atexit
import logging
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

from storage.errors import CorruptStore, ShuttingDown, StorageFailed
from storage.pages.messages import Answer, Damaged, NotWalked, Progress, Sound, WalkRequest, reply_from_json
from storage.python_process import python_command, python_environment

log = logging.getLogger(__name__)

LARGE_BYTES = 64 * 2**20
"""Larger files are checked one after another, apart from small ones, which so need not wait for them."""

_SMALL_AT_ONCE = 2
_LOG_SECONDS = 5.0
_SIGNS_OF_DAMAGE = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL)


class _Child:
    """One process, and the file that it is checking."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            python_command("storage.pages"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=python_environment(),
            text=True,
        )
        self.file: Path | None = None
        self.abandoned = False

    def ask(self, request: WalkRequest, file: Path) -> Answer | None:
        """The answer of the process; None when the process ended instead."""
        assert self.process.stdin is not None, "the process was started with pipes"
        assert self.process.stdout is not None, "the process was started with pipes"
        with suppress(BrokenPipeError):
            self.process.stdin.write(request.to_json() + "\n")
            self.process.stdin.flush()
        told = time.monotonic()
        for line in self.process.stdout:
            match reply_from_json(line):
                case Progress(seen=seen, pages=pages):
                    if time.monotonic() - told >= _LOG_SECONDS:
                        told = time.monotonic()
                        log.info("checking %s: %s of %s pages", file, f"{seen:,}", f"{pages:,}")
                case Sound() | Damaged() | NotWalked() as answer:
                    return answer
        return None

    def end(self) -> int:
        """Ends the process; returns its exit status."""
        self.process.kill()
        status = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        return status


class PageWalks:
    """Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._abandoned: set[Path] = set()
        self._small = threading.BoundedSemaphore(_SMALL_AT_ONCE)
        self._large = threading.BoundedSemaphore(1)

    def walk(self, file: Path, start: int = 0, size: int | None = None) -> None:
        """Returns once the LMDB file in `file` (`size` bytes from `start`; None: to its end) is known to be sound.

        Raises CorruptStore with the byte offset, StorageFailed when it could not be checked, and ShuttingDown after
        `abandon`.
        """
        length = file.stat().st_size if size is None else size
        large = length > LARGE_BYTES
        request = WalkRequest(path=str(file), start=start, size=size)
        with self._large if large else self._small:
            began = time.monotonic()
            if large:
                log.info("checking %s: %s bytes", file, f"{length:,}")
            answer = self._ask(request, file)
            if large:
                log.info("checked %s in %.1f s", file, time.monotonic() - began)
        match answer:
            case NotWalked():
                raise StorageFailed(f"checking the pages of {file}: {answer.reason}")
            case Damaged():
                raise CorruptStore(file, answer.offset, answer.message)
            case Sound():
                return

    def abandon(self, folder: Path) -> None:
        """Ends the walks of files below `folder`, and refuses new ones until `admit`: they raise ShuttingDown.

        Also ends idle processes.
        """
        with self._lock:
            self._abandoned.add(folder)
            idle, self._idle = self._idle, []
            for child in self._busy:
                if child.file is not None and child.file.is_relative_to(folder):
                    child.abandoned = True
                    child.process.kill()
        for child in idle:
            child.end()

    def admit(self, folder: Path) -> None:
        """Ends the effect of `abandon` on `folder`."""
        with self._lock:
            self._abandoned.discard(folder)

    def _ask(self, request: WalkRequest, file: Path) -> Answer:
        while True:
            child = self._take(file)
            answer = None
            try:
                answer = child.ask(request, file)
            finally:
                with self._lock:
                    self._busy.discard(child)
                    child.file = None
                    if answer is not None and not child.abandoned:
                        self._idle.append(child)
                if answer is None or child.abandoned:
                    status = child.end()
            if answer is not None:
                return answer
            if child.abandoned:
                raise ShuttingDown()
            if -status in _SIGNS_OF_DAMAGE:
                name = signal.Signals(-status).name
                return Damaged(offset=0, message=f"reading it killed the process that read it, by {name}")
            if status != 0:  # 0: it was idle too long and ended just then
                return NotWalked(reason=f"the checking process ended with status {status}")

    def _take(self, file: Path) -> _Child:
        with self._lock:
            if any(file.is_relative_to(folder) for folder in self._abandoned):
                raise ShuttingDown()
            while self._idle:
                child = self._idle.pop()
                if child.process.poll() is None:
                    break
                child.end()
            else:
                child = _Child()
            child.file = file
            self._busy.add(child)
            return child


WALKS = PageWalks()
"""The walks of this process, for the files of all data directories."""

atexit.register(WALKS.abandon, Path("/"))
