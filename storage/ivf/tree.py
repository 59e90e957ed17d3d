"""Checks trees that clients send as rows `id, parent, vector`. Each kind of fault has a name, and the error names the
row."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from storage.budget import UNLIMITED, Budget
from storage.errors import InvalidPartition
from storage.ivf.partition import MAX_CENTROID_VALUES, Partition
from storage.schema import MAX_LEVELS, MAX_LISTS

MAX_ROWS = 2 * MAX_LISTS
"""Rows of a tree that a client sends."""

_CHECKED_AT_ONCE = 4_096


class Malformation(Enum):
    """The kind of fault in a tree. Clients see the names: do not rename."""

    EMPTY = "empty"
    NULL_ID = "null_id"
    REPEATED_ID = "repeated_id"
    MISSING_PARENT = "missing_parent"
    TWO_ROOTS = "two_roots"
    NO_ROOT = "no_root"
    CYCLE = "cycle"
    UNEQUAL_DEPTH = "unequal_depth"
    TOO_DEEP = "too_deep"
    WRONG_DIMENSION = "wrong_dimension"
    NOT_FINITE = "not_finite"
    TOO_MANY = "too_many"


def malformed(
    malformation: Malformation, message: str, row: int | None = None, field: str = "rows"
) -> InvalidPartition:
    return InvalidPartition(malformation.name, message, row, field)


@dataclass(frozen=True, slots=True)
class TreeRow:
    """A node. A `parent` of None means the root; if no row has a parent, all rows are lists below an implied root."""

    id: int | None
    parent: int | None
    vector: NDArray[np.float32]


def check_row(row: TreeRow, number: int, size: int, field: str = "rows") -> int:
    """Returns the row's id. Raises InvalidPartition for a fault of the row itself, or when it is one row too many."""
    if number >= MAX_ROWS or (number + 1) * size > MAX_CENTROID_VALUES:
        most = min(MAX_ROWS, MAX_CENTROID_VALUES // size)
        raise malformed(Malformation.TOO_MANY, f"a partition has at most {most:,} rows", number, field)
    if row.id is None:
        raise malformed(Malformation.NULL_ID, "the row has no id", number, field)
    if len(row.vector) != size:
        what = f"expected {size} dimensions, got {len(row.vector)}"
        raise malformed(Malformation.WRONG_DIMENSION, what, number, field)
    if not np.isfinite(row.vector).all():
        raise malformed(Malformation.NOT_FINITE, "a component is not finite", number, field)
    return row.id


def partition_of(rows: Sequence[TreeRow], size: int, field: str = "rows", budget: Budget = UNLIMITED) -> Partition:
    """The partition that `rows` describe, in any order. Raises InvalidPartition, DeadlineExceeded or Cancelled.

    Lists are in the order of their parents, then of their rows. The vector of an explicit root is checked but not used.
    """
    if not rows:
        raise malformed(Malformation.EMPTY, "the partition has no rows", field=field)
    ids: list[int] = []
    for number, row in enumerate(rows):
        if number % _CHECKED_AT_ONCE == 0:
            budget.check()
        ids.append(check_row(row, number, size, field))
    numbers = _numbers_by_id(ids, field)
    budget.check()
    parents = _parents(rows, numbers, field)
    budget.check()
    partition = _levels(rows, parents, _root(rows, field), field)
    budget.check()
    return partition


def _numbers_by_id(ids: Sequence[int], field: str) -> dict[int, int]:
    numbers: dict[int, int] = {}
    for number, row_id in enumerate(ids):
        if row_id in numbers:
            what = f"row {numbers[row_id]} has the same id {row_id}"
            raise malformed(Malformation.REPEATED_ID, what, number, field)
        numbers[row_id] = number
    return numbers


def _parents(rows: Sequence[TreeRow], numbers: dict[int, int], field: str) -> list[int | None]:
    """For each row, the number of its parent's row."""
    parents: list[int | None] = []
    for number, row in enumerate(rows):
        if row.parent is not None and row.parent not in numbers:
            what = f"the row's parent is {row.parent}, but no row has this id"
            raise malformed(Malformation.MISSING_PARENT, what, number, field)
        parents.append(None if row.parent is None else numbers[row.parent])
    return parents


def _root(rows: Sequence[TreeRow], field: str) -> int | None:
    """The number of the explicit root; None when it is implied, that is, when all rows are lists."""
    without_parent = [number for number, row in enumerate(rows) if row.parent is None]
    if len(without_parent) == len(rows):
        return None
    if not without_parent:
        # Every row has a parent, so each way upwards ends in a cycle.
        raise malformed(Malformation.NO_ROOT, "every row has a parent: there is a cycle and no root", 0, field)
    if len(without_parent) > 1:
        what = f"the row and row {without_parent[0]} have no parent: there are two roots"
        raise malformed(Malformation.TWO_ROOTS, what, without_parent[1], field)
    return without_parent[0]


def _levels(rows: Sequence[TreeRow], parents: list[int | None], root: int | None, field: str) -> Partition:
    """Builds the tree level by level from the root. Rows that it does not reach are in a cycle."""
    children: dict[int | None, list[int]] = {}
    for number, parent in enumerate(parents):
        if number != root:
            children.setdefault(parent, []).append(number)
    centroids: list[NDArray[np.float32]] = []
    starts: list[NDArray[np.int64]] = []
    above: list[int | None] = [root]
    seen = 0 if root is None else 1
    while any(node in children for node in above):
        groups = [children.get(node, []) for node in above]
        childless = next((node for node, group in zip(above, groups, strict=True) if not group), None)
        if childless is not None:
            what = f"the row has no children, but others at depth {len(centroids)} do; all lists need one depth"
            raise malformed(Malformation.UNEQUAL_DEPTH, what, childless, field)
        level = [number for group in groups for number in group]
        if len(centroids) == MAX_LEVELS:
            what = f"the row is on level {MAX_LEVELS + 1} below the root; {MAX_LEVELS} levels are allowed"
            raise malformed(Malformation.TOO_DEEP, what, level[0], field)
        if len(level) > MAX_LISTS:
            what = f"the level has {len(level):,} nodes; {MAX_LISTS:,} are allowed"
            raise malformed(Malformation.TOO_MANY, what, level[MAX_LISTS], field)
        centroids.append(np.stack([rows[number].vector for number in level]).astype(np.float32))
        starts.append(np.concatenate(([0], np.cumsum([len(group) for group in groups]))).astype(np.int64))
        seen += len(level)
        above = list(level)
    if seen < len(rows):
        reached = _reached(children, root)
        lost = next(number for number in range(len(rows)) if number not in reached)
        raise malformed(Malformation.CYCLE, "the row does not lead to the root: its parents form a cycle", lost, field)
    return Partition(tuple(centroids), tuple(starts))


def _reached(children: dict[int | None, list[int]], root: int | None) -> set[int | None]:
    reached: set[int | None] = {root}
    todo: list[int | None] = [root]
    while todo:
        for child in children.get(todo.pop(), []):
            reached.add(child)
            todo.append(child)
    return reached
