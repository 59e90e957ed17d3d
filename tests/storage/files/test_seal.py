"""Seals exist only while nobody has an environment open. What kills do to them is in the exploration of kills."""

import json
import shutil
import zlib
from pathlib import Path

import pytest

from storage.budget import UNLIMITED
from storage.check import check
from storage.database import Database
from storage.errors import CorruptStore
from storage.files.seal import check_seal
from storage.schema import CollectionSchema, DenseSpace, Distance
from storage.tables.aliases import CreateAlias
from tests.storage.model import Point, upsert, write
from tests.support.directories import CODEC, QUIET, Directories

SCHEMA = CollectionSchema(spaces={"v": DenseSpace(size=4, distance=Distance.EUCLID)})


def _seals(root: Path) -> list[Path]:
    return sorted(root.rglob("data.seal*"))


def _closed(directories: Directories) -> Path:
    """A data directory of the collections `c` and `d`, closed, with a seal for each environment."""
    database = directories.open()
    for name in ("c", "d"):
        write(database.create_collection(name, SCHEMA), upsert([(1, Point({"n": 1}))]))
    directories.close()
    assert len(_seals(database.path)) == 3
    return database.path


def test_a_seal_goes_when_its_environment_is_opened_and_comes_when_it_is_closed(directories: Directories) -> None:
    root = _closed(directories)
    database = directories.open()
    assert not (root / "catalog" / "data.seal").exists()
    assert len(_seals(root)) == 2
    database.collection("c")
    assert len(_seals(root)) == 1
    database.close_collection("c")
    assert len(_seals(root)) == 2
    database.open_collection("c")
    database.clone_collection("c", "copy", UNLIMITED)
    assert len(_seals(root)) == 1
    directories.close()
    assert len(_seals(root)) == 4
    assert all(check_seal(path.parent) for path in _seals(root))


def test_a_check_leaves_seals_as_they_are(directories: Directories) -> None:
    root = _closed(directories)
    before = {path: path.read_bytes() for path in _seals(root)}
    (root / "catalog" / "data.seal").unlink()
    assert check(root).problems == []
    assert {path: path.read_bytes() for path in _seals(root)} == {
        path: content for path, content in before.items() if path.parent.name != "catalog"
    }


def test_a_check_makes_nothing_in_a_directory_that_was_just_born(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "data", codec=CODEC, settings=QUIET)
    database.close()
    shutil.rmtree(tmp_path / "data" / "catalog")
    assert check(tmp_path / "data").problems == []
    assert not (tmp_path / "data" / "catalog").exists()


def test_a_damaged_file_keeps_its_seal_until_it_is_repaired(directories: Directories) -> None:
    root = directories.damage(_closed(directories).name)
    file = root / "catalog" / "data.mdb"
    sound = file.read_bytes()
    file.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    for _ in range(2):
        with pytest.raises(CorruptStore, match="catalog"):
            directories.open()
    with pytest.raises(CorruptStore, match="catalog"):
        check(root)
    file.write_bytes(sound)
    assert directories.open().names.collections() == ["c", "d"]


def test_a_seal_by_a_program_that_removed_none_never_calls_a_kill_damage(directories: Directories) -> None:
    """The pages of a commit that was cut short differ although the newest commit is the one of the seal."""
    root = _closed(directories)
    path = root / "catalog" / "data.seal"
    old = json.loads(path.read_bytes().split(b" ", 1)[1])
    del old["version"]
    content = json.dumps(old)
    path.write_text(f"{zlib.crc32(content.encode())} {content}")
    assert check_seal(path.parent)
    with (path.parent / "data.mdb").open("ab") as file:
        file.write(bytes(8192))
    old["checksums"][-1] ^= 1
    content = json.dumps(old)
    path.write_text(f"{zlib.crc32(content.encode())} {content}")
    assert not check_seal(path.parent)
    database = directories.open()
    database.names.update_aliases([CreateAlias("alias", "c")])
    assert database.names.resolve("alias") == "c"
