"""Writes with a mode or a condition do what applying their points one by one to a dict does, and count it."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from server.convert.payload_changes import merged
from storage.collection import Collection
from storage.schema import CollectionSchema, DenseSpace, Distance
from storage.tables.reader import Reader
from storage.write.operations import (
    ByIds,
    ChangePayload,
    DeletePoints,
    Operation,
    SpaceVectors,
    StoredCondition,
    UpdateVectors,
    Upsert,
    UpsertMode,
)
from tests.storage.model import write
from tests.support.directories import CODEC, Directories

SCHEMA = CollectionSchema(spaces={"v": DenseSpace(size=1, distance=Distance.EUCLID)})
Stored = dict[int, tuple[int, float]]
"""Version and vector by id."""


def _is_even(reader: Reader, slots: NDArray[np.uint32]) -> NDArray[np.bool_]:
    versions = [CODEC.decode(record.payload)["version"] for record in reader.records(slots)]
    return np.array([int(str(version)) % 2 == 0 for version in versions], np.bool_)


def _is_newer(stored: dict[str, object], new: dict[str, object]) -> bool:
    return int(str(stored["version"])) < int(str(new["version"]))


CONDITIONS = {
    "none": None,
    "even": StoredCondition(holds=_is_even),
    "newer": StoredCondition(replaces=_is_newer),
    "both": StoredCondition(holds=_is_even, replaces=_is_newer),
}


def _may_replace(condition: str, old: int, new: int | None) -> bool:
    even, newer = old % 2 == 0, new is None or old < new
    return {"none": True, "even": even, "newer": newer, "both": even and newer}[condition]


def _upsert(points: list[tuple[int, int]], mode: UpsertMode, condition: str) -> Upsert:
    matrix = np.array([[version] for _, version in points], np.float32)
    return Upsert(
        ids=tuple(point_id for point_id, _ in points),
        payloads=tuple(CODEC.encode({"version": version}) for _, version in points),
        vectors={"v": SpaceVectors(np.arange(len(points)), matrix)},
        mode=mode,
        condition=CONDITIONS[condition],
    )


def _apply_upsert(stored: Stored, points: list[tuple[int, int]], mode: UpsertMode, condition: str) -> int:
    skipped = 0
    for point_id, version in points:
        if point_id in stored:
            writes = mode is not UpsertMode.INSERT_ONLY and _may_replace(condition, stored[point_id][0], version)
        else:
            writes = mode is not UpsertMode.UPDATE_ONLY
        if writes:
            stored[point_id] = (version, float(version))
        skipped += not writes
    return skipped


POINTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=8)
UPSERTS = st.tuples(POINTS, st.sampled_from(UpsertMode), st.sampled_from(sorted(CONDITIONS)))


def _held(collection: Collection) -> Stored:
    with collection.snapshot() as snapshot:
        slots = snapshot.all_slots()
        rows = snapshot.vectors("v", slots)[1][:, 0].tolist()
        versions = [CODEC.decode(record.payload)["version"] for record in snapshot.records(slots)]
        ids = snapshot.point_ids(slots)
        return {int(i): (int(str(v)), row) for i, v, row in zip(ids, versions, rows, strict=True)}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=st.lists(UPSERTS, min_size=1, max_size=6))
def test_upserts_are_as_if_one_point_came_after_the_other(
    directories: Directories, writes: list[tuple[list[tuple[int, int]], UpsertMode, str]]
) -> None:
    database = directories.open(f"data-{next(_numbers)}")
    collection = database.create_collection("c", SCHEMA)
    stored: Stored = {}
    for points, mode, condition in writes:
        result = write(collection, _upsert(points, mode, condition))
        skipped = _apply_upsert(stored, points, mode, condition)
        plain = mode is UpsertMode.UPSERT and condition == "none"
        affected = len({point_id for point_id, _ in points}) if plain else len(points) - skipped
        assert (result.affected, result.skipped) == ((affected,), (skipped,))
        assert _held(collection) == stored
    database.close()


_numbers = itertools.count()


def _filled(directories: Directories) -> Collection:
    collection = directories.open().create_collection("c", SCHEMA)
    write(collection, _upsert([(number, number) for number in range(6)], UpsertMode.UPSERT, "none"))
    return collection


def test_other_writes_leave_what_does_not_fulfil_their_condition(directories: Directories) -> None:
    collection = _filled(directories)
    everyone = ByIds((0, 1, 2, 3, 4, 5))
    three: dict[str, object] = {"version": 3}
    vectors = UpdateVectors(
        ids=(0, 1, 1),
        vectors={"v": SpaceVectors(np.arange(3), np.full((3, 1), 9, np.float32))},
        condition=CONDITIONS["even"],
    )
    change = ChangePayload(
        selector=everyone, change=partial(merged, keys=(), values=three), condition=CONDITIONS["newer"]
    )
    operations: list[Operation] = [vectors, change, DeletePoints(selector=everyone, condition=CONDITIONS["even"])]
    result = write(collection, *operations)
    assert (result.affected, result.skipped) == ((1, 3, 1), (1, 3, 5))
    assert _held(collection) == {0: (3, 9.0), 1: (3, 1.0), 2: (3, 2.0), 3: (3, 3.0), 5: (5, 5.0)}


def test_racing_writers_keep_the_maximum(directories: Directories) -> None:
    collection = _filled(directories)
    versions = np.random.default_rng(0).permutation(160).tolist()

    def race(writer: int) -> int:
        return sum(
            write(collection, _upsert([(1, version)], UpsertMode.UPSERT, "newer")).affected[0]
            for version in versions[writer::16]
        )

    with ThreadPoolExecutor(16) as pool:
        applied = sum(pool.map(race, range(16)))
    assert _held(collection)[1] == (159, 159.0)
    assert 1 <= applied < 160
