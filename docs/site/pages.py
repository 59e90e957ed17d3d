"""Collects the pages of the site: the documents of the repository, and what they link to. Builds no site.

Run as `python -m docs.site.pages FOLDER` (`make site` does so). Pages lie in FOLDER as they lie in the repository, so
their links hold. A source that a page links to becomes a page of its own, and a folder a list of its files. Pictures
and JSON are copied.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "bench/README.md",
    "client/README.md",
    "client/*/README.md",
    "examples/**/*.md",
    "planner/text/stop_words/README.md",
    "storage/FORMAT.md",
    "docs/*.md",
    "docs/clients/*.md",
)
COPIED = {".svg", ".png", ".jpg", ".json"}
LANGUAGES = {
    ".cpp": "cpp",
    ".go": "go",
    ".java": "java",
    ".js": "js",
    ".proto": "protobuf",
    ".py": "python",
    ".rs": "rust",
    ".service": "ini",
    ".toml": "toml",
    ".ts": "ts",
    ".yaml": "yaml",
    ".yml": "yaml",
}
LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[)#])")
FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def collect(folder: Path) -> None:
    """Fills the folder anew. Raises ValueError when a document links to what is not in the repository."""
    shutil.rmtree(folder, ignore_errors=True)
    linked: set[Path] = set()
    for document in documents():
        text = document.read_text(encoding="utf-8")
        linked |= set(targets(document, text))
        write(folder / document.relative_to(ROOT), with_pages(document, text))
    for target in sorted(linked):
        add(folder, target)


def documents() -> list[Path]:
    return sorted({path for pattern in DOCUMENTS for path in ROOT.glob(pattern)})


def targets(document: Path, text: str) -> Iterator[Path]:
    """The files and folders of the repository that are no documents, and to which a document links."""
    for part in FENCE.split(text)[::2]:
        for link in LINK.findall(part):
            target = (document.parent / link).resolve()
            if not target.exists() or not target.is_relative_to(ROOT):
                raise ValueError(f"{document.relative_to(ROOT)} links to {link}, which does not exist")
            if target.suffix != ".md":
                yield target


def with_pages(document: Path, text: str) -> str:
    """The text of a document, with links to the pages of sources instead of sources."""

    def link_of(match: re.Match[str]) -> str:
        target = (document.parent / match[0]).resolve()
        if target.suffix == ".md" or target.suffix in COPIED:
            return match[0]
        depth = len(document.relative_to(ROOT).parts) - 1
        return str(PurePosixPath(*[".."] * depth, page_of(target)))

    parts = FENCE.split(text)
    parts[::2] = [LINK.sub(link_of, part) for part in parts[::2]]
    return "".join(parts)


def page_of(target: Path) -> PurePosixPath:
    """Where the page of a source or a folder lies. Names without a leading dot, for the site leaves such files out."""
    parts = [part.removeprefix(".") for part in target.relative_to(ROOT).parts]
    if target.is_dir():
        return PurePosixPath(*parts, "README.md" if (target / "README.md").exists() else "index.md")
    return PurePosixPath(*parts[:-1], parts[-1] + ".md")


def add(folder: Path, target: Path) -> None:
    """Adds what a document links to: a copy, the page of a source, or the list of a folder with the pages in it."""
    if (target / "README.md").exists():
        return  # the document of a folder is its page
    if target.is_dir():
        files = [path for path in sorted(target.iterdir()) if path.is_file() and path.suffix in LANGUAGES]
        rows = [f"- [{path.name}]({path.name}.md)" for path in files]
        write(folder / page_of(target), "\n".join([f"# {target.relative_to(ROOT)}", "", *rows, ""]))
        for path in files:
            add(folder, path)
    elif target.suffix in COPIED:
        copy = folder / target.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(target, copy)
    else:
        text = target.read_text(encoding="utf-8")
        language = LANGUAGES.get(target.suffix, "text")
        write(folder / page_of(target), f"# {target.relative_to(ROOT)}\n\n````{language}\n{text.rstrip()}\n````\n")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    collect(Path(sys.argv[1]))
