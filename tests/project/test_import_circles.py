"""No file imports itself through others, not even for its types: what two files share belongs below both."""

from collections.abc import Container, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from docs.imports import imports_in
from tests.support.documents import CODE, sources
from tests.support.root import ROOT


def module_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    parts = parts[1:] if parts[0] == "client" else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path, modules: Container[str]) -> Iterator[str]:
    """The modules that a file imports, anywhere in it. A module that is taken out of its package is not the package."""
    for module, name in imports_in((ROOT / path).read_text(encoding="utf-8")):
        yield f"{module}.{name}" if f"{module}.{name}" in modules else module


def test_no_file_imports_another_in_a_circle() -> None:
    modules = {module_of(path): path for path in sources(*CODE)}
    edges = {
        module: {name for name in imported(path, modules) if name in modules and name != module}
        for module, path in modules.items()
    }
    assert sum(map(len, edges.values())) > len(modules)  # they were found
    circle: list[str] = []
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        circle = error.args[1]
    assert circle == []
