"""Derived indexes that were kept in files answer as new ones do, whatever happened to the files and since."""

import itertools
import resource
import shutil
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.engine import Engine
from planner.query.bm25 import Bm25
from planner.query.filter import Equal, Filter, GeoPoint, GeoRadius, IsEmpty, Range, TextOperator, TextTest
from planner.query.query import Nearest, Query, Stage
from planner.text import index as text_index
from storage.budget import UNLIMITED
from storage.collection import Collection
from storage.database import Database
from storage.derived import files as derived
from storage.derived.file import read_file, write_file
from storage.errors import Cancelled
from storage.schema import CollectionSchema, SchemaChange, SparseModifier, SparseSpace
from storage.schema.payload_schema import FieldIndexParams, FieldType
from storage.schema.text_settings import TextSettings, Tokenizer
from storage.settings import StorageSettings
from storage.tables.body_table import BodyTable
from storage.tables.reader import Reader
from storage.vectors.sparse import SparseVector
from storage.write.operations import ByIds, DeletePoints, DeleteVectors, Operation, SpaceBodies, UpdateVectors, Upsert
from tests.support.worlds import CODEC

WORDS = ("fox", "dog", "Übung", "shoe\u0301", "running", "runs", "naïve", "東京", "a")
PLACES = ({"lat": 1.0, "lon": 2.0}, {"lat": 50.0, "lon": 8.0})
SCHEMA = CollectionSchema(
    spaces={"sparse": SparseSpace(), "idf": SparseSpace(modifier=SparseModifier.IDF)},
    text_indexes={"t": TextSettings(stemming=True, language="english"), "deep.t": TextSettings()},
    field_indexes={
        "k": FieldIndexParams(FieldType.KEYWORD),
        "n": FieldIndexParams(FieldType.FLOAT),
        "t": FieldIndexParams(FieldType.TEXT),
        "where": FieldIndexParams(FieldType.GEO),
    },
)
FILTERS = (
    Filter(must=(Equal("k", "fox"),)),
    Filter(must=(Equal("k", True),)),
    Filter(must=(Range(path="n", gte=1, lt=2**60 + 1),)),
    Filter(must=(TextTest("t", TextOperator.TEXT, "fox"),)),
    Filter(must=(IsEmpty("k"),)),
    Filter(must=(GeoRadius("where", GeoPoint(1.0, 2.0), 1000.0),)),
    Filter(must=(Equal("undeclared", 1),)),
)


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files for a handful of points, too, and several segments of them."""
    monkeypatch.setattr(derived, "MIN_ENTRIES", 1)
    monkeypatch.setattr(text_index, "POINTS_PER_SEGMENT", 3)


@contextmanager
def opened(path: Path) -> Iterator[tuple[Database, Engine]]:
    with closing(Database.open(path, codec=CODEC, settings=StorageSettings(background=False))) as database:
        engine = Engine(database.collection)
        database.followers.closed = engine.derived.closed
        yield database, engine


def write(collection: Collection, *operations: Operation) -> None:
    collection.write(operations).result(timeout=30)


def upsert(points: dict[int, int]) -> Upsert:
    """Points by id, each made of a number."""
    payloads, vectors = [], []
    for number in points.values():
        words = [WORDS[(number * step) % len(WORDS)] for step in range(1, 1 + number % 5)]
        value = (WORDS[number % 4], True, 1, None, 2**60 + 1, -0.5)[number % 6]
        payload: dict[str, object] = {
            "t": " ".join(words),
            "deep": {"t": words},
            "k": value,
            "n": number,
            "undeclared": number % 3,
        }
        if number % 2:
            payload["where"] = PLACES[number % 4 // 2]
        payloads.append(CODEC.encode(payload))
        vectors.append(SparseVector.from_bytes(struct.pack("<2I2f", number % 3, 3 + number % 4, 1.0, 0.5)).to_bytes())
    held = SpaceBodies(np.arange(len(points)), tuple(vectors))
    return Upsert(ids=tuple(points), payloads=tuple(payloads), vectors={}, bodies={"sparse": held, "idf": held})


def answers(engine: Engine, collection: Collection) -> list[object]:
    """What every kind of index says."""
    vector = SparseVector.from_bytes(struct.pack("<3I3f", 0, 3, 4, 1.0, 0.25, 2.0))
    ranks = [Stage(query=Bm25(text=text), limit=100) for text in ("fox dog", "run", "+übung -a", '"fox dog"', "東京")]
    ranks += [Stage(query=Nearest(vector), using=using, limit=100) for using in ("sparse", "idf")]
    found: list[object] = []
    for stage in ranks:
        [answer] = engine.queries.query(collection, [Query(root=stage)])
        found.append([(hit.id, hit.score) for hit in answer.hits])
    return found + [[point.id for point in engine.reads.scroll(collection, each, limit=100).points] for each in FILTERS]


def warm(engine: Engine, collection: Collection) -> list[object]:
    """Answers, asked often enough that fields that nobody declared have an index, too; and files of all."""
    for turn in range(4):
        for each in FILTERS:
            engine.reads.count(collection, Filter(must=(each, Filter(must_not=(Equal("never", f"{turn} {each}"),)))))
    found = answers(engine, collection)
    engine.derived.prepare(collection)
    return found


def files(path: Path) -> list[Path]:
    return sorted(path.glob("collections/*/derived/*"))


def killed(path: Path, number: int = 0) -> Path:
    """The directory as it is now, as after SIGKILL: nothing that memory alone has is in it."""
    copy = path.with_name(f"{path.name}-killed-{number}")
    shutil.copytree(path, copy)
    return copy


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A directory with the collection `c` of 40 points and the files of its indexes."""
    path = tmp_path / "data"
    with opened(path) as (database, engine):
        collection = database.create_collection("c", SCHEMA)
        write(collection, upsert({number: number for number in range(40)}))
        warm(engine, collection)
    assert len(files(path)) == 2 + 2 + 4 + 1
    return path


def fresh_answers(path: Path) -> list[object]:
    """Those of a copy that has no derived files."""
    copy = killed(path, 99)
    for each in copy.glob("collections/*/derived"):
        shutil.rmtree(each)
    with opened(copy) as (database, engine):
        found = answers(engine, database.collection("c"))
    shutil.rmtree(copy)
    return found


def test_after_a_restart_no_record_is_read_to_make_an_index(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = fresh_answers(path)
    with opened(path) as (database, engine):
        monkeypatch.delattr(Reader, "payloads")
        monkeypatch.delattr(BodyTable, "scan")
        assert answers(engine, database.collection("c")) == expected


def test_after_a_kill_only_what_changed_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(path) as (database, engine):
        collection = database.collection("c")
        write(collection, upsert({3: 7, 100: 4, 101: 11}))
        write(collection, DeletePoints(selector=ByIds((5, 101))))
        write(collection, DeleteVectors(selector=ByIds((6, 7)), spaces=("sparse",)))
        copy = killed(path)
    expected = fresh_answers(copy)
    with opened(copy) as (database, engine):
        monkeypatch.delattr(Reader, "payloads")
        monkeypatch.delattr(BodyTable, "scan")
        assert answers(engine, database.collection("c")) == expected


_points = st.dictionaries(st.integers(0, 12), st.integers(0, 60), min_size=1, max_size=6)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("upsert"), _points),
        st.tuples(st.just("delete"), st.sets(st.integers(0, 12), min_size=1, max_size=4)),
        st.tuples(st.just("vectors"), _points),
        st.tuples(st.just("drop"), st.sets(st.integers(0, 12), min_size=1, max_size=4)),
        st.tuples(st.sampled_from(["keep", "restart", "kill"]), st.none()),
    ),
    min_size=3,
    max_size=14,
)


@pytest.mark.slow
@settings(max_examples=15)
@given(_steps)
def test_kept_indexes_answer_as_new_ones(
    tmp_path_factory: pytest.TempPathFactory, steps: Sequence[tuple[str, object]]
) -> None:
    folder = tmp_path_factory.mktemp("derived")
    path = folder / "data"
    with opened(path) as (database, engine):
        write(database.create_collection("c", SCHEMA), upsert({number: number for number in range(10)}))
        warm(engine, database.collection("c"))
    for number, part in enumerate(_between_restarts(steps)):
        with opened(path) as (database, engine):
            collection = database.collection("c")
            for kind, argument in part:
                _apply(engine, collection, kind, argument)
            copy = killed(path, number)
        expected = fresh_answers(copy)
        for state in (path, copy):
            with opened(state) as (database, engine):
                assert answers(engine, database.collection("c")) == expected
                engine.derived.prepare(database.collection("c"))
                assert answers(engine, database.collection("c")) == expected
        if part and part[-1][0] == "kill":
            path = copy
    shutil.rmtree(folder)


def _between_restarts(steps: Sequence[tuple[str, object]]) -> list[list[tuple[str, object]]]:
    parts: list[list[tuple[str, object]]] = [[]]
    for step in steps:
        parts[-1].append(step)
        if step[0] in ("restart", "kill"):
            parts.append([])
    return parts


def _apply(engine: Engine, collection: Collection, kind: str, argument: object) -> None:
    ids = (
        [number for number in argument if _exists(engine, collection, number)]
        if isinstance(argument, dict | set)
        else []
    )
    if kind == "upsert":
        assert isinstance(argument, dict)
        write(collection, upsert(argument))
    elif kind == "delete" and ids:
        write(collection, DeletePoints(selector=ByIds(tuple(ids))))
    elif kind == "drop" and ids:
        write(collection, DeleteVectors(selector=ByIds(tuple(ids)), spaces=("idf", "sparse")))
    elif kind == "vectors" and ids:
        assert isinstance(argument, dict)
        whole = upsert({number: argument[number] for number in ids})
        write(collection, UpdateVectors(ids=whole.ids, vectors={}, bodies={"sparse": whole.bodies["sparse"]}))
    elif kind == "keep":
        warm(engine, collection)


def _exists(engine: Engine, collection: Collection, number: int) -> bool:
    return not engine.reads.get(collection, [number]).missing


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _flip_header(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[30] ^= 1
    path.write_bytes(content)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _rubbish(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 8)


def _foreign(path: Path) -> None:
    label, data = read_file(path)
    write_file(path, replace(label, collection="another"), data)


def _other_code(path: Path) -> None:
    label, data = read_file(path)
    write_file(path, label, replace(data, version="older"))


def _no_arrays(path: Path) -> None:
    """Sound by its checksum, and yet no index."""
    label, data = read_file(path)
    write_file(path, label, replace(data, arrays={}))


def _of_the_future(path: Path) -> None:
    label, data = read_file(path)
    write_file(path, label, replace(data, seq=data.seq + 1_000))


def _header_without_end(path: Path) -> None:
    content = path.read_bytes()[:8] + (2**62).to_bytes(8, "little") + path.read_bytes()[16:-4]
    path.write_bytes(content + zlib.crc32(content).to_bytes(4, "little"))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGE = (
    _flip,
    _flip_header,
    _truncate,
    _empty,
    _rubbish,
    _foreign,
    _other_code,
    _no_arrays,
    _of_the_future,
    _header_without_end,
    _folder,
    Path.unlink,
)


@pytest.mark.parametrize("damage", DAMAGE)
def test_files_that_cannot_be_used_change_no_answer(
    path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    expected = fresh_answers(path)
    for file in files(path):
        damage(file)
    with opened(path) as (database, engine):
        collection = database.collection("c")
        assert answers(engine, collection) == expected
        assert warm(engine, collection) == expected
    if damage in (_flip, _truncate):
        assert caplog.text.count("cannot be used and are made anew") == 9
    if damage not in (_other_code, Path.unlink):
        assert "cannot be used and" in caplog.text
    if damage is not _folder:
        for file in files(path):
            assert read_file(file)[1].version != "older"
        assert len(files(path)) == 9


def test_swapped_files_are_found_out(path: Path) -> None:
    expected = fresh_answers(path)
    paths = files(path)
    contents = [file.read_bytes() for file in paths]
    for file, content in zip(paths, contents[1:] + contents[:1], strict=True):
        file.write_bytes(content)
    with opened(path) as (database, engine):
        assert answers(engine, database.collection("c")) == expected


def test_a_directory_that_was_put_back_does_not_use_what_is_newer(path: Path) -> None:
    old = killed(path)
    with opened(path) as (database, engine):
        collection = database.collection("c")
        write(collection, upsert({number: number + 1 for number in range(40)}))
        warm(engine, collection)
    for name in ("lmdb", "spaces"):
        for place in path.glob(f"collections/*/{name}"):
            shutil.rmtree(place)
    for each in old.glob("collections/*/*"):
        if each.name != "derived":
            shutil.copytree(each, path / each.relative_to(old))
    with opened(path) as (database, engine):
        collection = database.collection("c")
        write(collection, upsert({1: 2}))  # the commits go on with other content
        write(collection, upsert({1: 3}))
        assert answers(engine, collection) == fresh_answers(path)


def test_a_full_disk_fails_no_write_and_no_query(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = {file: file.read_bytes() for file in files(path)}
    with opened(path) as (database, engine):
        collection = database.collection("c")
        write(collection, upsert({number: number + 3 for number in range(30)}))
        expected = answers(engine, collection)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
        try:
            engine.derived.prepare(collection)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert "are not kept" in caplog.text
        write(collection, upsert({50: 3}))
        write(collection, DeletePoints(selector=ByIds((50,))))
        assert answers(engine, collection) == expected
    assert {file: file.read_bytes() for file in files(path)} == before
    with opened(path) as (database, engine):
        assert answers(engine, database.collection("c")) == expected


def test_little_room_is_left_to_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived, "KEPT_FREE", 2**62)
    for file in files(path):
        file.unlink()
    with opened(path) as (database, engine):
        warm(engine, database.collection("c"))
    assert files(path) == []


def test_copies_have_no_derived_files_and_the_same_answers(path: Path) -> None:
    expected = fresh_answers(path)
    with opened(path) as (database, engine):
        database.clone_collection("c", "clone", UNLIMITED)
        assert answers(engine, database.collection("clone")) == expected
        assert len(files(path)) == 9
        write(database.collection("c"), upsert({1: 30}))
        assert answers(engine, database.collection("clone")) == expected


def test_upkeep_that_finds_all_up_to_date_asks_for_no_more_upkeep(path: Path) -> None:
    asked: list[Collection] = []
    with opened(path) as (database, engine):
        collection = database.collection("c")
        warm(engine, collection)
        collection.derived.outdated = lambda: asked.append(collection)
        engine.derived.prepare(collection)
        assert asked == []
        write(collection, upsert({number: number + 3 for number in range(9)}))
        engine.derived.prepare(collection)
        assert asked == []


def test_fields_that_nobody_asks_for_lose_their_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived, "UNUSED_SECONDS", -1.0)
    with opened(path) as (database, engine):
        engine.derived.prepare(database.collection("c"))
    assert len(files(path)) == 2 + 4  # of texts and fields that are declared


def test_a_space_that_is_dropped_and_made_again_does_not_get_the_old_index(path: Path) -> None:
    with opened(path) as (database, engine):
        collection = database.collection("c")
        collection.change_schema(SchemaChange(drop_sparse=("sparse",)))
        collection.change_schema(SchemaChange(add={"sparse": SparseSpace()}))
        engine.derived.prepare(collection)
        assert len(files(path)) == 8
        assert answers(engine, collection) == fresh_answers(path)


def test_text_settings_that_changed_do_not_get_the_old_index(path: Path) -> None:
    with opened(path) as (database, engine):
        collection = database.collection("c")
        collection.change_schema(SchemaChange(put_texts={"t": TextSettings(tokenizer=Tokenizer.WHITESPACE)}))
        assert answers(engine, collection) == fresh_answers(path)
        engine.derived.prepare(collection)
        assert len(files(path)) == 9


def test_whoever_needs_an_index_waits_for_the_one_that_is_being_made(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in files(path):
        file.unlink()
    expected = fresh_answers(path)
    passes, payloads = [], Reader.payloads
    begun, go_on = threading.Event(), threading.Event()

    def slow(self: Reader, *arguments: object, **options: object) -> object:
        passes.append(1)
        begun.set()
        assert go_on.wait(30)
        return payloads(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Reader, "payloads", slow)
    with opened(path) as (database, engine):
        collection = database.collection("c")
        making = threading.Thread(target=engine.derived.prepare, args=(collection,))
        making.start()
        assert begun.wait(30)
        found: list[object] = []
        asking = [threading.Thread(target=lambda: found.append(_bm25(engine, collection))) for _ in range(4)]
        for thread in asking:
            thread.start()
        assert engine.reads.get(collection, [1]).points  # others do not wait
        go_on.set()
        for thread in (making, *asking):
            thread.join(30)
    assert found == [expected[0]] * 4
    assert len(passes) == 3  # two texts, and declared fields together


def _bm25(engine: Engine, collection: Collection) -> object:
    [answer] = engine.queries.query(collection, [Query(root=Stage(query=Bm25(text="fox dog"), limit=100))])
    return [(hit.id, hit.score) for hit in answer.hits]


def test_closing_does_not_wait_for_indexes_that_are_being_made(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in files(path):
        file.unlink()
    begun = threading.Event()
    payloads = Reader.payloads

    def endless(self: Reader, *arguments: object, **options: object) -> Iterator[object]:
        begun.set()
        for more in itertools.count(step=1_000):
            for slot, payload in payloads(self, *arguments, **options):  # type: ignore[arg-type]
                yield slot + more, payload

    monkeypatch.setattr(Reader, "payloads", endless)
    with opened(path) as (database, engine):
        collection = database.collection("c")
        raised: list[BaseException] = []

        def prepare() -> None:
            try:
                engine.derived.prepare(collection)
            except Cancelled as error:
                raised.append(error)

        making = threading.Thread(target=prepare)
        making.start()
        assert begun.wait(30)
        database.close_collection("c")
        making.join(30)
        assert len(raised) == 1


def test_fields_that_nobody_declared_are_there_again_in_the_background(path: Path) -> None:
    with opened(path) as (database, engine), closing(engine):
        database.followers.opened = engine.derived.opened
        database.followers.watch(engine.derived.committed)
        collection = database.collection("c")
        ends = time.monotonic() + 60
        while not engine.derived._indexes.fields.has(collection.uid, "undeclared"):
            assert time.monotonic() < ends
            time.sleep(0.01)
