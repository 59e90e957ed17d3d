"""Aggregations of fields: counts, sums, extremes and means, over all matching points or over groups of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from planner.analyze.exact_sums import exact_mean, exact_sum
from planner.errors import InvalidQuery
from planner.limits import MAX_AGGREGATIONS, MAX_LIMIT, MAX_VALUE_PAIRS, check_page
from planner.payload_index import Column
from planner.predicate import check_path, scalar_order
from planner.query import Filter, Scalar
from planner.resolve import CheckedFilter, check_filter
from storage.budget import Budget
from storage.errors import InvalidRequest, LimitExceeded
from storage.schema import CollectionSchema

PAIRS_PER_CHECK = 1_000_000
"""Pairs of a group and a value that are counted between two looks at the budget: some tens of milliseconds."""

GROUPS_PER_CHECK = 256
"""Groups that are reduced between two looks at the budget."""


class AggregateKind(Enum):
    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    AVG = "avg"
    COUNT_DISTINCT = "count_distinct"


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What to compute from the values at `path`. A count without a path counts points."""

    kind: AggregateKind
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateQuery:
    """Aggregations of the points that match `filter`. With `group_by`, one group for each value at that path.

    `limit` is how many groups to return; the first in the order of their values are returned.
    """

    aggregations: tuple[Aggregation, ...]
    group_by: str | None = None
    filter: Filter | None = None
    limit: int = MAX_LIMIT


@dataclass(frozen=True, slots=True)
class PointCount:
    """The number of points."""


@dataclass(frozen=True, slots=True)
class OfValues:
    """An aggregation of the values at `path`."""

    kind: AggregateKind
    path: str


@dataclass(frozen=True, slots=True)
class BoundAggregate:
    """An AggregateQuery that was checked. Each of its aggregations has what it needs."""

    aggregations: tuple[PointCount | OfValues, ...]
    group_by: str | None
    filter: CheckedFilter | None
    limit: int


@dataclass(frozen=True, slots=True)
class AggregateGroup:
    """A group's value (None without `group_by`), how many points it has, and one result per aggregation.

    A result is None if there was no value to compute it from.
    """

    value: Scalar | None
    count: int
    results: tuple[Scalar | None, ...]


@dataclass(frozen=True, slots=True)
class Aggregates:
    """The groups that are returned, how many groups there are in all, and the `seq` of the commit that was read."""

    groups: list[AggregateGroup]
    group_count: int
    seq: int


def bind_aggregate(asked: AggregateQuery, schema: CollectionSchema) -> BoundAggregate:
    """Checks the query. Raises InvalidQuery, InvalidLimit, LimitExceeded, and what a filter may raise."""
    if not asked.aggregations:
        raise InvalidRequest("aggregations", "give at least one aggregation")
    if len(asked.aggregations) > MAX_AGGREGATIONS:
        raise LimitExceeded(
            "aggregations", limit="MAX_AGGREGATIONS", maximum=MAX_AGGREGATIONS, actual=len(asked.aggregations)
        )
    paths = (f"aggregations[{number}].path" for number in range(len(asked.aggregations)))
    bound = tuple(_bind_aggregation(each, path) for each, path in zip(asked.aggregations, paths, strict=True))
    if asked.group_by is not None:
        check_path(asked.group_by, "group_by")
    check_page(asked.limit)
    filter = None if asked.filter is None else check_filter(asked.filter, schema, "filter")
    return BoundAggregate(bound, asked.group_by, filter, asked.limit)


def _bind_aggregation(asked: Aggregation, field: str) -> PointCount | OfValues:
    """Checks one aggregation. Raises InvalidQuery, which names `field`."""
    if asked.path is not None:
        check_path(asked.path, field)
        return OfValues(asked.kind, asked.path)
    if asked.kind is AggregateKind.COUNT:
        return PointCount()
    raise InvalidQuery(field, f"{asked.kind.value} needs a path")


def first_groups(groups: Column, limit: int) -> Column:
    """The `limit` groups whose values come first. A group's code is its number in the order of the values.

    Requires: each value once per point.
    """
    order = sorted(range(len(groups.values)), key=lambda code: scalar_order(groups.values[code]))[:limit]
    ranks = np.full(len(groups.values), -1, np.int64)
    ranks[order] = np.arange(len(order))
    numbers = ranks[groups.codes]
    kept = numbers >= 0
    return Column(groups.slots[kept], numbers[kept], [groups.values[code] for code in order])


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each group has each value.

    `keys` are group * len(values) + code, ascending; both arrays are int64 (n,).
    """

    keys: NDArray[np.int64]
    counts: NDArray[np.int64]
    values: list[Scalar]

    def of_groups(self, number: int, budget: Budget) -> Iterator[list[tuple[Scalar, int]]]:
        """For each of `number` groups: its values, and how often it has each."""
        width = max(1, len(self.values))
        edges = np.searchsorted(self.keys, np.arange(number + 1) * width)
        for group in range(number):
            if group % GROUPS_PER_CHECK == 0:
                budget.check()
            part = slice(edges[group], edges[group + 1])
            codes, counts = (self.keys[part] - group * width).tolist(), self.counts[part].tolist()
            yield [(self.values[code], count) for code, count in zip(codes, counts, strict=True)]


def tally(groups: Column | None, values: Column, budget: Budget) -> Tally:
    """Counts how often each group has each value. `groups` None: all points are one group.

    Raises LimitExceeded if there are more than MAX_VALUE_PAIRS pairs of a group and a value, DeadlineExceeded,
    Cancelled.
    """
    if groups is None:
        counts = np.bincount(values.codes, minlength=len(values.values))
        return Tally(np.arange(len(counts)), counts, values.values)
    keys, counts = np.empty(0, np.int64), np.empty(0, np.int64)
    for pairs in _pairs(groups, values):
        budget.check()
        keys, counts = _summed(np.concatenate([keys, pairs]), np.concatenate([counts, np.ones_like(pairs)]))
        if len(keys) > MAX_VALUE_PAIRS:
            raise LimitExceeded("group_by", limit="MAX_VALUE_PAIRS", maximum=MAX_VALUE_PAIRS, actual=len(keys))
    return Tally(keys, counts, values.values)


def _pairs(groups: Column, values: Column) -> Iterator[NDArray[np.int64]]:
    """Keys as in Tally, one for each group and each value of every point.

    They come some at a time, to bound the memory.
    """
    by_slot = np.argsort(groups.slots, kind="stable")
    slots, numbers = groups.slots[by_slot], groups.codes[by_slot]
    starts = np.searchsorted(slots, values.slots, "left")
    widths = np.searchsorted(slots, values.slots, "right") - starts
    ends = np.cumsum(widths)
    start = 0
    while start < len(widths):
        passed = 0 if start == 0 else int(ends[start - 1])
        end = max(start + 1, int(np.searchsorted(ends, passed + PAIRS_PER_CHECK, "right")))
        chunk = widths[start:end]
        within = np.arange(int(chunk.sum())) - np.repeat(np.cumsum(chunk) - chunk, chunk)
        members = np.repeat(starts[start:end], chunk) + within
        yield numbers[members] * len(values.values) + np.repeat(values.codes[start:end], chunk)
        start = end


def _summed(keys: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct keys, ascending, and for each the sum of its counts."""
    distinct, numbers = np.unique(keys, return_inverse=True)
    sums = np.zeros(len(distinct), np.int64)
    np.add.at(sums, numbers, counts)
    return distinct, sums


def reduce_values(kind: AggregateKind, values: list[tuple[Scalar, int]]) -> Scalar | None:
    """One aggregation of `values`, which are pairs of a value and how often it occurs."""
    match kind:
        case AggregateKind.COUNT:
            return sum(count for _, count in values)
        case AggregateKind.COUNT_DISTINCT:
            return len(values)
        case AggregateKind.SUM:
            return exact_sum(_numbers(values))
        case AggregateKind.AVG:
            return exact_mean(_numbers(values))
        case AggregateKind.MIN:
            return min((value for value, _ in values if not isinstance(value, bool)), key=scalar_order, default=None)
        case AggregateKind.MAX:
            return max((value for value, _ in values if not isinstance(value, bool)), key=scalar_order, default=None)


def _numbers(values: list[tuple[Scalar, int]]) -> list[tuple[int | float, int]]:
    return [(value, count) for value, count in values if isinstance(value, int | float) and not isinstance(value, bool)]
