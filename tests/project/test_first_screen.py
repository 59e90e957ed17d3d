"""The first screen of the README, as a newcomer follows it: in a copy of this checkout, with an environment of its own.

What its Python prints on a server that runs from this checkout is a quick test, in `test_readme`.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documents import fences, files
from tests.support.root import ROOT
from tests.support.server_process import wait_until_ready

SECONDS = 900.0
README = ROOT / "README.md"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here"),
]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is or would be committed."""
    copy = tmp_path_factory.mktemp("newcomer") / "headwater"
    for path in files():
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return copy


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables of a shell in which a new environment is active. It sees no package of this checkout."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=SECONDS)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HEADWATER"))}
    return {**inherited, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}


def blocks(language: str) -> list[str]:
    return [text for name, text in fences(README) if name == language]


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_install_and_the_lines_of_python(checkout: Path, environment: dict[str, str], tmp_path: Path) -> None:
    install = blocks("sh")[0]
    assert "pip install" in install
    run(["bash", "-ec", install], checkout, environment)
    [printed] = blocks("text")
    for _ in range(2):
        assert run(["python", "-c", blocks("python")[0]], tmp_path, environment) == printed
    assert "shop" in run(["headwater", "--local", "data", "collections"], tmp_path, environment)
    run(["headwater-server", "check", "data"], tmp_path, environment)


def test_the_demo_and_a_server_for_many(checkout: Path, environment: dict[str, str], tmp_path: Path) -> None:
    demo, serve = (line.partition("#")[0].split() for line in blocks("sh")[1].splitlines())
    assert (demo[:2], serve[:2]) == (["make", "demo"], ["make", "serve"])
    shown = run(demo, checkout, environment)
    assert "Installing what the server needs into .runtime" in shown
    assert "Building the kernels" in shown
    assert "rank 1" in shown
    log = tmp_path / "log"
    free = {**environment, "LISTEN": "localhost:0", "HTTP": "localhost:0"}
    with log.open("wb") as errors:
        server = subprocess.Popen(
            serve, cwd=checkout, env=free, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
        )
    try:
        address = wait_until_ready(server, log)
        health = [str(checkout / ".runtime/bin/headwater-server"), "health", address]
        assert run(health, tmp_path, environment) == "SERVING\n"
    finally:
        os.killpg(server.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
        server.wait(60)
        assert server.stdout is not None
        server.stdout.close()
    assert "stopped" in log.read_text()
    assert (checkout / "data").is_dir()
