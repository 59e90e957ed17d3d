"""Recall: what share of the results of exact search a search with given parameters finds. It runs no search itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from planner.analyze.sampling import sampled
from planner.bind import BoundLeaf, BoundQuery
from planner.errors import InvalidLimit
from planner.execute import Source
from planner.limits import MAX_LIMIT
from planner.query import Filter, Nearest, Query, QueryVector, SearchParams, Stage, StoredVector
from planner.rank import Ranking
from planner.resolve import dense_space, space_of
from storage.errors import InvalidRequest
from storage.schema import Distance

QUERIES_PER_CHECK = 64
"""Queries that are searched together, between two looks at the budget."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Asks for `count` stored vectors as queries. Equal seeds and equal data give the same ones."""

    count: int = 100
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallTest:
    """What to measure: the `k` nearest points to each query, under `filter` and `params`. `using` is as in a query."""

    queries: tuple[QueryVector, ...] | Sample = field(default_factory=Sample)
    using: str | None = None
    k: int = 10
    filter: Filter | None = None
    params: SearchParams = field(default_factory=SearchParams)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundRecall:
    """A RecallTest that was checked: the metric of its space, and the queries, at least one."""

    distance: Distance
    queries: tuple[BoundQuery, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Recall, from 0 to 1, over `queries` queries, and the commit that was read.

    `average` is the mean, `minimum` the worst, and nine of ten queries reach at least `p10`.
    """

    average: float
    minimum: float
    p10: float
    queries: int
    seq: int


def bind_recall(
    test: RecallTest, source: Source, bind: Callable[[Sequence[Query]], Sequence[BoundQuery]]
) -> BoundRecall:
    """`bind` binds queries to the commit that `source` reads.

    Raises InvalidLimit, SpaceNotFound, AmbiguousSpace, InvalidRequest if there is no vector to sample,
    RequestTooLarge, what a budget may raise, and what `bind` raises.
    """
    _check_counts(test)
    schema = source.points.schema
    space = space_of(test.using, schema, "using")
    found = dense_space(schema, space, "using")
    queries = _queries_of(test, source, space, found.distance)
    source.budget.hold(4 * found.size * len(queries), "the vectors of the queries")
    return BoundRecall(distance=found.distance, queries=tuple(bind(queries)))


def _check_counts(test: RecallTest) -> None:
    bounds = {"k": test.k}
    if isinstance(test.queries, Sample):
        bounds["sample"] = test.queries.count
    else:
        bounds["queries"] = len(test.queries)
    for name, number in bounds.items():
        if not 1 <= number <= MAX_LIMIT:
            what = f"{number:,} is not between 1 and {MAX_LIMIT:,}"
            raise InvalidLimit(name, what, limit="MAX_LIMIT", maximum=MAX_LIMIT, actual=number)


def _queries_of(test: RecallTest, source: Source, space: str, distance: Distance) -> tuple[Query, ...]:
    """The queries to search. A stored vector does not find its own point, since that would be too easy."""
    if not isinstance(test.queries, Sample):
        ranks = [Nearest(vector) for vector in test.queries]
        return tuple(_query(test, rank, space, f"queries[{number}]") for number, rank in enumerate(ranks))
    ranks = _sampled(test.queries, source, space, distance)
    return tuple(_query(test, rank, space, "sample") for rank in ranks)


def exactly(query: BoundQuery) -> BoundQuery:
    """The same query of one stage, to be answered exactly."""
    leaf = query.root.ranked
    if not isinstance(leaf, BoundLeaf) or leaf.rank is None:
        return query
    return replace(query, root=replace(query.root, ranked=BoundLeaf(leaf.rank.ground_truth())))


def recall_of(found: Ranking, exact: Ranking, distance: Distance) -> float:
    """The share of the points of `exact` that `found` has too. Points of equal score may replace each other."""
    if not len(exact):
        return 1.0
    worst = exact.scores[-1]
    good = found.scores >= worst if distance.higher_is_better else found.scores <= worst
    return min(1.0, int(np.count_nonzero(good)) / len(exact))


def summary(recalls: Sequence[float], seq: int) -> Recall:
    """The summary of the recall of each query. Requires: at least one."""
    ascending = sorted(recalls)
    return Recall(
        average=sum(ascending) / len(ascending),
        minimum=ascending[0],
        p10=ascending[len(ascending) // 10],
        queries=len(ascending),
        seq=seq,
    )


def _query(test: RecallTest, rank: Nearest, space: str, field: str) -> Query:
    stage = Stage(query=rank, using=space, filter=test.filter, params=test.params, limit=test.k)
    return Query(root=stage, with_payload=None, vector_field=field)


def _sampled(sample: Sample, source: Source, space: str, distance: Distance) -> list[Nearest]:
    chosen = sampled(source, space, None, sample.seed, sample.count)
    _, rows = source.points.vectors(space, chosen)
    # A zero vector may be stored, but cannot be a cosine query.
    any_goes = distance is not Distance.COSINE
    ranks = [
        Nearest(StoredVector(point_id))
        for row, point_id in zip(rows, source.points.point_ids(chosen), strict=True)
        if any_goes or row.any()
    ]
    if not ranks:
        raise InvalidRequest("sample", f"the space {space!r} holds no vector that can be a query; give queries")
    return ranks
