"""The prepared world: collections with spaces and payloads of every kind, made again from snapshots when need be."""

from pathlib import Path
from typing import Any

import numpy as np

from headwater import (
    Client,
    Datatype,
    Distance,
    IvfConfig,
    MultiVector,
    MultiVectorParams,
    PartitionRow,
    PointStruct,
    SparseVector,
    SparseVectorParams,
    TextIndexParams,
    VectorParams,
)
from tests.attack.words import ALIAS, BARE, BUILT, EVERYTHING, SIZE, SNAPSHOT, TEXTUAL, Learned
from tests.support.embedding_server import DIMENSIONS

POINTS, BUILT_POINTS = 60, 1_100
SECONDS = 120.0
SPACES = {
    "": VectorParams(SIZE),
    "dot": VectorParams(SIZE, Distance.Dot, datatype=Datatype.Float32),
    "euclid": VectorParams(SIZE, Distance.Euclid, datatype=Datatype.Float16),
    "manhattan": VectorParams(SIZE, Distance.Manhattan, datatype=Datatype.Int8),
    "hamming": VectorParams(SIZE, Distance.Hamming),
    "jaccard": VectorParams(SIZE, Distance.Jaccard),
    "multi": VectorParams(SIZE, Distance.Dot, multivector_config=MultiVectorParams()),
    "pages": VectorParams(SIZE, Distance.Euclid, index="flat"),
    TEXTUAL: VectorParams(DIMENSIONS, embedder="words"),
}
KEY = "kept"
"""A key that is stored."""
FIELDS: dict[str, Any] = {
    **{"kind": "keyword", "price": "float", "count": "integer", "flag": "bool", "when": "datetime", "uuid": "uuid"},
    **{"place": "geo", "title": "text"},
}


def payload(number: int) -> dict[str, Any]:
    """What the point of this number holds: a value at each of the paths, but some points lack some."""
    whole = {
        "kind": ("shoe", "boot", "watch")[number % 3],
        "price": 1.5 * number,
        "count": number,
        "flag": number % 2 == 0,
        "when": f"2026-03-{1 + number % 28:02}T12:00:00Z",
        "uuid": f"00000000-0000-4000-8000-{number:012}",
        "place": {"lat": 52.5 - number / 10, "lon": 13.4 + number / 10},
        "body": ("red shoe", "blue trail boot", "a watch, with a red strap", "エンジン 東京")[number % 4],
        "title": ("shoe", "boot")[number % 2],
        "tags": ["a", "b", str(number % 5)],
        "nested": [{"b": number % 3, "c": 2}, {"b": 1}],
        "deep": {"a": {"b": number % 7}},
        "empty": None,
        "parent": number // 4,
    }
    return {key: value for place, (key, value) in enumerate(whole.items()) if number % 17 != place}


def create(client: Client, folder: Path) -> Learned:
    """Makes the world on an empty server. `folder` takes the snapshots."""
    client.collections.create(
        EVERYTHING,
        SPACES,
        sparse_vectors={"sparse": SparseVectorParams(), "idf": SparseVectorParams("idf")},
        payload_schema=FIELDS,
        text_indexes={"body": TextIndexParams(stemming=True), "title": TextIndexParams()},
    )
    client.indexes.create(label=EVERYTHING, property_name="body", external=True, dimensions=SIZE, using="external")
    client.indexes.create(label=EVERYTHING, property_name="kind", external=True, dimensions=SIZE, using="passing")
    client.indexes.create(label=EVERYTHING, property_name="title", source_type="managed", embedder="words")
    client.points.upsert(EVERYTHING, [_point(number) for number in range(POINTS)])
    client.points.upsert(EVERYTHING, [_point(number, f"key-{number}") for number in range(3)])
    client.collections.create(BARE, payload_schema={"kind": "keyword"})
    client.points.upsert(BARE, [PointStruct(number, {}, payload(number)) for number in range(5)])
    _create_built(client)
    snapshots = {}
    for name in (EVERYTHING, BUILT, BARE):
        client.vde.create_snapshot(name, SNAPSHOT)
        path = client.vde.download_snapshot(name, SNAPSHOT, folder / f"{name}.snapshot")
        snapshots[name] = path.read_bytes()
    client.collections.create_alias(ALIAS, EVERYTHING)
    return learn(client, Learned(snapshots=snapshots))


def remake(client: Client, folder: Path, learned: Learned) -> Learned:
    """The world as it was, whatever became of it."""
    for name in client.collections.list():
        client.collections.delete(name, timeout=SECONDS)
    for info in client.vde.list_snapshots():
        client.vde.delete_snapshot(info.collection, info.name)
    for name in learned.snapshots:
        client.vde.upload_snapshot(folder / f"{name}.snapshot", name, SNAPSHOT, timeout=SECONDS)
        client.vde.restore_snapshot(name, SNAPSHOT, name, timeout=SECONDS)
    client.collections.create_alias(ALIAS, EVERYTHING)
    return learn(client, learned)


def learn(client: Client, learned: Learned) -> Learned:
    """Starts what is known by names that the server gives, and returns these."""
    if KEY not in {key.name for key in client.keys.list()}:
        client.keys.create(KEY, "write", collections=[BARE])
    tasks = client.vde.trigger_rebuild(BUILT, using="graph")
    partition = client.vde.import_partition(BUILT, [PartitionRow(n, None, [1.0, n, 0.5, 0.0]) for n in range(3)], "ivf")
    pages = [client.points.scroll(EVERYTHING, limit=5, cursor_ttl=600) for _ in range(3)]
    return Learned(
        index_ids=[index.id for index in client.indexes.list()],
        task_ids=list(tasks),
        cursors=[page.cursor for page in pages if page.cursor],
        partition_ids=[partition.partition_id],
        snapshots=learned.snapshots,
    )


def _create_built(client: Client) -> None:
    """A collection whose spaces have a graph and lists."""
    spaces = {
        "ivf": VectorParams(SIZE, index="ivf", ivf_config=IvfConfig(lists=[8])),
        "graph": VectorParams(SIZE, Distance.Dot, datatype=Datatype.Int8, index="hnsw"),
    }
    client.collections.create(BUILT, spaces)
    rows = np.random.default_rng(0).normal(size=(BUILT_POINTS, SIZE)).astype(np.float32)
    points = [PointStruct(n, {"ivf": row, "graph": row}, {"kind": "shoe", "count": n}) for n, row in enumerate(rows)]
    client.points.upsert(BUILT, points)
    client.vde.optimize(BUILT, timeout=SECONDS)


def _point(number: int, key: str | None = None) -> PointStruct:
    row = [0.5, number / POINTS, 1.0, -0.25]
    bits = [float(number >> place & 1) for place in range(SIZE)]
    vectors: dict[str, Any] = dict.fromkeys(("", "dot", "euclid", "manhattan", "external", "pages"), row)
    vectors |= {"hamming": bits, "jaccard": bits, "multi": MultiVector([row, row[::-1]]), TEXTUAL: "red shoe"}
    sparse = SparseVector([number % 20, 20 + number % 3], [1.0, 0.5])
    vectors |= {"sparse": sparse, "idf": sparse}
    kept = {space: vector for space, vector in vectors.items() if number % 19 or space == ""}
    return PointStruct(key or number, kept, payload(number))
