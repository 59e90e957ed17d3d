"""Lists against plain numpy: every row is in one list, that of its nearest centroid, and reading all lists finds the
nearest rows."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from storage.budget import Budget
from storage.errors import Cancelled
from storage.ivf.codes import to_int8
from storage.ivf.kmeans import cluster, lists_for, make_partition, tree_of
from storage.ivf.lists import Lists, build_lists
from storage.ivf.partition import Partition, default_nprobe, fitted, read_partition, write_partition
from storage.schema import Datatype, DenseSpace, Distance, IndexKind, IvfConfig

SIZE = 24
ROWS = 2_000
RANDOM = np.random.default_rng(3)
CENTRES = RANDOM.standard_normal((20, SIZE)) * 2
VECTORS = (CENTRES[RANDOM.integers(0, 20, ROWS)] + RANDOM.standard_normal((ROWS, SIZE))).astype(np.float32)
QUERIES = (CENTRES[RANDOM.integers(0, 20, 20)] + RANDOM.standard_normal((20, SIZE))).astype(np.float32)
SERVED = (Distance.COSINE, Distance.DOT, Distance.EUCLID)


def space_of(distance: Distance, datatype: Datatype = Datatype.INT8, lists: tuple[int, ...] = (30,)) -> DenseSpace:
    return DenseSpace(size=SIZE, distance=distance, datatype=datatype, index=IndexKind.IVF, ivf=IvfConfig(lists=lists))


def nearest(distance: Distance, query: NDArray[np.float32], count: int) -> set[int]:
    return _nearest_of(VECTORS, distance, query, count)


def _nearest_of(vectors: NDArray[np.float32], distance: Distance, query: NDArray[np.float32], count: int) -> set[int]:
    wide, rows = query.astype(float), vectors.astype(float)
    if distance is Distance.EUCLID:
        near = -np.square(rows - wide).sum(axis=1)
    else:
        near = rows @ wide
        if distance is Distance.COSINE:
            near = near / np.linalg.norm(rows, axis=1)
    return set(np.argsort(-near)[:count].tolist())


@pytest.mark.parametrize("distance", SERVED)
@pytest.mark.parametrize("lists", [(30,), (5, 30), (2, 6, 30)])
def test_reading_all_lists_finds_the_nearest(distance: Distance, lists: tuple[int, ...], tmp_path: Path) -> None:
    space = space_of(distance, lists=lists)
    build_lists(space, VECTORS, np.arange(ROWS), tmp_path / "lists")
    index = Lists(space, tmp_path / "lists")
    found = 0
    for query in QUERIES:
        positions, computed = index.search(query, index.partition.lists, 40, None)
        assert len(positions) == len(set(positions.tolist())) == 40
        assert computed >= ROWS
        found += len(nearest(distance, query, 10) & set(positions.tolist()))
    assert found == 10 * len(QUERIES)


@pytest.mark.parametrize("distance", SERVED)
def test_bits_nominate_the_nearest_among_many(distance: Distance, tmp_path: Path) -> None:
    space = space_of(distance, Datatype.BINARY)
    build_lists(space, VECTORS, np.arange(ROWS), tmp_path / "lists")
    index = Lists(space, tmp_path / "lists")
    assert index.datatype is Datatype.BINARY
    found = sum(
        len(nearest(distance, query, 10) & set(index.search(query, (30,), 320, None)[0].tolist())) for query in QUERIES
    )
    assert found >= 0.95 * 10 * len(QUERIES)


@pytest.mark.parametrize("distance", SERVED)
def test_every_row_is_in_the_list_of_its_nearest_centroid(distance: Distance, tmp_path: Path) -> None:
    space = space_of(distance, lists=(4, 25))
    chosen = np.arange(0, ROWS, 3)
    build_lists(space, VECTORS, chosen, tmp_path / "lists")
    index = Lists(space, tmp_path / "lists")
    assert sorted(index._positions.tolist()) == chosen.tolist()
    leaves = index.partition.leaves.astype(float)
    rows = VECTORS.astype(float)
    if distance is Distance.COSINE:
        leaves = leaves / np.linalg.norm(leaves, axis=1, keepdims=True)
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    for number in range(len(leaves)):
        for position in index._positions[index._offsets[number] : index._offsets[number + 1]].tolist():
            apart = np.square(leaves - rows[position]).sum(axis=1)
            assert apart[number] <= apart.min() * (1 + 1e-4)


def test_only_usable_rows_are_found_and_fewer_lists_cost_less(tmp_path: Path) -> None:
    space = space_of(Distance.EUCLID)
    build_lists(space, VECTORS, np.arange(ROWS), tmp_path / "lists")
    index = Lists(space, tmp_path / "lists")
    usable = np.zeros(ROWS, np.bool_)
    usable[::7] = True
    positions, all_computed = index.search(QUERIES[0], (30,), 50, usable)
    assert len(positions) == 50
    assert usable[positions].all()
    few, computed = index.search(QUERIES[0], (3,), 50, usable)
    assert computed < all_computed / 3
    assert usable[few].all()


def test_lists_of_no_rows(tmp_path: Path) -> None:
    space = space_of(Distance.COSINE)
    partition = Partition((VECTORS[:4],), (np.array([0, 4]),))
    build_lists(space, VECTORS, np.empty(0, np.int64), tmp_path / "lists", partition)
    positions, _ = Lists(space, tmp_path / "lists").search(QUERIES[0], (4,), 10, None)
    assert len(positions) == 0


def test_a_partition_that_is_given_is_used(tmp_path: Path) -> None:
    space = space_of(Distance.EUCLID)
    partition = tree_of([VECTORS[:3], VECTORS[10:22]])
    build_lists(space, VECTORS, np.arange(ROWS), tmp_path / "lists", partition)
    index = Lists(space, tmp_path / "lists")
    assert index.partition.lists == partition.lists
    assert np.array_equal(index.partition.leaves, partition.leaves)


def test_the_file_of_a_partition_keeps_it(tmp_path: Path) -> None:
    partition = tree_of([VECTORS[:3], VECTORS[3:12], VECTORS[20:60]])
    file = write_partition(tmp_path / "7.partition", partition)
    again = read_partition(tmp_path / file.name, file.checksum)
    assert file.lists == again.lists == partition.lists
    for one, other in zip(partition.centroids, again.centroids, strict=True):
        assert np.array_equal(one, other)
    for starts, other_starts in zip(partition.starts, again.starts, strict=True):
        assert np.array_equal(starts, other_starts)


def test_k_means_is_the_same_each_time_and_leaves_no_cluster_empty() -> None:
    config = IvfConfig(lists=(3, 40), seed=5)
    first = make_partition(VECTORS, np.arange(ROWS), Distance.EUCLID, config)
    second = make_partition(VECTORS, np.arange(ROWS), Distance.EUCLID, config)
    assert first.to_bytes() == second.to_bytes()
    other = make_partition(VECTORS, np.arange(ROWS), Distance.EUCLID, IvfConfig(lists=(3, 40), seed=6))
    assert other.to_bytes() != first.to_bytes()
    assert first.lists[-1] == 40


def test_k_means_comes_nearer_to_the_rows_with_each_iteration() -> None:
    inertias = []
    for iterations in (0, 1, 2, 5, 20):
        found = cluster(VECTORS, 20, iterations, False, np.random.default_rng(4))
        inertias.append(np.square(VECTORS[:, None] - found[None]).sum(axis=2).min(axis=1).mean())
    assert inertias == sorted(inertias, reverse=True)
    assert inertias[-1] < 0.8 * inertias[0]


def test_duplicates_do_not_break_k_means() -> None:
    rows = np.ones((50, 4), np.float32)
    found = cluster(rows, 7, 10, True, np.random.default_rng(0))
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("rows", "lists"),
    [(1, (1,)), (24_000, (48,)), (1_000_000, (2_000,)), (4_000_000, (12_000,)), (10**8, (256, 65_536))],
)
def test_sizes_by_the_stated_rules(rows: int, lists: tuple[int, ...]) -> None:
    assert lists_for(rows) == lists


def test_nprobe_is_fitted_to_the_levels_of_a_segment() -> None:
    assert default_nprobe((4, 400)) == (4, 80)
    assert fitted((), (4, 400)) == (4, 80)
    assert fitted((3, 9), (400,)) == (9,)
    assert fitted((9,), (4, 400)) == (4, 9)
    assert fitted((1_000,), (40,)) == (40,)


def test_codes_of_a_zero_row_are_zero() -> None:
    codes, scales = to_int8(np.zeros((1, 5)))
    assert not codes.any()
    assert scales.tolist() == [0]


@pytest.mark.parametrize("distance", SERVED)
@pytest.mark.parametrize("datatype", [Datatype.INT8, Datatype.BINARY])
@pytest.mark.parametrize("factor", [1e-30, 1e30, 1e37])
def test_huge_and_tiny_rows_find_as_others_do(
    distance: Distance, datatype: Datatype, factor: float, tmp_path: Path
) -> None:
    """Squares of such components are beyond float32."""
    space = space_of(distance, datatype)
    rows = (VECTORS * np.float64(factor)).astype(np.float32)
    build_lists(space, rows, np.arange(ROWS), tmp_path / "lists")
    index = Lists(space, tmp_path / "lists")
    found = 0
    for query in QUERIES:
        positions, _ = index.search((query * np.float64(factor)).astype(np.float32), (12,), 320, None)
        found += len(nearest(distance, query, 10) & set(positions.tolist()))
    assert found >= 0.95 * 10 * len(QUERIES)


@pytest.mark.parametrize("datatype", [Datatype.INT8, Datatype.BINARY])
def test_ties_are_nominated_by_position(datatype: Datatype, tmp_path: Path) -> None:
    space = space_of(Distance.EUCLID, datatype, lists=(3,))
    rows = np.repeat(VECTORS[:3], 100, axis=0)
    build_lists(space, rows, np.arange(len(rows)), tmp_path / "lists")
    positions, _ = Lists(space, tmp_path / "lists").search(VECTORS[1], (3,), 20, None)
    assert positions.tolist() == list(range(100, 120))


@pytest.mark.parametrize("distance", SERVED)
@pytest.mark.parametrize("offset", ["shared", "of_cluster"])
def test_offsets_cost_int8_no_recall(distance: Distance, offset: str, tmp_path: Path) -> None:
    """300 plus or minus 1 in each component, and two clusters far apart, of neither sign."""
    random = np.random.default_rng(12)
    moved = np.full(ROWS + 20, 300.0) if offset == "shared" else random.choice([-300.0, 300.0], ROWS + 20)
    rows = (random.standard_normal((ROWS + 20, SIZE)) + moved[:, None]).astype(np.float32)
    vectors, queries = rows[:ROWS], rows[ROWS:]
    space = space_of(distance)
    build_lists(space, vectors, np.arange(ROWS), tmp_path / "lists")
    index = Lists(space, tmp_path / "lists")
    found = 0
    for query in queries:
        positions, _ = index.search(query, (30,), 20, None)
        found += len(_nearest_of(vectors, distance, query, 10) & set(positions.tolist()))
    assert found >= 0.98 * 10 * len(queries)


@pytest.mark.parametrize("factor", [1e-9, 1e-3, 1e3, 1e9])
def test_the_length_of_a_query_is_of_no_account_under_dot(factor: float, tmp_path: Path) -> None:
    space = space_of(Distance.DOT)
    build_lists(space, VECTORS, np.arange(ROWS), tmp_path / "lists")
    index = Lists(space, tmp_path / "lists")
    for query in QUERIES:
        longer = (query * np.float64(factor)).astype(np.float32)
        assert nearest(Distance.DOT, query, 10) <= set(index.search(longer, (30,), 30, None)[0].tolist())


@pytest.mark.parametrize("datatype", [Datatype.INT8, Datatype.BINARY])
def test_zero_rows_are_at_a_right_angle_under_cosine(datatype: Datatype, tmp_path: Path) -> None:
    """Beside rows of length 1 they would seem nearer than rows at an angle of 80 degrees."""
    space = space_of(Distance.COSINE, datatype, lists=(3,))
    rows = VECTORS.copy()
    rows[::2] = 0
    build_lists(space, rows, np.arange(ROWS), tmp_path / "lists")
    index = Lists(space, tmp_path / "lists")
    order, _ = index.search(VECTORS[0], (3,), ROWS, None)
    zeros = np.flatnonzero(order % 2 == 0)
    assert np.array_equal(zeros, np.arange(zeros[0], zeros[0] + ROWS // 2)), "they tie"
    assert abs(int(zeros[0]) - int((rows @ VECTORS[0] > 0).sum())) < (10 if datatype is Datatype.INT8 else 100)


@pytest.mark.parametrize("datatype", [Datatype.INT8, Datatype.BINARY])
@pytest.mark.parametrize("distance", SERVED)
def test_reading_in_parts_finds_the_same(
    datatype: Datatype, distance: Distance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists longer than what is read at once are cut, shorter ones read together."""
    space = space_of(distance, datatype, lists=(11,))
    build_lists(space, VECTORS, np.arange(ROWS), tmp_path / "lists")
    index = Lists(space, tmp_path / "lists")
    whole = [index.search(query, (11,), 50, None) for query in QUERIES]
    for rows in (7, 150, 400):
        monkeypatch.setattr("storage.ivf.lists._READ_AT_ONCE", rows)
        for query, (positions, computed) in zip(QUERIES, whole, strict=True):
            again, count = index.search(query, (11,), 50, None)
            assert again.tolist() == positions.tolist()
            assert count == computed


def test_a_search_of_many_lists_looks_at_its_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.ivf.lists._READ_AT_ONCE", 100)
    space = space_of(Distance.EUCLID, lists=(4,))
    build_lists(space, VECTORS, np.arange(ROWS), tmp_path / "lists")
    index, looks = Lists(space, tmp_path / "lists"), []

    def gave_up() -> bool:
        looks.append(1)
        return len(looks) == 4

    with pytest.raises(Cancelled):
        index.search(QUERIES[0], (4,), 10, None, budget=Budget(is_cancelled=gave_up))
    assert len(looks) == 4
