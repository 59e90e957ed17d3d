"""A process that writes until it is killed: `python -m tests.storage.killed_writer DIR FIRST`.

Batch b replaces `SHARED` points, adds `OWN` of its own and deletes one of the batch before, all in one write. It prints
the number of each batch that was acknowledged.
"""

import sys
from pathlib import Path

import numpy as np

from storage.database import Database
from storage.schema import CollectionSchema, DenseSpace, Distance, PointId
from storage.settings import StorageSettings
from storage.write.operations import ByIds, DeletePoints, Operation
from tests.storage.model import Point, upsert
from tests.support.directories import CODEC

SHARED = 20
OWN = 30
SCHEMA = CollectionSchema(
    spaces={
        "a": DenseSpace(size=16, distance=Distance.EUCLID),
        "b": DenseSpace(size=4, distance=Distance.COSINE),
    },
    indexing_threshold=200,
)


def batch(number: int) -> list[Operation]:
    def point(key: PointId) -> tuple[PointId, Point]:
        a = np.full(16, number, np.float32)
        return key, Point({"batch": number, "text": "x" * 50}, {"a": a, "b": np.array([number, 1, 2, 3], np.float32)})

    shared = [point(f"shared {position}") for position in range(SHARED)]
    own = [point(number * OWN + position) for position in range(OWN)]
    return [DeletePoints(selector=ByIds(((number - 1) * OWN,))), upsert([*shared, *own])]


def main() -> None:
    first = int(sys.argv[2])
    database = Database.open(Path(sys.argv[1]), codec=CODEC, settings=StorageSettings())
    collection = database.collection("c") if database.names.exists("c") else database.create_collection("c", SCHEMA)
    print("ready", flush=True)
    for number in range(first, first + 100_000):
        collection.write(batch(number)).result()
        print(number, flush=True)


if __name__ == "__main__":
    main()
