"""The process of one task, as the server sees it: starts it, reads its replies, and stops it. Knows no collection."""

import subprocess
import threading
from collections.abc import Callable

from storage.errors import CorruptStore, StorageFailed, StorageFull
from storage.maintenance.build_job import BuildJob, Built, Damaged, DiskFull, Progress, Reply, reply_from_json
from storage.python_process import python_command, python_environment
from storage.segments import BuiltIndex

Report = Callable[[Progress], None]
"""Called with the progress of a task."""


class BuildStopped(Exception):
    """The task was cancelled, or its collection is closing."""


class JobProcess:
    """Other threads may stop it at any time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def check(self) -> None:
        """Raises BuildStopped once it was stopped."""
        if self._stopped:
            raise BuildStopped

    def run(self, job: BuildJob, rows: bytes, report: Report) -> BuiltIndex | None:
        """Runs `python -m storage.maintenance.build_process`. Returns what it reports of the index, None without one.

        Raises BuildStopped, CorruptStore, StorageFull, or StorageFailed with the reason.
        """
        with self._lock:
            self.check()
            self._process = process = subprocess.Popen(
                python_command("storage.maintenance.build_process", job.to_json()),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=python_environment(),
            )
        try:
            last = _converse(process, rows, report)
            status = process.wait()
            self.check()
            return _built(last, status)
        finally:
            with self._lock:
                process.kill()
                process.wait()
                self._process = None


def _converse(process: "subprocess.Popen[bytes]", rows: bytes, report: Report) -> Reply | None:
    """The last reply of the process, which has ended or is about to."""
    assert process.stdin is not None
    assert process.stdout is not None
    last = None
    with process.stdin, process.stdout:
        try:
            process.stdin.write(rows)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it died; its exit status tells why
        for line in process.stdout:
            reply = reply_from_json(line.decode(errors="replace"))
            if isinstance(reply, Progress):
                report(reply)
            last = reply or last
    return last


def _built(last: Reply | None, status: int) -> BuiltIndex | None:
    """What the process built. Raises CorruptStore, StorageFull, StorageFailed."""
    match last:
        case Damaged(file, offset):
            raise CorruptStore(file, offset, "the vector does not match its checksum")
        case DiskFull(reason):
            raise StorageFull(f"no space left on the device: {reason}")
    if status != 0:
        raise StorageFailed(f"the build process ended with status {status}")
    return last.index if isinstance(last, Built) else None
