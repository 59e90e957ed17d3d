"""The wheels, installed into an empty environment: the commands are there, and the demo runs from them alone.

Says nothing of what the demo prints.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.root import ROOT

SECONDS = 600.0
PATTERNS = shutil.ignore_patterns(".*", "__pycache__", "dist", "build", "data", "node_modules", "*.so")


def run(command: Sequence[str | Path], folder: Path) -> str:
    """What the command prints. It must succeed. It sees no package of this checkout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HEADWATER"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the wheels of a clean copy of this checkout."""
    copy = tmp_path_factory.mktemp("checkout") / "headwater"
    shutil.copytree(ROOT, copy, ignore=PATTERNS)
    run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", "dist", "./client", "."], copy)
    return copy / "dist"


def test_the_wheel_of_the_server_has_one_package_and_the_kernels(wheels: Path) -> None:
    [wheel] = wheels.glob("headwater_server-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {"headwater_server", "headwater_server-0.1.0.dist-info"}
    assert not [name for name in names if "__pycache__" in name]
    if (ROOT / "server" / "http" / "console" / "index.html").exists():
        assert "headwater_server/packages/server/http/console/index.html" in names
    if shutil.which("g++") is not None:
        assert "headwater_server/packages/storage/kernels/kernels.so" in names
        assert "headwater_server/packages/server/wire/wire.so" in names
        assert not wheel.name.endswith("any.whl")


def test_the_wheel_of_the_client_is_the_client_alone(wheels: Path) -> None:
    [wheel] = wheels.glob("headwater-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {"headwater", "headwater-0.1.0.dist-info"}
    assert {"headwater/py.typed", "headwater/v1/points_pb2.py", "headwater/v1/points_pb2.pyi"} <= set(names)


@pytest.mark.slow
def test_the_demo_runs_from_an_empty_environment(wheels: Path, tmp_path: Path) -> None:
    run([sys.executable, "-m", "venv", "environment"], tmp_path)
    python = tmp_path / "environment" / "bin" / "python"
    lock = ROOT / "requirements.lock"
    run([python, "-m", "pip", "install", "--quiet", "-c", lock, *wheels.glob("*.whl")], tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "storage").mkdir()  # a user's own, which must not be in the way of the server's
    (tmp_path / "storage" / "__init__.py").write_text("raise ImportError('this is not the package of the server')")
    assert "rank 1" in run([python, "-m", "examples.demo"], tmp_path)
    assert "--data" in run([python.with_name("headwater-server"), "--help"], tmp_path)
    assert "--service" in run([python.with_name("headwater-server"), "health", "--help"], tmp_path)
    assert "collections" in run([python.with_name("headwater"), "--help"], tmp_path)
    (tmp_path / "data").mkdir()
    program = "from headwater import Client, VectorParams as V; Client.local('data').collections.create('a', V(size=2))"
    run([python, "-c", program], tmp_path)
    run([python.with_name("headwater-server"), "check", "data"], tmp_path)
