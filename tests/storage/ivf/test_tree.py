"""Trees that clients send: valid ones of each height, and each malformation with the row that it names."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import InvalidPartition
from storage.ivf.partition import Partition
from storage.ivf.tree import Malformation, TreeRow, partition_of

Node = tuple[int | None, int | None]
NAN = float("nan")


def rows_of(*nodes: Node, size: int = 2) -> list[TreeRow]:
    """Rows whose vectors tell them apart: the id, then zeros."""
    return [TreeRow(id, parent, np.array([id or 0, *[0] * (size - 1)], np.float32)) for id, parent in nodes]


def ids_of(partition: Partition) -> list[list[int]]:
    """The ids of each level, which are in the first component."""
    return [level[:, 0].astype(int).tolist() for level in partition.centroids]


@pytest.mark.parametrize(
    ("nodes", "levels", "starts"),
    [
        ([(7, None)], [[7]], [[0, 1]]),
        ([(7, None), (8, None)], [[7, 8]], [[0, 2]]),
        ([(1, None), (2, 1), (3, 1)], [[2, 3]], [[0, 2]]),
        ([(3, 1), (2, 1), (1, None)], [[3, 2]], [[0, 2]]),
        ([(0, None), (1, 0), (2, 0), (5, 2), (4, 1), (3, 2)], [[1, 2], [4, 5, 3]], [[0, 2], [0, 1, 3]]),
        ([(0, None), (1, 0), (2, 1), (3, 2), (4, 2)], [[1], [2], [3, 4]], [[0, 1], [0, 1], [0, 2]]),
    ],
    ids=["one list", "implied root", "explicit root", "any order", "two levels", "three levels"],
)
def test_valid_trees(nodes: list[Node], levels: list[list[int]], starts: list[list[int]]) -> None:
    partition = partition_of(rows_of(*nodes), 2)
    assert ids_of(partition) == levels
    assert [each.tolist() for each in partition.starts] == starts


@pytest.mark.parametrize(
    ("nodes", "malformation", "row"),
    [
        ([], Malformation.EMPTY, None),
        ([(1, None), (None, 1)], Malformation.NULL_ID, 1),
        ([(1, None), (2, 1), (2, 1)], Malformation.REPEATED_ID, 2),
        ([(1, None), (2, 9), (3, 1)], Malformation.MISSING_PARENT, 1),
        ([(1, None), (2, 1), (3, None)], Malformation.TWO_ROOTS, 2),
        ([(1, 2), (2, 1)], Malformation.NO_ROOT, 0),
        ([(1, 1)], Malformation.NO_ROOT, 0),
        ([(1, None), (4, 1), (2, 3), (3, 2)], Malformation.CYCLE, 2),
        ([(1, None), (4, 1), (5, 5)], Malformation.CYCLE, 2),
        ([(1, None), (2, 1), (3, 1), (4, 2)], Malformation.UNEQUAL_DEPTH, 2),
        ([(1, None), (2, 1), (3, 2), (4, 3), (5, 4)], Malformation.TOO_DEEP, 4),
    ],
)
def test_malformed_trees(nodes: list[Node], malformation: Malformation, row: int | None) -> None:
    with pytest.raises(InvalidPartition) as refused:
        partition_of(rows_of(*nodes), 2)
    assert (refused.value.malformation, refused.value.row) == (malformation.name, row)
    assert refused.value.field == ("rows" if row is None else f"rows[{row}]")


@pytest.mark.parametrize(
    ("vector", "malformation"),
    [
        ([], Malformation.WRONG_DIMENSION),
        ([1, 2, 3], Malformation.WRONG_DIMENSION),
        ([1, NAN], Malformation.NOT_FINITE),
        ([float("-inf"), 0], Malformation.NOT_FINITE),
    ],
)
def test_malformed_vectors(vector: Sequence[float], malformation: Malformation) -> None:
    rows = [*rows_of((1, None), (2, 1)), TreeRow(3, 1, np.array(vector, np.float32))]
    with pytest.raises(InvalidPartition) as refused:
        partition_of(rows, 2)
    assert (refused.value.malformation, refused.value.row) == (malformation.name, 2)


def test_too_many_rows() -> None:
    row = rows_of((1, None), size=60_000)[0]
    rows = [TreeRow(number, None, row.vector) for number in range(1_200)]
    with pytest.raises(InvalidPartition) as refused:
        partition_of(rows, 60_000)
    assert refused.value.malformation == "TOO_MANY"


@given(st.integers(1, 3), st.integers(1, 5), st.randoms(use_true_random=False))
def test_random_trees(height: int, width: int, random: "np.random.Generator") -> None:
    """Every tree of equal depth is taken, in any order of its rows; each node is below its parent."""
    nodes: list[Node] = [(0, None)]
    level = [0]
    parents: dict[int, int] = {}
    for _ in range(height):
        below = []
        for parent in level:
            for _ in range(1 + int(random.random() * width)):
                nodes.append((len(nodes), parent))
                parents[len(nodes) - 1] = parent
                below.append(len(nodes) - 1)
        level = below
    rows = rows_of(*nodes)
    random.shuffle(rows)
    partition = partition_of(rows, 2)
    assert len(partition.centroids) == height
    levels = [[0], *ids_of(partition)]
    for above, here, starts in zip(levels, levels[1:], partition.starts, strict=False):
        for number, parent in enumerate(above):
            assert all(parents[child] == parent for child in here[starts[number] : starts[number + 1]])
    assert sorted(levels[-1]) == sorted(level)
