"""What the processes do that die: short lives in steps, each from a directory that other steps prepared.

Every step is one thing that is acknowledged, and what it means for the world. Owns no death and no comparison.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from storage.budget import UNLIMITED
from storage.check import check
from storage.collection import Collection
from storage.database import Database
from storage.files.directory import is_data_directory
from storage.files.durable import failure
from storage.ivf.partition import Partition
from storage.schema import HnswConfigDiff, IndexKind, SchemaChange, SpaceDiff, SparseSpace
from storage.schema.payload_schema import FieldIndexParams, FieldType
from storage.settings import StorageSettings
from storage.tables.aliases import AliasOperation, CreateAlias, DeleteAlias, RenameAlias
from storage.write.operations import ByIds, ChangePayload, DeletePoints, DeleteVectors, Operation, WriteResult
from tests.crash.world import DENSE, SCHEMA, Content, World, batch
from tests.support.directories import CODEC, QUIET
from tests.support.held import held_writer

WORKING = StorageSettings(background=True, parallel_tasks=1)
REST_SECONDS = 20
ALL = ("v", "w", "sparse", "multi")


class Session:
    """The database of a life, opened anew by whoever needs it when opening it was refused before."""

    def __init__(self, path: Path, settings: StorageSettings) -> None:
        self.path = path
        self._settings = settings
        self._database: Database | None = None
        self.writes: dict[int, Future[WriteResult]] = {}

    @property
    def database(self) -> Database:
        if self._database is None:
            self._database = Database.open(self.path, codec=CODEC, settings=self._settings)
        return self._database

    def collection(self, name: str) -> Collection:
        return self.database.collection(name)

    def close(self) -> None:
        if self._database is not None:
            database, self._database = self._database, None
            database.close()


@dataclass(frozen=True)
class Step:
    """Something to do, and what it means."""

    act: Callable[[Session], object]
    mean: Callable[[World], object] = lambda world: None
    joined: bool = False
    """Whether it was handed over together with the step before, so that it may be done when that one is cut short."""


@dataclass(frozen=True)
class Life:
    """`before` is lived in peace; `cleanly`: and ends by a clean stop. Then `steps` are lived, and die somewhere."""

    steps: Sequence[Step]
    before: Sequence[Step] = ()
    cleanly: bool = True
    settings: StorageSettings = field(default_factory=lambda: QUIET)
    """Of the life that dies; what is before has no background work."""


def _open() -> Step:
    return Step(lambda session: session.database)


def _stop() -> Step:
    return Step(Session.close)


def _create(name: str) -> Step:
    def mean(world: World) -> None:
        world.collections[name] = Content(set(ALL))

    return Step(lambda session: session.database.create_collection(name, SCHEMA), mean)


def _upsert(name: str, ids: Iterable[int], n: int, spaces: Sequence[str] = ALL) -> Step:
    keys = tuple(ids)

    def mean(world: World) -> None:
        world.collections[name].points |= dict.fromkeys(keys, (n, set(spaces)))

    return Step(lambda session: session.collection(name).write([batch(keys, n, spaces)]).result(60), mean)


def _together(name: str, count: int) -> Sequence[Step]:
    """Writes that are handed over at once, and share commits as they may; each is acknowledged for itself."""

    def write(session: Session, number: int) -> "Future[WriteResult]":
        ids = range(500 + number * 3, 503 + number * 3)
        return session.collection(name).write([batch(ids, number + 1, ALL)])

    def act(session: Session, number: int) -> None:
        if number == 0:
            collection = session.collection(name)
            with held_writer(collection):
                session.writes = {each: write(session, each) for each in range(count)}
        (session.writes.pop(number, None) or write(session, number)).result(60)

    def mean(world: World, number: int) -> None:
        ids = range(500 + number * 3, 503 + number * 3)
        world.collections[name].points |= dict.fromkeys(ids, (number + 1, set(ALL)))

    return [
        Step(partial(act, number=number), partial(mean, number=number), joined=number > 0) for number in range(count)
    ]


def _delete(name: str, ids: Iterable[int]) -> Step:
    keys = tuple(ids)

    def mean(world: World) -> None:
        for key in keys:
            world.collections[name].points.pop(key, None)

    return Step(lambda session: session.collection(name).write([DeletePoints(selector=ByIds(keys))]).result(60), mean)


def _change(name: str, ids: Iterable[int], n: int) -> Step:
    """One write of two operations: payloads change, and vectors that would not show the new number go."""
    keys = tuple(ids)
    selector = ByIds(keys)
    operations: list[Operation] = [
        ChangePayload(selector=selector, change=lambda payload: {**payload, "n": n}),
        DeleteVectors(selector=selector, spaces=ALL),
    ]

    def mean(world: World) -> None:
        world.collections[name].points |= dict.fromkeys(keys, (n, set[str]()))

    return Step(lambda session: session.collection(name).write(operations).result(60), mean)


def _drop(name: str) -> Step:
    def mean(world: World) -> None:
        world.collections.pop(name, None)  # it may not have come about
        world.aliases = {alias: target for alias, target in world.aliases.items() if target != name}

    return Step(lambda session: session.database.delete_collection(name), mean)


def _aliases(*operations: AliasOperation) -> Step:
    def mean(world: World) -> None:
        for operation in operations:
            match operation:
                case CreateAlias(alias, collection):
                    world.aliases[alias] = collection
                case RenameAlias(old, new):
                    world.aliases[new] = world.aliases.pop(old)
                case DeleteAlias(alias):
                    del world.aliases[alias]

    return Step(lambda session: session.database.names.update_aliases(operations), mean)


def _structure(name: str, change: SchemaChange) -> Step:
    def mean(world: World) -> None:
        content = world.collections[name]
        dropped = {*change.drop, *change.drop_sparse}
        content.spaces = content.spaces - dropped | {*change.add}
        content.fields = content.fields - set(change.delete_fields) | set(change.create_fields)
        content.points = {key: (n, spaces - dropped) for key, (n, spaces) in content.points.items()}

    return Step(lambda session: session.collection(name).change_schema(change), mean)


def _snapshot(collection: str, name: str) -> Step:
    return Step(
        lambda session: session.database.snapshots.create(session.collection(collection), name, UNLIMITED),
        lambda world: world.snapshots.add(name),
    )


def _upload(name: str, source: str) -> Step:
    """A snapshot is kept once more, as if it came from elsewhere."""

    def act(session: Session) -> None:
        snapshots = session.database.snapshots
        with snapshots.open(snapshots.get("c", source)) as file:
            data = file.read()
        chunks = (data[start : start + 2**16] for start in range(0, len(data), 2**16))
        snapshots.receive("c", name, len(data), chunks, UNLIMITED)

    return Step(act, lambda world: world.snapshots.add(name))


def _remove_snapshot(name: str) -> Step:
    return Step(
        lambda session: session.database.snapshots.delete("c", name), lambda world: world.snapshots.discard(name)
    )


def _copied(source: str, target: str) -> Callable[[World], None]:
    def mean(world: World) -> None:
        of = world.collections[source]
        world.collections[target] = Content(set(of.spaces), set(of.fields), dict(of.points))

    return mean


def _clone(source: str, target: str) -> Step:
    return Step(lambda session: session.database.clone_collection(source, target, UNLIMITED), _copied(source, target))


def _restore(name: str, target: str) -> Step:
    """Requires: `c` has not changed since the snapshot."""
    return Step(lambda session: session.database.restore_snapshot("c", name, target, UNLIMITED), _copied("c", target))


def _reopen(name: str) -> Sequence[Step]:
    return (
        Step(lambda session: session.database.close_collection(name)),
        Step(lambda session: session.database.open_collection(name)),
    )


def _partition(name: str, lists: int) -> Step:
    rows = np.random.default_rng(lists).standard_normal((lists, 8), np.float32)
    partition = Partition((rows,), (np.array([0, lists]),))
    return Step(lambda session: session.collection(name).unseen.set_partition("v", partition))


def _rest() -> Step:
    """Waits until no work is due, or what is due has failed."""

    def act(session: Session) -> None:
        maintenance = session.database.maintenance
        deadline = time.monotonic() + REST_SECONDS
        for name in session.database.names.collections():
            collection = session.collection(name)
            while time.monotonic() < deadline and not collection.work.failures:
                ended = all(task.ended for task in maintenance.tasks.all(collection.uid))
                if ended and not maintenance.due(collection):
                    break
                time.sleep(0.01)

    return Step(act)


def _check() -> Step:
    """Checks the directory while nobody has it open, as an operator does after a crash."""

    def act(session: Session) -> None:
        session.close()
        if is_data_directory(session.path):
            try:
                problems = check(session.path).problems
            except OSError as error:
                raise failure(error, "checking") from error
            assert [str(problem) for problem in problems] == []

    return Step(act)


_SMALL = (_create("c"), _upsert("c", range(20), 1), _create("d"), _upsert("d", range(5), 2))
_SMALLER_LISTS = SchemaChange(update={"v": SpaceDiff(index=IndexKind.IVF)}, auto_index=False)

LIVES = {
    "birth": Life([_open(), _create("c"), _upsert("c", range(5), 1), _stop(), _open(), _stop()]),
    "catalog": Life(
        [
            _aliases(CreateAlias("a", "c")),
            _aliases(RenameAlias("a", "b"), CreateAlias("x", "d")),
            _create("e"),
            _drop("d"),
            _aliases(DeleteAlias("b")),
            _stop(),
        ],
        before=_SMALL,
    ),
    "writes": Life(
        [
            _upsert("c", range(10, 30), 3),
            _delete("c", range(3)),
            _upsert("c", range(100, 140), 4, ("v",)),
            _change("c", range(5, 8), 9),
            *_together("c", 5),
            _stop(),
        ],
        before=_SMALL,
    ),
    "structure": Life(
        [
            _structure("c", SchemaChange(create_fields={"n": FieldIndexParams(FieldType.INTEGER)})),
            _structure("c", SchemaChange(add={"u": DENSE["w"], "more": SparseSpace()})),
            _upsert("c", range(10, 14), 5, ("u", "v")),
            _structure("c", SchemaChange(drop=("w", "multi"), drop_sparse=("sparse",))),
            _structure("c", SchemaChange(update={"v": SpaceDiff(hnsw=HnswConfigDiff(m=8))}, delete_fields=("n",))),
            _structure("c", SchemaChange(add={"w": DENSE["w"]})),
            _stop(),
        ],
        before=_SMALL,
    ),
    "copies": Life(
        [
            _snapshot("c", "first"),
            _clone("c", "copy"),
            _restore("first", "restored"),
            _upload("second", "first"),
            _remove_snapshot("first"),
            _upsert("copy", range(3), 6),
            _drop("restored"),
            _stop(),
        ],
        before=_SMALL,
    ),
    "blocks": Life(
        [_upsert("c", range(20, 70), 2), _upsert("c", range(70, 150), 3), _delete("c", range(40, 60)), _stop()],
        before=_SMALL,
    ),
    "builds": Life([_rest(), _stop()], before=(*_SMALL, _upsert("c", range(20, 90), 2)), settings=WORKING),
    "vacuums": Life(
        [_rest(), _stop()],
        before=(*_SMALL, _upsert("c", range(20, 90), 2), _delete("c", range(30, 70))),
        settings=WORKING,
    ),
    "partitions": Life(
        [_partition("c", 5), _partition("c", 7), _stop()],
        before=(*_SMALL, _structure("c", _SMALLER_LISTS)),
    ),
    "closing": Life(
        [
            *_reopen("c"),
            _upsert("c", range(2), 7),
            *_reopen("c"),
            *_reopen("d"),
            _check(),
            _upsert("d", range(2), 7),
            _stop(),
            _check(),
            _aliases(CreateAlias("a", "d")),
            _stop(),
        ],
        before=_SMALL,
    ),
    "after a kill": Life(
        [_check(), _upsert("c", range(10, 30), 3), _check(), _structure("c", SchemaChange(drop=("w",))), _stop()],
        before=(*_SMALL, _aliases(CreateAlias("a", "c")), _upsert("c", range(30, 95), 8), _delete("c", range(4))),
        cleanly=False,
    ),
}


def world_before(life: Life) -> World:
    """What is there when `life` begins."""
    world = World()
    for step in life.before:
        step.mean(world)
    return world
