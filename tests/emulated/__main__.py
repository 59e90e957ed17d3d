"""Runs tests on an emulated 64-bit Arm processor: `python -m tests.emulated [ARGUMENTS OF PYTEST]`.

It fetches a Python of Debian and wheels for that processor into .cache/aarch64, once, and compiles the kernels for it.
It takes some minutes. Without the tools it says which are missing, and does nothing.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence

from storage.kernels.build import SOURCE, build
from tests.support.root import ROOT

FOLDER = ROOT / ".cache" / "aarch64"
COMPILER, EMULATOR = "aarch64-linux-gnu-g++", "qemu-aarch64"
TOOLS = {COMPILER: "g++-aarch64-linux-gnu", EMULATOR: "qemu-user", "apt-get": "apt", "dpkg": "dpkg"}
"""What is needed, and the package of Debian that has it."""

PYTHON = "python3.11"
PACKAGES = (
    f"{PYTHON}-minimal lib{PYTHON}-minimal lib{PYTHON}-stdlib libc6 libstdc++6 libgcc-s1 zlib1g libexpat1 libffi8 "
    "libssl3 libsqlite3-0 libbz2-1.0 liblzma5 libuuid1 libcrypt1"
).split()
NOT_NEEDED = re.compile(
    r"mypy|ruff|pyarrow|grpcio-tools|protobuf-protoc|import-linter|grimp|types-|ast_serialize|librt"
)
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")
TESTS = ("tests/storage/kernels", "tests/server/wire")


def main(arguments: Sequence[str]) -> int:
    missing = [package for tool, package in TOOLS.items() if shutil.which(tool) is None]
    if missing:
        print(f"skipped: these packages are not installed: {' '.join(missing)}")
        return 0
    _prepare()
    os.environ["CXX"] = COMPILER
    kernels, wire = FOLDER / "kernels.so", FOLDER / "wire.so"
    print("compiling the kernels for the emulated processor", flush=True)
    build(kernels, source=SOURCE)
    build(wire, source=ROOT / "server" / "wire" / "source")
    environment = {
        **os.environ,
        "HEADWATER_KERNELS_LIBRARY": str(kernels),
        "HEADWATER_WIRE_LIBRARY": str(wire),
        "PYTHONPATH": os.pathsep.join([str(FOLDER / "site"), str(ROOT), str(ROOT / "client")]),
    }
    root = FOLDER / "root"
    command = [
        EMULATOR,
        "-L",
        str(root),
        str(root / "usr" / "bin" / PYTHON),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    return subprocess.run([*command, *(arguments or TESTS)], cwd=ROOT, env=environment, check=False).returncode


def _prepare() -> None:
    """Fetches Python and the wheels, unless both are there."""
    if (FOLDER / "complete").exists():
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    print("fetching Python and libraries for the emulated processor", flush=True)
    lists = FOLDER / "lists"
    (lists / "partial").mkdir(parents=True)
    state = ["-o", "APT::Architectures::=arm64", "-o", f"Dir::State::Lists={lists}", "-o", "APT::Sandbox::User=root"]
    _run(["apt-get", "-q", "-q", *state, "update"])
    _run(["apt-get", "-q", "-q", *state, "download", *(f"{package}:arm64" for package in PACKAGES)])
    for archive in FOLDER.glob("*.deb"):
        _run(["dpkg", "-x", str(archive), str(FOLDER / "root")])
    locked = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line]
    wanted = [line for line in locked if not NOT_NEEDED.match(line)]
    platforms = [argument for platform in PLATFORMS for argument in ("--platform", platform)]
    where = ["--no-deps", "--only-binary=:all:", *platforms, "--python-version", "3.11", "-d", str(FOLDER / "wheels")]
    _run([sys.executable, "-m", "pip", "download", "--quiet", *where, *wanted])
    for wheel in (FOLDER / "wheels").glob("*.whl"):
        with zipfile.ZipFile(wheel) as file:
            file.extractall(FOLDER / "site")
    (FOLDER / "complete").touch()


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, cwd=FOLDER, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
