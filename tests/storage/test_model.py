"""Random writes, schema changes, crashes and reopenings, compared with a dict after every step."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from storage.errors import PointNotFound
from storage.mvcc.snapshot import Snapshot
from storage.schema import CollectionSchema, Datatype, DenseSpace, Distance, PointId, SchemaChange
from storage.write.operations import ByIds, BySlots, ChangePayload, DeletePoints, DeleteVectors, Operation
from tests.storage.graphs import attach_graphs
from tests.storage.model import FlagIs, Missing, Model, Payload, Point, applied, assert_holds, update_vectors, upsert
from tests.support.directories import Directories
from tests.support.held import held_writer

SPACES = {
    "": DenseSpace(size=2, distance=Distance.EUCLID),
    "text": DenseSpace(size=3, distance=Distance.COSINE, datatype=Datatype.FLOAT32),
    "image": DenseSpace(size=1, distance=Distance.DOT),
    "städte": DenseSpace(size=2, distance=Distance.MANHATTAN),
}
LONG = "x" * 508
IDS: tuple[PointId, ...] = (
    *(0, 1, 2, 7, 2**63, 2**64 - 1),
    *("0", "a", "\x00", "\x00\x00", "é", "日本語", "\U0001f600", "é" * 256),
    *(LONG, LONG + "x", LONG + "xx", LONG + "xxx", LONG + "xxxx"),
    *(LONG + "x\x00", LONG + "xx\x00", LONG + "xx\x00\x00", LONG + "xxa", LONG + "xxab", LONG + "xxb", LONG + "xxé"),
)
# Few values, so that scores tie; all sums of them are exact.
COMPONENTS = st.sampled_from([0.0, -0.0, 0.25, 1.0, -1.0, 2.0, 1000.0, 2.0**-20])
QUERIES = {
    "": [np.array([0.25, 0], np.float32)],
    "text": [np.array([1, 0.5, -1], np.float32), np.array([0, 0, 1], np.float32)],
    "image": [np.array([-1], np.float32)],
    "städte": [np.array([1, 1], np.float32)],
}

ids = st.sampled_from(IDS)
payloads = st.builds(lambda flag, number: {"flag": flag, "n": number}, st.booleans(), st.integers(0, 3))


def vectors(spaces: tuple[str, ...]) -> st.SearchStrategy[dict[str, np.ndarray]]:
    """Vectors in some of `spaces`."""
    one = {
        space: st.lists(COMPONENTS, min_size=SPACES[space].size, max_size=SPACES[space].size).map(
            lambda values: np.array(values, np.float32)
        )
        for space in spaces
    }
    return st.fixed_dictionaries({}, optional=one)


def _flip(payload: Payload) -> Payload:
    return {**payload, "flag": not payload.get("flag")}


selectors = st.one_of(
    st.builds(BySlots, st.builds(FlagIs, st.booleans())),
    st.builds(ByIds, st.lists(ids, min_size=1, max_size=2).map(tuple)),
)


@st.composite
def operations(draw: st.DrawFn, spaces: tuple[str, ...]) -> Operation:
    points = st.builds(Point, payloads, vectors(spaces))
    match draw(st.sampled_from(["upsert", "upsert", "update", "delete", "delete vectors", "payload"])):
        case "upsert":
            return upsert(draw(st.lists(st.tuples(ids, points), min_size=1, max_size=8)))
        case "update":
            return update_vectors(draw(st.lists(st.tuples(ids, vectors(spaces)), min_size=1, max_size=2)))
        case "delete":
            return DeletePoints(selector=draw(selectors))
        case "delete vectors":
            chosen = draw(st.lists(st.sampled_from(spaces), max_size=2)) if spaces else []
            return DeleteVectors(selector=draw(selectors), spaces=tuple(chosen))
        case _:
            return ChangePayload(selector=draw(selectors), change=_flip)


class CollectionMachine(RuleBasedStateMachine):
    """One collection and the dict that says what it holds, and at times a snapshot with the dict of its moment."""

    @initialize()
    def create(self) -> None:
        self.root = Path(tempfile.mkdtemp())
        self.directories = Directories(self.root)
        self.folder = 0
        self.model: Model = {}
        self.spaces: tuple[str, ...] = ("", "text")
        self.pinned: tuple[Snapshot, Model, tuple[str, ...]] | None = None
        self.database = self.directories.open("0")
        schema = CollectionSchema(spaces={name: SPACES[name] for name in self.spaces})
        self.collection = self.database.create_collection("c", schema)

    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        self._submit([data.draw(st.lists(operations(self.spaces), min_size=1, max_size=3))])

    @rule(data=st.data())
    def write_together(self, data: st.DataObject) -> None:
        """Several writes that share a commit; those that fail must not disturb the others."""
        unit = st.lists(operations(self.spaces), min_size=1, max_size=2)
        self._submit(data.draw(st.lists(unit, min_size=2, max_size=5)))

    @rule(threshold=st.sampled_from([1, 4, 20_000]))
    def change_threshold(self, threshold: int) -> None:
        self.collection.change_schema(SchemaChange(indexing_threshold=threshold))

    @rule(name=st.sampled_from(sorted(SPACES)))
    def add_or_drop_space(self, name: str) -> None:
        if name in self.spaces:
            self.collection.change_schema(SchemaChange(drop=(name,)))
            self.spaces = tuple(space for space in self.spaces if space != name)
            for point in self.model.values():
                point.vectors.pop(name, None)
        else:
            self.collection.change_schema(SchemaChange(add={name: SPACES[name]}))
            self.spaces = (*self.spaces, name)

    @rule()
    def build_graphs(self) -> None:
        attach_graphs(self.collection)

    @rule()
    def pin(self) -> None:
        self._unpin()
        self.pinned = self.collection.snapshot(), applied(self.model, []), self.spaces

    @rule()
    def reopen(self) -> None:
        self._unpin()
        self.directories.close()
        self._open()

    @rule()
    def crash(self) -> None:
        self._unpin()
        self.directories.crash(str(self.folder), str(self.folder + 1))
        self.directories.close()
        self.folder += 1
        self._open()

    @invariant()
    def holds(self) -> None:
        with self.collection.snapshot() as snapshot:
            assert set(snapshot.schema.dense) == set(self.spaces)
            assert_holds(snapshot, self.model, {space: QUERIES[space] for space in self.spaces})

    @precondition(lambda self: self.pinned is not None)
    @invariant()
    def pinned_holds(self) -> None:
        assert self.pinned is not None
        snapshot, model, spaces = self.pinned
        assert set(snapshot.schema.dense) == set(spaces)
        assert_holds(snapshot, model, {space: QUERIES[space] for space in spaces})

    def teardown(self) -> None:
        self._unpin()
        self.directories.close()
        self.directories.check()
        shutil.rmtree(self.root)

    def _submit(self, writes: list[list[Operation]]) -> None:
        with held_writer(self.collection):
            futures = [self.collection.write(write) for write in writes]
        for write, future in zip(writes, futures, strict=True):
            try:
                self.model = applied(self.model, write)
            except Missing:
                assert isinstance(future.exception(timeout=30), PointNotFound)
            else:
                assert len(future.result(timeout=30).affected) == len(write)

    def _open(self) -> None:
        self.database = self.directories.open(str(self.folder))
        self.collection = self.database.collection("c")

    def _unpin(self) -> None:
        if self.pinned is not None:
            self.pinned[0].close()
            self.pinned = None


TestCollection = CollectionMachine.TestCase
TestCollection.settings = settings(max_examples=max(1, settings().max_examples // 3), stateful_step_count=25)
