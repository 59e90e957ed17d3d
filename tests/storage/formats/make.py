"""Records a data directory of the current format: `python -m tests.storage.formats.make`, once for each format.

It holds something of everything that has a form on disk. Beside it, `content.json` says what must be read from it.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from storage.budget import UNLIMITED
from storage.collection import Collection
from storage.database import Database
from storage.files.directory import FORMAT_VERSION
from storage.mvcc.snapshot import Snapshot
from storage.schema import CollectionSchema, Datatype, DenseSpace, Distance, HnswConfig, PointId
from storage.settings import StorageSettings
from storage.tables.aliases import CreateAlias
from storage.write.operations import ByIds, DeletePoints
from tests.storage.model import Point, upsert, write
from tests.support.directories import CODEC

FOLDER = Path(__file__).parent
LEFT_OUT = ("LOCK", "lock.mdb")  # files that hold nothing

SCHEMAS = {
    "segments": CollectionSchema(
        spaces={
            "dense": DenseSpace(size=6, distance=Distance.EUCLID),
            "bytes": DenseSpace(size=4, distance=Distance.COSINE, datatype=Datatype.INT8, hnsw=HnswConfig(m=8)),
        },
        indexing_threshold=40,
    ),
    "more of it": CollectionSchema(
        spaces={
            "": DenseSpace(size=3, distance=Distance.MANHATTAN),
            "größe": DenseSpace(size=2, distance=Distance.DOT),
            "bits": DenseSpace(size=8, distance=Distance.HAMMING, datatype=Datatype.BINARY),
        },
    ),
}
PAYLOADS: list[dict[str, object]] = [
    {},
    {"text": "Grüße, 世界", "int": -(2**63), "float": 0.1, "yes": True, "nothing": None},
    {"list": [1, "two", [3.5, None]], "nested": {"a": {"b": "c"}}},
]


def main() -> None:
    folder = FOLDER / str(FORMAT_VERSION)
    if folder.exists():
        sys.exit(f"{folder} is recorded; a format that has changed needs another number")
    with tempfile.TemporaryDirectory() as root:
        content = _write(Path(root) / "data")
        shutil.copytree(Path(root) / "data", folder / "data", ignore=shutil.ignore_patterns(*LEFT_OUT))
    (folder / "content.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _write(folder: Path) -> dict[str, object]:
    """Makes the data directory; returns its content."""
    database = Database.open(folder, codec=CODEC, settings=StorageSettings(background=True))
    _fill_segments(database)
    _fill_the_other(database)
    database.names.update_aliases([CreateAlias("alias", "segments"), CreateAlias("zweiter", "more of it")])
    database.snapshots.create(database.collection("more of it"), "kept", UNLIMITED)
    content = content_of(database)
    database.close()
    return content


def _fill_segments(database: Database) -> None:
    """A dense segment, a sparse one, and a tail, with dead rows."""
    collection = database.create_collection("segments", SCHEMAS["segments"])
    for ids in (range(40), range(40, 80), range(80, 95)):
        write(collection, upsert([(key, _point(collection, key)) for key in ids]))
        database.maintenance.wait_until_idle(collection, UNLIMITED)
    write(collection, DeletePoints(selector=ByIds(tuple(range(10, 20)))))
    database.maintenance.wait_until_idle(collection, UNLIMITED)
    write(collection, DeletePoints(selector=ByIds((50, 85))), upsert([(3, _point(collection, 103))]))


def _fill_the_other(database: Database) -> None:
    """Ids of all kinds, points without vectors."""
    collection = database.create_collection("more of it", SCHEMAS["more of it"])
    ids: list[PointId] = [0, 2**64 - 1, "a", "ключ", "x" * 510, "x" * 511, "x" * 512, "x" * 511 + "y"]
    for number, key in enumerate(ids):
        write(collection, upsert([(key, _point(collection, number))]))
    write(collection, upsert([("bare", Point(PAYLOADS[1]))]), DeletePoints(selector=ByIds(("a",))))


def _point(collection: Collection, number: int) -> Point:
    vectors = {}
    for space, schema in collection.schema.dense.items():
        row = np.array([((number + 3) * (place + 2) * 7) % 23 - 11.5 for place in range(schema.size)], np.float32)
        vectors[space] = np.asarray(row > 0 if schema.distance is Distance.HAMMING else row / 8, np.float32)
    return Point({"number": number, **PAYLOADS[number % 3]}, vectors)


def content_of(database: Database) -> dict[str, object]:
    """All that a reader may ask for, as JSON has it."""
    return {
        "aliases": [[alias.name, alias.collection] for alias in database.names.aliases()],
        "snapshots": [[entry.collection, entry.name] for entry in database.snapshots.list()],
        "collections": {name: _collection_content(database.collection(name)) for name in database.names.collections()},
    }


def _collection_content(collection: Collection) -> dict[str, object]:
    with collection.snapshot() as snapshot:
        return {
            "seq": snapshot.seq,
            "indexing_threshold": snapshot.schema.indexing_threshold,
            "spaces": {name: _space_content(snapshot, name) for name in sorted(snapshot.schema.dense)},
            "points": [
                [record.id, record.version, CODEC.decode(record.payload), _vectors(snapshot, record.slot)]
                for record in snapshot.scan()
            ],
        }


def _space_content(snapshot: Snapshot, name: str) -> list[object]:
    schema = snapshot.schema.dense[name]
    hnsw = [schema.hnsw.m, schema.hnsw.ef_construct, schema.hnsw.ef]
    return [schema.size, schema.distance.value, schema.datatype.value, schema.index.value, *hnsw]


def _vectors(snapshot: Snapshot, slot: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for space in sorted(snapshot.schema.dense):
        present, rows = snapshot.vectors(space, np.array([slot], np.uint32))
        if present[0]:
            found[space] = rows[0].tolist()
    return found


if __name__ == "__main__":
    main()
