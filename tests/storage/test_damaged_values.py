"""Values in LMDB whose bytes are sound and that say what cannot be: refused by name, in words of ours, or harmless.

Nobody but a person with an editor writes such values; pages that a disk damaged are test_damage.py's.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.budget import UNLIMITED
from storage.check import check
from storage.database import Database
from storage.errors import CollectionNotFound, CorruptStore, EngineError, UnknownFormat
from storage.files import write_seal
from storage.schema import (
    CollectionSchema,
    DenseSpace,
    Distance,
    FieldIndexParams,
    FieldType,
    IndexPolicy,
    IndexSource,
    Manifest,
    MultiSpace,
    SparseSpace,
    TextSettings,
    Unreadable,
    parsed,
)
from storage.tables.aliases import CreateAlias
from tests.storage.model import Point, upsert, write
from tests.support.directories import CODEC, QUIET

SIZE = 4
POLICY = IndexPolicy(property="text", source=IndexSource.EXTERNAL)
SCHEMA = CollectionSchema(
    spaces={
        "v": DenseSpace(size=SIZE, distance=Distance.EUCLID, policy=POLICY),
        "s": SparseSpace(),
        "m": MultiSpace(tokens=DenseSpace(size=SIZE)),
    },
    field_indexes={"n": FieldIndexParams(FieldType.INTEGER)},
    text_indexes={"text": TextSettings(stop_words=("the",))},
)
PYTHON = re.compile(r"Error\b|argument|has no attribute|unpack|codec|not iterable|subscriptable|Traceback|<class")
ODD: list[Any] = [None, True, -1, 0, 1, 2**63, 2**64, 1e300, "", "x", "../x", "٣", [], [1], {}, {"a": 1}]
Change = Callable[[bytes], bytes | None]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed data directory with a collection of each kind of space, an alias and a snapshot."""
    folder = tmp_path_factory.mktemp("values") / "data"
    database = Database.open(folder, codec=CODEC, settings=QUIET)
    collection = database.create_collection("c", SCHEMA)
    rows = np.eye(SIZE, dtype=np.float32)
    write(collection, upsert([(key, Point({"n": key}, {"v": row})) for key, row in enumerate(rows)]))
    database.create_collection("d", CollectionSchema(spaces={"": DenseSpace(size=SIZE)}))
    database.names.update_aliases([CreateAlias("alias", "c")])
    database.snapshots.create(collection, "kept", UNLIMITED)
    database.close()
    return folder


def tables_of(source: Path) -> Iterator[tuple[str, bytes, bytes]]:
    """File, table and key of each value that no checksum guards."""
    [uid] = [name for name in values(source / "catalog", b"names").values() if holds_three(source, name.decode())]
    file = f"collections/{uid.decode()}/lmdb"
    yield from ((file, b"meta", key) for key in values(source / file, b"meta"))
    for table in (b"names", b"aliases", b"snapshots"):
        yield from (("catalog", table, key) for key in values(source / "catalog", table))


def holds_three(source: Path, uid: str) -> bool:
    schema = json.loads(values(source / "collections" / uid / "lmdb", b"meta")[b"schema"])
    return len(schema["spaces"]) + len(schema.get("records", {})) == 3


def values(folder: Path, table: bytes) -> dict[bytes, bytes]:
    with lmdb.open(str(folder), max_dbs=64, readonly=True, lock=False) as env, env.begin() as txn:
        return dict(txn.cursor(env.open_db(table, txn=txn, create=False)))


def change(folder: Path, table: bytes, key: bytes, how: Change) -> bool:
    """Whether there is another value, durably sealed."""
    with lmdb.open(str(folder), max_dbs=64, map_size=2**30) as env:
        with env.begin(write=True) as txn:
            db = env.open_db(table, txn=txn, create=False)
            old = txn.get(key, db=db)
            assert isinstance(old, bytes)
            new = how(old)
            if new is None:
                txn.delete(key, db=db)
            else:
                txn.put(key, new, db=db)
        write_seal(env, folder)
    return new != old


def read(folder: Path) -> list[EngineError]:
    """What reading everything is refused for; anything but an error of ours ends the test."""
    errors: list[EngineError] = []

    def tried(what: Callable[[], Any]) -> Any:
        try:
            return what()
        except EngineError as error:
            errors.append(error)

    tried(lambda: check(folder))
    database = tried(lambda: Database.open(folder, codec=CODEC, settings=QUIET))
    if database is None:
        return errors
    tried(database.names.collections)
    tried(database.names.aliases)
    tried(lambda: database.snapshots.list("c"))
    for name in ("c", "d", "alias"):
        collection = tried(lambda name=name: database.collection(name))  # type: ignore[misc]
        if collection is not None:
            tried(lambda collection=collection: [point.id for point in _points(collection)])  # type: ignore[misc]
    database.close()
    return errors


def _points(collection: Any) -> list[Any]:
    with collection.snapshot() as snapshot:
        return list(snapshot.scan())


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all parts of a JSON value."""
    found = [path] if path else []
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        found += places(part, (*path, key))
    return found


@st.composite
def edits(draw: st.DrawFn) -> Change:
    """A change of stored bytes: a flip, a cut, or, of JSON, a part that is lost, new or another."""
    kind = draw(st.sampled_from(["flip", "cut", "longer", "nest", "lose", "add", "replace", "replace", "replace"]))
    place, odd = draw(st.integers(0, 2**32)), draw(st.sampled_from(ODD))

    def apply(old: bytes) -> bytes | None:
        if kind == "flip":
            at = place % len(old)
            return old[:at] + bytes([old[at] ^ 1 << place % 8]) + old[at + 1 :]
        if kind == "cut":
            return old[: place % len(old)]
        if kind == "longer":
            return old + b"x"
        try:
            value = json.loads(old)
            paths = places(value)
        except ValueError:
            return None if kind == "lose" else b"\xff" * len(old)
        if kind == "nest" or not paths:
            return b"[" * 100_000
        *way, last = paths[place % len(paths)]
        part = value
        for key in way:
            part = part[key]
        if kind == "lose":
            del part[last]
        elif kind == "add" and isinstance(part, dict):
            part["another"] = odd
        else:
            part[last] = odd
        return json.dumps(value).encode()

    return apply


def _refusals(source: Path, place: tuple[str, bytes, bytes], how: Change) -> list[EngineError]:
    file, table, key = place
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        shutil.copytree(source, folder)
        return read(folder) if change(folder / file, table, key, how) else []


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_values_that_cannot_be_are_refused_by_name(source: Path, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(sorted(tables_of(source))))
    for error in _refusals(source, place, data.draw(edits())):
        assert isinstance(error, CorruptStore | UnknownFormat | CollectionNotFound), error  # a name may be lost
        assert not PYTHON.search(error.message), error.message


def edited(*path: Any, to: Any = None) -> Change:
    """Another value at a path of JSON; None: lost."""

    def apply(old: bytes) -> bytes:
        value = json.loads(old)
        part = value
        for key in path[:-1]:
            part = part[key]
        if to is None:
            del part[path[-1]]
        else:
            part[path[-1]] = to
        return json.dumps(value).encode()

    return apply


@pytest.mark.parametrize(
    ("key", "how", "what"),
    [
        (b"schema", lambda old: b"{", "'schema' of the table meta: it is not valid JSON"),
        (b"schema", lambda old: b"[" * 100_000, "it is not valid JSON"),
        (b"schema", lambda old: b"[]", "it is [], not an object"),
        (b"schema", edited("spaces"), "spaces is null, not an object"),
        (b"schema", edited("spaces", "v", "size"), "spaces[\"v\"] lacks the key 'size'"),
        (b"schema", edited("spaces", "v", "size", to="4"), 'spaces["v"].size is "4", not a whole number'),
        (b"schema", edited("spaces", "v", "distance", to="far"), 'spaces["v"].distance is "far", not one of'),
        (b"schema", edited("spaces", "v", "hnsw", "links", to=1), "hnsw has the unknown key"),
        (b"schema", edited("records", "s", "kind", to=1), 'records["s"] is a space of an unknown kind'),
        (b"schema", edited("field_indexes", "n", "type", to=[]), 'field_indexes["n"].type is [], not one of'),
        (b"schema", edited("text_indexes", "text", "b", to="much"), 'text_indexes["text"].b is "much", not a number'),
        (b"schema", edited("next_space_uid"), "next_space_uid is null"),
        (b"space:1", edited("blocks"), "the manifest lacks the key 'blocks'"),
        (b"space:1", edited("blocks", to=[]), "the manifest has no blocks"),
        (b"space:1", edited("blocks", 0, "first_row", to=-1), "blocks[0].first_row is -1"),
        (b"space:1", edited("blocks", 0, "uid", to=True), "blocks[0].uid is true"),
        (b"space:1", edited("blocks", 0, "extra", to=1), "blocks[0] has the unknown key"),
        (b"row_count:1", lambda old: old[:3], "'row_count:1' of the table meta: it has the wrong length"),
        (b"state", lambda old: old + b"x", "'state' of the table meta: it has the wrong length"),
    ],
)
def test_what_is_wrong_is_said(source: Path, key: bytes, how: Change, what: str) -> None:
    [place] = [place for place in tables_of(source) if place[1:] == (b"meta", key)]
    errors = [error for error in _refusals(source, place, how) if isinstance(error, CorruptStore)]
    assert errors
    assert str(errors[-1].metadata["file"]).endswith(f"{place[0]}/data.mdb")
    assert what in errors[-1].message


@pytest.mark.parametrize(
    ("table", "how", "what"),
    [
        (b"names", lambda old: b"\xff", "the collection 'c' has no valid uid"),
        (b"names", lambda old: b"../../elsewhere", "the collection 'c' has no valid uid"),
        (b"aliases", lambda old: b"\xff", "the name of a collection is not a valid name"),
        (b"aliases", lambda old: b"", "the name of a collection is not a valid name"),
        (b"snapshots", lambda old: b"{}", "the entry of the snapshot 'kept' of 'c': it lacks the key 'collection'"),
        (b"snapshots", edited("size", to="x"), "the entry of the snapshot 'kept' of 'c': it.size is \"x\""),
        (b"snapshots", edited("uid", to="../x"), "the entry of the snapshot 'kept' of 'c': it has no uid"),
    ],
)
def test_what_is_wrong_with_names_is_said(source: Path, table: bytes, how: Change, what: str) -> None:
    place = next(place for place in tables_of(source) if place[1] == table)
    errors = [error for error in _refusals(source, place, how) if isinstance(error, CorruptStore)]
    assert errors
    assert all(what in error.message and "catalog" in str(error.metadata["file"]) for error in errors)


@settings(max_examples=300, deadline=None)
@given(how=edits())
def test_stored_json_is_read_or_unreadable(how: Change) -> None:
    for old in (Manifest().sealed(7).to_bytes(), json.dumps(SCHEMA.to_json()).encode()):
        new = how(old)
        assert new is not None
        said = ""
        try:
            Manifest.from_bytes(new) if b"next_uid" in old else CollectionSchema.from_json(parsed(new, "it"))
        except Unreadable as error:
            said = str(error)
        assert not PYTHON.search(said), said
