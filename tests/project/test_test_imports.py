"""Tests stand alone: none imports another test, and none imports from the folder of another layer's tests."""

from pathlib import Path, PurePath

import pytest

from docs.imports import imported_names
from tests.support.documents import sources
from tests.support.root import ROOT

OPEN_TO_ALL = {"support", "conftest"}


def test_no_test_imports_another_test() -> None:
    wrong = [
        f"{path}: {module}"
        for path in sources("tests", "bench", "docs", "examples")
        for module in imported_names((ROOT / path).read_text(encoding="utf-8"), path.parent.parts)
        if is_wrong(path, module)
    ]
    assert wrong == []


def is_wrong(path: PurePath, module: str) -> bool:
    """Whether a file may not import a module, given by its whole dotted name (with or without a name in it)."""
    package, *parts = module.split(".")
    if package != "tests":
        return any(part.startswith("test_") for part in module.split("."))
    if any(part.startswith("test_") for part in parts):
        return True
    return bool(parts) and parts[0] not in OPEN_TO_ALL and path.parts[:2] != ("tests", parts[0])


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("from tests.planner.test_plans import PLANS", True),
        ("from tests.planner import test_plans", True),
        ("import tests.planner.rank.test_ranks as ranks", True),
        ("from .test_ranks import shop", True),
        ("from . import test_ranks", True),
        ("from ...storage import model", True),
        ("def run():\n    from tests.planner.test_plans import PLANS", True),
        ("from test_plans import PLANS", True),
        ("from tests.storage.model import write", True),
        ("from tests.storage import model", True),
        ("from tests.planner.shop import SHOP", False),
        ("from tests.planner import shop", False),
        ("from tests.support.root import ROOT", False),
        ("from tests.support import root", False),
        ("from tests.conftest import Golden", False),
        ("from planner.engine import Engine", False),
        ("import tests", False),
    ],
)
def test_a_wrong_import_is_seen(line: str, wrong: bool) -> None:
    path = Path("tests/planner/rank/test_fusion.py")
    assert any(is_wrong(path, module) for module in imported_names(line, path.parent.parts)) == wrong
