"""Facets: how many points have each value of a field. Exact."""

import heapq
from dataclasses import dataclass

import numpy as np

from planner.bind import DEFAULT_LIMIT
from planner.limits import check_page
from planner.payload_index import Column
from planner.predicate import check_path, scalar_order
from planner.query import Filter, Scalar
from planner.resolve import CheckedFilter, check_filter
from storage.schema import CollectionSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetQuery:
    """The `limit` most frequent values at `path` among the points that match `filter`. Errors name the path `key`."""

    path: str
    filter: Filter | None = None
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True)
class BoundFacet:
    """A FacetQuery that was checked: path, limit and filter are valid."""

    path: str
    filter: CheckedFilter | None
    limit: int


@dataclass(frozen=True, slots=True)
class FacetCount:
    """A value, and how many points have it."""

    value: Scalar
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """The most frequent values, how many values there are in all, and the `seq` of the commit that was read."""

    counts: list[FacetCount]
    value_count: int
    seq: int


def bind_facet(asked: FacetQuery, schema: CollectionSchema) -> BoundFacet:
    """Checks the query. Raises InvalidQuery, InvalidLimit, and what a filter may raise."""
    check_path(asked.path, "key")
    check_page(asked.limit)
    filter = None if asked.filter is None else check_filter(asked.filter, schema, "filter")
    return BoundFacet(asked.path, filter, asked.limit)


def count_values(values: Column, limit: int) -> list[FacetCount]:
    """The `limit` most frequent values. Among equally frequent ones, the first in the order of values.

    Requires: each value once per point.
    """
    counts = np.bincount(values.codes, minlength=len(values.values))
    least = 0 if len(counts) <= limit else int(np.partition(counts, len(counts) - limit)[len(counts) - limit])
    above, tied = np.flatnonzero(counts > least).tolist(), np.flatnonzero(counts == least).tolist()
    first = heapq.nsmallest(limit - len(above), tied, key=lambda code: scalar_order(values.values[code]))
    above.sort(key=lambda code: (-counts[code], scalar_order(values.values[code])))
    return [FacetCount(values.values[code], int(counts[code])) for code in (*above, *first)]
