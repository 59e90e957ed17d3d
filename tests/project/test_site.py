"""The site of the documents: every document is in it, its links hold there, and it is built without a warning."""

import re
import subprocess
from pathlib import Path

import pytest

from docs.site import pages
from docs.site.hooks import on_config
from tests.support.documents import documents
from tests.support.root import ROOT

BUILT = ROOT / ".cache/site/html"
SECONDS = 600.0


class Settings:
    """The part of MkDocs' settings that the hook knows."""

    def __init__(self, docs_dir: Path, nav: list[object]) -> None:
        self.docs_dir = str(docs_dir)
        self.nav = nav


def test_every_document_is_a_page() -> None:
    assert set(documents()) - set(pages.documents()) == set()


def test_links_lead_to_pages(tmp_path: Path) -> None:
    pages.collect(tmp_path)
    for page in tmp_path.rglob("*.md"):
        for part in pages.FENCE.split(page.read_text())[::2]:
            for link in pages.LINK.findall(part):
                target = (page.parent / link).resolve()
                assert target.is_file(), f"{page.relative_to(tmp_path)} links to {link}"
                assert target.suffix in {".md", *pages.COPIED}


def test_sources_and_folders_become_pages(tmp_path: Path) -> None:
    pages.collect(tmp_path)
    assert "```protobuf\n// Points" in (tmp_path / "protos/headwater/v1/points.proto.md").read_text()
    assert "[points.proto](points.proto.md)" in (tmp_path / "protos/headwater/v1/index.md").read_text()
    assert "../protos/headwater/v1/index.md" in (tmp_path / "docs/contract.md").read_text()
    assert "USER 65532" in (tmp_path / "package/Containerfile.md").read_text()


def test_a_link_to_nothing_is_told() -> None:
    document = ROOT / "docs/queries.md"
    with pytest.raises(ValueError, match=r"docs/queries\.md links to nothing\.py"):
        list(pages.targets(document, "see [it](nothing.py)"))
    with pytest.raises(ValueError, match="does not exist"):
        list(pages.targets(document, "see [it](../../outside.md)"))
    assert list(pages.targets(document, "```sh\n[it](nothing.py)\n```\n")) == []


def test_a_document_without_a_group_comes_last(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("a.md", "b.md", "c.md"):
        (tmp_path / "docs" / name).touch()
    config = on_config(Settings(tmp_path, [{"Start": "README.md"}, {"Group": ["docs/b.md", {"Title": "docs/c.md"}]}]))
    assert config.nav[2:] == [{"More": ["docs/a.md"]}]


@pytest.mark.slow
def test_the_site_is_built_without_a_warning() -> None:
    done = subprocess.run(["make", "site"], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    start = (BUILT / "index.html").read_text()
    assert "docs/queries.html" in start
    assert (BUILT / "search/search_index.json").exists()
    fetched = re.findall(r"""<(?:script|link|img)[^>]+(?:src|href)=["']?(https?:[^"' >]+)""", start)
    assert fetched == [], "the site fetches nothing from elsewhere"
