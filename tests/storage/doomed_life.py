"""A process that lives through everything storage does, in steps: `python -m tests.storage.doomed_life DIR`.

It prints the number of each step once it is done, and waits until no work is due. A failpoint in its environment may
end it anywhere; `world_after` says what must be there then. Owns no verification.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from storage.budget import UNLIMITED
from storage.collection import Collection
from storage.database import Database
from storage.ivf.partition import Partition
from storage.phases import Phase
from storage.schema import (
    CollectionSchema,
    DenseSpace,
    Distance,
    HnswConfigDiff,
    IndexKind,
    SchemaChange,
    SpaceDiff,
)
from storage.settings import StorageSettings
from storage.write.operations import ByIds, DeletePoints, Operation
from tests.storage.model import Model, Point, applied, update_vectors, upsert, write
from tests.support.directories import CODEC

SETTINGS = StorageSettings(background=True, parallel_tasks=1)
V = DenseSpace(size=8, distance=Distance.EUCLID)
W = DenseSpace(size=4, distance=Distance.COSINE)
LISTS = DenseSpace(size=8, distance=Distance.EUCLID, index=IndexKind.IVF)
THRESHOLD = 100


@dataclass
class Content:
    """What a collection must hold: its spaces by name, its points, and the lists of imported partitions by space."""

    spaces: set[str]
    points: Model
    partitions: dict[str, tuple[int, ...]] = field(default_factory=dict)


World = dict[str, Content]


@dataclass(frozen=True)
class Step:
    """Something to do, and what it means."""

    act: Callable[[Database], object]
    mean: Callable[[World], None]


def _create(name: str, **spaces: DenseSpace) -> Step:
    schema = CollectionSchema(spaces=spaces, indexing_threshold=THRESHOLD)

    def mean(world: World) -> None:
        world[name] = Content(set(spaces), {})

    return Step(lambda database: database.create_collection(name, schema), mean)


def _write(name: str, *operations: Operation) -> Step:
    def mean(world: World) -> None:
        world[name].points = applied(world[name].points, operations)

    return Step(lambda database: write(database.collection(name), *operations), mean)


def _drop_space(name: str, space: str) -> Step:
    def mean(world: World) -> None:
        world[name].spaces.discard(space)
        for point in world[name].points.values():
            point.vectors.pop(space, None)

    return Step(lambda database: database.collection(name).change_schema(SchemaChange(drop=(space,))), mean)


def _delete(name: str) -> Step:
    def mean(world: World) -> None:
        del world[name]

    return Step(lambda database: database.delete_collection(name), mean)


def _import(name: str, space: str, lists: int) -> Step:
    centroids = np.random.default_rng(lists).standard_normal((lists, 8), np.float32)
    partition = Partition((centroids,), (np.array([0, lists]),))

    def mean(world: World) -> None:
        world[name].partitions[space] = (lists,)

    return Step(lambda database: database.collection(name).unseen.set_partition(space, partition), mean)


def _points(ids: range, *spaces: tuple[str, int]) -> Operation:
    random = np.random.default_rng(ids.start)
    return upsert(
        [
            (number, Point({"n": number}, {space: random.standard_normal(size, np.float32) for space, size in spaces}))
            for number in ids
        ]
    )


def _settings() -> Step:
    change = SchemaChange(update={"v": SpaceDiff(hnsw=HnswConfigDiff(m=8))})
    return Step(lambda database: database.collection("c").change_schema(change), lambda world: None)


_MOVED = update_vectors([(number, {"v": np.full(8, number, np.float32)}) for number in range(150, 160)])

STEPS: Sequence[Step] = (
    _create("c", v=V, w=W),
    _create("d", v=V),
    _write("d", _points(range(10), ("v", 8))),
    _write("c", _points(range(100), ("v", 8), ("w", 4))),
    _write("c", _points(range(100, 200), ("v", 8))),
    _write("c", _points(range(200, 300), ("v", 8))),
    _write("c", _points(range(300, 400), ("v", 8))),  # four segments: they are merged
    _write("c", DeletePoints(selector=ByIds(tuple(range(200, 300))))),  # a quarter of it: it is vacuumed
    _write("c", _points(range(190, 210), ("v", 8), ("w", 4)), _MOVED),
    _drop_space("c", "w"),
    _delete("d"),
    _settings(),
    _create("e", w=W),
    _create("l", v=LISTS),
    _write("l", _points(range(100), ("v", 8))),
    _import("l", "v", 7),
    _import("l", "v", 5),  # in the place of the first
)


def world_after(steps: int) -> World:
    """What must be there after the first `steps` steps."""
    world: World = {}
    for step in STEPS[:steps]:
        step.mean(world)
    return world


def partitions_of(collection: Collection) -> dict[str, tuple[int, ...]]:
    """The lists of imported partitions by space."""
    partitions = {name: space.manifest.partition for name, space in collection.spaces().items()}
    return {name: partition.lists for name, partition in partitions.items() if partition is not None}


def rest(database: Database) -> None:
    """Waits until no work is due anywhere."""
    for name in database.names.collections():
        database.maintenance.wait_until_idle(database.collection(name), UNLIMITED)


def main() -> None:
    database = Database.open(Path(sys.argv[1]), codec=CODEC, settings=SETTINGS)
    for number, step in enumerate(STEPS, 1):
        step.act(database)
        print(number, flush=True)
        rest(database)
    print("failed", sum(task.phase is Phase.FAILED for task in database.maintenance.tasks.all()), flush=True)
    database.close()


if __name__ == "__main__":
    main()
