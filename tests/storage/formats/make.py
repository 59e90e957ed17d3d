"""Writes the stored directory of the newest format, `python -m tests.storage.formats.make`: once per format version.

What is in it is a pure function, so that the test of later programs knows what to find.
"""

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.catalog import CreateAlias
from storage.database import Database
from storage.directory import FORMAT_VERSION
from storage.operations import ByIds, DeletePoints, SpaceVectors, Upsert
from storage.schema import CollectionSchema, Distance, PointId, SpaceSchema
from tests.storage.directories import CODEC, QUIET
from tests.storage.graphs import attach_graphs

FOLDER = Path(__file__).parent
COUNT, SIZE, DELETED = 60, 4, 7
SCHEMA = CollectionSchema(
    spaces={"a": SpaceSchema(size=SIZE), "b": SpaceSchema(size=SIZE, distance=Distance.EUCLID)}, indexing_threshold=40
)


def id_of(number: int) -> PointId:
    """Numbers and strings by turns, one of them as long as can be."""
    return number if number % 2 == 0 else ("x" * 512 if number == 1 else f"point {number}")


def payload_of(number: int) -> dict[str, object]:
    return {"number": number, "half": number / 2, "words": ["ä", str(number)], "deep": {"none": None, "yes": True}}


def vectors_of(number: int) -> NDArray[np.float32]:
    """One row per space."""
    return np.random.default_rng(number).standard_normal((2, SIZE), np.float32)


def left() -> list[int]:
    """The points that are left, in the order of their ids."""
    kept = [number for number in range(COUNT) if number % DELETED]
    return sorted(kept, key=lambda number: (isinstance(id_of(number), str), id_of(number)))


def main() -> None:
    path = FOLDER / str(FORMAT_VERSION)
    shutil.rmtree(path, ignore_errors=True)
    database = Database.open(path, codec=CODEC, settings=QUIET)
    collection = database.create_collection("points", SCHEMA)
    for start in range(0, COUNT, 20):
        numbers = range(start, start + 20)
        rows = np.stack([vectors_of(number) for number in numbers])
        vectors = {name: SpaceVectors(np.arange(20), rows[:, place]) for place, name in enumerate(SCHEMA.spaces)}
        payloads = tuple(CODEC.encode(payload_of(number)) for number in numbers)
        collection.write([Upsert(ids=tuple(map(id_of, numbers)), payloads=payloads, vectors=vectors)]).result()
    attach_graphs(collection)
    gone = tuple(id_of(number) for number in range(0, COUNT, DELETED))
    collection.write([DeletePoints(selector=ByIds(gone))]).result()
    database.create_collection("empty", CollectionSchema(spaces={}))
    database.update_aliases([CreateAlias("alias", "points")])
    database.close()
    for lock in (*path.rglob("lock.mdb"), path / "LOCK"):
        lock.unlink()


if __name__ == "__main__":
    main()
