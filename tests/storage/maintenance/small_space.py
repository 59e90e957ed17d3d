"""A collection with one small space whose blocks fill quickly, its model, and waiting until its work is done."""

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.collection import Collection
from storage.database import Database
from storage.phases import Phase
from storage.schema import CollectionSchema, DenseSpace, Distance
from storage.segments.policy import TaskKind
from storage.settings import StorageSettings
from storage.write.operations import ByIds, DeletePoints
from tests.storage.model import Model, Point, assert_holds, upsert, write
from tests.support.directories import Directories

SIZE, THRESHOLD = 8, 100
Rows = NDArray[np.float32]
BACKGROUND = StorageSettings(background=True, parallel_tasks=1)
SPACE = DenseSpace(size=SIZE, distance=Distance.EUCLID)
SCHEMA = CollectionSchema(spaces={"v": SPACE}, indexing_threshold=THRESHOLD)
QUERIES = {"v": [np.zeros(SIZE, np.float32), np.ones(SIZE, np.float32)]}


def new_points(ids: range, seed: int = 0) -> Model:
    random = np.random.default_rng((seed, ids.start))
    return {number: Point({"n": number}, {"v": random.standard_normal(SIZE, np.float32)}) for number in ids}


def open_small(directories: Directories, schema: CollectionSchema = SCHEMA) -> tuple[Database, Collection]:
    database = directories.open(settings=BACKGROUND)
    return database, database.create_collection("c", schema)


def add(collection: Collection, model: Model, ids: range, seed: int = 0) -> None:
    points = new_points(ids, seed)
    write(collection, upsert(list(points.items())))
    model |= points


def delete(collection: Collection, model: Model, ids: range) -> None:
    write(collection, DeletePoints(selector=ByIds(tuple(ids))))
    for number in ids:
        del model[number]


def rest(database: Database, name: str = "c") -> Collection:
    """Waits until no work runs or is due."""
    collection = database.collection(name)
    database.maintenance.wait_until_idle(collection, Budget.of_seconds(60))
    return collection


def kinds_done(database: Database) -> list[TaskKind]:
    """Kinds of the tasks that were done, oldest first."""
    return [
        task.kind
        for task in reversed(database.maintenance.tasks.all(database.names.uid("c")))
        if task.phase is Phase.DONE
    ]


def space_files(collection: Collection, directories: Directories) -> list[str]:
    folder = directories.root / "data" / "collections" / collection.uid / "spaces" / "1"
    return sorted(path.name for path in folder.iterdir())


def assert_model(collection: Collection, model: Model) -> None:
    with collection.snapshot() as snapshot:
        assert_holds(snapshot, model, QUERIES)


def segments(collection: Collection) -> int:
    return collection.stats().spaces["v"].segments
