"""Stored directories of every format version open for ever, with all that was in them."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from storage.budget import UNLIMITED
from storage.check import check
from storage.directory import FORMAT_VERSION
from storage.search import SpaceSearch
from tests.storage.directories import CODEC, Directories
from tests.storage.formats import make

VERSIONS = sorted(path.name for path in make.FOLDER.iterdir() if path.name.isdecimal())


def test_the_newest_format_is_kept() -> None:
    assert str(FORMAT_VERSION) in VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_a_stored_directory_opens(version: str, directories: Directories) -> None:
    folder: Path = directories.root / "data"
    shutil.copytree(make.FOLDER / version, folder)
    assert check(folder).sound
    database = directories.open()
    assert database.collection_names() == ["empty", "points"]
    collection = database.collection("alias")
    assert collection.stats().spaces["a"].segments == 1, "its graph is used, not built again"
    with collection.snapshot() as snapshot:
        records = list(snapshot.scan())
        assert [record.id for record in records] == [make.id_of(number) for number in make.left()]
        assert [CODEC.decode(record.payload) for record in records] == list(map(make.payload_of, make.left()))
        slots = np.array([record.slot for record in records], np.uint32)
        for place, space in enumerate(make.SCHEMA.spaces):
            present, rows = snapshot.vectors(space, slots)
            assert present.all()
            np.testing.assert_array_equal(rows, [make.vectors_of(number)[place] for number in make.left()])
        [hits] = snapshot.search([SpaceSearch(space="b", vector=make.vectors_of(1)[1], limit=1)], UNLIMITED)
        assert (snapshot.point_ids(hits.slots), hits.scores.tolist()) == ([make.id_of(1)], [0.0])
