"""What the documents of this repository claim: files, symbols, make targets, links. Judges nothing."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.root import ROOT

CODE = ("server", "planner", "storage", "client/headwater")
GENERATED = "client/headwater/v1/"

CODE_SPAN = re.compile(r"`([^`\n]+)`")
FOLDER = re.compile(r"(?:[\w.-]+/)+")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
MAKE = re.compile(r"\bmake ([a-z][a-z0-9-]*)\b")
REFERENCE = re.compile(
    r"(?P<path>[\w.-]+(?:/[\w.-]+)*\.(?:py|js|md|proto|toml|txt|lock|svg))(?::(?P<symbol>\w+(?:\.\w+)*))?"
)


@cache
def files() -> tuple[Path, ...]:
    """Every file of the repository that is or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(path for path in (ROOT / name for name in sorted(listed.stdout.split("\0")) if name) if path.is_file())


def documents() -> list[Path]:
    """The Markdown files of the repository."""
    return [path for path in files() if path.suffix == ".md"]


def sources(*folders: str) -> list[Path]:
    """The Python files below `folders` that people wrote, relative to the root."""
    relative = (path.relative_to(ROOT) for path in files() if path.suffix == ".py")
    return [path for path in relative if in_folders(path, folders) and not path.as_posix().startswith(GENERATED)]


def in_folders(path: Path, folders: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def prose(document: Path) -> str:
    """The text without fenced blocks."""
    return FENCE.sub("", document.read_text(encoding="utf-8"))


def fences(document: Path) -> list[tuple[str, str]]:
    """(language, text) of each fenced block."""
    return [(match[1], match[2]) for match in FENCE.finditer(document.read_text(encoding="utf-8"))]


def references(document: Path) -> Iterator[tuple[Path, str | None]]:
    """Files and folders named in code type, with the symbol behind a colon; from the document or the root."""
    for span in CODE_SPAN.findall(prose(document)):
        match = REFERENCE.fullmatch(span)
        if FOLDER.fullmatch(span):
            yield near(document, span), None
        elif match and ("/" in span or match["symbol"]):
            yield near(document, match["path"]), match["symbol"]


def near(document: Path, path: str) -> Path:
    """The file or folder that a document means: beside it, or else from the root."""
    beside = document.parent / path
    return beside if beside.exists() else ROOT / path


def links(document: Path) -> Iterator[tuple[Path, str]]:
    """Target file and anchor of each link that stays in the repository."""
    for target in LINK.findall(prose(document)):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield ((document.parent / path).resolve() if path else document), anchor


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def make_targets() -> set[str]:
    """The targets that the Makefile lists."""
    return set(re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


@cache
def symbols(path: Path) -> frozenset[str]:
    """Names a file defines: `function`, `Class`, `Class.method`, `Class.field`, `CONSTANT`; in protos every name."""
    if path.suffix != ".py":
        return frozenset(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    return frozenset(names(ast.parse(path.read_text(encoding="utf-8")).body, ""))


def names(body: list[ast.stmt], owner: str) -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.ClassDef(name=name):
                yield owner + name
                yield from names(statement.body, f"{owner}{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield owner + name
            case ast.Assign(targets=targets):
                yield from (owner + target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield owner + name
            case ast.If(body=inner):
                yield from names(inner, owner)
