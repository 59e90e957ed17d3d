"""Flipped and lost bytes in every kind of file: derived data is made anew, originals are refused by name, others serve.

Nothing wrong is ever returned, and no process ends by it. An LMDB file of a process that was killed has no seal: its
pages are walked, and its records have checksums.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from storage.budget import UNLIMITED
from storage.check import check
from storage.database import Database
from storage.schema import CollectionSchema, DenseSpace, Distance, PointId
from storage.settings import StorageSettings
from storage.tables.aliases import CreateAlias
from storage.write.operations import ByIds, DeletePoints
from tests.storage.model import Point, upsert, write
from tests.support.directories import CODEC
from tests.support.root import ROOT
from tests.support.server_process import environment

SIZE = 8
ROW_BYTES = SIZE * 4
SCHEMA = CollectionSchema(spaces={"v": DenseSpace(size=SIZE, distance=Distance.EUCLID)}, indexing_threshold=60)
REFUSALS = {"CorruptStore", "StorageFailed"}

Damage = dict[str, Any]
Answer = dict[str, Any]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed data directory: equal collections `c` and `d`, of a segment, a sparse segment and a tail."""
    folder = tmp_path_factory.mktemp("damage") / "data"
    database = Database.open(folder, codec=CODEC, settings=StorageSettings(background=True))
    for name in ("c", "d"):
        collection = database.create_collection(name, SCHEMA)
        random = np.random.default_rng(1)

        def write_points(ids: Sequence[PointId]) -> None:
            vectors = random.standard_normal((len(ids), SIZE), np.float32)  # noqa: B023
            points = [(key, Point({"n": str(key) * 5}, {"v": row})) for key, row in zip(ids, vectors, strict=True)]
            write(collection, upsert(points))  # noqa: B023
            database.maintenance.wait_until_idle(collection, UNLIMITED)  # noqa: B023

        write_points(range(60))
        write_points(range(60, 120))
        write(collection, DeletePoints(selector=ByIds(tuple(range(10, 30)))))
        database.maintenance.wait_until_idle(collection, UNLIMITED)
        write_points([*range(120, 128), "x" * 511, "x" * 510 + "y"])
    database.names.update_aliases([CreateAlias("alias", "c")])
    database.close()
    assert check(folder).problems == []
    return folder


@pytest.fixture(scope="module")
def sound(source: Path) -> Answer:
    """What the directory gives undamaged."""
    (answer,) = _read(source, [{"file": "FORMAT", "flip": [0, 0]}])
    assert answer["check"] == []
    assert sum(point is not None for point in answer["read"]["collections"]["c"]["points"]) == 110
    assert "error" not in json.dumps(answer)
    return answer


def _read(source: Path, damages: Sequence[Damage]) -> list[Answer]:
    """What each damaged copy gives; see damaged_reads.py."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.storage.damaged_reads", str(source)],
        cwd=ROOT,
        env=environment(),
        input="".join(json.dumps(damage) + "\n" for damage in damages),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answers = [json.loads(line) for line in process.stdout.splitlines()]
    assert len(answers) == len(damages)
    return answers


def _files(source: Path, name: str) -> list[str]:
    found = sorted(str(path.relative_to(source)) for path in source.rglob("*") if path.is_file())
    return [path for path in found if path.endswith(name)]


def _of_collection(source: Path, name: str) -> str:
    """The first file of this ending in a collection's folder."""
    return next(file for file in _files(source, name) if file.startswith("collections"))


def _flips(source: Path, file: str, count: int, end: int | None = None) -> list[Damage]:
    """A bit flipped at `count` places, always the same ones."""
    random = Random(file.rsplit("/", 1)[-1])
    size = (source / file).stat().st_size if end is None else end
    places = sorted(random.sample(range(size), min(count, size)))
    return [{"file": file, "flip": [place, 1 << random.randrange(8)]} for place in places]


def _cuts(source: Path, file: str) -> list[Damage]:
    size = (source / file).stat().st_size
    return [{"file": file, "length": length} for length in (None, 0, 1, size // 2, size - 1)]


def _both(source: Path, file: str, count: int) -> list[Damage]:
    return _flips(source, file, count) + _cuts(source, file)


def _damaged_collection(answer: Answer, sound: Answer) -> Answer:
    """What came of the one collection that differs; the other, names and aliases are as they were."""
    assert "read" in answer, answer
    read, expected = answer["read"], sound["read"]
    assert (read["names"], read["aliases"]) == (expected["names"], expected["aliases"])
    differing = [name for name in ("c", "d") if read["collections"][name] != expected["collections"][name]]
    assert len(differing) == 1, differing
    found: Answer = read["collections"][differing[0]]
    return found


# -- files that are derived, or hold nothing


@pytest.mark.slow
def test_damaged_graphs_are_never_used(source: Path, sound: Answer) -> None:
    file = _of_collection(source, ".index")
    for answer in _read(source, _both(source, file, 25)):
        assert answer["read"] == sound["read"]
        assert answer["check"] == [[file, True]]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lock.mdb", "data.seal", "LOCK"])
def test_what_is_lost_without_loss(name: str, source: Path, sound: Answer) -> None:
    for file in _files(source, name):
        for answer in _read(source, _both(source, file, 6)):
            assert answer == sound


# -- originals


@pytest.mark.slow
def test_damaged_vectors_are_never_returned(source: Path, sound: Answer) -> None:
    """Only the damaged vector is refused. A search may rank its point elsewhere: it does not look at checksums."""
    file = _of_collection(source, "/2.vectors")
    damages = _flips(source, file, 40, end=60 * ROW_BYTES)
    for damage, answer in zip(damages, _read(source, damages), strict=True):
        found = _damaged_collection(answer, sound)
        row = damage["flip"][0] // ROW_BYTES
        for key, point, expected in zip(
            range(130), found["points"], sound["read"]["collections"]["c"]["points"], strict=False
        ):
            if point != expected:
                assert key == 60 + row
                assert (point["error"], point["offset"]) == ("CorruptStore", str(row * ROW_BYTES))
                assert point["file"].endswith(file)
        assert answer["check"] == [[file, False]]
        assert found["scan"] == sound["read"]["collections"]["c"]["scan"]


def test_vectors_past_the_committed_rows_do_not_matter(source: Path, sound: Answer) -> None:
    file = _of_collection(source, "/2.vectors")
    size = (source / file).stat().st_size
    damages = [{"file": file, "flip": [offset, 1]} for offset in (60 * ROW_BYTES, size - 1)]
    assert _read(source, [*damages, {"file": file, "length": 60 * ROW_BYTES}]) == [sound] * 3


def test_vectors_that_end_early_close_their_collection(source: Path, sound: Answer) -> None:
    file = _of_collection(source, "/2.vectors")
    lengths = [None, 0, 1, 60 * ROW_BYTES - 1]
    for length, answer in zip(
        lengths, _read(source, [{"file": file, "length": length} for length in lengths]), strict=True
    ):
        found = _damaged_collection(answer, sound)
        assert (found["error"], found["offset"]) == ("CorruptStore", str(length or 0))
        assert found["file"].endswith(file)
        assert answer["check"] == [[file, False]]


def test_damaged_row_numbers_close_their_collection(source: Path, sound: Answer) -> None:
    file = _of_collection(source, ".rows")
    for answer in _read(source, _both(source, file, 25)):
        found = _damaged_collection(answer, sound)
        assert found["error"] == "CorruptStore"
        assert found["file"].endswith(file)
        assert answer["check"] == [[file, False]]


@pytest.mark.parametrize("count", [60, pytest.param(250, marks=pytest.mark.slow)])
def test_damaged_payloads_and_ids_close_their_collection(count: int, source: Path, sound: Answer) -> None:
    """Whatever is damaged of a file that was left in peace: nothing of it is believed."""
    file = _of_collection(source, "lmdb/data.mdb")
    damages = _both(source, file, count)
    for damage, answer in zip(damages, _read(source, damages), strict=True):
        if damage.get("length") == (source / file).stat().st_size - 1 and answer == sound:
            continue  # the last byte may be one that no page uses
        found = _damaged_collection(answer, sound)
        assert found["error"] == "CorruptStore", (damage, found)
        assert found["file"].endswith(file)
        if "flip" in damage and damage["flip"][0] >= 2 * 4096:  # before that LMDB itself may notice first
            assert int(found["offset"]) == damage["flip"][0] // 2**16 * 2**16
        assert answer["check"]
        assert all(problem == [file, False] for problem in answer["check"])


@pytest.mark.parametrize("name", ["catalog/data.mdb", "FORMAT"])
def test_a_damaged_root_opens_nothing(name: str, source: Path, sound: Answer) -> None:
    for damage, answer in zip(damages := _both(source, name, 40), _read(source, damages), strict=True):
        if answer == sound:
            # An older format, another line end, or a byte that no page uses.
            assert name == "FORMAT" or damage.get("length") == (source / name).stat().st_size - 1, damage
            continue
        assert answer["read"]["error"] in ("CorruptStore", "UnknownFormat"), (damage, answer)
        assert answer["check"]["error"] in ("CorruptStore", "UnknownFormat")


# -- without a seal


@pytest.mark.slow
@pytest.mark.parametrize("count", [60, 500])
def test_what_a_killed_process_left_is_covered_by_the_checksums_of_its_records(
    count: int, source: Path, sound: Answer
) -> None:
    """A vector may seem to be missing, but none is another's; the check finds all that differs. Nothing is killed."""
    file = _of_collection(source, "lmdb/data.mdb")
    damages = [{**damage, "unseal": True} for damage in _flips(source, file, count)]
    expected = {json.dumps(point[0]): point for point in sound["read"]["collections"]["c"]["points"] if point}
    for damage, answer in zip(damages, _read(source, damages), strict=True):
        if answer["read"] == sound["read"]:
            continue
        found = _damaged_collection(answer, sound)
        assert answer["check"], damage
        for point in found.get("points", ()):
            if point is not None and "error" not in point:
                if point[2]["v"] is None:
                    point[2] = expected[json.dumps(point[0])][2]
                assert point == expected[json.dumps(point[0])], damage
            assert point is None or "error" not in point or point["error"] in REFUSALS
        assert found.get("error", "CorruptStore") in REFUSALS
