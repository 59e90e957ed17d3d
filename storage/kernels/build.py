"""Builds a library from C++ sources, as `python -m storage.kernels` does. It needs g++ and takes some seconds.

Without a compiler nothing is built, and everything runs on twins in Python, which give the same answers.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

SOURCE = Path(__file__).parent / "source"
LIBRARY = Path(os.environ.get("HEADWATER_KERNELS_LIBRARY", Path(__file__).parent / "kernels.so"))
"""Where the library is. The variable is for builds that tests use, as `make sanitize` does."""

SANITIZERS = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")

OPTIONS = (
    "-std=c++17",
    "-O3",
    "-fPIC",
    "-fvisibility=hidden",
    "-ffp-contract=off",  # scores have the same bytes on every processor: no product is fused with a sum
    "-fno-math-errno",
    "-Wall",
    "-Wextra",
    "-Wno-psabi",
    "-Wno-maybe-uninitialized",  # the compiler's own headers
    "-pthread",
)


class BuildFailed(Exception):
    """The compiler refused. The message is what it said."""


def source_digest(source: Path = SOURCE) -> str:
    """A digest of all sources. A library tells the one it was built from, so a stale one is noticed."""
    digest = hashlib.sha256()
    for path in sorted(source.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:32]


def compiler() -> str | None:
    """The C++ compiler: that of the variable CXX, else g++. None: there is none."""
    return shutil.which(os.environ.get("CXX", "g++"))


def build_in_place(library: Path, source: Path, arguments: Sequence[str], *, without: str) -> int:
    """Builds a library, unless it is that of the sources, for a command with these arguments, `--sanitize` or none.

    Returns its exit status.

    `without`: what follows from having no compiler, which is no failure.
    """
    if compiler() is None:
        print(f"No C++ compiler (g++) was found: {without}")
        return 0
    if library.exists() and source_digest(source).encode() in library.read_bytes():
        return 0
    try:
        build(library, SANITIZERS if list(arguments) == ["--sanitize"] else (), source=source)
    except BuildFailed as error:
        print(f"{library.name} could not be built:\n{error}", file=sys.stderr)
        return 1
    return 0


def build(library: Path = LIBRARY, extra: Sequence[str] = (), *, source: Path = SOURCE) -> None:
    """Compiles the sources into `library`, which appears whole or not at all. Raises BuildFailed."""
    command = compiler()
    if command is None:
        raise BuildFailed("there is no C++ compiler (g++)")
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        made = Path(folder) / library.name
        objects = _compile(command, source, Path(folder), extra)
        _run([command, "-shared", "-pthread", *extra, *map(str, objects), "-o", str(made)])
        made.replace(library)


def _compile(command: str, folder_of_sources: Path, folder: Path, extra: Sequence[str]) -> list[Path]:
    """Compiles each source by a process of its own, all side by side."""
    digest = f'-DHW_SOURCE="{source_digest(folder_of_sources)}"'
    running: list[tuple[Path, subprocess.Popen[str]]] = []
    for source in sorted(folder_of_sources.glob("*.cpp")):
        target = folder / f"{source.stem}.o"
        arguments = [command, *OPTIONS, *extra, digest, "-c", str(source), "-o", str(target)]
        running.append((target, subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)))
    said = [(process.communicate()[1], process.returncode) for _, process in running]
    for text, status in said:
        if status != 0:
            raise BuildFailed(text.strip())
    return [target for target, _ in running]


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise BuildFailed(done.stderr.strip())
