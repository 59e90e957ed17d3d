"""What MkDocs does besides: pages that no group of the navigation names are put into a last one."""

from pathlib import Path
from typing import Any


def on_config(config: Any) -> Any:
    """Completes the navigation with documents of docs/."""
    named = set(_pages(config.nav))
    pages = Path(config.docs_dir)
    found = [path.relative_to(pages).as_posix() for path in sorted((pages / "docs").glob("*.md"))]
    more = [page for page in found if page not in named]
    if more:
        config.nav.append({"More": more})
    return config


def _pages(entries: Any) -> list[str]:
    """The pages in a part of the navigation: a page, a list, or groups by name."""
    if isinstance(entries, str):
        return [entries]
    parts = entries.values() if isinstance(entries, dict) else entries
    return [page for part in parts for page in _pages(part)]
