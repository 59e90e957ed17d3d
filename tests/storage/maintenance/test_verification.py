"""Large indexes are verified behind an opening: graphs that kernels walk serve meanwhile, whatever their files say."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import storage.mvcc.loading
from storage.budget import UNLIMITED
from storage.collection import Collection
from storage.errors import StorageFailed
from storage.kernels import has_kernels
from storage.maintenance.verification import verify
from storage.schema import CollectionSchema, DenseSpace, Distance, IndexKind
from storage.search import SpaceSearch, search_vectors
from storage.segments import facts_of
from storage.settings import StorageSettings
from tests.storage.maintenance.small_space import (
    BACKGROUND,
    QUERIES,
    SCHEMA,
    SIZE,
    THRESHOLD,
    add,
    assert_model,
    open_small,
    rest,
    segments,
    space_files,
)
from tests.storage.model import Model
from tests.support.directories import Directories

LISTS = CollectionSchema(
    spaces={"v": DenseSpace(size=SIZE, distance=Distance.EUCLID, index=IndexKind.IVF)}, indexing_threshold=THRESHOLD
)


@pytest.fixture(autouse=True)
def nothing_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.mvcc.loading, "VERIFIED_AT_ONCE", 0)


def _made(directories: Directories, schema: CollectionSchema = SCHEMA) -> tuple[Model, Path]:
    """A collection with one segment, which is closed; its points and the file of its index."""
    database, collection = open_small(directories, schema)
    model: Model = {}
    add(collection, model, range(THRESHOLD))
    rest(database)
    [name] = [name for name in space_files(collection, directories) if name.endswith(".index")]
    path = directories.root / "data" / "collections" / collection.uid / "spaces" / "1" / name
    directories.close()
    return model, path


def _strategy(collection: Collection) -> str:
    with collection.snapshot() as snapshot:
        search = SpaceSearch(space="v", vector=QUERIES["v"][1], limit=3)
        return search_vectors(snapshot, [search], UNLIMITED)[0].strategy


def _is_unverified(collection: Collection) -> bool:
    [segment] = facts_of(collection.spaces()["v"])
    return segment.unverified


def test_a_graph_serves_while_it_is_verified(directories: Directories) -> None:
    model, path = _made(directories)
    collection = directories.open().collection("c")
    assert _is_unverified(collection)
    assert _strategy(collection) == ("hnsw" if has_kernels() else "exact")
    assert_model(collection, model)
    generation = collection.stats().generation
    directories.close()
    collection = rest(directories.open(settings=BACKGROUND))
    assert not _is_unverified(collection)
    assert _strategy(collection) == "hnsw"
    assert collection.stats().generation == generation + (not has_kernels()) * 2
    assert path.exists()


def test_lists_serve_once_they_are_verified(directories: Directories) -> None:
    model, _ = _made(directories, LISTS)
    collection = directories.open().collection("c")
    assert _strategy(collection) == "exact"
    directories.close()
    collection = rest(directories.open(settings=BACKGROUND))
    assert _strategy(collection) == "ivf"
    assert_model(collection, model)


def test_a_graph_is_verified_however_little_memory_builds_may_take(directories: Directories) -> None:
    _made(directories)
    settings = StorageSettings(background=True, parallel_tasks=1, max_build_memory=1)
    collection = rest(directories.open(settings=settings))
    assert not _is_unverified(collection)
    assert segments(collection) == 1


def _nodes(data: bytearray) -> list[int]:
    """Where the nodes of a graph begin, see storage/index/graph_file.py."""
    rows, row_bytes = np.frombuffer(data[:8], "<u4").tolist()
    counts = 8 + rows * row_bytes + 64
    _, links, base_links, _, _ = np.frombuffer(data[counts : counts + 40], "<u8").tolist()
    levels = np.frombuffer(data[counts + 40 : counts + 40 + 2 * rows], "<i2").astype(int)
    sizes = 10 + 4 * (1 + base_links) + levels * 4 * (1 + links)
    return (counts + 40 + 2 * rows + np.cumsum(sizes) - sizes).tolist()  # type: ignore[no-any-return]


def _name_one_row(data: bytearray) -> None:
    for node in _nodes(data):
        data[node : node + 8] = (7).to_bytes(8, "little")


def _name_rows_that_are_not_there(data: bytearray) -> None:
    for node in _nodes(data)[::2]:
        data[node : node + 8] = (2**40).to_bytes(8, "little")


def _link_at_random(data: bytearray) -> None:
    random = np.random.default_rng(1)
    for node in _nodes(data):
        data[node + 10 : node + 50] = random.bytes(40)


def _lose_the_vectors(data: bytearray) -> None:
    data[8:1000] = b"\xff" * 992  # not a number


def _end_early(data: bytearray) -> None:
    del data[len(data) // 2 :]


def _hold_nothing(data: bytearray) -> None:
    data[:] = bytes(len(data))


@pytest.mark.parametrize(
    "damage",
    [
        _name_one_row,
        _name_rows_that_are_not_there,
        _link_at_random,
        _lose_the_vectors,
        _end_early,
        _hold_nothing,
    ],
)
def test_a_damaged_graph_gives_no_wrong_row_and_is_built_again(
    directories: Directories, damage: Callable[[bytearray], None]
) -> None:
    model, path = _made(directories)
    data = bytearray(path.read_bytes())
    damage(data)
    path.unlink()
    path.write_bytes(data)
    collection = directories.open().collection("c")
    with collection.snapshot() as snapshot:
        for limit in (1, 10, len(model)):
            search = SpaceSearch(space="v", vector=QUERIES["v"][1], limit=limit)
            [hits] = search_vectors(snapshot, [search], UNLIMITED)
            found = [int(number) for number in snapshot.point_ids(hits.slots)]
            assert len(found) == len(set(found)) == limit
            exact = [np.linalg.norm(model[number].vectors["v"] - QUERIES["v"][1]) for number in found]
            assert np.allclose(hits.scores, exact)
            assert (np.diff(hits.scores) >= 0).all()
    directories.close()
    collection = rest(directories.open(settings=BACKGROUND))
    assert segments(collection) == 1
    assert not _is_unverified(collection)
    assert not path.exists()
    assert_model(collection, model)
    directories.close()
    assert_model(directories.open().collection("c"), model)


@contextmanager
def _no_file_grows() -> Iterator[None]:
    """Commits fail as on a broken device."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


@pytest.mark.skipif(not has_kernels(), reason="only kernels walk graphs that are not verified")
@pytest.mark.parametrize("damage", [_link_at_random, _lose_the_vectors, _name_rows_that_are_not_there])
def test_a_damaged_graph_that_cannot_be_taken_away_is_walked_no_more(
    directories: Directories, damage: Callable[[bytearray], None], caplog: pytest.LogCaptureFixture
) -> None:
    model, path = _made(directories)
    data = bytearray(path.read_bytes())
    damage(data)
    path.unlink()
    path.write_bytes(data)
    collection = directories.open().collection("c")
    space = collection.spaces()["v"]
    [(entry, view)] = [each for each in zip(space.manifest.blocks, space.blocks, strict=True) if each[0].index]
    assert _strategy(collection) == "hnsw"
    for attempt in range(1, 4):  # as often as the scheduler tries it
        with _no_file_grows(), pytest.raises(StorageFailed):
            verify(collection, space.schema, entry, view, lambda: None)
        assert caplog.text.count("is damaged, and cannot be taken away now, so its rows are scanned") == attempt
    assert caplog.text.count("does not have its checksum") == 1
    with collection.snapshot() as snapshot:
        for number in (3, 50, 99):
            vector = model[number].vectors["v"]
            [hits] = search_vectors(snapshot, [SpaceSearch(space="v", vector=vector, limit=5)], UNLIMITED)
            assert "1 scanned after all" in hits.reason
            apart = {key: float(np.linalg.norm(point.vectors["v"] - vector)) for key, point in model.items()}
            assert [int(each) for each in snapshot.point_ids(hits.slots)] == sorted(apart, key=apart.__getitem__)[:5]
    directories.close()
    collection = rest(directories.open(settings=BACKGROUND))
    assert not _is_unverified(collection)
    assert_model(collection, model)
