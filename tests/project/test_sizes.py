"""Sizes of functions, classes, files and rooms: no exception is listed."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.support.documents import CODE, sources
from tests.support.root import ROOT

MOST_LINES_OF_A_FUNCTION = 40
MOST_PARAMETERS = 7
MOST_METHODS = 15
MOST_LINES_OF_A_FILE = 500
MOST_MODULES_OF_A_ROOM = 25

CLIENT = Path("client/headwater")
PUBLIC_ROOMS = ("_methods", "_files", "_cli")
"""Rooms of the client whose methods its users call, or whose options they write."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_nothing_is_too_large() -> None:
    """What is too large is divided by idea, not by length."""
    large = {large for path in sources(*CODE) for large in too_large(path, (ROOT / path).read_text(encoding="utf-8"))}
    assert large | large_rooms(sources(*CODE)) == set()


def too_large(path: Path, source: str) -> Iterator[str]:
    """What of one file is too large, by name. A room's door may be long: it lists what the room exports."""
    if path.name != "__init__.py" and len(source.splitlines()) > MOST_LINES_OF_A_FILE:
        yield f"{path}: lines"
    for name, node in definitions(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            if len(methods(node)) > MOST_METHODS:
                yield f"{path}:{name}: methods"
            continue
        if lines(node) > MOST_LINES_OF_A_FUNCTION:
            yield f"{path}:{name}: lines"
        if parameters(node) > MOST_PARAMETERS and not is_public_client(path, name):
            yield f"{path}:{name}: parameters"


def definitions(node: ast.AST, within: str = "") -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Every function and class below `node`, also nested ones, by its whole name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield f"{within}{child.name}", child
            yield from definitions(child, f"{within}{child.name}.")
        else:
            yield from definitions(child, within)


def lines(function: Function) -> int:
    """Lines of the body: from the first statement to the last.

    The signature and the function's own docstring do not count: they are what a reader reads instead of the body.
    Everything within the body counts: comments, empty lines, and nested functions with their docstrings.
    """
    body = function.body[1:] if ast.get_docstring(function) is not None and function.body[1:] else function.body
    first = body[0]
    start = min([first.lineno, *(decorator.lineno for decorator in getattr(first, "decorator_list", []))])
    end = body[-1].end_lineno
    assert end is not None
    return int(end - start + 1)


def parameters(function: Function) -> int:
    """Parameters without `self` and `cls`; `*values` and `**values` count as one each."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    count = len(positional) + len(arguments.kwonlyargs) + bool(arguments.vararg) + bool(arguments.kwarg)
    return count - bool(positional and positional[0].arg in ("self", "cls"))


def methods(node: ast.ClassDef) -> set[str]:
    """Names of the methods that a class defines, private ones too.

    Properties are values of the object, and special methods (`__init__`, `__enter__`) belong to the language's
    protocols: neither counts.
    """
    return {
        child.name
        for child in node.body
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        and not (child.name.startswith("__") and child.name.endswith("__"))
        and not any(is_property(decorator) for decorator in child.decorator_list)
    }


def is_property(decorator: ast.expr) -> bool:
    """Also `@name.setter`, `@functools.cached_property`."""
    words = ast.unparse(decorator).split(".")
    return words[-1] in ("property", "cached_property", "setter", "deleter")


def is_public_client(path: Path, name: str) -> bool:
    """Whether users of the client call the function: its parameters are what can be asked for."""
    if not path.is_relative_to(CLIENT) or name.split(".")[-1].startswith("_"):
        return False
    room, *rest = path.relative_to(CLIENT).parts
    return not rest or room in PUBLIC_ROOMS or not room.startswith("_")


def large_rooms(paths: list[Path]) -> set[str]:
    """Folders with too many modules; the door (`__init__.py`) does not count."""
    modules = Counter(path.parent for path in paths if path.name != "__init__.py")
    return {f"{room}: modules" for room, count in modules.items() if count > MOST_MODULES_OF_A_ROOM}


def of(source: str, path: str = "storage/made_up.py") -> list[str]:
    return list(too_large(Path(path), source))


def test_each_size_is_measured_at_its_limit() -> None:
    """What is at the limit is not too large; what is one past it is, by its whole name."""

    def function(length: int) -> str:
        return 'def f():\n    """Says.\n\n    Much.\n    """\n' + "    x = 1\n" * (length - 1) + "    return x\n"

    def taking(count: int) -> str:
        return "class C:\n    def m(self, *, " + ", ".join(f"a{number}" for number in range(count)) + "): ...\n"

    def having(count: int) -> str:
        named = "".join(f"    def m{number}(self): ...\n" for number in range(count))
        return "class C:\n    def __init__(self): ...\n    @property\n    def p(self): ...\n" + named

    assert of(function(40)) == of(taking(7)) == of(having(15)) == of("x = 1\n" * 500) == []
    assert of(function(41)) == ["storage/made_up.py:f: lines"]
    assert of(taking(8)) == ["storage/made_up.py:C.m: parameters"]
    assert of(having(16)) == ["storage/made_up.py:C: methods"]
    assert of("x = 1\n" * 501) == ["storage/made_up.py: lines"]


def test_what_is_nested_counts_and_is_measured_too() -> None:
    nested = (
        "def f():\n    def g():\n        "
        + '"""Says."""\n'
        + "        x = 1\n" * 41
        + "    return g\n\n\nasync def h():\n"
    )
    assert of(nested + "    x = 1\n" * 41) == [
        "storage/made_up.py:f: lines",
        "storage/made_up.py:f.g: lines",
        "storage/made_up.py:h: lines",
    ]


def test_only_the_public_client_takes_many_parameters() -> None:
    taken = "(self, a, *b, c, d, e, f, g, h): ...\n"
    source = f"class Points:\n    def query{taken}    def _ask{taken}"
    file = "client/headwater/_methods/points.py"
    assert of(source, "client/headwater/_client.py") == ["client/headwater/_client.py:Points._ask: parameters"]
    assert of(source, file) == [f"{file}:Points._ask: parameters"]
    assert len(of(source, "client/headwater/_wire/points.py")) == len(of(source, "planner/points.py")) == 2


def test_a_room_has_at_most_25_modules() -> None:
    room = [Path(f"storage/room/m{number}.py") for number in range(25)]
    assert large_rooms([*room, Path("storage/room/__init__.py")]) == set()
    assert large_rooms([*room, Path("storage/room/m25.py")]) == {"storage/room: modules"}
