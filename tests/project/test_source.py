"""Rules of the source that no linter knows: long functions, names of machines, versions that agree."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documents import CODE, files, sources
from tests.support.root import ROOT

LONGEST_FUNCTION = 70
BINARY = {".npy", ".npz", ".png", ".jpg", ".gz", ".mdb", ".vectors", ".rows", ".index", ".snapshot"}
# Split so that this file does not name them.
MACHINE_PATHS = re.compile(
    r"(?<![\w.])/(?:" + "|".join(["wor" + "k/", "hom" + "e/", "roo" + "t/", "Use" + "rs/"]) + ")"
)
REGISTRIES = re.compile(
    "|".join(re.escape(name) for name in ["pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org"])
)


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and length in lines of each function."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno
            yield node.name, node.end_lineno - node.lineno + 1


def test_functions_fit_a_screen() -> None:
    """Also those of tests and tools; test_sizes.py asks more of the code itself."""
    long = [
        f"{path}:{name} has {length} lines"
        for path in sources(*CODE, "tests", "bench", "examples", "docs")
        for name, length in functions(path)
        if length > LONGEST_FUNCTION
    ]
    assert long == []


@pytest.mark.parametrize("forbidden", [MACHINE_PATHS, REGISTRIES], ids=["paths of a machine", "hosts of registries"])
def test_nothing_names_a_machine(forbidden: re.Pattern[str]) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files()
        if path.suffix not in BINARY
        for match in forbidden.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_server_and_client_share_a_version() -> None:
    server, client = (tomllib.loads((ROOT / path).read_text()) for path in ("pyproject.toml", "client/pyproject.toml"))
    assert server["project"]["version"] == client["project"]["version"]
    assert server["project"]["requires-python"] == client["project"]["requires-python"]


def test_the_lock_covers_every_dependency() -> None:
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    server, client = (tomllib.loads((ROOT / path).read_text()) for path in ("pyproject.toml", "client/pyproject.toml"))
    asked = [
        *server["project"]["dependencies"],
        *server["project"]["optional-dependencies"]["dev"],
        *client["project"]["dependencies"],
    ]
    names = {re.split(r"[<>=!~ \[]", requirement)[0] for requirement in asked}
    assert names - {"headwater"} <= locked  # the client lies in this checkout
