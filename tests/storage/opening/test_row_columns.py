"""The rows of slots in derived files: believed when they are of the transaction that LMDB is at, and only then."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.collection import Collection
from storage.derived import Derived, DerivedFiles
from storage.mvcc.row_columns import KIND, VERSION
from storage.schema import CollectionSchema, DenseSpace, Distance
from storage.write.operations import ByIds, DeletePoints
from tests.storage.model import Model, Point, assert_holds, update_vectors, upsert, write
from tests.support.directories import QUIET, Directories

SCHEMA = CollectionSchema(
    spaces={name: DenseSpace(size=2, distance=Distance.EUCLID) for name in "vw"}, indexing_threshold=7
)
QUERIES = {name: [np.zeros(2, np.float32)] for name in "vw"}


def _points(ids: range, *names: str) -> Model:
    return {number: Point({}, {name: np.full(2, number + 0.5, np.float32) for name in names}) for number in ids}


def _made(directories: Directories) -> tuple[Collection, Model]:
    """A collection that is open, with vectors that were replaced and removed, and points without."""
    collection = directories.open().create_collection("c", SCHEMA)
    model = _points(range(20), "v") | _points(range(20, 30), "v", "w") | _points(range(30, 33))
    write(collection, upsert(list(model.items())))
    changed = [(number, {"v": np.full(2, -number, np.float32)}) for number in range(3, 9)]
    write(collection, update_vectors(changed))
    for number, vectors in changed:
        model[number] = Point({}, {**model[number].vectors, **vectors})
    write(collection, DeletePoints(selector=ByIds((0, 5, 21))))
    for number in (0, 5, 21):
        del model[number]
    return collection, model


def _files(directories: Directories, collection: Collection, name: str = "data") -> DerivedFiles:
    return DerivedFiles(_folder(directories, collection, name), collection.uid)


def _folder(directories: Directories, collection: Collection, name: str = "data") -> Path:
    return directories.root / name / "collections" / collection.uid / "derived"


def _assert_holds(directories: Directories, model: Model, name: str = "data") -> Collection:
    collection = directories.open(name).collection("c")
    with collection.snapshot() as snapshot:
        assert_holds(snapshot, model, QUERIES)
    return collection


def test_an_opening_believes_the_file_that_the_close_before_it_left(directories: Directories) -> None:
    collection, model = _made(directories)
    directories.close()
    files = _files(directories, collection)
    found = files.read(KIND, "1", VERSION)
    assert found is not None
    assert found.arrays["slots"].tolist() == sorted(found.arrays["slots"].tolist())
    assert len(found.arrays["rows"]) == 27
    _assert_holds(directories, model)
    directories.close()
    fewer = {name: array[:-1] for name, array in found.arrays.items()}
    assert files.write(KIND, "1", Derived(found.seq, VERSION, found.about, fewer))
    assert directories.open().collection("c").stats().spaces["v"].vectors == 26


@pytest.mark.parametrize("wrong", ["transaction", "seq", "checksum", "rows", "no arrays"])
def test_a_file_of_something_else_is_not_believed(directories: Directories, wrong: str) -> None:
    collection, model = _made(directories)
    directories.close()
    files = _files(directories, collection)
    found = files.read(KIND, "1", VERSION)
    assert found is not None
    shorter = {name: array[1:] for name, array in found.arrays.items()}
    match wrong:
        case "transaction":
            other = Derived(found.seq, VERSION, {"transaction": found.about["transaction"] + 1}, shorter)
        case "seq":
            other = Derived(found.seq - 1, VERSION, found.about, shorter)
        case "rows":
            rows = found.arrays["rows"].copy()
            rows[:] = 3
            other = Derived(found.seq, VERSION, found.about, {**found.arrays, "rows": rows})
        case _:
            other = Derived(found.seq, VERSION, found.about, shorter if wrong == "checksum" else {})
    assert files.write(KIND, "1", other)
    if wrong == "checksum":
        path = next(path for path in _folder(directories, collection).iterdir() if b'"key": "1"' in path.read_bytes())
        data = bytearray(path.read_bytes())
        data[-9] ^= 1
        path.write_bytes(data)
    _assert_holds(directories, model)
    if wrong in ("transaction", "seq"):
        assert files.read(KIND, "1", VERSION) is None, "a later commit of this number could believe it"
    directories.close()
    again = files.read(KIND, "1", VERSION)
    assert again is not None
    assert len(again.arrays["slots"]) == 27


def test_after_a_kill_the_file_of_an_older_commit_is_left_alone(directories: Directories) -> None:
    collection, model = _made(directories)
    directories.close()
    collection = directories.open().collection("c")
    write(collection, DeletePoints(selector=ByIds((1,))))
    directories.crash("data", into="killed")
    del model[1]
    _assert_holds(directories, model, "killed")


def test_the_file_of_a_dropped_or_small_space_goes(directories: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    collection, _ = _made(directories)
    directories.close()
    files = _files(directories, collection)
    assert files.has(KIND, "1")
    assert files.has(KIND, "2")
    monkeypatch.setattr("storage.mvcc.row_columns.MIN_ROWS", 20)
    collection = directories.open().collection("c")
    write(collection, DeletePoints(selector=ByIds((2,))))
    directories.close()
    assert files.has(KIND, "1")
    assert not files.has(KIND, "2")
    monkeypatch.undo()
    directories.open()
    directories.close()


@given(st.lists(st.tuples(st.sampled_from(["add", "replace", "delete", "close", "kill"]), st.integers(0, 12))))
@settings(max_examples=12, deadline=None)
def test_any_life_opens_right(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]) -> None:
    directories = Directories(tmp_path_factory.mktemp("life"))
    name, model = "0", Model()
    database = directories.open(name, QUIET)
    collection = database.create_collection("c", SCHEMA)
    for count, (step, number) in enumerate(steps):
        match step:
            case "add":
                points = _points(range(number, number + 5), "v")
                write(collection, upsert(list(points.items())))
                model |= points
            case "replace" if number in model:
                vectors = {"w": np.full(2, count, np.float32)}
                write(collection, update_vectors([(number, vectors)]))
                model[number] = Point({}, {**model[number].vectors, **vectors})
            case "delete":
                write(collection, DeletePoints(selector=ByIds((number,))))
                model.pop(number, None)
            case "close" | "kill":
                before, name = name, str(count + 1)
                if step == "close":
                    directories.close()
                directories.crash(before, into=name)
                directories.close()
                collection = _assert_holds(directories, model, name)
    directories.close()
    _assert_holds(directories, model, name)
    directories.close()
    directories.check()
