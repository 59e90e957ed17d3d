"""Sparse spaces: whatever was written, deleted and opened again, a search is what plain Python makes of a dict."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.budget import UNLIMITED, Budget
from storage.check import check
from storage.collection import Collection
from storage.errors import (
    Cancelled,
    CorruptStore,
    DeadlineExceeded,
    EmptyVector,
    InvalidRequest,
    LimitExceeded,
    NotFinite,
    PointNotFound,
    SpaceNotFound,
)
from storage.index import inverted as sparse_index
from storage.index import sparse_log
from storage.mvcc.snapshot import Snapshot
from storage.schema import CollectionSchema, SchemaChange, SparseModifier, SparseSpace
from storage.search.prewarming import prewarm
from storage.search.sparse import SparseQuery, score_sparse, search_sparse
from storage.vectors.sparse import MAX_SPARSE_VALUES, SparseMetric, SparseVector, checked_sparse
from storage.write.operations import ByIds, DeletePoints, DeleteVectors, Operation, SpaceBodies, UpdateVectors, Upsert
from tests.storage.model import write
from tests.support.directories import CODEC, Directories
from tests.support.oracle.sparse import Sparse, ranking

PLAIN = "plain"
IDF = "idf"
SCHEMA = CollectionSchema(spaces={PLAIN: SparseSpace(), IDF: SparseSpace(modifier=SparseModifier.IDF)})
Model = dict[int, dict[str, Sparse]]
"""Vectors by space, by id."""

VALUES = st.floats(-4, 4, width=32) | st.sampled_from([0.0, 1.0, -1.0])
VECTORS = st.dictionaries(st.integers(0, 7) | st.sampled_from([2**31, 2**32 - 1]), VALUES, min_size=1, max_size=6)
POINTS = st.dictionaries(st.sampled_from([PLAIN, IDF]), VECTORS)
IDS = st.integers(0, 9)


def vector_of(sparse: Sparse) -> SparseVector:
    indices = np.array(list(sparse), np.uint32)
    return checked_sparse(indices, np.array(list(sparse.values()), np.float32), "vector")


def _bodies(points: list[dict[str, Sparse]]) -> dict[str, SpaceBodies]:
    found = {}
    for space in (PLAIN, IDF):
        held = [position for position, vectors in enumerate(points) if space in vectors]
        bodies = tuple(vector_of(points[position][space]).to_bytes() for position in held)
        found[space] = SpaceBodies(np.array(held, np.int64), bodies)
    return found


def upsert(points: list[tuple[int, dict[str, Sparse]]]) -> Upsert:
    payload = CODEC.encode({})
    return Upsert(
        ids=tuple(point_id for point_id, _ in points),
        payloads=(payload,) * len(points),
        vectors={},
        bodies=_bodies([vectors for _, vectors in points]),
    )


def update(point_id: int, vectors: dict[str, Sparse]) -> UpdateVectors:
    return UpdateVectors(ids=(point_id,), vectors={}, bodies=_bodies([vectors]))


@st.composite
def _steps(draw: st.DrawFn) -> list[tuple[str, object]]:
    kinds = st.one_of(
        st.tuples(st.just("upsert"), st.lists(st.tuples(IDS, POINTS), min_size=1, max_size=4)),
        st.tuples(st.just("update"), st.tuples(IDS, POINTS)),
        st.tuples(st.just("delete"), IDS),
        st.tuples(st.just("drop"), st.tuples(IDS, st.sampled_from([PLAIN, IDF]))),
        st.tuples(st.just("search"), st.tuples(VECTORS, st.sampled_from(SparseMetric))),
        st.tuples(st.just("hold"), st.none()),
        st.tuples(st.just("reopen"), st.none()),
    )
    return draw(st.lists(kinds, min_size=1, max_size=14))


def _apply(model: Model, kind: str, what: object) -> Operation:
    """The operation, which the model undergoes, too."""
    match kind, what:
        case "upsert", list():
            for point_id, vectors in what:
                model[point_id] = dict(vectors)
            return upsert(what)
        case "update", (int(point_id), dict(vectors)):
            model[point_id].update(vectors)
            return update(point_id, vectors)
        case "drop", (int(point_id), str(space)):
            model[point_id].pop(space, None)
            return DeleteVectors(selector=ByIds((point_id,)), spaces=(space,))
        case _:
            assert isinstance(what, int)
            model.pop(what, None)
            return DeletePoints(selector=ByIds((what,)))


def assert_answers(snapshot: Snapshot, model: Model, query: Sparse, metric: SparseMetric) -> None:
    """Search and scoring, with and without a filter, in both spaces."""
    ids = sorted(model)
    asked = SparseQuery(vector_of(query), metric)
    for space, modifier in ((PLAIN, SparseModifier.NONE), (IDF, SparseModifier.IDF)):
        held = {point_id: vectors[space] for point_id, vectors in model.items() if space in vectors}
        for some in (None, ids[::2]):
            slots = None if some is None else np.sort(snapshot.slots_of(some)).astype(np.uint32)
            expected = ranking(query, held, metric=metric, modifier=modifier, allowed=None if some is None else {*some})
            for limit in (1, 3, 100):
                hits = search_sparse(snapshot, space, asked, limit, slots, UNLIMITED)
                found = list(zip(snapshot.point_ids(hits.slots), hits.scores, strict=True))
                assert found == expected[:limit]
            scored = score_sparse(snapshot, space, snapshot.all_slots() if slots is None else slots, asked, UNLIMITED)
            assert list(zip(snapshot.point_ids(scored.slots), scored.scores, strict=True)) == expected


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps(), tail=st.sampled_from([0, 4, 65_536]), dead=st.sampled_from([0, 1_024]))
def test_searches_are_those_of_a_dict(
    steps: list[tuple[str, object]], tail: int, dead: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directories = Directories(tmp_path_factory.mktemp("sparse"))
    collection = directories.open().create_collection("c", SCHEMA)
    model: Model = {}
    with (
        ExitStack() as held,
        patch.object(sparse_index, "MIN_TAIL", tail),
        patch.object(sparse_index, "MIN_DEAD", dead),
    ):
        kept: list[tuple[Snapshot, Model]] = []
        for kind, what in steps:
            if kind == "reopen":
                held.close()
                kept.clear()
                directories.close()
                collection = directories.open().collection("c")
            elif kind == "hold":
                kept.append(
                    (held.enter_context(collection.snapshot()), {key: dict(value) for key, value in model.items()})
                )
            elif kind == "search":
                assert isinstance(what, tuple)
                with collection.snapshot() as snapshot:
                    for reader, state in [(snapshot, model), *kept]:
                        assert_answers(reader, state, *what)
            else:
                _write(collection, model, kind, what)
        with collection.snapshot() as snapshot:
            assert_answers(snapshot, model, {0: 1.0, 1: -2.0, 2**32 - 1: 0.5}, SparseMetric.DOT)
            counts = {space: sum(space in vectors for vectors in model.values()) for space in (PLAIN, IDF)}
            assert {space: snapshot.vector_count(space) for space in (PLAIN, IDF)} == counts
    directories.close()
    directories.check()


def _write(collection: Collection, model: Model, kind: str, what: object) -> None:
    missing = isinstance(what, tuple) and what[0] not in model
    if kind in ("update", "drop") and missing:
        assert isinstance(what, tuple)
        with pytest.raises(PointNotFound):
            write(collection, update(what[0], {PLAIN: {1: 1.0}}))
    else:
        write(collection, _apply(model, kind, what))


def test_a_commit_that_fails_is_not_searched(directories: Directories) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    write(collection, upsert([(1, {PLAIN: {5: 1.0}})]))
    with collection.snapshot() as snapshot:
        assert_answers(snapshot, {1: {PLAIN: {5: 1.0}}}, {5: 1.0}, SparseMetric.DOT)
    with pytest.raises(PointNotFound):  # one unit: the upsert is taken back with the update
        write(collection, upsert([(2, {PLAIN: {5: 2.0}})]), update(7, {PLAIN: {5: 1.0}}))
    write(collection, upsert([(3, {PLAIN: {5: 3.0}})]))
    with collection.snapshot() as snapshot:
        assert_answers(snapshot, {1: {PLAIN: {5: 1.0}}, 3: {PLAIN: {5: 3.0}}}, {5: 1.0}, SparseMetric.DOT)


def test_an_index_that_missed_commits_is_made_anew(directories: Directories) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    model: Model = {}
    with patch.object(sparse_log, "MAX_REMEMBERED", 200):
        for number in range(20):
            write(collection, _apply(model, "upsert", [(number % 7, {PLAIN: {number % 3: 1.0 + number}})]))
            if number % 6 == 0:
                with collection.snapshot() as snapshot:
                    assert_answers(snapshot, model, {0: 1.0, 1: 2.0}, SparseMetric.DOT)


@pytest.mark.parametrize("tail", [0, 65_536])
def test_readers_of_old_and_new_commits_search_at_once(tail: int, directories: Directories) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    model: Model = {}
    with ExitStack() as held, patch.object(sparse_index, "MIN_TAIL", tail):
        states = []
        for number in range(12):
            write(collection, _apply(model, "upsert", [(number % 4, {PLAIN: {1: 1.0 + number}, IDF: {number: 1.0}})]))
            snapshot = held.enter_context(collection.snapshot())
            states.append((snapshot, {key: dict(value) for key, value in model.items()}))
            if number == 3:  # the index is good from here on; earlier commits need one of their own
                assert_answers(*states[-1], {1: 1.0}, SparseMetric.DOT)
        for snapshot, state in [*states[::-1], *states]:
            assert_answers(snapshot, state, {1: 1.0, 3: 1.0}, SparseMetric.COSINE)


def test_a_dropped_space_is_gone_and_one_of_its_name_is_empty(directories: Directories) -> None:
    database = directories.open()
    collection = database.create_collection("c", SCHEMA)
    write(collection, upsert([(1, {PLAIN: {5: 1.0}})]))
    with collection.snapshot() as old:
        collection.change_schema(SchemaChange(drop=(PLAIN,)))
        assert_answers(old, {1: {PLAIN: {5: 1.0}}}, {5: 1.0}, SparseMetric.DOT)
    with pytest.raises(SpaceNotFound):
        write(collection, upsert([(2, {PLAIN: {5: 1.0}})]))
    collection.change_schema(SchemaChange(add={PLAIN: SparseSpace()}))
    with collection.snapshot() as snapshot:
        assert_answers(snapshot, {1: {}}, {5: 1.0}, SparseMetric.DOT)
    collection.change_schema(SchemaChange(drop_sparse=(PLAIN,), add={PLAIN: SparseSpace()}))
    directories.close()
    with directories.open().collection("c").snapshot() as snapshot:
        assert_answers(snapshot, {1: {}}, {5: 1.0}, SparseMetric.DOT)


def test_a_damaged_vector_is_named_and_never_scored(directories: Directories) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    write(collection, upsert([(1, {PLAIN: {123: 1.5, 456: 2.5}})]))
    directories.close()
    data = next((directories.damage("data") / "collections").rglob("data.mdb"))
    (data.parent / "data.seal").unlink()
    _flip(data, np.array([1.5, 2.5], "<f4").tobytes())
    problems = [str(problem) for problem in check(directories.root / "data").problems]
    assert len(problems) == 1
    assert "the vector of slot 0: the vector does not match its checksum" in problems[0]
    with directories.open().collection("c").snapshot() as snapshot, pytest.raises(CorruptStore):
        search_sparse(snapshot, PLAIN, SparseQuery(vector_of({123: 1.0})), 1, None, UNLIMITED)


def _flip(path: Path, pattern: bytes) -> None:
    data = bytearray(path.read_bytes())
    places = [at for at in range(len(data)) if data.startswith(pattern, at)]
    assert places
    for at in places:
        data[at] ^= 1
    path.write_bytes(data)


def test_a_search_keeps_to_its_budget(directories: Directories) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    write(collection, upsert([(1, {PLAIN: {5: 1.0}})]))
    query = SparseQuery(vector_of({5: 1.0}))
    with collection.snapshot() as snapshot:
        with pytest.raises(DeadlineExceeded):
            search_sparse(snapshot, PLAIN, query, 1, None, Budget.of_seconds(0))
        with pytest.raises(Cancelled):
            score_sparse(snapshot, PLAIN, snapshot.all_slots(), query, Budget(None, lambda: True))
        assert len(search_sparse(snapshot, PLAIN, query, 1, None, UNLIMITED).slots) == 1


def test_what_is_no_sparse_vector_is_refused() -> None:
    def make(indices: Sequence[int], values: Sequence[float]) -> SparseVector:
        return checked_sparse(np.array(indices, np.uint32), np.array(values, np.float32), "v")

    assert make([9, 2], [1, 2]) == make([2, 9], [2, 1])
    for indices, values, error, field in (
        ([], [], EmptyVector, "v"),
        ([1], [], InvalidRequest, "v"),
        ([1, 2], [1], InvalidRequest, "v"),
        ([3, 1, 3], [1, 2, 3], InvalidRequest, "v.indices"),
        ([1], [float("nan")], NotFinite, "v.values"),
        ([1], [float("inf")], NotFinite, "v.values"),
        ([*range(MAX_SPARSE_VALUES + 1)], [1.0] * (MAX_SPARSE_VALUES + 1), LimitExceeded, "v"),
    ):
        with pytest.raises(error) as caught:
            make(indices, values)
        assert caught.value.field == field
    assert len(make([*range(MAX_SPARSE_VALUES)], [1.0] * MAX_SPARSE_VALUES)) == MAX_SPARSE_VALUES


@pytest.mark.parametrize("body", [b"", b"1234", b"\x02\0\0\0\x01\0\0\0" + b"\0" * 8, b"\1\0\0\0\0\0\xc0\x7f"])
def test_bytes_that_are_no_vector_are_noticed(body: bytes) -> None:
    with pytest.raises(ValueError, match="sparse vector"):
        SparseVector.from_bytes(body)


def test_prewarming_makes_the_index(directories: Directories) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    write(collection, upsert([(1, {PLAIN: {5: 1.0}})]))
    refused = patch.object(sparse_index.SparseIndex, "build", side_effect=AssertionError)
    with collection.snapshot() as snapshot, refused, pytest.raises(AssertionError):
        prewarm(snapshot)
    with collection.snapshot() as snapshot:
        prewarm(snapshot)
    with collection.snapshot() as snapshot, refused:
        assert_answers(snapshot, {1: {PLAIN: {5: 1.0}}}, {5: 1.0}, SparseMetric.DOT)
