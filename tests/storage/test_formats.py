"""Data directories that earlier programs wrote, one of each format: they are opened, read and written for ever."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from storage.budget import UNLIMITED, Budget
from storage.check import check
from storage.database import Database
from storage.errors import UnknownFormat
from storage.files.directory import FORMAT_VERSION
from storage.schema.manifest import Manifest
from storage.schema.stats import SpaceState
from storage.search.dense import SpaceSearch
from storage.search.snapshot_search import search_vectors
from storage.settings import StorageSettings
from tests.storage.formats.make import FOLDER, SCHEMAS, content_of
from tests.storage.model import Point, upsert, write
from tests.support.directories import CODEC, QUIET, Directories

RECORDED = sorted(path.name for path in FOLDER.iterdir() if path.name.isdecimal())


def _copy(directories: Directories, version: str) -> object:
    """Copies a recorded directory; returns what must be in it."""
    shutil.copytree(FOLDER / version / "data", directories.root / "data")
    return json.loads((FOLDER / version / "content.json").read_text())


def test_every_format_is_recorded() -> None:
    assert [str(version) for version in range(1, FORMAT_VERSION + 1)] == RECORDED


@pytest.mark.parametrize("version", RECORDED)
def test_what_was_written_is_read(version: str, directories: Directories) -> None:
    content = _copy(directories, version)
    report = check(directories.root / "data")
    assert (report.problems, report.collections) == ([], len(SCHEMAS))
    database = directories.open()
    assert json.loads(json.dumps(content_of(database))) == content


@pytest.mark.parametrize("version", RECORDED)
def test_a_recorded_directory_has_all_kinds_of_files(version: str) -> None:
    """Else reading it would prove little."""
    files = [path for path in (FOLDER / version / "data").rglob("*") if path.is_file()]
    assert {".vectors", ".rows", ".index", ".mdb", ".seal", ".snapshot"} <= {path.suffix for path in files}
    assert sum(path.stat().st_size for path in files) < 500_000


@pytest.mark.parametrize("version", RECORDED)
def test_its_graphs_are_used_or_built_again(version: str, directories: Directories) -> None:
    _copy(directories, version)
    database = directories.open(settings=StorageSettings(background=True))
    collection = database.collection("segments")
    database.maintenance.wait_until_idle(collection, Budget.of_seconds(60))
    for name, stats in collection.stats().spaces.items():
        assert stats.state is SpaceState.READY
        assert stats.segments > 0
        size = SCHEMAS["segments"].dense[name].size
        with collection.snapshot() as snapshot:
            searches = [
                SpaceSearch(space=name, vector=np.linspace(1, 2, size, dtype=np.float32), limit=5, exact=exact)
                for exact in (True, False)
            ]
            exact, found = search_vectors(snapshot, searches, UNLIMITED)
            assert found.strategy.startswith("hnsw")
            assert found.slots.tolist() == exact.slots.tolist()


@pytest.mark.parametrize("version", RECORDED)
def test_it_is_written_to(version: str, directories: Directories) -> None:
    content = _copy(directories, version)
    database = directories.open(settings=StorageSettings(background=True))
    for name in database.names.collections():
        collection = database.collection(name)
        spaces = collection.schema.dense
        points = [
            (key, Point({"new": key}, {space: np.ones(schema.size, np.float32) for space, schema in spaces.items()}))
            for key in range(1000, 1060)
        ]
        write(collection, upsert(points))
        database.maintenance.wait_until_idle(collection, Budget.of_seconds(60))
    database.restore_snapshot("more of it", "kept", "restored", UNLIMITED)
    directories.close()
    found = json.loads(json.dumps(content_of(directories.open())))
    assert isinstance(content, dict)
    for name, before in content["collections"].items():
        points_after = {json.dumps(point[0]): point for point in found["collections"][name]["points"]}
        assert len(points_after) == len(before["points"]) + 60
        assert all(points_after[json.dumps(point[0])] == point for point in before["points"])
    restored = found["collections"]["restored"]
    assert restored["points"] == content["collections"]["more of it"]["points"]


def test_a_newer_format_is_refused(directories: Directories) -> None:
    _copy(directories, RECORDED[-1])
    newer = int(RECORDED[-1]) + 1
    root: Path = directories.damage("data")
    text = (root / "FORMAT").read_text()
    (root / "FORMAT").write_text(text.replace(RECORDED[-1], str(newer)))
    with pytest.raises(UnknownFormat) as caught:
        Database.open(root, codec=CODEC, settings=QUIET)
    assert (caught.value.metadata["found"], caught.value.metadata["known"]) == (str(newer), str(FORMAT_VERSION))
    with pytest.raises(UnknownFormat):
        check(root)


def test_the_first_manifests_are_read() -> None:
    """Those of dense blocks alone, which did not say where they end."""
    blocks = [
        {"uid": 1, "first_row": 0, "count": 60, "index": None},
        {"uid": 2, "first_row": 60, "count": None, "index": None},
    ]
    manifest = Manifest.from_bytes(json.dumps({"blocks": blocks, "next_uid": 3}).encode())
    assert [(entry.first_row, entry.count, entry.end_row) for entry in manifest.blocks] == [
        (0, 60, 60),
        (60, None, None),
    ]
