"""What a Python file imports, as its source says. Runs none of it."""

import ast
from collections.abc import Iterator, Sequence


def imports_in(source: str, folder: Sequence[str] = ()) -> Iterator[tuple[str, str | None]]:
    """Each module that is imported anywhere in `source`, and the name taken out of it; None: the module itself.

    `folder`: the parts of the package that the file is in, from which relative imports start.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = folder[: len(folder) + 1 - node.level] if node.level else ()
            module = ".".join([*start, *filter(None, [node.module])])
            yield from ((module, alias.name) for alias in node.names)


def imported_names(source: str, folder: Sequence[str] = ()) -> set[str]:
    """Whole names: of `from a.b import c` both `a.b` and, since it may be a module, `a.b.c`."""
    pairs = list(imports_in(source, folder))
    return {module for module, _ in pairs} | {f"{module}.{name}" for module, name in pairs if name is not None}
