"""How this program starts processes of its own: with the same Python and the same packages, wherever they lie."""

import os
import sys
from pathlib import Path

_MATH_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
PACKAGES = Path(__file__).resolve().parents[1]


def python_command(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of these packages. The current folder is not on its path."""
    return [sys.executable, "-P", "-m", module, *arguments]


def python_environment() -> dict[str, str]:
    """The environment for it: the path of this process, and one thread for linear algebra."""
    path = os.pathsep.join(dict.fromkeys([str(PACKAGES), *filter(None, sys.path)]))
    return {**os.environ, "PYTHONPATH": path, **dict.fromkeys(_MATH_THREADS, "1")}
