"""The shell commands of documents run in order as they stand, in an empty folder, beside the server they start."""

import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.documents import fences
from tests.support.root import ROOT
from tests.support.server_process import environment, wait_until_ready

DOCUMENTS = {
    "deploying.md": [],
    "maintaining.md": ["backups/data.tar.gz", "backups/shop-20*.snapshot", "backups/shop-monday.snapshot"],
    "operating.md": [],
}
"""Each with patterns of files that its commands leave behind."""
RUN_ELSEWHERE = {"cli.md", "contributing.md", "http.md", "console.md", "ivf.md", "keys.md", "monitoring.md"}
"""Documents whose commands have tests of their own, or are for a checkout."""
ADDRESS = "localhost:50051"
STARTS = f"headwater-server --data ./data --listen {ADDRESS}"
STOPPED = "# The server is stopped.\n"
SECONDS = 120.0


class Shell:
    """Runs blocks in a folder. At most one server runs there, on a port that the system chose."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: subprocess.Popen[str] | None = None
        self._address = ADDRESS
        commands = Path(sys.executable).parent
        self._environment = {**environment(), "HOME": str(folder), "PATH": f"{commands}:{os.environ['PATH']}"}

    def run(self, block: str) -> None:
        if block.startswith(STARTS):
            self.stop()
            self._start(block)
            return
        if block.startswith(STOPPED):
            self.stop()
        elif self._server is None:
            self._start(STARTS)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.replace(ADDRESS, self._address)],
            cwd=self._folder,
            env={**self._environment, "HEADWATER_ADDRESS": self._address},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"

    def _start(self, command: str) -> None:
        text = re.sub(r"localhost:\d+", "localhost:0", command.strip())
        log = self._folder / "log"
        with log.open("wb") as errors:
            self._server = subprocess.Popen(
                text.split(),
                cwd=self._folder,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._address = wait_until_ready(self._server, log)

    def stop(self) -> None:
        if self._server is not None:
            self._server.terminate()
            assert self._server.wait(SECONDS) == 0
            assert self._server.stdout is not None
            self._server.stdout.close()
            self._server = None


@pytest.mark.parametrize(
    "document", ["deploying.md", "operating.md", pytest.param("maintaining.md", marks=pytest.mark.slow)]
)
def test_the_commands_of_a_document_run(document: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        shell = Shell(tmp_path)
        stack.callback(shell.stop)
        for language, block in fences(ROOT / "docs" / document):
            if language == "sh":
                shell.run(block)
    for pattern in DOCUMENTS[document]:
        assert list(tmp_path.glob(pattern)), pattern


def test_every_document_with_commands_is_run() -> None:
    found = {path.name for path in (ROOT / "docs").glob("*.md") if any(name == "sh" for name, _ in fences(path))}
    assert found <= {*DOCUMENTS, *RUN_ELSEWHERE}
    assert found >= set(DOCUMENTS)
