"""Distance matrix: takes a sample of points, and finds for each of them its nearest neighbours within the sample.

Scores are exact.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.analyze.sampling import sampled
from planner.errors import InvalidQuery
from planner.execute import Points, Source
from planner.limits import MAX_MATRIX_SAMPLE, check_page
from planner.query import Filter
from planner.resolve import CheckedFilter, check_filter, dense_space, space_of
from storage.schema import Distance, PointId
from storage.vectors import rank, score_rows

DEFAULT_SAMPLE = 10
"""Points in the sample by default."""

DEFAULT_NEIGHBOURS = 3
"""Neighbours of each point by default."""

PAIR_BYTES = 150
"""Memory of a point, one of its neighbours and their score, with the message for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixQuery:
    """For each of `sample` points that match and have a vector in `using`: its `limit` nearest neighbours in the
    sample.

    `seed` None: the sequence number of the commit that is read.
    """

    using: str | None = None
    filter: Filter | None = None
    sample: int = DEFAULT_SAMPLE
    limit: int = DEFAULT_NEIGHBOURS
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundMatrix:
    """A MatrixQuery that was checked, with its dense space, that space's metric, and a seed."""

    space: str
    distance: Distance
    filter: CheckedFilter | None
    sample: int
    limit: int
    seed: int


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest neighbours of one point, best first. Both arrays are (n,).

    `positions` (int64) count within the sample; `scores` are float32.
    """

    positions: NDArray[np.int64]
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The sample in id order, the neighbours of each of its points, and the commit that was read."""

    ids: list[PointId]
    rows: list[Neighbours]
    seq: int


def bind_matrix(asked: MatrixQuery, points: Points) -> BoundMatrix:
    """Checks the query. Raises InvalidQuery, InvalidLimit, SpaceNotFound, AmbiguousSpace, and what filters raise."""
    schema = points.schema
    if not 2 <= asked.sample <= MAX_MATRIX_SAMPLE:
        raise InvalidQuery("sample", f"{asked.sample:,} is not between 2 and {MAX_MATRIX_SAMPLE:,} (MAX_MATRIX_SAMPLE)")
    check_page(asked.limit)
    filter = None if asked.filter is None else check_filter(asked.filter, schema, "filter")
    if asked.seed is not None and not 0 <= asked.seed < 2**64:
        raise InvalidQuery("seed", f"{asked.seed} is not between 0 and 2^64 - 1")
    space = space_of(asked.using, schema, "using")
    return BoundMatrix(
        space=space,
        distance=dense_space(schema, space, "using").distance,
        filter=filter,
        sample=asked.sample,
        limit=asked.limit,
        seed=points.seq if asked.seed is None else asked.seed,
    )


def distance_matrix(source: Source, asked: BoundMatrix) -> Matrix:
    """The matrix. Raises RequestTooLarge, DeadlineExceeded, Cancelled."""
    points, budget = source.points, source.budget
    picked = sampled(source, asked.space, asked.filter, asked.seed, asked.sample)
    keys = points.id_keys(picked)
    slots = picked[sorted(range(len(picked)), key=keys.__getitem__)]
    distance = asked.distance
    budget.hold(4 * points.schema.dense[asked.space].size * len(slots), "the vectors of the sample")
    _, vectors = points.vectors(asked.space, slots)
    rows: list[Neighbours] = []
    budget.hold(PAIR_BYTES * len(slots) * min(asked.limit, len(slots)), "the pairs of the matrix")
    for place in range(len(slots)):
        budget.check()
        others = np.delete(np.arange(len(slots)), place)
        found = score_rows(distance, vectors[place], vectors)[others]
        best = rank(
            slots[others],
            found,
            higher_is_better=distance.higher_is_better,
            id_keys=points.id_keys,
            limit=asked.limit,
        )
        rows.append(Neighbours(others[best], found[best]))
    return Matrix(points.point_ids(slots), rows, points.seq)
