"""Spaces of multi-vectors: searches are what plain Python makes of a dict, through writes, restarts, graphs, damage."""

from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from storage.budget import UNLIMITED, Budget
from storage.check import check
from storage.collection import Collection
from storage.errors import (
    Cancelled,
    CorruptStore,
    DeadlineExceeded,
    DimensionMismatch,
    EmptyVector,
    LimitExceeded,
    NotFinite,
    PointNotFound,
    SpaceNotFound,
    ZeroVector,
)
from storage.mvcc.snapshot import Snapshot
from storage.schema import (
    CollectionSchema,
    DenseSpace,
    Distance,
    HnswConfigDiff,
    IndexKind,
    MultiSpace,
    SchemaChange,
    SpaceDiff,
)
from storage.search import multi as multi_search
from storage.search.multi import MultiQuery, multi_vectors, score_multi, search_multi
from storage.settings import StorageSettings
from storage.vectors.multi import MAX_MULTI_ROWS, MultiVector, check_multi_query, checked_multi, max_similarities
from storage.write.operations import ByIds, DeletePoints, DeleteVectors, Operation, SpaceBodies, UpdateVectors, Upsert
from tests.storage.model import write
from tests.support.directories import CODEC, Directories
from tests.support.oracle.multi import Matrix, ranking

SIZE = 2
METRICS = [Distance.COSINE, Distance.DOT, Distance.EUCLID, Distance.MANHATTAN]
SCHEMA = CollectionSchema(
    spaces={metric.name: MultiSpace(tokens=DenseSpace(size=SIZE, distance=metric)) for metric in METRICS},
    indexing_threshold=6,
)
Model = dict[int, dict[str, Matrix]]
"""Multi-vectors by space, by id."""

VALUES = st.integers(-3, 3).map(float)  # whole, so that plain Python and numpy add exactly
ROWS = st.lists(VALUES, min_size=SIZE, max_size=SIZE)
MATRICES = st.lists(ROWS, min_size=1, max_size=4)
POINTS = st.dictionaries(st.sampled_from([metric.name for metric in METRICS]), MATRICES)
IDS = st.integers(0, 6)


def body(matrix: Matrix) -> bytes:
    return np.array(matrix, "<f4").tobytes()


def bodies(points: Sequence[dict[str, Matrix]]) -> dict[str, SpaceBodies]:
    found = {}
    for space in {space for vectors in points for space in vectors}:
        held = [position for position, vectors in enumerate(points) if space in vectors]
        found[space] = SpaceBodies(np.array(held, np.int64), tuple(body(points[each][space]) for each in held))
    return found


def upsert(points: Sequence[tuple[int, dict[str, Matrix]]]) -> Upsert:
    return Upsert(
        ids=tuple(point_id for point_id, _ in points),
        payloads=(CODEC.encode({}),) * len(points),
        vectors={},
        bodies=bodies([vectors for _, vectors in points]),
    )


def update(point_id: int, vectors: dict[str, Matrix]) -> UpdateVectors:
    return UpdateVectors(ids=(point_id,), vectors={}, bodies=bodies([vectors]))


@st.composite
def _steps(draw: st.DrawFn) -> list[tuple[str, object]]:
    kinds = st.one_of(
        st.tuples(st.just("upsert"), st.lists(st.tuples(IDS, POINTS), min_size=1, max_size=4)),
        st.tuples(st.just("update"), st.tuples(IDS, POINTS)),
        st.tuples(st.just("delete"), IDS),
        st.tuples(st.just("drop"), st.tuples(IDS, st.sampled_from([metric.name for metric in METRICS]))),
        st.tuples(st.just("hold"), st.none()),
        st.tuples(st.just("reopen"), st.none()),
    )
    return draw(st.lists(kinds, min_size=1, max_size=12))


def _apply(model: Model, kind: str, what: object) -> Operation:
    """The operation, which the model undergoes, too."""
    match kind, what:
        case "upsert", list():
            model.update({point_id: dict(vectors) for point_id, vectors in what})
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


def assert_answers(snapshot: Snapshot, model: Model, query: Matrix) -> None:
    """Search, scoring and reading, with and without a filter, in all spaces."""
    asked = MultiQuery(MultiVector(np.array(query, np.float32)))
    ids = sorted(model)
    for metric in METRICS:
        held = {key: vectors[metric.name] for key, vectors in model.items() if metric.name in vectors}
        assert snapshot.vector_count(metric.name) == len(held)
        for some in (None, ids[::2]):
            slots = None if some is None else np.sort(snapshot.slots_of(some)).astype(np.uint32)
            expected = ranking(metric, query, held, None if some is None else {*some})
            for limit in (1, 3, 100):
                hits = search_multi(snapshot, metric.name, asked, limit, slots, UNLIMITED)
                found = list(zip(snapshot.point_ids(hits.slots), hits.scores.tolist(), strict=True))
                _assert_same(metric, found, expected[:limit])
            candidates = snapshot.all_slots() if slots is None else slots
            scored = score_multi(snapshot, metric.name, candidates, asked, UNLIMITED)
            found = list(zip(snapshot.point_ids(scored.slots), scored.scores.tolist(), strict=True))
            _assert_same(metric, found, expected)
        slots = snapshot.all_slots()
        read = {
            snapshot.point_ids(slots[at : at + 1])[0]: value
            for at, value in multi_vectors(snapshot, metric.name, slots)
        }
        assert {key: value.rows.tolist() for key, value in read.items()} == held


def _assert_same(
    metric: Distance, found: Sequence[tuple[object, float]], expected: list[tuple[int, np.float32]]
) -> None:
    """Dot and Manhattan are exact here; under the others roots may round otherwise, and ties come out otherwise."""
    if metric in (Distance.DOT, Distance.MANHATTAN):
        assert found == [(key, float(score)) for key, score in expected]
    else:
        assert [score for _, score in found] == pytest.approx(
            [float(score) for _, score in expected], rel=1e-6, abs=1e-6
        )


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps(), query=MATRICES)
def test_searches_are_those_of_a_dict(
    steps: list[tuple[str, object]], query: Matrix, tmp_path_factory: pytest.TempPathFactory
) -> None:
    query = [row if any(row) else [1.0] * SIZE for row in query]
    directories = Directories(tmp_path_factory.mktemp("multi"))
    collection = directories.open().create_collection("c", SCHEMA)
    model: Model = {}
    with ExitStack() as held:
        kept: list[tuple[Snapshot, Model]] = []
        for kind, what in steps:
            missing = isinstance(what, tuple) and what[0] not in model
            if kind == "reopen":
                held.close()
                kept.clear()
                directories.close()
                collection = directories.open().collection("c")
            elif kind == "hold":
                kept.append(
                    (held.enter_context(collection.snapshot()), {key: dict(value) for key, value in model.items()})
                )
            elif kind in ("update", "drop") and missing:
                assert isinstance(what, tuple)
                with pytest.raises(PointNotFound):  # one unit: the upsert is taken back, and its rows are used again
                    write(collection, upsert([(100, {"DOT": [[1.0, 2.0]]})]), update(what[0], {"DOT": [[1.0, 1.0]]}))
            else:
                write(collection, _apply(model, kind, what))
        for reader, state in kept:
            assert_answers(reader, state, query)
        with collection.snapshot() as snapshot:
            assert_answers(snapshot, model, query)
    directories.close()
    directories.check()


def tokens(count: int = 600, size: int = 16, seed: int = 1) -> dict[int, NDArray[np.float32]]:
    """Documents of 1 to 8 rows around one of their own, as passages are."""
    generator = np.random.default_rng(seed)
    centres = generator.standard_normal((count, size))
    lengths = generator.integers(1, 9, count)
    noise = [generator.standard_normal((length, size)) for length in lengths]
    return {key: (centres[key] + 0.7 * noise[key]).astype(np.float32) for key in range(count)}


def fill(collection: Collection, documents: dict[int, NDArray[np.float32]]) -> None:
    write(collection, upsert([(key, {"m": matrix.tolist()}) for key, matrix in documents.items()]))


def exact(snapshot: Snapshot, query: MultiVector, limit: int, allowed: NDArray[np.uint32] | None = None) -> list[int]:
    hits = search_multi(snapshot, "m", MultiQuery(query, exact=True), limit, allowed, UNLIMITED)
    return [int(slot) for slot in hits.slots]


@pytest.mark.parametrize("metric", [Distance.COSINE, Distance.EUCLID])
def test_graphs_of_tokens_nominate(metric: Distance, directories: Directories) -> None:
    background = StorageSettings(background=True)
    schema = CollectionSchema(
        spaces={"m": MultiSpace(tokens=DenseSpace(size=16, distance=metric))},
        indexing_threshold=1_000,
    )
    database = directories.open(settings=background)
    collection = database.create_collection("c", schema)
    documents = tokens()
    fill(collection, documents)
    write(collection, DeletePoints(selector=ByIds(tuple(range(0, 60)))), update(100, {"m": documents[101].tolist()}))
    database.maintenance.wait_until_idle(collection, Budget.of_seconds(60))
    assert collection.stats().spaces["m"].segments > 0
    for _ in range(2):
        _assert_nominates(collection, documents)
        directories.close()
        database = directories.open(settings=background)
        collection = database.collection("c")
    write(collection, DeletePoints(selector=ByIds(tuple(range(60, 300)))))
    database.maintenance.compact(collection)
    database.maintenance.wait_until_idle(collection, Budget.of_seconds(60))
    _assert_nominates(collection, documents)
    collection.change_schema(SchemaChange(update={"m": SpaceDiff(index=IndexKind.FLAT, hnsw=HnswConfigDiff(m=8))}))
    with collection.snapshot() as snapshot:
        hits = search_multi(snapshot, "m", MultiQuery(MultiVector(documents[400])), 5, None, UNLIMITED)
        assert (hits.strategy, hits.reason) == ("exact", "no graph covers its tokens yet")
    assert collection.schema.row_spaces["m"].hnsw.m == 8
    directories.close()
    directories.check()


def _assert_nominates(collection: Collection, documents: dict[int, NDArray[np.float32]]) -> None:
    generator = np.random.default_rng(2)
    recalled, asked = 0, 0
    with collection.snapshot() as snapshot, pytest.MonkeyPatch.context() as patched:
        patched.setattr(multi_search, "SCANNED_TOKENS", 100)
        half = snapshot.all_slots()[::2]
        for key in generator.choice(np.arange(300, 600), 20, replace=False).tolist():
            matrix = documents[key][:3] + 0.3 * generator.standard_normal((min(3, len(documents[key])), 16))
            query = MultiVector(matrix.astype(np.float32))
            for allowed in (None, half):
                hits = search_multi(snapshot, "m", MultiQuery(query), 10, allowed, UNLIMITED)
                assert hits.strategy == "tokens by hnsw"
                assert len(hits.slots) == 10
                wanted = exact(snapshot, query, 10, allowed)
                recalled, asked = recalled + len({*wanted} & {*hits.slots.tolist()}), asked + 10
                scored = score_multi(snapshot, "m", hits.slots, MultiQuery(query), UNLIMITED)
                assert scored.scores.tobytes() == hits.scores.tobytes()
        few = search_multi(snapshot, "m", MultiQuery(query), 10, half[:12], UNLIMITED)
        assert few.strategy == "matching rows"
        assert len(few.slots) == 10
        everyone = search_multi(snapshot, "m", MultiQuery(query), 1_000, None, UNLIMITED)
        assert len(everyone.slots) == snapshot.vector_count("m")
    assert recalled / asked >= 0.95


def test_a_score_is_the_same_in_any_company() -> None:
    """Bit for bit, alone or among others: the bounds choose rows, and never change a sum."""
    documents = [*tokens(80, 48).values()]
    query = np.random.default_rng(3).standard_normal((7, 48)).astype(np.float32)
    starts = np.cumsum([0, *(len(matrix) for matrix in documents)])[:-1]
    for metric in METRICS:
        together = max_similarities(metric, query, np.concatenate(documents), starts.astype(np.int64))
        alone = [max_similarities(metric, query, matrix, np.zeros(1, np.int64))[0] for matrix in documents]
        assert together.tobytes() == np.array(alone).tobytes()


@pytest.mark.parametrize("scale", [1e-30, 1e18, 1e37])
def test_no_size_of_components_misleads_the_bounds(scale: float) -> None:
    rows = (np.random.default_rng(4).standard_normal((30, 3)) * scale).astype(np.float32)
    query = np.array([[1, -2, 0.5], [0, 1, 1]], np.float32)
    for metric in METRICS:
        found = max_similarities(metric, query, rows, np.arange(0, 30, 3))
        points = {number: rows[3 * number : 3 * number + 3].tolist() for number in range(10)}
        expected = {key: float(score) for key, score in ranking(metric, query.tolist(), points)}
        assert found.tolist() == pytest.approx([expected[number] for number in range(10)], rel=1e-6)


def test_estimates_that_are_off_mislead_nobody() -> None:
    """In float32 the first row's product with the query is 0 in most orders of addition; it is 1."""
    rows = np.array([[2**24, 1, -(2**24)], [0.5, 0, 0], [2**24, -(2**24), 1]], np.float32)
    query = np.ones((2, 3), np.float32)
    for order in ([0, 1], [1, 0], [2, 1], [1, 2]):
        assert max_similarities(Distance.DOT, query, rows[order], np.zeros(1, np.int64)).tolist() == [2.0]


def test_a_dropped_space_is_gone(directories: Directories) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    model: Model = {1: {"DOT": [[1.0, 2.0]], "COSINE": [[1.0, 0.0]]}}
    write(collection, upsert([*model.items()]))
    with collection.snapshot() as old:
        collection.change_schema(SchemaChange(drop=("DOT",)))
        assert_answers(old, model, [[1.0, 1.0]])
    with pytest.raises(SpaceNotFound):
        write(collection, upsert([(2, {"DOT": [[1.0, 2.0]]})]))
    tokens_of_three = MultiSpace(tokens=DenseSpace(size=3, distance=Distance.DOT))
    collection.change_schema(SchemaChange(add={"DOT": tokens_of_three}))
    with pytest.raises(DimensionMismatch):
        write(collection, upsert([(2, {"DOT": [[1.0, 2.0]]})]))
    write(collection, upsert([(2, {"DOT": [[1.0, 2.0, 3.0]]})]))
    directories.close()
    with directories.open().collection("c").snapshot() as snapshot:
        hits = search_multi(snapshot, "DOT", MultiQuery(MultiVector(np.ones((1, 3), np.float32))), 9, None, UNLIMITED)
        assert hits.scores.tolist() == [6.0]


def test_a_damaged_token_is_named(directories: Directories) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    write(collection, upsert([(1, {"DOT": [[1.0, 2.0], [3.0, 4.0]]})]))
    directories.close()
    [path] = [each for each in (directories.damage("data")).rglob("*.vectors") if any(each.read_bytes())]
    data = bytearray(path.read_bytes())
    data[9] ^= 1
    path.write_bytes(data)
    problems = [str(problem) for problem in check(directories.root / "data").problems]
    assert len(problems) == 1
    assert "the vector at byte 8 does not match its checksum" in problems[0]
    with directories.open().collection("c").snapshot() as snapshot, pytest.raises(CorruptStore):
        list(multi_vectors(snapshot, "DOT", snapshot.all_slots()))


def test_a_search_keeps_to_its_budget(directories: Directories) -> None:
    collection = directories.open().create_collection("c", SCHEMA)
    write(collection, upsert([(1, {"DOT": [[1.0, 2.0]]})]))
    query = MultiQuery(MultiVector(np.ones((1, 2), np.float32)))
    with collection.snapshot() as snapshot:
        with pytest.raises(DeadlineExceeded):
            search_multi(snapshot, "DOT", query, 1, None, Budget.of_seconds(0))
        with pytest.raises(Cancelled):
            score_multi(snapshot, "DOT", snapshot.all_slots(), query, Budget(None, lambda: True))


def test_what_is_no_multi_vector_is_refused() -> None:
    space = DenseSpace(size=2048)
    good = np.ones(2048, np.float32)
    for rows, error, field in (
        ([], EmptyVector, "v"),
        ([good, np.ones(2, np.float32)], DimensionMismatch, "v.vectors[1]"),
        ([np.empty(0, np.float32)], EmptyVector, "v.vectors[0]"),
        ([good, np.full(2048, np.nan, np.float32)], NotFinite, "v.vectors[1]"),
        ([good] * (MAX_MULTI_ROWS + 1), LimitExceeded, "v"),
        ([good] * 513, LimitExceeded, "v"),  # values
    ):
        with pytest.raises(error) as caught:
            checked_multi(space, rows, "v")
        assert caught.value.field == field
    assert len(checked_multi(space, [good] * 512, "v").rows) == 512
    with pytest.raises(ZeroVector) as zero:
        check_multi_query(DenseSpace(size=2), MultiVector(np.array([[1, 0], [0, 0]], np.float32)), "v")
    assert zero.value.field == "v.vectors[1]"
